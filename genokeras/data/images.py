"""Images with labels: arrays, idx files and folders of classes become a checked `ImageData` here."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.data.pictures import check_size, pixels_of, read_pictures
from genokeras.data.readers.class_folders import list_class_folder
from genokeras.data.readers.idx import is_idx, read_idx
from genokeras.data.readers.opening import check_file
from genokeras.data.readers.picture import IMAGE_SUFFIXES
from genokeras.data.samples import described, labels_and_note, per_sample
from genokeras.data.table import Table
from genokeras.errors import DataError, DataFileError
from genokeras.support.wording import counted
from genokeras.visible import visible

_NUMPY = (".npy", ".npz")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ImageData:
    """Images of one size.

    Attributes
    ----------
    pixels : ndarray of uint8 or float32, shape (n_images, height, width, channels)
        As they came: 0 to 255 for uint8.
    names : tuple of str
        One per image.
    labels : ndarray of shape (n_images,), optional
        As they came, not encoded.
    groups : ndarray of shape (n_images,), optional
        Images of one group (one patient, say) must not be split between training and scoring.
    source : str
        Where the data came from, for messages.
    names_given : bool
        False where `names` were made up as ``"sample_0"``, ``"sample_1"``...
    notes : tuple of str
        What was detected, resized or left out, in plain sentences.
    """

    pixels: np.ndarray
    names: tuple[str, ...]
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    source: str = "array"
    names_given: bool = True
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: np.ndarray) -> ImageData:
        """Return the images that `rows` (a mask or positions) picks, in that order."""
        picked = np.arange(len(self))[rows]
        return dataclasses.replace(
            self,
            pixels=self.pixels[picked],
            names=tuple(self.names[i] for i in picked),
            labels=None if self.labels is None else self.labels[picked],
            groups=None if self.groups is None else self.groups[picked],
        )

    def __repr__(self) -> str:
        height, width, channels = self.pixels.shape[1:]
        labels = "without labels" if self.labels is None else "with labels"
        size = f"{height} x {width} x {channels}"
        return f"ImageData({counted(len(self), 'image')} of {size}, {self.pixels.dtype}, {labels}, {self.source})"


def load_images(
    x: Any,
    y: Any = None,
    *,
    groups: Any = None,
    size: tuple[int, int] | None = None,
    channels_first: bool = False,
) -> ImageData:
    """Read and check images and, where given, their labels.

    Parameters
    ----------
    x : path, ImageData, array-like or sequence of arrays or images of Pillow
        Shape (n_images, height, width) or (n_images, height, width, channels); whole numbers from 0 to 255 become uint8, all
        other numbers float32. Paths: an idx file (also .gz), or a folder with a folder of images (png, jpg, bmp, gif,
        tif, webp) for each class, or of images alone. Images of Pillow are read as their files are: palettes by their colours,
        grey if all are grey, upright, without transparency.
    y : array-like of shape (n_images,) or path, optional
        Labels by row, an idx file, or a text file of names and labels. Without it, the names of the class folders are taken.
    groups : array-like of shape (n_images,) or path, optional
        As `y`.
    size : tuple of int, optional
        ``(height, width)`` to which every image is resized; without it, images of several sizes raise.
    channels_first : bool
        The shape is (n_images, channels, height, width).

    Raises
    ------
    DataFileError
        Where a file is missing, truncated, or no image.
    DataError
        Where sizes differ, the channels seem to come first, or pixels or labels cannot be used.

    Examples
    --------
    >>> load_images(np.zeros((2, 8, 8), dtype="uint8"), y=["cat", "dog"])
    ImageData(2 images of 8 x 8 x 1, uint8, with labels, array)
    """
    check_size(size)
    pixels, table = _content(x, size, channels_first)
    if _is_idx_file(y):
        y = _idx_labels(y)
    labels, label_notes = labels_and_note(y, table)
    data = ImageData(
        pixels=pixels,
        names=table.ids,
        labels=labels,
        groups=per_sample(groups, table, "groups"),
        source=table.source,
        names_given=table.sample_ids is not None,
        notes=(*table.notes, *label_notes),
    )
    for note in data.notes:
        _logger.info("%s: %s", visible(data.source), visible(note))
    return data


def _content(x: Any, size: tuple[int, int] | None, channels_first: bool) -> tuple[np.ndarray, Table]:
    if isinstance(x, ImageData):
        names = x.names if x.names_given else None
        table = described(len(x), x.source, names=names, y=x.labels, groups=x.groups, notes=x.notes)
        return pixels_of(x.pixels, x.source, size, channels_first)[0], table
    if isinstance(x, str | os.PathLike):
        path = Path(x).expanduser()
        return _from_folder(path, size) if path.is_dir() else _from_file(path, size, channels_first)
    source = "list" if isinstance(x, Sequence) else "array"
    pixels, notes = pixels_of(x, source, size, channels_first)
    return pixels, described(len(pixels), source, notes=notes)


def _from_folder(folder: Path, size: tuple[int, int] | None) -> tuple[np.ndarray, Table]:
    listing = list_class_folder(folder, IMAGE_SUFFIXES)
    pixels, notes = read_pictures(listing.files, listing.names, folder.name, size)
    labels = None if listing.labels is None else np.array(listing.labels, dtype=object)
    table = described(len(pixels), folder.name, names=listing.names, y=labels, notes=(*listing.notes, *notes))
    return pixels, table


def _from_file(path: Path, size: tuple[int, int] | None, channels_first: bool) -> tuple[np.ndarray, Table]:
    file = check_file(path)
    if file.suffix.lower() in IMAGE_SUFFIXES:
        raise DataFileError(f"{file.name} is a single image: pass the folder it lies in.")
    if file.suffix.lower() in _NUMPY:
        name = "" if file.suffix.lower() == ".npy" else "[name]"
        raise DataFileError(
            f"{file.name} is a file of NumPy: expected an idx file or a folder of pictures. Pass its array in Python: "
            f"np.load({str(file)!r}){name}."
        )
    values = read_idx(file)
    if values.ndim not in (3, 4):
        hint = " Are these the labels?" if values.ndim == 1 else ""
        raise DataError(f"{file.name}: expected images (n, height, width), got shape {values.shape}.{hint}")
    pixels, notes = pixels_of(values, file.name, size, channels_first)
    return pixels, described(len(pixels), file.name, notes=notes)


def _is_idx_file(y: Any) -> bool:
    return isinstance(y, str | os.PathLike) and is_idx(os.fspath(y))


def _idx_labels(y: str | os.PathLike[str]) -> np.ndarray:
    labels = read_idx(os.fspath(y))
    if labels.ndim != 1:
        raise DataError(
            f"{Path(y).name}: expected one label per image, got shape {labels.shape}: are these the images?"
        )
    return labels

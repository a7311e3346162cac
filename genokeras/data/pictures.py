"""Pixels as arrays ``(n_images, height, width, channels)``: checked, of one size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genokeras.data.checks import LARGEST
from genokeras.data.readers.picture import check_levels, read_picture, reading_notes
from genokeras.errors import DataError, ParameterError
from genokeras.support.wording import counted, listed

_OTHER_SCALES = "Their pixels are on different scales: save all of them with the same depth."
_USUAL_CHANNELS = (1, 3, 4)


def check_size(size: tuple[int, int] | None) -> None:
    """Raise where `size` is not two positive whole numbers."""
    whole = size is None or (
        isinstance(size, tuple | list)
        and len(size) == 2
        and all(isinstance(side, int | np.integer) and side > 0 for side in size)
    )
    if not whole:
        raise ParameterError(f"size must be (height, width) in pixels, such as (64, 64): got {size!r}.")


def pixels_of(
    x: Any, source: str, size: tuple[int, int] | None, channels_first: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return images as uint8 or float32 ``(n, height, width, channels)``, and notes on what was done.

    Raises
    ------
    DataError
        Where sizes differ and no `size` is given, the order of the axes seems wrong, or pixels are not finite numbers.
    """
    if isinstance(x, Image.Image):
        raise DataError(f"{source}: expected several images, got one of Pillow: pass a list of it, [x].")
    if isinstance(x, Sequence) and any(isinstance(image, Image.Image) for image in x):
        return read_pictures(x, [f"image {i}" for i in range(len(x))], source, size)
    if isinstance(x, Sequence) and x and all(isinstance(image, np.ndarray) for image in x):
        _check_depths(x, [f"image {i}" for i in range(len(x))], source)
    if isinstance(x, Sequence) and len({np.shape(image) for image in x}) > 1:
        images = [_with_channels(np.asarray(image), source) for image in x]
        return _one_size(images, [f"image {i}" for i in range(len(images))], source, size)
    values = np.asarray(x)
    if values.dtype.kind not in "biuf":
        raise DataError(f"{source}: pixels must be numbers: got an array of dtype {values.dtype}.")
    if values.ndim == 4 and channels_first:
        values = values.transpose(0, 2, 3, 1)
    _check_shape(values.shape, source, channels_first)
    values = values[..., np.newaxis] if values.ndim == 3 else values
    pixels = _plain(values, source)
    if size is not None and tuple(size) != pixels.shape[1:3]:
        resized = np.stack([_resized(image, size) for image in pixels])
        return resized, (f"All images were resized from {_spoken(pixels.shape[1:3])} to {_spoken(size)}.",)
    return pixels, ()


def read_pictures(
    given: Sequence[Any], names: Sequence[str], source: str, size: tuple[int, int] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read pictures: grey if all are grey, else red, green and blue; transparency is dropped.

    Parameters
    ----------
    given : sequence of Path, PIL.Image.Image or array-like
        Arrays, which may stand among images of Pillow, keep their channels.

    Raises
    ------
    DataFileError
        Where a file is truncated, no picture, or a stack of pages.
    DataError
        Where sizes differ and no `size` is given, or pictures have different depths or too many bits to be read.
    """
    read = {
        name: read_picture(picture, name)
        for picture, name in zip(given, names, strict=True)
        if isinstance(picture, Path | Image.Image)
    }
    check_levels(read, source)
    images = [
        read[name].pixels if name in read else _with_channels(np.asarray(picture), source)
        for picture, name in zip(given, names, strict=True)
    ]
    _check_depths(images, names, source)
    if {image.shape[2] for image in images} == {1, 3}:
        images = [in_channels(image, 3) for image in images]
    pixels, notes = _one_size(images, names, source, size)
    return pixels, (*notes, *reading_notes(read))


def _check_depths(images: Sequence[np.ndarray], names: Sequence[str], source: str) -> None:
    """Raise where images are on different scales: 8 bits and more, or whole numbers and fractions of 1."""
    deep = [name for image, name in zip(images, names, strict=True) if image.dtype != np.uint8]
    if deep and len(deep) < len(images):
        raise DataError(
            f"{source}: {len(deep)} of {len(images)} images have more than 8 bits, the others 8: {listed(deep, 5)}. {_OTHER_SCALES}"
        )
    if deep and any(map(_is_whole, images)):
        unit = [name for image, name in zip(images, names, strict=True) if _is_unit(image)]
        if unit:
            raise DataError(
                f"{source}: {len(unit)} of {len(images)} images are fractions from 0 to 1, others whole numbers beyond: "
                f"{listed(unit, 5)}. {_OTHER_SCALES}"
            )


def _is_unit(image: np.ndarray) -> bool:
    inside = image.dtype.kind == "f" and image.size and image.min() >= 0 and image.max() <= 1
    return bool(inside and ((image > 0) & (image < 1)).any())


def _is_whole(image: np.ndarray) -> bool:
    return bool(
        image.dtype.kind in "iuf" and image.size and image.max() > 1 and (image == np.rint(image)).all()
    )


def _one_size(
    images: list[np.ndarray], names: Sequence[str], source: str, size: tuple[int, int] | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    channels = Counter(image.shape[2] for image in images)
    if len(channels) > 1:
        counts = ", ".join(f"{n} with {c}" for c, n in channels.most_common())
        raise DataError(f"{source}: images must have the same number of channels: got {counts}.")
    sizes = Counter(image.shape[:2] for image in images)
    notes: tuple[str, ...] = ()
    if size is None and len(sizes) > 1:
        common = sizes.most_common(1)[0][0]
        odd = [name for name, image in zip(names, images, strict=True) if image.shape[:2] != common]
        counts = listed((f"{_spoken(side)} ({n})" for side, n in sizes.most_common()), 5)
        raise DataError(
            f"{source}: images have {len(sizes)} sizes, height x width: {counts}; not {_spoken(common)} are "
            f"{listed(odd, 5)}. {resizing_advice(common)}"
        )
    if size is not None:
        changed = sum(n for side, n in sizes.items() if side != tuple(size))
        images = [_resized(image, size) for image in images]
        if changed:
            notes = (f"{counted(changed, 'image was', 'images were')} resized to {_spoken(size)}.",)
    return _plain(np.stack(images), source), notes


def resizing_advice(size: Sequence[int]) -> str:
    """How to bring images to ``(height, width)``, as a sentence."""
    height, width = size
    return f"Resize them all: gk.load_images(..., size=({height}, {width})), on the command line --size {height}x{width}."


def in_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return grey pixels ``(..., 1)`` as 3 channels, and 3 equal channels as a grey one; anything else as it came."""
    if (pixels.shape[-1], channels) == (1, 3):
        return np.repeat(pixels, 3, axis=-1)
    if (pixels.shape[-1], channels) == (3, 1) and (pixels == pixels[..., :1]).all():
        return np.ascontiguousarray(pixels[..., :1])
    return pixels


def _resized(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize ``(height, width, channels)`` channel by channel, bilinear, averaging where it shrinks."""
    if image.shape[:2] == tuple(size):
        return image
    target = (int(size[1]), int(size[0]))
    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(target, Image.Resampling.BILINEAR))
        for plane in np.moveaxis(image, 2, 0)
    ]
    return np.stack(planes, axis=2)


def _with_channels(image: np.ndarray, source: str) -> np.ndarray:
    if image.ndim not in (2, 3) or image.dtype.kind not in "biuf" or not image.size:
        raise DataError(
            f"{source}: an image must be numbers of shape (height, width) or (height, width, channels): got shape "
            f"{image.shape}, dtype {image.dtype}."
        )
    image = image[..., np.newaxis] if image.ndim == 2 else image
    return image if image.dtype == np.uint8 else image.astype(np.float32)


def _check_shape(shape: tuple[int, ...], source: str, channels_first: bool) -> None:
    if len(shape) not in (3, 4) or 0 in shape:
        hint = " For one image pass x[np.newaxis]." if len(shape) == 2 else ""
        raise DataError(
            f"{source}: images must have the shape (n_images, height, width) or (n_images, height, width, channels): got "
            f"{shape}.{hint}"
        )
    if (
        len(shape) == 4
        and shape[1] in _USUAL_CHANNELS
        and shape[3] not in _USUAL_CHANNELS
        and not channels_first
    ):
        raise DataError(
            f"{source}: the shape {shape} looks like (n_images, channels, height, width): read them with "
            "gk.load_images(x, channels_first=True), or pass x.transpose(0, 2, 3, 1)."
        )
    if len(shape) == 3 and shape[2] == 3 < min(shape[:2]):
        raise DataError(
            f"{source}: the shape {shape} looks like one image in colour, (height, width, channels): pass x[np.newaxis]."
        )


def _plain(values: np.ndarray, source: str) -> np.ndarray:
    """Return whole numbers from 0 to 255 as uint8, all other finite numbers as float32."""
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if values.dtype.kind in "iu" and values.min() >= 0 and values.max() <= 255:
        return np.ascontiguousarray(values, dtype=np.uint8)
    with np.errstate(over="ignore"):
        pixels = np.ascontiguousarray(values, dtype=np.float32)
    odd = ~(np.abs(pixels) <= LARGEST).all(axis=(1, 2, 3))
    if odd.any():
        rows = listed(np.flatnonzero(odd).tolist(), 8)
        raise DataError(
            f"{source}: {counted(int(odd.sum()), 'image holds', 'images hold')} values that are missing, infinite or beyond {LARGEST:g}: "
            f"image {rows}."
        )
    return pixels


def _spoken(size: Sequence[int]) -> str:
    return f"{size[0]} x {size[1]}"

"""Boxes around things: from the model's view of a picture back to the picture, and drawn on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from genokeras.errors import ParameterError
from genokeras.support.files import written_aside

_COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#f032e6")


@dataclass(frozen=True)
class Detection:
    """A thing found in a picture.

    Attributes
    ----------
    label : str
        What it is.
    score : float
        How sure the model is, from 0 to 1.
    box : tuple of float
        Its corners ``(left, top, right, bottom)`` in pixels of the picture as given, from its upper left corner, as
        ``PIL.Image.Image.crop`` takes them.
    """

    label: str
    score: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True)
class View:
    """The part of a picture that a model sees, stretched to the model's size.

    Attributes
    ----------
    left, top, width, height : float
        In pixels of the picture. What lies outside of the picture is padding.
    """

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, converter: Any, height: int, width: int) -> View:
        """What a ``keras_hub.layers.ImageConverter`` keeps of a picture of this size, rounded as Keras rounds it."""
        if converter.image_size is None or not (
            converter.crop_to_aspect_ratio or converter.pad_to_aspect_ratio
        ):
            return cls(0, 0, width, height)
        to_height, to_width = converter.image_size
        fitting_height, fitting_width = int(width * to_height / to_width), int(height * to_width / to_height)
        if converter.crop_to_aspect_ratio:
            inner_height, inner_width = min(height, fitting_height), min(width, fitting_width)
            return cls((width - inner_width) // 2, (height - inner_height) // 2, inner_width, inner_height)
        top, left = max(0, fitting_height - height) // 2, max(0, fitting_width - width) // 2
        return cls(-left, -top, width + 2 * left, height + 2 * top)

    def on_picture(self, corners: np.ndarray, seen: tuple[int, int], picture: tuple[int, int]) -> np.ndarray:
        """Corners in the model's pixels as corners in the picture's, cut at its edges.

        Parameters
        ----------
        corners : ndarray of shape (n_boxes, 4)
            Left, top, right, bottom.
        seen, picture : tuple of int
            Height and width of what the model reads, and of the picture.
        """
        scale = np.array([self.width / seen[1], self.height / seen[0]] * 2)
        moved = corners * scale + np.array([self.left, self.top] * 2)
        return np.clip(moved, 0.0, np.array([picture[1], picture[0]] * 2, dtype=float))


def check_picture_path(path: str | os.PathLike[str]) -> Path:
    """A path that a picture can be written to.

    Raises
    ------
    ParameterError
        If its suffix is none of a picture or its folder does not exist.
    """
    target = Path(path).expanduser()
    writable = {suffix for suffix, name in Image.registered_extensions().items() if name in Image.SAVE}
    if target.suffix.lower() not in writable:
        raise ParameterError(
            f"output_file_path must end as a picture does, such as .png or .jpg: got {str(target)!r}."
        )
    if not target.parent.is_dir():
        raise ParameterError(f"output_file_path: there is no folder {target.parent}; create it first.")
    return target


def draw_detections(pixels: np.ndarray, found: Sequence[Detection], target: Path) -> None:
    """Write a picture with boxes, labels and scores drawn on it.

    Parameters
    ----------
    pixels : ndarray, shape (height, width, 3)
        From 0 to 255.
    found : sequence of Detection
        The first are drawn on top.
    target : Path
        Its suffix says the format.

    Raises
    ------
    RunFolderError
        If it cannot be written.
    """
    picture = Image.fromarray(pixels.round().astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    line = max(1, round(min(picture.size) / 200))
    font = ImageFont.load_default(max(10, 5 * line))
    labels = sorted({detection.label for detection in found})
    for detection in reversed(found):
        colour = _COLOURS[labels.index(detection.label) % len(_COLOURS)]
        left, top, _, _ = detection.box
        pen.rectangle(detection.box, outline=colour, width=line)
        text = f"{detection.label} {detection.score:.2f}"
        size = pen.textbbox((0, 0), text, font=font)
        corner = (left, max(0.0, top - size[3] - 2))
        pen.rectangle((corner[0], corner[1], corner[0] + size[2] + 4, corner[1] + size[3] + 2), fill=colour)
        pen.text((corner[0] + 2, corner[1]), text, fill="white", font=font)
    with written_aside(target) as aside:
        picture.save(aside)

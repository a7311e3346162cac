"""Pictures of any size, as files or arrays, read and checked one by one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genokeras.data.pictures import read_pictures
from genokeras.data.readers.opening import check_file
from genokeras.errors import DataError


def is_one_picture(x: Any) -> bool:
    """Whether `x` is one picture: a path, a Pillow image, or an array with two or three axes."""
    return isinstance(x, str | os.PathLike | Image.Image) or getattr(x, "ndim", 0) in (2, 3)


def read_colours(x: Any, name: str = "x") -> np.ndarray:
    """The pixels of a picture in red, green and blue.

    Parameters
    ----------
    x : path, PIL.Image.Image or ndarray
        Files and images of Pillow are turned upright, as the camera noted. Arrays have the shape (height, width), or (height,
        width, channels) with 1, 3 or 4 channels, and hold numbers from 0 to 255.
    name : str
        What messages call an array.

    Returns
    -------
    ndarray of float32, shape (height, width, 3)

    Raises
    ------
    DataFileError
        If there is no such file or it is no picture.
    DataError
        If a picture has more than 8 bits, an array is no picture, or its numbers are not from 0 to 255.
    """
    if isinstance(x, str | os.PathLike):
        x = check_file(x)
        name = str(x)
    read = isinstance(x, Path | Image.Image)
    pixels = read_pictures([x], [name], name, None)[0][0] if read else np.asarray(x)
    if pixels.dtype.kind not in "biuf" or pixels.ndim not in (2, 3) or not pixels.size:
        raise DataError(
            f"{name}: a picture must be numbers of shape (height, width, 3): got shape {pixels.shape}, dtype {pixels.dtype}."
        )
    pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    if pixels.shape[2] not in (1, 3, 4):
        hint = " Channels come last: pass x.transpose(1, 2, 0)." if pixels.shape[0] in (1, 3, 4) else ""
        raise DataError(f"{name}: a picture has 1, 3 or 4 channels: got shape {pixels.shape}.{hint}")
    _check_range(pixels, name)
    return np.ascontiguousarray(np.broadcast_to(pixels[..., :3], (*pixels.shape[:2], 3)), dtype=np.float32)


def _check_range(pixels: np.ndarray, name: str) -> None:
    lowest, highest = float(pixels.min()), float(pixels.max())
    if not (lowest >= 0 and highest <= 255):
        raise DataError(f"{name}: pixels must be from 0 to 255: got {lowest:g} to {highest:g}.")
    if pixels.dtype.kind in "bf" and 0 < highest <= 1:
        raise DataError(f"{name}: pixels must be from 0 to 255; these go from 0 to 1: pass 255 * x.")

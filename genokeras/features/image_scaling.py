"""Pixels on a common scale, and what may be done to an image without changing what it shows, as values."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from scipy import ndimage

from genokeras.support.checks import check_choice, check_number

Kind = Literal["unit", "standard"]
_BLOCK = 1024
UNIT, BYTE, DEEP = 1.0, 255.0, 65535.0
# Images in units of their own may be a little brighter than those before.
_BEYOND_UNIT, _BEYOND_BYTE = 16, 1020
# Fewer images may happen to be that dark.
SEVERAL_IMAGES = 5
# Where the mean is more standard deviations than this, they are of rounding: the channel has one value.
_FLAT = 1e6
_LEAST_SPREAD = 1e-12


@dataclass(frozen=True, eq=False)
class ImageScaling:
    """``(pixel - mean) * factor`` by channel: what a ``Rescaling`` layer, one value per channel, does with
    ``scale=factor`` and ``offset=-mean * factor``.

    Attributes
    ----------
    mean, factor : ndarray of float32, shape (channels,)
    """

    mean: np.ndarray
    factor: np.ndarray

    @property
    def offset(self) -> np.ndarray:
        """What is added after multiplying by `factor`, float32 ``(channels,)``."""
        return -self.mean * self.factor

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Return scaled images, float32 of the same shape."""
        return pixels.astype(np.float32) * self.factor + self.offset


def fit_image_scaling(
    pixels: np.ndarray, rows: np.ndarray | None = None, kind: Kind = "standard"
) -> ImageScaling:
    """Learn the scale of images.

    Parameters
    ----------
    pixels : ndarray of shape (n_images, height, width, channels)
    rows : ndarray of int or bool, optional
        The training images; all without it.
    kind : {"standard", "unit"}
        To zero mean and unit variance, or to the range from 0 to 1 (of uint8: 0 to 255, whatever occurs). A channel
        with one value alone gets factor 1.
    """
    check_choice(kind, "kind", get_args(Kind))
    picked = np.arange(len(pixels)) if rows is None else np.arange(len(pixels))[rows]
    channels = pixels.shape[-1]
    if kind == "unit" and pixels.dtype == np.uint8:
        return ImageScaling(np.zeros(channels, np.float32), np.full(channels, 1 / 255, np.float32))
    blocks = (pixels[picked[i : i + _BLOCK]] for i in range(0, len(picked), _BLOCK))
    if kind == "unit":
        ends = [(block.min(axis=(0, 1, 2)), block.max(axis=(0, 1, 2))) for block in blocks]
        low, high = np.min([e[0] for e in ends], axis=0), np.max([e[1] for e in ends], axis=0)
        return _scaling(low, high - low)
    return _scaling(*_mean_and_spread(blocks, channels))


def _mean_and_spread(blocks: Iterable[np.ndarray], channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel, float64 ``(channels,)``."""
    sums, squares, n = np.zeros(channels), np.zeros(channels), 0
    for block in blocks:
        flat = block.reshape(-1, channels).astype(np.float64)
        sums, squares, n = sums + flat.sum(axis=0), squares + (flat**2).sum(axis=0), n + len(flat)
    mean = sums / n
    return mean, np.sqrt(np.maximum(0, squares / n - mean**2))


def _scaling(mean: np.ndarray, spread: np.ndarray) -> ImageScaling:
    factor = np.divide(1.0, spread, out=np.ones(spread.shape), where=spread > _LEAST_SPREAD)
    return ImageScaling(mean.astype(np.float32), factor.astype(np.float32))


def scale_of_pixels(pixels: np.ndarray) -> float | None:
    """What white is, by what occurs in images ``(n_images, height, width, channels)``: 1, 255 or 65535.

    None where pixels are below 0, as those that were standardised already, or all of them could be on either scale. Several images
    of 0 and 1 alone are on the scale of 1, and so are those of dtype bool; of dtype uint8 they could be on either.
    """
    if pixels.dtype == np.bool_:
        return UNIT
    largest = pixels.max(initial=0)
    of_0_and_1 = largest == 1 and len(pixels) >= SEVERAL_IMAGES
    if pixels.dtype == np.uint8:
        return None if largest <= 1 else BYTE
    if not pixels.size or pixels.min() < 0:
        return None
    if largest <= 1:
        fractions = ((pixels > 0) & (pixels < 1)).any()
        return UNIT if fractions or of_0_and_1 else None
    if largest <= _BEYOND_UNIT or BYTE < largest <= _BEYOND_BYTE:
        return None
    return BYTE if largest <= BYTE else DEEP


def spread_against(fitted: np.ndarray, pixels: np.ndarray) -> float:
    """How many times the standard deviation of images is that of other images, by the channel that differs least.

    Parameters
    ----------
    fitted : ndarray of shape (channels,)
        The ``factor`` of the scaling of the other images.
    pixels : ndarray of shape (n_images, height, width, channels)

    Returns
    -------
    float
        1 for fewer than `SEVERAL_IMAGES` images, and where no channel varies.
    """
    if len(pixels) < SEVERAL_IMAGES:
        return 1.0
    rows = np.arange(0, len(pixels), -(-len(pixels) // _BLOCK))
    mean, spread = _mean_and_spread([pixels[rows]], pixels.shape[-1])
    varies = (spread > _LEAST_SPREAD) & (np.abs(mean) < _FLAT * spread)
    times = (fitted * spread)[varies]
    return float(times[np.abs(np.log(times)).argmin()]) if times.size else 1.0


@dataclass(frozen=True)
class Augmentation:
    """By how much an image may be moved and still be a sample of its class; drawn anew for each image and epoch.

    Attributes
    ----------
    shift : float
        Largest move along each axis, as a share of its length.
    rotate : float
        Largest turn to either side, in degrees.
    zoom : float
        Largest change of size: 0.1 is from 1 / 1.1 to 1.1 times.
    flip_horizontal, flip_vertical : bool
        Left and right, or top and bottom, are exchanged in half of the images. Not for letters and digits.
    """

    shift: float = 0.0
    rotate: float = 0.0
    zoom: float = 0.0
    flip_horizontal: bool = False
    flip_vertical: bool = False

    def __post_init__(self) -> None:
        for name, most in (("shift", 1.0), ("rotate", 180.0), ("zoom", 1.0)):
            check_number(getattr(self, name), f"augmentation: {name}", least=0, most=most)

    @property
    def is_none(self) -> bool:
        """Whether images stay as they are."""
        return self == Augmentation()

    def to_json(self) -> dict[str, Any]:
        """Return the parameters by name."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Augmentation:
        """Read what `to_json` wrote, or a user's own choice of parameters."""
        known = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            check_choice(name, "a parameter of augmentation", known)
        return cls(**values)


def random_transforms(
    augmentation: Augmentation, n: int, height: int, width: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw transforms for `n` images, in the form that ``keras.ops.image.affine_transform`` takes on any device.

    Returns
    -------
    ndarray of float32, shape (n, 8)
        ``a0, a1, a2, b0, b1, b2, 0, 0``: the pixel at column x and row y comes from column ``a0 x + a1 y + a2`` and
        row ``b0 x + b1 y + b2``.
    """
    angle = np.deg2rad(augmentation.rotate) * rng.uniform(-1, 1, n)
    size = np.exp(math.log1p(augmentation.zoom) * rng.uniform(-1, 1, n))
    move_x = augmentation.shift * width * rng.uniform(-1, 1, n)
    move_y = augmentation.shift * height * rng.uniform(-1, 1, n)
    flip_x = np.where(augmentation.flip_horizontal & (rng.random(n) < 0.5), -1.0, 1.0)
    flip_y = np.where(augmentation.flip_vertical & (rng.random(n) < 0.5), -1.0, 1.0)
    a0, a1 = np.cos(angle) * flip_x / size, -np.sin(angle) * flip_y / size
    b0, b1 = np.sin(angle) * flip_x / size, np.cos(angle) * flip_y / size
    # Around the middle of the image, which stays where it is but for the move.
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    a2 = middle_x - a0 * middle_x - a1 * middle_y - move_x
    b2 = middle_y - b0 * middle_x - b1 * middle_y - move_y
    zero = np.zeros(n)
    return np.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1).astype(np.float32)


def transform_images(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Apply `random_transforms` in numpy, bilinear, zeros from outside: float32 ``(n, height, width, channels)``.

    The reference for what happens on a device, and good for a few images; it is slow for many.
    """
    y, x = np.mgrid[: images.shape[1], : images.shape[2]].astype(np.float32)
    out = np.empty(images.shape, dtype=np.float32)
    for i, (a0, a1, a2, b0, b1, b2, *_) in enumerate(transforms):
        places = np.stack([b0 * x + b1 * y + b2, a0 * x + a1 * y + a2])
        for channel in range(images.shape[3]):
            plane = images[i, :, :, channel].astype(np.float32)
            # "grid-constant" fades between the border and what lies outside, as Keras does.
            out[i, :, :, channel] = ndimage.map_coordinates(plane, places, order=1, mode="grid-constant")
    return out

"""Images as networks and the linear father read them: pixels on a common scale, moved a little at random in training."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar

import keras
import numpy as np

from genokeras.data import ImageData
from genokeras.data.pictures import in_channels, resizing_advice
from genokeras.encoders.encoder import COUNTS, LinearView, NetworkEncoder, Rows
from genokeras.errors import DataError
from genokeras.features import (
    DEEP,
    Augmentation,
    ImageScaling,
    fit_image_scaling,
    random_transforms,
    scale_of_pixels,
    spread_against,
)
from genokeras.graph import Shape
from genokeras.support.backends import current_backend
from genokeras.support.wording import listed

# Pixels of 8 bits have no such mean.
_SURELY_DEEP = 1000.0
# Nor do cameras of 10, 12 or 14 bits reach it.
_SURELY_16_BITS = 16384
# Pictures of one kind differ less in their standard deviation.
_OTHER_SPREAD = 8.0
AUGMENTATION = Augmentation(shift=0.08, rotate=10.0, zoom=0.1)


@dataclass(frozen=True)
class ImageEncoder(NetworkEncoder):
    """Images of one size.

    Attributes
    ----------
    shape : tuple of int
        ``(height, width, channels)``.
    factor, offset : tuple of float
        Of each channel: networks read ``pixel * factor + offset``.
    augmentation : Augmentation
        What training may do to an image.
    scale : float, optional
        What white was in training: 1, 255 or 65535; None where that is not known.
    """

    shape: Shape
    factor: tuple[float, ...]
    offset: tuple[float, ...]
    augmentation: Augmentation = AUGMENTATION
    scale: float | None = None
    kind: ClassVar[str] = "image"

    @property
    def input_shape(self) -> Shape:
        return self.shape

    @property
    def n_counts(self) -> int:
        return prod(self.shape)

    @property
    def linear_views(self) -> dict[str, LinearView]:
        # A pixel that is nearly always black would be blown up by more.
        return {COUNTS: LinearView(0.0)}

    def rows(self, data: ImageData) -> Rows:
        pixels = in_channels(data.pixels, self.shape[2])
        if pixels.shape[1:] != self.shape:
            raise DataError(
                f"{data.source}: the model was fitted on images of shape {self.shape} (height, width, channels), got "
                f"{data.pixels.shape[1:]}.{self._advice(pixels, data.names)}"
            )
        self._check_scale(pixels, data.source)
        return {"pixels": pixels}

    def _advice(self, pixels: np.ndarray, names: tuple[str, ...]) -> str:
        """What to do about images ``(n_images, height, width, channels)`` of another shape."""
        channels = pixels.shape[3]
        if channels == self.shape[2]:
            return f" {resizing_advice(self.shape[:2])}"
        if (channels, self.shape[2]) != (3, 1):
            return ""
        coloured = np.flatnonzero((pixels != pixels[..., :1]).any(axis=(1, 2, 3)))
        return f" In colour are {listed((names[i] for i in coloured), 5)}: save them in grey."

    def _check_scale(self, pixels: np.ndarray, source: str) -> None:
        found = scale_of_pixels(pixels)
        if found is None or self.scale is None:
            self._warn_of_spread(pixels, source)
            return
        if found == self.scale:
            return
        if self.scale == DEEP and self._mean < _SURELY_DEEP:
            return  # dark images of many bits
        times = self.scale / found
        fitted = f"pixels from 0 to {self.scale:g}"
        advice = f"multiply by {times:g}" if times > 1 else f"divide by {1 / times:g}"
        if self.scale == DEEP and self._mean < _SURELY_16_BITS:
            fitted = f"pixels of more than 8 bits with a mean of {self._mean:,.0f}"
            advice = "scale them so that white is what it was in training"
        elif found == DEEP and pixels.max() < _SURELY_16_BITS:
            advice = f"scale them so that white is {self.scale:g}"
        raise DataError(
            f"{source}: pixels reach {pixels.max():,.7g}, and the model was fitted on {fitted}: {advice}."
        )

    @property
    def _mean(self) -> float:
        """Of the training pixels, in the darkest channel."""
        return min(-o / f for o, f in zip(self.offset, self.factor, strict=True))

    def _warn_of_spread(self, pixels: np.ndarray, source: str) -> None:
        # No error: very dark pictures look alike, and their numbers may be right.
        times = spread_against(np.array(self.factor), pixels)
        if 1 / _OTHER_SPREAD < times < _OTHER_SPREAD:
            return
        by = f"{'divide' if times > 1 else 'multiply'} them by about {max(times, 1 / times):,.0f}"
        warnings.warn(
            f"{source}: the standard deviation of the pixels is {times:.2g} times that of the training. If they are on another "
            f"scale, the answers are wrong: {by}. If the pictures are only {'brighter' if times > 1 else 'darker'}, leave them.",
            stacklevel=2,
        )

    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        scaling = ImageScaling(
            -np.array(self.offset, "float32") / np.array(self.factor, "float32"),
            np.array(self.factor, "float32"),
        )
        if rng is None or self.augmentation.is_none:
            return scaling.apply(rows["pixels"])
        drawn = self.draw(rows, np.arange(len(rows["pixels"])), rng)
        moved = current_backend().moved_images(rows["pixels"].astype("float32"), drawn["transforms"])
        return scaling.apply(np.asarray(keras.ops.convert_to_numpy(moved)))

    @property
    def read_rows(self) -> tuple[str, ...]:
        return ("pixels",)

    def draw(self, rows: Rows, picked: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        if self.augmentation.is_none:
            return {}
        height, width, _ = self.shape
        return {"transforms": random_transforms(self.augmentation, len(picked), height, width, rng)}

    def read(self, rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> Any:
        pixels = keras.ops.cast(rows["pixels"], "float32")
        if "transforms" in drawn:
            pixels = current_backend().moved_images(pixels, drawn["transforms"])
        factor, offset = (
            keras.ops.convert_to_tensor(values, "float32") for values in (self.factor, self.offset)
        )
        return pixels * factor + offset

    def still(self) -> ImageEncoder:
        return replace(self, augmentation=Augmentation())

    def counts(self, rows: Rows) -> np.ndarray:
        return self.tensor(rows).reshape(len(rows["pixels"]), -1)

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        return {"pixels": rows["pixels"].astype("float32")}

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "factor": list(self.factor),
            "offset": list(self.offset),
            "augmentation": self.augmentation.to_json(),
            "scale": self.scale,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ImageEncoder:
        """Read what `to_dict` wrote."""
        shape, factor, offset = (tuple(data[name]) for name in ("shape", "factor", "offset"))
        return cls(shape, factor, offset, Augmentation.from_json(data["augmentation"]), data.get("scale"))

    def describe_inputs(self) -> dict[str, Any]:
        return {"pixels": f"{self.shape}: height, width, channels; pixels as they came, scaled inside"}


def fit_image_encoder(data: ImageData) -> ImageEncoder:
    """The encoder of training data."""
    scaling = fit_image_scaling(data.pixels)
    factor = tuple(float(value) for value in scaling.factor)
    offset = tuple(float(value) for value in scaling.offset)
    return ImageEncoder(data.pixels.shape[1:], factor, offset, scale=scale_of_pixels(data.pixels))

"""Arrays that networks read as they are: no scaling, no augmentation, no linear father."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import keras
import numpy as np

from genokeras.encoders.encoder import LinearView, NetworkEncoder, Rows
from genokeras.graph import Shape
from genokeras.support.checks import check_choice

KEPT, FLAT, CHANNELS_FIRST = "kept", "flat", "channels_first"
LAYOUTS = (KEPT, FLAT, CHANNELS_FIRST)


@dataclass(frozen=True)
class ArrayEncoder(NetworkEncoder):
    """Samples as arrays of one shape, which are given to networks without any change of their values.

    Attributes
    ----------
    shape : tuple of int
        Of one sample, as the user passes it.
    layout : {"kept", "flat", "channels_first"}
        What networks read: the array, all its numbers in a row, or the array with its first axis moved to the end.

    Raises
    ------
    ParameterError
        If there is no such layout.
    """

    shape: Shape
    layout: str = KEPT
    kind: ClassVar[str] = "arrays"

    def __post_init__(self) -> None:
        check_choice(self.layout, "layout", LAYOUTS)

    @property
    def input_shape(self) -> Shape:
        if self.layout == FLAT:
            return (prod(self.shape),)
        return self.shape if self.layout == KEPT else (*self.shape[1:], self.shape[0])

    @property
    def n_counts(self) -> int:
        return prod(self.shape)

    @property
    def linear_views(self) -> dict[str, LinearView]:
        return {}

    def rows(self, data: np.ndarray) -> Rows:
        return {"samples": data}

    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        found = rows["samples"].astype("float32")
        if self.layout == FLAT:
            return found.reshape(len(found), -1)
        return found if self.layout == KEPT else np.ascontiguousarray(np.moveaxis(found, 1, -1))

    @property
    def read_rows(self) -> tuple[str, ...]:
        return ("samples",)

    def read(self, rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> Any:
        found = keras.ops.cast(rows["samples"], "float32")
        if self.layout == FLAT:
            return keras.ops.reshape(found, (-1, prod(self.shape)))
        return found if self.layout == KEPT else keras.ops.moveaxis(found, 1, -1)

    def counts(self, rows: Rows) -> np.ndarray:
        return rows["samples"].astype("float32").reshape(len(rows["samples"]), -1)

    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        return {"samples": rows["samples"].astype("float32")}

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "shape": list(self.shape), "layout": self.layout}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ArrayEncoder:
        """Read what `to_dict` wrote."""
        return cls(tuple(data["shape"]), data["layout"])

    def describe_inputs(self) -> dict[str, Any]:
        return {"samples": f"{self.shape}, as they were given in training: nothing is scaled inside"}

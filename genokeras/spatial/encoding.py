"""What stands between samples and networks: rows of plain arrays, and what is read off them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from genokeras.graph import Shape

# Arrays by name with the samples on their first axis; what a run keeps of its data.
Rows = dict[str, np.ndarray]
Counts = np.ndarray | sparse.csr_matrix


class Encoder(ABC):
    """How samples of one kind become what networks ("tensor") and the linear father ("counts") read.

    It is fitted to the training data without their labels, is written down as JSON and arrays, and holds no samples.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def input_shape(self) -> Shape:
        """Shape of one sample as networks read it."""

    @property
    @abstractmethod
    def n_counts(self) -> int:
        """Numbers of one sample as the linear father reads it."""

    @property
    def scales_counts(self) -> bool:
        """Whether the linear father brings its columns to unit variance."""
        return True

    @abstractmethod
    def rows(self, data: Any) -> Rows:
        """Arrays of samples that were read and checked, ``(n_samples, ...)`` each."""

    @abstractmethod
    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        """``(n_samples, *input_shape)``; with a generator, changed at random in ways that keep the class."""

    def looks(self, tensor: np.ndarray) -> list[np.ndarray]:
        """Tensors of the same samples whose predictions are averaged: the sample itself, and what says the same."""
        return [tensor]

    @abstractmethod
    def counts(self, rows: Rows) -> Counts:
        """``(n_samples, n_counts)`` float32."""

    @abstractmethod
    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        """What the delivered model reads of these samples, by the name of its inputs; more than it asks for may be there."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As JSON values, ``kind`` among them."""

    @abstractmethod
    def describe_inputs(self) -> dict[str, Any]:
        """What people need to know to feed an exported model, as JSON values."""


def take(rows: Rows, picked: np.ndarray) -> Rows:
    """The samples that `picked`, a mask or positions, selects."""
    return {name: values[picked] for name, values in rows.items()}


def n_rows(rows: Mapping[str, np.ndarray]) -> int:
    """Number of samples."""
    return len(next(iter(rows.values())))

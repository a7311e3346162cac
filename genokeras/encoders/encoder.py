"""What stands between samples and networks: rows of plain arrays, and what is read off them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from genokeras.graph import Shape
from genokeras.support.json_files import plain_json

TENSOR, COUNTS = "tensor", "counts"
# Numbers that a small convolutional network computes for each that it reads.
_NUMBERS_OF_INPUT = 16
# Arrays by name with the samples on their first axis; what a run keeps of its data.
Rows = dict[str, np.ndarray]
Counts = np.ndarray | sparse.csr_matrix


@dataclass(frozen=True)
class LinearView:
    """How a linear model looks at the counts.

    Attributes
    ----------
    scaling : float
        Columns are divided by their standard deviation to this power while they are fitted: 1 gives all the same say, 0 leaves
        them, so that a penalty holds down what is rare.
    n_columns : int or None
        The number of columns that it reads, from the first; None is all.
    """

    scaling: float
    n_columns: int | None = None


@dataclass(frozen=True, eq=False)
class Look:
    """What networks read of some samples; the answer to a sample is the mean over its looks.

    Attributes
    ----------
    samples : numpy.ndarray
        ``(m,)`` positions of the samples.
    tensor : numpy.ndarray
        ``(m, *input_shape)``.
    """

    samples: np.ndarray
    tensor: np.ndarray


class Encoder(ABC):
    """What a sample is: how samples of one kind are read by networks, by linear models and by the delivered model.

    It is fitted to the training data without their targets, is written to the run folder, and holds no samples.
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def widths(self) -> dict[str, int]:
        """Width of a network's input (units, or channels), by view."""

    @abstractmethod
    def input_units(self, view: str) -> int | tuple[int, ...]:
        """What a graph of this view reads, as ``Graph.n_parameters`` takes it."""

    @property
    def reader(self) -> Encoder:
        """What reads samples of this kind: itself, or the encoder that it builds on."""
        return self

    @property
    @abstractmethod
    def numbers_per_row(self) -> int:
        """About how many numbers the delivered model computes for a sample, to choose how many are predicted at once."""

    @abstractmethod
    def rows(self, data: Any) -> Rows:
        """Arrays of samples that were read and checked, ``(n_samples, ...)`` each, for `model_inputs`."""

    def identity(self, rows: Rows) -> Rows:
        """Arrays by which a resumed run knows the same samples; what was computed of them may differ in its last digits."""
        return rows

    @abstractmethod
    def model_inputs(self, rows: Rows) -> dict[str, Any]:
        """What the delivered model reads of these samples, by the name of its inputs; more than it asks for may be there."""

    def inputs_named(self, names: Sequence[str], rows: Rows) -> list[Any]:
        """What a model reads of these samples whose inputs have these names, in their order."""
        inputs = self.model_inputs(rows)
        return [inputs[name] for name in names]

    @abstractmethod
    def sidecar(self) -> dict[str, Any]:
        """What people need to know to feed an exported model, as JSON values."""


class NetworkEncoder(Encoder):
    """An encoder of samples that networks ("tensor") and linear models ("counts") read by mini-batches."""

    @property
    @abstractmethod
    def input_shape(self) -> Shape:
        """Shape of one sample as networks read it."""

    @property
    def places(self) -> int:
        """Letters, pixels or words of a sample."""
        return prod(self.input_shape[:-1]) if len(self.input_shape) > 1 else self.input_shape[0]

    @property
    @abstractmethod
    def n_counts(self) -> int:
        """Numbers of one sample as linear models read it."""

    @property
    def linear_views(self) -> dict[str, LinearView]:
        """How linear models look at the counts, by the name of the view, the first one first."""
        return {COUNTS: LinearView(1.0)}

    @property
    def widths(self) -> dict[str, int]:
        return {TENSOR: self.input_shape[-1], **dict.fromkeys(self.linear_views, self.n_counts)}

    def input_units(self, view: str) -> int | tuple[int, ...]:
        return self.input_shape if view == TENSOR else self.n_counts

    @property
    def reader(self) -> NetworkEncoder:
        return self

    @property
    def numbers_per_row(self) -> int:
        return max(_NUMBERS_OF_INPUT * prod(self.input_shape), self.n_counts)

    @abstractmethod
    def tensor(self, rows: Rows, rng: np.random.Generator | None = None) -> np.ndarray:
        """``(n_samples, *input_shape)``; with a generator, changed at random in ways that keep the target.

        Of samples that are larger it is a part: the middle, or one that is drawn.
        """

    @property
    @abstractmethod
    def read_rows(self) -> tuple[str, ...]:
        """Names of the rows that `read` takes; they may stay on the device from epoch to epoch."""

    def draw(self, rows: Rows, picked: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """The random numbers ``(n_picked, ...)`` of the changes that `tensor` makes to the samples picked of `rows`."""
        return {}

    @abstractmethod
    def read(self, rows: Mapping[str, Any], drawn: Mapping[str, Any]) -> Any:
        """What `tensor` makes of these samples with what was drawn, computed by Keras' operations of tensors on a device."""

    def still(self) -> NetworkEncoder:
        """The same encoder, whose random changes leave every sample at its place and size."""
        return self

    def looks(self, rows: Rows) -> Iterator[Look]:
        """All looks at samples, each made when it is asked for: the samples, part by part, and equivalent forms of them."""
        yield Look(np.arange(n_rows(rows)), self.tensor(rows))

    def n_looks(self, rows: Rows) -> int:
        """Answers of a network that `looks` takes, over all samples."""
        return n_rows(rows)

    @abstractmethod
    def counts(self, rows: Rows) -> Counts:
        """``(n_samples, n_counts)`` float32."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As JSON values, ``kind`` among them."""

    @abstractmethod
    def describe_inputs(self) -> dict[str, Any]:
        """What the delivered model reads, by the name of its inputs, as JSON values."""

    def sidecar(self) -> dict[str, Any]:
        if self.reader is not self:
            return self.reader.sidecar()
        return {"inputs": self.describe_inputs(), "encoder": plain_json(self.to_dict())}


def take(rows: Rows, picked: np.ndarray) -> Rows:
    """The samples that `picked`, a mask or positions, selects."""
    return {name: values[picked] for name, values in rows.items()}


def n_rows(rows: Mapping[str, np.ndarray]) -> int:
    """Number of samples."""
    return int(next(iter(rows.values())).shape[0])

"""What a loader gives, one item after another, as batches; and that they are alike."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import DataError
from genokeras.streams.arrays import check_rows, own_tensors

Batch = tuple[Any, Any, Any]


@final
class BatchesEndedError(DataError):
    """The batches came to an end and cannot be begun again.

    Attributes
    ----------
    n_batches : int
        How many there were.
    """

    def __init__(self, name: str, n_batches: int, needed: int | None = None) -> None:
        self.n_batches = n_batches
        of = "" if needed is None else f" of the {needed} needed"
        super().__init__(
            f"{name} ended after {n_batches} batches{of}, and cannot be begun again: pass arrays, a dataset, or a "
            "function without arguments that returns the iterable anew."
        )


def as_batch(item: Any, name: str = "x") -> Batch:
    """``x``, ``(x, y)`` or ``(x, y, sample_weight)`` as all three.

    Raises
    ------
    DataError
        If it has more parts, or none.
    """
    parts = tuple(item) if isinstance(item, tuple | list) else (item,)
    if not 1 <= len(parts) <= 3:
        raise DataError(
            f"a batch of {name} must be x, (x, y) or (x, y, sample_weight), got {len(parts)} parts."
        )
    x, y, weight = (None if part is None else own_tensors(part) for part in (*parts, None, None)[:3])
    return x, y, weight


def stacked(examples: Iterable[Any], size: int, whole_only: bool, name: str) -> Iterator[Batch]:
    """Single examples as batches of `size`; the last may be smaller.

    Raises
    ------
    DataError
        If an example is not of the shape of those before it.
    """
    source = iter(examples)
    for number in itertools.count():
        taken = [as_batch(item, name) for item in itertools.islice(source, size)]
        if not taken or (whole_only and len(taken) < size and number):
            return
        yield _stack(taken, number * size, name)


def _stack(examples: list[Batch], first: int, name: str) -> Batch:
    shapes = [example_shapes(example) for example in examples]
    for at, shape in enumerate(shapes):
        if shape != shapes[0]:
            raise DataError(
                f"example {first + at} of {name} has shape {_told(shape)}, but example {first} has "
                f"{_told(shapes[0])}: examples of one batch must be alike. Pad or crop them."
            )
    x, y, weight = (_stack_part([example[i] for example in examples]) for i in range(3))
    return x, y, weight


def _stack_part(parts: list[Any]) -> Any:
    if parts[0] is None:
        return None
    return keras.tree.map_structure(lambda *leaves: np.stack([_numpy(leaf) for leaf in leaves]), *parts)


def _numpy(leaf: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(leaf) if keras.ops.is_tensor(leaf) else np.asarray(leaf)


def example_shapes(batch: Batch) -> list[tuple[int, ...]]:
    """Shapes of all leaves, in order."""
    leaves = [leaf for part in batch if part is not None for leaf in keras.tree.flatten(part)]
    return [tuple(leaf.shape) for leaf in leaves]


@final
class Alike:
    """Lets batches pass as long as they are of the shape of the first one.

    Parameters
    ----------
    name : str
        What the data are called in messages.
    same_shapes : bool
        Whether the axes behind the batch axis must be of the same length too, not only as many.
    """

    def __init__(self, name: str, same_shapes: bool) -> None:
        self._name = name
        self._same = same_shapes
        self._first: list[tuple[int, ...]] | None = None

    def checked(self, batch: Batch, number: int) -> Batch:
        """The batch, if it is like the first one.

        Raises
        ------
        DataError
            If it has other shapes, other parts, or parts of unequal numbers of rows.
        """
        try:
            check_rows(*batch)
        except DataError as error:
            raise DataError(f"batch {number} of {self._name}: {error}") from error
        found = [shape[1:] for shape in example_shapes(batch)]
        if self._first is None:
            self._first = found
        alike = found if self._same else [(None,) * len(shape) for shape in found]
        first = self._first if self._same else [(None,) * len(shape) for shape in self._first]
        if alike != first:
            raise DataError(
                f"batch {number} of {self._name} holds rows of shape {_told(found)}, but the first batch of shape "
                f"{_told(self._first)}: all batches must be alike beyond their number of rows."
            )
        return batch


def _told(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))

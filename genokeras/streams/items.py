"""The items of a loader, one after another, as batches that are alike."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import DataError
from genokeras.streams.arrays import as_numpy, check_rows, own_tensors

Batch = tuple[Any, Any, Any]


@final
class BatchesEndedError(DataError):
    """The batches have ended and cannot be started again.

    Attributes
    ----------
    n_batches : int
        How many there were.
    """

    def __init__(self, name: str, n_batches: int, needed: int | None = None) -> None:
        self.n_batches = n_batches
        of = "" if needed is None else f" of the {needed} needed"
        super().__init__(
            f"{name} ended after {n_batches} batches{of}, and cannot be started again: pass arrays, a dataset, or a "
            "function without arguments that returns a new iterable."
        )


@final
class ItemReader:
    """Turns items into batches, and checks that all batches are alike.

    Parameters
    ----------
    name : str
        What error messages call the data.
    size : int or None
        The items are single examples, `size` of which are stacked; None: they are batches already.
    whole_only : bool
        Leave out a smaller last batch of stacked examples, unless it is the only one.
    same_shapes : bool
        Whether the axes behind the batch axis must have the same length in all batches, not only the same number.
    """

    def __init__(self, name: str, size: int | None, whole_only: bool, same_shapes: bool) -> None:
        self.name = name
        self.size = size
        self._whole_only = whole_only
        self._same_shapes = same_shapes
        self._first: list[tuple[int, ...]] | None = None

    def n_batches(self, n_items: int) -> int:
        """How many batches a number of items gives."""
        per_batch = self.size or 1
        return max(1, n_items // per_batch) if self._whole_only else math.ceil(n_items / per_batch)

    def batches(self, items: Iterable[Any]) -> Iterator[Batch]:
        """The batches, not compared with each other yet.

        Raises
        ------
        DataError
            If an item has too many parts, or an example another shape than those before it.
        """
        if self.size is None:
            yield from (self._parts(item) for item in items)
            return
        source = iter(items)
        for number in itertools.count():
            taken = [self._parts(item) for item in itertools.islice(source, self.size)]
            if not taken or (self._whole_only and len(taken) < self.size and number):
                return
            yield self._stacked(taken, number * self.size)

    def checked(self, batch: Batch, number: int) -> Batch:
        """The batch, if it is like the first one that was checked.

        Raises
        ------
        DataError
            If it has other shapes, other parts, or parts of different numbers of rows.
        """
        try:
            check_rows(*batch)
        except DataError as error:
            raise DataError(f"batch {number} of {self.name}: {error}") from error
        found = [shape[1:] for shape in example_shapes(batch)]
        if self._first is None:
            self._first = found
        if self._compared(found) != self._compared(self._first):
            raise DataError(
                f"batch {number} of {self.name} holds rows of shape {_shown(found)}, but the first batch of shape "
                f"{_shown(self._first)}: all batches must be alike beyond their number of rows."
            )
        return batch

    def _compared(self, shapes: list[tuple[int, ...]]) -> list[Any]:
        return shapes if self._same_shapes else [len(shape) for shape in shapes]

    def _parts(self, item: Any) -> Batch:
        """``x``, ``(x, y)`` or ``(x, y, sample_weight)`` as all three."""
        parts = tuple(item) if isinstance(item, tuple | list) else (item,)
        if not 1 <= len(parts) <= 3:
            raise DataError(
                f"a batch of {self.name} must be x, (x, y) or (x, y, sample_weight), got {len(parts)} parts."
            )
        x, y, weight = (None if part is None else own_tensors(part) for part in (*parts, None, None)[:3])
        return x, y, weight

    def _stacked(self, examples: list[Batch], first: int) -> Batch:
        shapes = [example_shapes(example) for example in examples]
        for at, shape in enumerate(shapes):
            if shape != shapes[0]:
                raise DataError(
                    f"example {first + at} of {self.name} has shape {_shown(shape)}, but example {first} has "
                    f"{_shown(shapes[0])}: examples of one batch must be alike. Pad or crop them."
                )
        x, y, weight = (_stacked_part(list(parts)) for parts in zip(*examples, strict=True))
        return x, y, weight


def _stacked_part(parts: list[Any]) -> Any:
    if parts[0] is None:
        return None
    return keras.tree.map_structure(lambda *leaves: np.stack([as_numpy(leaf) for leaf in leaves]), *parts)


def example_shapes(batch: Batch) -> list[tuple[int, ...]]:
    """Shapes of all leaves, in order."""
    leaves = [leaf for part in batch if part is not None for leaf in keras.tree.flatten(part)]
    return [tuple(leaf.shape) for leaf in leaves]


def _shown(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes))

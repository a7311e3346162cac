"""Where batches come from: arrays, things with numbered items, and streams."""

from __future__ import annotations

import itertools
import math
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any, final

import keras
import numpy as np

from genokeras.errors import DataError
from genokeras.streams.arrays import check_rows, plain_arrays, take_rows
from genokeras.streams.items import Alike, Batch, as_batch, stacked

_SAMPLED_ROWS = 1000


class Source(ABC):
    """Epochs of batches.

    Attributes
    ----------
    n_batches : int or None
        Of one epoch, where known.
    seekable : bool
        Whether every epoch can be had without those before it.
    """

    n_batches: int | None = None
    seekable: bool = True

    @abstractmethod
    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        """The batches of an epoch but the first `skip`; nothing where there are no more epochs."""

    @abstractmethod
    def first(self) -> Batch | None:
        """The first batch of all, which `epoch` still gives."""

    def fingerprint(self) -> str:
        """What tells the data from others."""
        batch = self.first()
        return "nothing" if batch is None else _told(batch)


def _told(batch: Batch) -> str:
    leaves = [leaf for part in batch if part is not None for leaf in keras.tree.flatten(part)]
    kinds = [
        keras.backend.standardize_dtype(leaf.dtype) if leaf.dtype != object else "object" for leaf in leaves
    ]
    return "; ".join(f"{kind} {tuple(leaf.shape)[1:]}" for kind, leaf in zip(kinds, leaves, strict=True))


@final
class ArraySource(Source):
    """Arrays whose first axis is that of the rows.

    Parameters
    ----------
    x, y, sample_weight : arrays, or lists or dicts of them
    size : int
        Rows per batch; fewer where there are fewer.
    seed : int or None
        Of the order of the rows; None keeps them in order.
    whole_only : bool
        Leave out a smaller last batch.
    """

    def __init__(self, x: Any, y: Any, weight: Any, *, size: int, seed: int | None, whole_only: bool) -> None:
        self._data = tuple(None if part is None else _float32(plain_arrays(part)) for part in (x, y, weight))
        self._rows = check_rows(*self._data)
        self._size = min(size, self._rows)
        self._seed = seed
        self.n_batches = self._rows // self._size if whole_only else math.ceil(self._rows / self._size)

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        order = _order(self._rows, self._seed, number)
        for start in range(skip, self.n_batches or 0):
            yield self._taken(order[start * self._size : (start + 1) * self._size])

    def first(self) -> Batch:
        return next(self.epoch(0, 0))

    def fingerprint(self) -> str:
        sample = np.unique(np.linspace(0, self._rows - 1, _SAMPLED_ROWS).astype(int))
        leaves = keras.tree.flatten([part for part in self._taken(sample) if part is not None])
        crc = 0
        for leaf in leaves:
            content = leaf.astype(str) if leaf.dtype == object else leaf
            crc = zlib.crc32(np.ascontiguousarray(content).tobytes(), crc)
        return f"{self._rows} rows, {_told(self.first())}, {crc:08x}"

    def _taken(self, rows: np.ndarray) -> Batch:
        x, y, weight = (None if part is None else take_rows(part, rows) for part in self._data)
        return x, y, weight


def _order(count: int, seed: int | None, number: int) -> np.ndarray:
    """Order of rows in an epoch: the same for the same seed and number, whatever came before."""
    return np.arange(count) if seed is None else np.random.default_rng([seed, number]).permutation(count)


def _float32(data: Any) -> Any:
    # As Keras' fit does: Python's and pandas' default precision is of no use to a network.
    kind = keras.config.floatx()
    return keras.tree.map_structure(lambda leaf: leaf.astype(kind) if leaf.dtype == "float64" else leaf, data)


@final
class ItemSource(Source):
    """A ``PyDataset``, or anything with numbered items: batches, or single examples that are stacked.

    Parameters
    ----------
    items : object with ``__getitem__`` and a length
    size : int or None
        Examples per batch; None where the items are batches.
    seed : int or None
        Of the order of the items; None keeps them in order.
    """

    def __init__(
        self, items: Any, *, size: int | None, seed: int | None, whole_only: bool, alike: Alike, name: str
    ) -> None:
        self._items = items
        self._size = size
        self._seed = seed
        self._whole_only = whole_only
        self._alike = alike
        self._name = name
        self._told = 0  # epochs that the items were told have ended
        count = _length(items)
        if count == 0:
            raise DataError(f"{name} holds no samples: there is nothing to train on.")
        self._count = count
        if count is not None:
            whole = 1 if size is None else size
            self.n_batches = max(1, count // whole) if whole_only else math.ceil(count / whole)

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        self._tell(number)
        per = self._size or 1
        if self._count is None:
            picked: Iterable[Any] = (self._items[i] for i in itertools.count(skip * per))
        else:
            order = _order(self._count, self._seed, number)[skip * per :]
            picked = (self._items[int(i)] for i in order)
        if self._size is None:
            batches: Iterable[Batch] = (as_batch(item, self._name) for item in picked)
        else:
            batches = stacked(picked, self._size, self._whole_only, self._name)
        for index, batch in enumerate(itertools.islice(batches, self._left(skip))):
            yield self._alike.checked(batch, skip + index)

    def first(self) -> Batch | None:
        return next(self.epoch(0, 0), None)

    def _left(self, skip: int) -> int | None:
        return None if self.n_batches is None else max(0, self.n_batches - skip)

    def _tell(self, number: int) -> None:
        """A PyDataset may change between epochs, those that are skipped included."""
        end = getattr(self._items, "on_epoch_end", None)
        while end is not None and self._told < number:
            self._told += 1
            end()


def _length(items: Any) -> int | None:
    if isinstance(items, keras.utils.PyDataset):
        return items.num_batches
    try:
        return len(items)
    except (TypeError, NotImplementedError):
        return None


@final
class StreamSource(Source):
    """An iterable, or a function that returns one anew.

    Parameters
    ----------
    begin : callable
        Begins the items; where that is not possible again, returns the same iterator as before.
    n_items : int or None
    size : int or None
        Examples per batch; None where the items are batches.
    """

    seekable = False

    def __init__(
        self,
        begin: Callable[[], Iterable[Any]],
        n_items: int | None,
        *,
        size: int | None,
        whole_only: bool,
        alike: Alike,
        name: str,
    ) -> None:
        self._begin = begin
        self._size = size
        self._whole_only = whole_only
        self._alike = alike
        self._name = name
        self._begun: Iterator[Batch] | None = None  # looked into by `first`, and not used yet
        if n_items is not None:
            self.n_batches = n_items if size is None else math.ceil(n_items / size)

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        begun, self._begun = self._begun or self._batches(), None
        index = 0
        for batch in begun:
            index += 1
            if index > skip:
                yield self._alike.checked(batch, index - 1)
        self.n_batches = index or self.n_batches

    def first(self) -> Batch | None:
        begun = self._begun or self._batches()
        batch = next(begun, None)
        if batch is None:
            return None
        self._begun = itertools.chain([batch], begun)
        return self._alike.checked(batch, 0)

    def _batches(self) -> Iterator[Batch]:
        items = self._begin()
        if self._size is None:
            return (as_batch(item, self._name) for item in items)
        return stacked(items, self._size, self._whole_only, self._name)

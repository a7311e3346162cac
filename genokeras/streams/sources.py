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
from genokeras.streams.arrays import as_numpy, check_rows, is_text, plain_arrays, take_rows
from genokeras.streams.items import Batch, ItemReader

_SAMPLED_ROWS = 1000


class BatchSource(ABC):
    """Epochs of batches.

    Attributes
    ----------
    n_batches : int or None
        Of one epoch, where known.
    seekable : bool
        Whether every epoch can be read without those before it.
    never_ends : bool
        Whether an epoch is known to have no end.
    """

    n_batches: int | None = None
    seekable: bool = True
    never_ends: bool = False

    @abstractmethod
    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        """The batches of an epoch without the first `skip`; nothing where there are no more epochs."""

    def first(self) -> Batch | None:
        """The first batch of all, which `epoch` still gives."""
        return next(self.epoch(0, 0), None)

    def fingerprint(self) -> str:
        """What distinguishes the data from others."""
        batch = self.first()
        return "nothing" if batch is None else _kinds(batch)

    def checksum(self) -> str:
        """A checksum of the values that tell the data from others of the same shapes."""
        batch = self.first()
        return "" if batch is None else _checksum(batch)

    @property
    @abstractmethod
    def repeats(self) -> bool:
        """Whether the checksum is known to be the same wherever the data are read again."""


def _kinds(batch: Batch) -> str:
    leaves = [leaf for part in batch if part is not None for leaf in keras.tree.flatten(part)]
    kinds = ["object" if leaf.dtype == object else _kind(leaf.dtype) for leaf in leaves]
    return "; ".join(f"{kind} {tuple(leaf.shape)[1:]}" for kind, leaf in zip(kinds, leaves, strict=True))


def _kind(dtype: Any) -> str:
    return "text" if getattr(dtype, "kind", "") in ("U", "S") else str(keras.backend.standardize_dtype(dtype))


def _checksum(parts: Any) -> str:
    crc = 0
    for leaf in keras.tree.flatten([part for part in parts if part is not None]):
        stored = (leaf.data, leaf.indices, leaf.indptr) if hasattr(leaf, "toarray") else (as_numpy(leaf),)
        for array in stored:
            content = array.astype(str) if array.dtype == object else array
            crc = zlib.crc32(np.ascontiguousarray(content).reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"


def _order(count: int, seed: int | None, number: int) -> np.ndarray:
    """Order of rows in an epoch: the same for the same seed and number, whatever was read before."""
    return np.arange(count) if seed is None else np.random.default_rng([seed, number]).permutation(count)


@final
class ArraySource(BatchSource):
    """Arrays whose first axis is that of the rows.

    Parameters
    ----------
    x, y, weight : array, or list or dict of arrays, of shape (n_samples, ...)
        None where there is none.
    size : int
        Rows per batch; fewer where there are fewer.
    seed : int or None
        Of the order of the rows; None keeps them in order.
    whole_only : bool
        Leave out a smaller last batch.
    """

    def __init__(self, x: Any, y: Any, weight: Any, *, size: int, seed: int | None, whole_only: bool) -> None:
        self._data = tuple(None if part is None else _floatx(plain_arrays(part)) for part in (x, y, weight))
        self._rows = check_rows(*self._data)
        _check_targets(self._data[1])
        self._size = min(size, self._rows)
        self._seed = seed
        self.n_batches = self._rows // self._size if whole_only else math.ceil(self._rows / self._size)

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        order = _order(self._rows, self._seed, number)
        for start in range(skip, self.n_batches or 0):
            yield self._taken(order[start * self._size : (start + 1) * self._size])

    def fingerprint(self) -> str:
        sample = np.unique(np.linspace(0, self._rows - 1, _SAMPLED_ROWS).astype(int))
        return f"{self._rows} rows, {super().fingerprint()}, {_checksum(self._taken(sample))}"

    def checksum(self) -> str:
        x, y, weight = self._data
        return _checksum((x if y is None else None, y, weight))

    @property
    def repeats(self) -> bool:
        return True

    def _taken(self, rows: np.ndarray) -> Batch:
        x, y, weight = (None if part is None else take_rows(part, rows) for part in self._data)
        return x, y, weight


def _check_targets(y: Any) -> None:
    """Raise ``DataError`` where targets are text, which no loss reads."""
    for leaf in [] if y is None else keras.tree.flatten(y):
        if is_text(leaf):
            names = ", ".join(repr(str(name)) for name in leaf.flat[:2])
            raise DataError(
                f"y holds text ({names}...), and a loss reads numbers: pass the numbers of the classes, "
                "np.unique(y, return_inverse=True)[1]."
            )


def _floatx(data: Any) -> Any:
    # As Keras' fit does: Python's and pandas' default precision is of no use to a network.
    kind = keras.config.floatx()
    return keras.tree.map_structure(lambda leaf: leaf.astype(kind) if leaf.dtype == "float64" else leaf, data)


@final
class ItemSource(BatchSource):
    """A ``PyDataset``, or anything with numbered items.

    Parameters
    ----------
    items : object with ``__getitem__`` and a length
    reader : ItemReader
    seed : int or None
        Of the order of the items; None keeps them in order.

    Raises
    ------
    DataError
        If there are no items.
    """

    def __init__(self, items: Any, reader: ItemReader, seed: int | None) -> None:
        self._items = items
        self._reader = reader
        self._seed = seed
        self._epochs_ended = 0
        self._checksum: str | None = None
        self._repeats = False
        self._count = _length(items)
        if self._count == 0:
            raise DataError(f"{reader.name} holds no samples: there is nothing to train on.")
        self.never_ends = self._count is None and isinstance(items, keras.utils.PyDataset)
        if self._count is not None:
            self.n_batches = reader.n_batches(self._count)

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        self._end_epochs(number)
        first = skip * (self._reader.size or 1)
        if self._count is None:
            picked: Iterable[Any] = (self._items[i] for i in itertools.count(first))
        else:
            picked = (self._items[int(i)] for i in _order(self._count, self._seed, number)[first:])
        left = None if self.n_batches is None else max(0, self.n_batches - skip)
        for index, batch in enumerate(itertools.islice(self._reader.batches(picked), left)):
            yield self._reader.checked(batch, skip + index)

    def checksum(self) -> str:
        if self._checksum is None:
            self._checksum = super().checksum()
            # What changes between epochs often begins with a change, too; what is drawn at random differs at once.
            ends = getattr(type(self._items), "on_epoch_end", None)
            fixed = ends in (None, keras.utils.PyDataset.on_epoch_end)
            self._repeats = fixed and super().checksum() == self._checksum
        return self._checksum

    @property
    def repeats(self) -> bool:
        return bool(self.checksum()) and self._repeats

    def _end_epochs(self, number: int) -> None:
        """A PyDataset may change between epochs, also between those that are skipped."""
        end = getattr(self._items, "on_epoch_end", None)
        while end is not None and self._epochs_ended < number:
            self._epochs_ended += 1
            end()


def _length(items: Any) -> int | None:
    if isinstance(items, keras.utils.PyDataset):
        return items.num_batches
    try:
        return len(items)
    except (TypeError, NotImplementedError):
        return None


@final
class StreamSource(BatchSource):
    """An iterable, or a function that returns a new one.

    Parameters
    ----------
    begin : callable
        Starts the items; where that is not possible again, returns the same iterator as before.
    n_items : int or None
        Where known.
    reader : ItemReader
    never_ends : bool
        Whether there is known to be no end.
    """

    seekable = False

    def __init__(
        self,
        begin: Callable[[], Iterable[Any]],
        n_items: int | None,
        reader: ItemReader,
        *,
        never_ends: bool = False,
    ) -> None:
        self.never_ends = never_ends
        self._begin = begin
        self._reader = reader
        self._begun: Iterator[Batch] | None = None  # `first` has looked into it, and it is not used yet
        self._began_with: list[str] = []  # of each epoch
        if n_items is not None:
            self.n_batches = reader.n_batches(n_items)

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        begun, self._begun = self._begun or self._reader.batches(self._begin()), None
        count = 0
        for count, batch in enumerate(begun, start=1):
            if count == 1:
                self._began_with.append(_checksum(batch))
            if count > skip:
                yield self._reader.checked(batch, count - 1)
        self.n_batches = count or self.n_batches

    def first(self) -> Batch | None:
        begun = self._begun or self._reader.batches(self._begin())
        batch = next(begun, None)
        if batch is None:
            return None
        self._begun = itertools.chain([batch], begun)
        return self._reader.checked(batch, 0)

    @property
    def repeats(self) -> bool:
        return len(self._began_with) > 1 and len(set(self._began_with)) == 1


@final
class WholeSource(BatchSource):
    """The batches of another source as inputs alone, for models that compute their loss themselves.

    Parameters
    ----------
    inner : BatchSource
    """

    def __init__(self, inner: BatchSource) -> None:
        self._inner = inner
        self.n_batches, self.seekable, self.never_ends = inner.n_batches, inner.seekable, inner.never_ends

    def epoch(self, number: int, skip: int) -> Iterator[Batch]:
        for batch in self._inner.epoch(number, skip):
            yield _whole(batch)
        self.n_batches = self._inner.n_batches  # a stream knows it behind its first epoch

    def first(self) -> Batch | None:
        batch = self._inner.first()
        return None if batch is None else _whole(batch)

    def fingerprint(self) -> str:
        return self._inner.fingerprint()

    def checksum(self) -> str:
        return self._inner.checksum()

    @property
    def repeats(self) -> bool:
        return self._inner.repeats


def _whole(batch: Batch) -> Batch:
    return tuple(part for part in batch if part is not None), None, None

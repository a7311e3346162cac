"""Batches of any data, in an order that can be repeated."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from numbers import Real
from typing import Any, Self, final

import keras

from genokeras.errors import DataError
from genokeras.streams.items import Batch, BatchesEndedError, ItemReader
from genokeras.streams.sources import ArraySource, BatchSource, ItemSource, StreamSource, WholeSource
from genokeras.support.checks import check_whole

_ENDLESS = -1  # tf.data.INFINITE_CARDINALITY


@final
class Batches:
    """Arrays, datasets, loaders and generators as the same thing: epochs of ``(x, y, sample_weight)``.

    Parameters
    ----------
    x : array, table, or list or dict of arrays, of shape (n_samples, ...); or an iterable of batches
        An iterable (a ``tf.data.Dataset``, a ``keras.utils.PyDataset``, a PyTorch ``DataLoader``, a generator, a list of tuples), or a function
        without arguments that returns a new one, gives ``(x, y)``, ``(x, y, sample_weight)`` or ``x`` per batch.
    y, sample_weight : array, table, or list or dict of arrays, of shape (n_samples, ...), optional
    batch_size : int
        Rows per batch, where `x` is arrays or single examples.
    shuffle : bool
        Draw a new order every epoch: of the rows of arrays, of the numbered items of a ``PyDataset`` or of a list of
        examples. Any other iterable keeps its own order.
    seed : int
        The order depends on it and on the number of the epoch, on nothing else.
    auto_batch : bool
        The iterable gives single examples, `batch_size` of which are stacked.
    whole_only : bool
        Leave out a smaller last batch, unless it is the only one.
    same_shapes : bool
        Whether all batches must have the shape of the first one beyond their number of rows. False allows axes of other
        lengths, such as those of sentences.
    name : str
        What error messages call the data.

    Attributes
    ----------
    n_batches : int or None
        Of one epoch, where known.

    Raises
    ------
    DataError
        If there are no rows, or unequal numbers of them; and later, if a batch is not like the first one.
    ParameterError
        If `batch_size` is not a whole number of at least 1.

    Examples
    --------
    >>> import numpy as np
    >>> batches = Batches(np.arange(5.0), shuffle=True, batch_size=2)
    >>> [len(x) for x, y, weight in batches.epoch(0)]
    [2, 2, 1]
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        auto_batch: bool = False,
        whole_only: bool = False,
        same_shapes: bool = True,
        name: str = "x",
    ) -> None:
        size, order = check_whole(batch_size, "batch_size"), seed if shuffle else None
        self._name = name
        self._check: Callable[[Batch], None] | None = None
        batches = y is None and sample_weight is None and _holds_batches(x)
        if not batches and _is_arrays(x, auto_batch):
            self._source: BatchSource = ArraySource(
                x, y, sample_weight, size=size, seed=order, whole_only=whole_only
            )
            return
        if y is not None or sample_weight is not None:
            raise DataError(
                f"{name} is {type(x).__name__}, an iterable of batches, so y and sample_weight must come from it too: "
                "let it give (x, y) or (x, y, sample_weight)."
            )
        reader = ItemReader(name, size if auto_batch else None, whole_only, same_shapes)
        self._source = _iterable_source(x, reader, order)

    @classmethod
    def of(cls, data: Any, **options: Any) -> Self:
        """Batches of data that come as one argument.

        Parameters
        ----------
        data : Batches, tuple of (x, y) or (x, y, sample_weight), or anything that `x` may be
        **options
            As for :class:`Batches`; without effect where `data` are batches already.

        Raises
        ------
        DataError, ParameterError
            As for :class:`Batches`.
        """
        if isinstance(data, cls):
            return data
        if isinstance(data, tuple) and len(data) in (2, 3):
            return cls(*data, **options)
        return cls(data, **options)

    def check_first(self, check: Callable[[Batch], None]) -> Self:
        """Have the first batch checked when it is read.

        Parameters
        ----------
        check : callable
            Takes the batch; raises where it does not fit what the batches are for.

        Returns
        -------
        Batches
            These.
        """
        self._check = check
        return self

    def whole(self) -> Batches:
        """The same batches as inputs alone: ``((x, y), None, None)``, for models that compute their loss themselves."""
        made = copy.copy(self)
        made._source = WholeSource(self._source)
        return made

    @property
    def n_batches(self) -> int | None:
        """Batches of one epoch, where known."""
        return self._source.n_batches

    @property
    def never_ends(self) -> bool:
        """Whether an epoch is known to have no end, as that of a ``tf.data.Dataset`` that repeats."""
        return self._source.never_ends

    @property
    def seekable(self) -> bool:
        """Whether any epoch can be read, any number of times, with no effect on the others."""
        return self._source.seekable

    def fingerprint(self) -> str:
        """What distinguishes these data, beside `checksum`: shapes, their number, and of arrays a checksum of a thousand rows."""
        return f"{self._source.fingerprint()}, {self.n_batches or 'unknown'} batches"

    def checksum(self) -> str:
        """A checksum of values: of arrays all targets and weights (inputs where there are no targets), else the first batch."""
        return self._source.checksum()

    @property
    def repeats(self) -> bool:
        """Whether the checksum is known to be the same in another process: of a stream once two of its epochs began alike."""
        return self._source.repeats

    def first(self) -> Batch:
        """The first batch, without using it up.

        Raises
        ------
        DataError
            If there is none.
        """
        batch = self._source.first()
        if batch is None:
            raise DataError(f"{self._name} holds no batch: there is nothing to train on.")
        return self._checked(batch)

    def epoch(self, number: int = 0, skip: int = 0) -> Iterator[Batch]:
        """The batches of an epoch.

        Parameters
        ----------
        number : int
            Arrays and numbered items are in the same order whenever the same number is asked for.
        skip : int
            Batches to leave out at the beginning.

        Yields
        ------
        tuple of (x, y, sample_weight)
            NumPy arrays, or tensors of Keras' backend where the loader gave those; None for what is not there.

        Raises
        ------
        DataError
            If a batch is not like the first one, or an iterable that cannot be started again is used up.
        """
        empty = True
        for batch in self._source.epoch(number, skip):
            empty = False
            yield self._checked(batch)
        if empty and not skip:
            raise BatchesEndedError(self._name, self.n_batches or 0)

    def endless(self, skip: int = 0, needed: int | None = None) -> Iterator[tuple[int, int, Batch, bool]]:
        """Epoch after epoch.

        Parameters
        ----------
        skip : int
            Batches to leave out at the beginning, as if they had been used: what follows is the same. An iterable is
            read through for that; its batches are the same again if it gives the same ones each time it is started.
        needed : int, optional
            Batches that are needed in all, for the message.

        Yields
        ------
        tuple of (epoch, batch index in the epoch, batch, whether it is the last one of its epoch)

        Raises
        ------
        BatchesEndedError
            If an iterable that cannot be started again is used up.
        """
        number, given = 0, 0
        size = self.n_batches
        if self._source.seekable and size:
            number, skip = divmod(skip, size)
            given = number * size
        while True:
            empty = True
            first = skip if self._source.seekable else 0
            for index, (batch, last) in enumerate(_with_last(self._source.epoch(number, first)), start=first):
                empty = False
                given += 1
                if index >= skip:
                    yield number, index, self._checked(batch), last
            if empty:
                raise BatchesEndedError(self._name, given, needed)
            skip = max(0, skip - (self.n_batches or 0))
            number += 1

    def _checked(self, batch: Batch) -> Batch:
        check, self._check = self._check, None
        if check is not None:
            check(batch)
        return batch


def _with_last(batches: Iterator[Batch]) -> Iterator[tuple[Batch, bool]]:
    """Each batch, and whether it is the last one."""
    batch = next(batches, None)
    while batch is not None:
        following = next(batches, None)
        yield batch, following is None
        batch = following


def _holds_batches(x: Any) -> bool:
    """Whether it is a list of batches: of tuples ``(x, y)`` or ``(x, y, sample_weight)`` of arrays."""
    return (
        isinstance(x, list)
        and len(x) > 0
        and all(isinstance(item, tuple) and len(item) in (2, 3) and not _is_number(item[0]) for item in x)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real | str) or getattr(value, "shape", None) == ()


def _is_arrays(x: Any, auto_batch: bool) -> bool:
    if isinstance(x, keras.utils.PyDataset):
        return False
    if auto_batch and isinstance(x, list) and x and isinstance(x[0], tuple):
        return False
    return isinstance(x, list | tuple | dict) or hasattr(x, "shape") or hasattr(x, "to_numpy")


def _iterable_source(x: Any, reader: ItemReader, seed: int | None) -> BatchSource:
    begins = callable(x) and not hasattr(x, "__iter__") and not hasattr(x, "__getitem__")
    numbered = not begins and hasattr(x, "__getitem__") and hasattr(x, "__len__")
    is_dataset = isinstance(x, keras.utils.PyDataset)
    if is_dataset or (numbered and (isinstance(x, list) or not hasattr(x, "__iter__"))):
        return ItemSource(x, reader, seed)
    if begins:
        return StreamSource(x, None, reader)
    if not hasattr(x, "__iter__"):
        raise DataError(
            f"{reader.name} must be arrays, a dataset, an iterable of batches or a function that returns one, got "
            f"{type(x).__name__}."
        )
    return StreamSource(lambda: iter(x), _known_length(x), reader, never_ends=_is_endless_dataset(x))


def _is_endless_dataset(x: Any) -> bool:
    """Whether it is a ``tf.data.Dataset`` that says of itself that it never ends."""
    return hasattr(x, "cardinality") and hasattr(x, "element_spec") and int(x.cardinality()) == _ENDLESS


def _known_length(x: Any) -> int | None:
    try:
        return len(x)
    except TypeError:  # generators, and datasets that do not know
        return None

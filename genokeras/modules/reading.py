"""What people hand to a module, read whole into memory and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.graph import Shape
from genokeras.streams import Batches, BatchesEndedError
from genokeras.support.wording import counted

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Pairs:
    """Samples and, where they are known, their targets.

    Attributes
    ----------
    x : numpy.ndarray
        ``(n, ...)`` finite numbers.
    y : numpy.ndarray or None
        ``(n, ...)`` finite numbers.
    name : str
        What messages call the data.
    """

    x: np.ndarray
    y: np.ndarray | None
    name: str

    @property
    def sample_shape(self) -> Shape:
        return tuple(int(size) for size in self.x.shape[1:])


def read_pairs(data: Any, name: str, labelled: bool = True) -> Pairs:
    """Arrays of everything that a loader gives.

    Parameters
    ----------
    data : tuple of (x, y), dataset, loader, generator or function
        Whatever :class:`genokeras.streams.Batches` takes.
    name : str
        What messages call the data.
    labelled : bool
        Whether there have to be targets; where not, they are left out.

    Raises
    ------
    DataError
        If there is nothing, no end to it, no targets, or anything that is no finite number.
    """
    if data is None:
        raise DataError(f"{name} is missing: pass (x, y), a dataset or a loader that gives (x, y).")
    _refuse_endless(data, name)
    if isinstance(data, list) and data and isinstance(data[0], tuple):
        data = data.__iter__  # a list of batches, not of arrays
    batches = Batches.of(data, batch_size=_ROWS_AT_ONCE, name=name)
    try:
        read = list(batches.epoch())
    except BatchesEndedError as error:
        raise DataError(
            f"{name} gave no batch: it is empty, or an iterator that was used up before. Pass arrays, a loader, or a "
            "function without arguments that returns the iterator anew."
        ) from error
    if any(weight is not None for _, _, weight in read):
        raise DataError(f"{name} gives sample weights, which modules do not know: let it give (x, y) alone.")
    x = _numbers([x for x, _, _ in read], "samples", name)
    if x.ndim < 2:
        raise DataError(
            f"{name}: samples must be rows, but x has shape {x.shape}: pass x.reshape(-1, 1) for one number each."
        )
    if not labelled:
        return Pairs(x, None, name)
    if any(y is None for _, y, _ in read):
        raise DataError(f"{name} gives samples without targets: let it give (x, y).")
    return Pairs(x, _numbers([y for _, y, _ in read], "targets", name), name)


def _refuse_endless(data: Any, name: str) -> None:
    """A dataset that repeats itself would be read until memory ends."""
    cardinality = getattr(data, "cardinality", None)
    endless = callable(cardinality) and int(cardinality()) == -1
    if isinstance(data, keras.utils.PyDataset):
        endless = data.num_batches is None
    if endless:
        raise DataError(
            f"{name} repeats for ever: pass it without .repeat(), so that it ends behind one turn."
        )


def _numbers(parts: list[Any], what: str, name: str) -> np.ndarray:
    if any(isinstance(part, list | tuple | dict) for part in parts):
        raise DataError(f"{name}: the {what} must be one array, got {type(parts[0]).__name__} of several.")
    arrays = [
        np.asarray(keras.ops.convert_to_numpy(part) if keras.ops.is_tensor(part) else part) for part in parts
    ]
    found = np.concatenate(arrays)
    if found.dtype.kind not in "biuf":
        raise DataError(f"{name}: the {what} must be numbers, got {found.dtype}.")
    finite = np.isfinite(found.reshape(len(found), -1)).all(axis=1)
    if not finite.all():
        raise DataError(
            f"{name}: {counted(int((~finite).sum()), 'row')} of the {what} {'is' if (~finite).sum() == 1 else 'are'} not finite "
            f"(NaN or infinite), the first is row {int((~finite).argmax())}. Fill or leave out such rows."
        )
    return found


# ---- the shape of a sample


def expected_shape(input_shape: Sequence[int | None] | None, found: Shape, name: str) -> Shape:
    """The shape of one sample that `input_shape` means, with or without a batch axis in front.

    What the data have decides: an ``input_shape`` like one sample is that of a sample; one axis longer, it is read as that of an
    array of samples, such as ``x_train.shape``, and its first number is not looked at.

    Parameters
    ----------
    input_shape : sequence of int, or None
        None is what the data have.
    found : tuple of int
        Of one sample of the data.
    name : str
        What messages call the data.

    Returns
    -------
    tuple of int
        `found`, or `found` with its first axis at the end, where `input_shape` says so: the data have channels first then.

    Raises
    ------
    ParameterError
        If it is no shape.
    DataError
        If the data have another.
    """
    if input_shape is None:
        return found
    if isinstance(input_shape, str | Integral) or not all(
        size is None or isinstance(size, Integral) for size in input_shape
    ):
        raise ParameterError(
            f"input_shape must be a sequence of whole numbers, such as x_train.shape, got {input_shape!r}."
        )
    asked = tuple(input_shape)
    turned = (*found[1:], found[0]) if len(found) > 1 else found
    for shape in (found, turned):
        if asked == shape or (len(asked) == len(shape) + 1 and asked[1:] == shape):
            return shape
    raise DataError(
        f"input_shape is {asked}, but a sample of {name} has shape {found}: expected {found}, or that with the number of "
        "samples in front."
    )


# ---- targets


def class_numbers(pairs: Pairs, n_classes: int) -> np.ndarray:
    """``(n,)`` int64 class numbers of class numbers ``(n,)`` or ``(n, 1)``, or of one-hot rows ``(n, n_classes)``.

    Raises
    ------
    DataError
        If they are neither, or a number is out of range.
    """
    y = pairs.y
    assert y is not None
    if y.ndim == 2 and y.shape[1] not in (1, n_classes):
        raise _other_width(pairs.name, y.shape[1], n_classes)
    if y.ndim == 2 and y.shape[1] == n_classes and n_classes > 1:
        one_hot = np.isin(y, (0, 1)).all(axis=1) & (y.sum(axis=1) == 1)
        if not one_hot.all():
            raise DataError(
                f"{pairs.name}: targets of {n_classes} columns must be one-hot, a 1 and zeros, but row "
                f"{int((~one_hot).argmax())} is {y[(~one_hot).argmax()].tolist()}."
            )
        return np.asarray(y.argmax(axis=1), dtype=np.int64)
    if y.ndim > 2:
        raise _other_width(pairs.name, y.shape[1:], n_classes)
    numbers = y.reshape(len(y))
    outside = (numbers % 1 != 0) | (numbers < 0) | (numbers >= n_classes)
    if outside.any():
        raise DataError(
            f"{pairs.name}: class numbers must be whole numbers from 0 to {n_classes - 1}, as n_output_node is {n_classes}, but "
            f"{counted(int(outside.sum()), 'target')} {'is' if outside.sum() == 1 else 'are'} not: row {int(outside.argmax())} has "
            f"{numbers[outside.argmax()].item()!r}."
        )
    return numbers.astype(np.int64)


def numeric_targets(pairs: Pairs, n_outputs: int, takes_class_numbers: bool) -> np.ndarray:
    """``(n, n_outputs)`` float32 targets; or ``(n,)`` int64 class numbers, where there are several outputs and the loss takes them.

    Raises
    ------
    DataError
        If they have another number of columns.
    """
    y = pairs.y
    assert y is not None
    if y.ndim <= 2 and n_outputs > 1 and takes_class_numbers and y[0].size == 1:
        return class_numbers(pairs, n_outputs)
    wide = y.reshape(len(y), -1) if y.ndim <= 2 else y
    if wide.ndim > 2 or wide.shape[1] != n_outputs:
        raise _other_width(pairs.name, wide.shape[1] if wide.ndim == 2 else wide.shape[1:], n_outputs)
    return wide.astype("float32")


def _other_width(name: str, found: int | Shape, n_outputs: int) -> DataError:
    width = counted(found, "column") if isinstance(found, int) else f"shape {found} each"
    return DataError(f"n_output_node is {n_outputs}, but the targets of {name} have {width}.")

"""Targets that are numbers: one or several of each sample, complete, finite, and not the same for all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.foreign import as_pandas
from genokeras.data.label_files import split_reference
from genokeras.data.targets import missing_mask
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed

# Models answer in 32 bits, which hold numbers up to 3e38 and seven digits of each.
_FEW_VALUES = 5
_LARGEST = 1e30
_LEAST_SPREAD = 1e-5


def column_parts(y: Any) -> tuple[Any, np.ndarray, tuple[str, ...]] | None:
    """Take a table of several targets apart.

    Parameters
    ----------
    y : Any
        What a caller gave as targets.

    Returns
    -------
    None where `y` is no table of several columns; else
    rows : ndarray or Series
        The number of each row, which may be read in place of a single target: what comes back says whose row is whose.
    values : ndarray of shape (n_rows, n_targets)
    names : tuple of str
    """
    y = as_pandas(y)
    if isinstance(y, pd.DataFrame):
        rows, values = pd.Series(np.arange(len(y)), index=y.index), y.to_numpy()
        return (rows, values, tuple(map(str, y.columns))) if y.shape[1] > 1 else None
    nested = isinstance(y, list | tuple) and all(isinstance(row, list | tuple | np.ndarray) for row in y)
    if not (nested or hasattr(y, "__array__")) or isinstance(y, pd.Series):
        return None
    values = np.array(y, dtype=object) if nested else np.asarray(y)
    if values.ndim != 2 or values.shape[1] < 2:
        return None
    return np.arange(len(values)), values, tuple(f"y_{i}" for i in range(values.shape[1]))


def target_name(y: Any) -> str:
    """What a single target is called: the column it comes from, or ``y``."""
    y = as_pandas(y)
    if isinstance(y, pd.DataFrame):
        return str(y.columns[0]) if y.shape[1] else "y"
    if isinstance(y, pd.Series) and y.name is not None:
        return str(y.name)
    if isinstance(y, str | os.PathLike):
        _, column = split_reference(y) or (None, None)
        return column or Path(y).name.split(".")[0] or "y"
    return "label" if y is None else "y"


def as_numbers(
    values: np.ndarray, ids: tuple[str, ...], source: str, names: tuple[str, ...] = ()
) -> np.ndarray:
    """Return targets as float64 ``(n_samples, n_targets)``.

    Parameters
    ----------
    values : ndarray of shape (n_samples,) or (n_samples, n_targets)
        Numbers, or text that spells them.
    ids : tuple of str
        Names of the samples, for messages.
    source : str
        Where they came from, for messages.
    names : tuple of str
        Of several targets, for messages; by default they are counted.

    Raises
    ------
    DataError
        Where a value is missing, no number, or infinite; the message names the samples.
    """
    table = values.reshape(len(values), -1)
    numbers = np.empty(table.shape)
    for column in range(table.shape[1]):
        named = repr(names[column]) if len(names) == table.shape[1] else str(column)
        which = "y" if table.shape[1] == 1 else f"column {named} of y"
        _refuse(
            missing_mask(table[:, column]),
            ids,
            source,
            f"{which} has no value",
            "Give it to them or drop them.",
        )
        items = table[:, column].tolist()
        # Dates would come out as whole numbers.
        found = [None if table.dtype.kind in "mM" else _number(value) for value in items]
        odd = np.array([value is None for value in found])
        if odd.any():
            first = items[int(odd.argmax())]
            advice = f"The first is {first!r}; classes are for classifiers, and numbers are written like 1.5."
            _refuse(odd, ids, source, f"{which} is no number", advice)
        numbers[:, column] = found
        large = ~(np.abs(numbers[:, column]) < _LARGEST)
        _refuse(
            large,
            ids,
            source,
            f"{which} is infinite or beyond {_LARGEST:g}",
            "Correct or drop these samples.",
        )
    return numbers


def check_varied(numbers: np.ndarray, names: tuple[str, ...], source: str) -> None:
    """Raise where a target, of ``(n_samples, n_targets)``, is the same for all samples, or so nearly that 32 bits cannot tell.

    Raises
    ------
    DataError
    """
    for name, values in zip(names, numbers.T, strict=True):
        n, low, high = counted(len(values), "sample"), values.min(), values.max()
        if low == high:
            raise DataError(
                f"y must vary, but {name!r} is {low:g} for all of {n} ({source}): there is nothing to learn."
            )
        if values.std() < _LEAST_SPREAD * abs(values.mean()):
            raise DataError(
                f"{name!r} varies only from {low:.10g} to {high:.10g} ({n}, {source}), which is finer than models answer: "
                "subtract a constant from it first."
            )


def few_values_note(numbers: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    """A hint for each target, of ``(n_samples, n_targets)``, that has so few values that they may be classes."""
    counts = [len(np.unique(values)) for values in numbers.T]
    return tuple(
        f"{name!r} has only {count} distinct values in {counted(len(numbers), 'sample')}: if they are classes, use a classifier "
        "(--task classes)."
        for name, count in zip(names, counts, strict=True)
        if count <= _FEW_VALUES and len(numbers) > _FEW_VALUES * _FEW_VALUES
    )


def names_columns(y: Any) -> bool:
    """Whether `y` names several columns of a table; text that spells numbers is numbers."""
    strings = isinstance(y, list | tuple) and bool(y) and all(isinstance(name, str) for name in y)
    return strings and not any(spells_number(name) for name in y)


def target_names(y: Any) -> tuple[str, ...]:
    """What the targets are called that a caller gave as `y`; one name for each."""
    if names_columns(y):
        return tuple(y)
    parts = column_parts(y)
    return (target_name(y),) if parts is None else parts[2]


def read_targets(y: Any, read: Callable[[Any], np.ndarray]) -> np.ndarray:
    """Labels ``(n_samples,)``, or ``(n_samples, n_targets)`` where `y` holds or names several columns.

    Parameters
    ----------
    y : Any
        What a caller gave as targets.
    read : callable
        Labels ``(n_samples,)`` in the order of the samples, from a single column, its name, or row numbers with an index.
    """
    if names_columns(y):
        return np.column_stack([read(name) for name in y])
    parts = column_parts(y)
    if parts is None:
        return read(y)
    rows, values, _ = parts
    return np.asarray(values[read(rows)])


def spells_number(text: str) -> bool:
    """Whether text is a number, or blank where one would stand."""
    return not text.strip() or _number(text) is not None


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _refuse(wrong: np.ndarray, ids: tuple[str, ...], source: str, what: str, advice: str) -> None:
    places = np.flatnonzero(wrong).tolist()
    if places:
        named = listed((ids[i] for i in places), 8)
        raise DataError(f"{what} for {len(places)} of {len(wrong)} samples ({source}): {named}. {advice}")

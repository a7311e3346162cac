"""Times and events as people give them, brought into two columns, the time first."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data import Dataset
from genokeras.data.foreign import as_pandas
from genokeras.data.quantities import names_columns
from genokeras.errors import DataError, ParameterError

_TIME, _EVENT = "time", "event"
# Of a table whose first column is known to be the time: its values are not looked at to tell.
_SETTLED = "genokeras: time first"


def brings_labels(x: Any) -> bool:
    """Whether samples were read together with their times and events."""
    return isinstance(x, Dataset) and x.y is not None


def survival_columns(y: Any, time: Any = None, event: Any = None, needed: bool = True) -> Any:
    """Times and events as two columns, the time first, or the names of two columns.

    Parameters
    ----------
    y, time, event : as in ``GenomeSurvival.fit``
    needed : bool
        Whether to raise where there are none; else None.

    Raises
    ------
    ParameterError
        If only one of the two is there, or they are given twice.
    DataError
        If `y` is none of what it may be.
    """
    if (time is None) != (event is None):
        missing = _EVENT if event is None else _TIME
        raise ParameterError(f"survival needs time=... and event=...: {missing} is missing.")
    if time is not None:
        if y is not None:
            raise ParameterError("give times and events once: as time=... and event=..., or together as y.")
        return _beside(time, event)
    if y is None:
        if needed:
            raise ParameterError(
                "survival needs time=... and event=...: arrays, or the names of columns; or both together as y."
            )
        return None
    return _taken_apart(y)


def _beside(time: Any, event: Any) -> Any:
    if isinstance(time, str | os.PathLike) and isinstance(event, str | os.PathLike):
        return [os.fspath(time), os.fspath(event)]
    if isinstance(time, str | os.PathLike) or isinstance(event, str | os.PathLike):
        raise ParameterError("time and event must both be values, or both name a column or file.")
    parts = {_name(time, _TIME): _series(time, event), _name(event, _EVENT): _series(event, time)}
    lengths = {name: len(values) for name, values in parts.items()}
    if len(parts) < 2 or len(set(lengths.values())) > 1:
        raise DataError(
            f"time and event must have one value for each sample: got {' and '.join(map(str, lengths.values()))}."
        )
    first, second = parts.values()
    if not first.index.equals(second.index):
        if set(first.index) != set(second.index) or not first.index.is_unique:
            raise DataError("time and event must be of the same samples, but their indices differ.")
        parts[list(parts)[1]] = second.reindex(first.index)
    return _settled(pd.DataFrame(parts))


def _settled(table: pd.DataFrame) -> pd.DataFrame:
    table.attrs[_SETTLED] = True
    return table


def _name(values: Any, usual: str) -> str:
    name = getattr(as_pandas(values), "name", None)
    return usual if name is None else str(name)


def _series(values: Any, other: Any) -> pd.Series:
    """Values of the samples; those that came as an array are in the order of the other ones."""
    found = as_pandas(values)
    if isinstance(found, pd.Series):
        return found
    array = np.asarray(found)
    if array.ndim != 1:
        raise DataError(f"time and event must be 1-d, one value for each sample: got shape {array.shape}.")
    beside = as_pandas(other)
    same = isinstance(beside, pd.Series) and len(beside) == len(array)
    return pd.Series(array, beside.index if same else None)


def _taken_apart(y: Any) -> Any:
    """Of scikit-survival's structured array, a table or an array of two columns."""
    if isinstance(y, pd.DataFrame) and y.attrs.get(_SETTLED):
        return y
    if names_columns(y):
        if len(y) != 2:
            raise ParameterError(f"y must name two columns, the time and the event: got {list(y)}.")
        return list(y)
    table = as_pandas(y)
    fields = getattr(getattr(table, "dtype", None), "names", None)
    if fields is not None:
        table = pd.DataFrame({str(name): np.asarray(table[name]) for name in fields})
    if not isinstance(table, pd.DataFrame):
        array = np.asarray(table)
        if array.ndim != 2:
            raise DataError(
                "y must hold times and events: a structured array of two fields, or two columns; "
                f"got {type(y).__name__} of shape {array.shape}."
            )
        table = pd.DataFrame(array)
    if table.shape[1] != 2:
        raise DataError(f"y must have two columns, the time and the event: got {table.shape[1]}.")
    return _time_first(table.infer_objects())


def _time_first(table: pd.DataFrame) -> pd.DataFrame:
    events = [column for column in range(2) if _holds_events(table.iloc[:, column])]
    if len(events) == 2:
        raise DataError("both columns of y hold zeros and ones alone: name them, time=... and event=....")
    # Where neither does, what is wrong with the second one will be said.
    order = [1, 0] if events == [0] else [0, 1]
    found = table.iloc[:, order]
    names = (
        [_TIME, _EVENT] if isinstance(table.columns, pd.RangeIndex) else [str(name) for name in found.columns]
    )
    return _settled(found.set_axis(names, axis=1))


def _holds_events(column: pd.Series) -> bool:
    return column.dtype.kind == "b" or set(pd.unique(column.dropna()).tolist()) <= {0, 1}

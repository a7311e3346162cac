"""Cells of columns that are no numbers to pandas: which hold numbers, which text, and which a number in another spelling."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from genokeras.data.numerals import lose_text, to_numbers

_MAYBE_NUMBER = re.compile(r"\s*[-+]?\d")
_DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?\s*|\s*[-+]?\d{1,3}(?:\.\d{3})+,\d*\s*")
_PER_CENT = re.compile(r"\s*[-+]?\d+(?:[.,]\d+)?\s*%\s*")
_LOOK = 20


def non_numeric(frame: pd.DataFrame) -> list[int]:
    """Positions of the columns whose type is none of numbers."""
    dtypes = frame.dtypes.tolist()
    numeric = {dtype: pd.api.types.is_numeric_dtype(dtype) for dtype in set(dtypes)}
    return [i for i, dtype in enumerate(dtypes) if not numeric[dtype]]


def read_cells(frame: pd.DataFrame, positions: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Read columns as numbers.

    Parameters
    ----------
    frame : DataFrame
    positions : sequence of int
        Columns of no type of numbers. Those of objects are read all at once: a column alone takes pandas half a millisecond.

    Returns
    -------
    numbers : ndarray of float64, shape (n_rows, n_positions)
        NaN where a cell is missing or no number.
    bad : ndarray of bool, shape (n_rows, n_positions)
        Where a cell is there and is no number.
    """
    numbers = np.full((len(frame), len(positions)), np.nan)
    bad = np.zeros(numbers.shape, dtype=bool)
    dtypes = frame.dtypes.tolist()
    plain = [j for j, i in enumerate(positions) if dtypes[i] == np.dtype(object)]
    if plain:
        cells = _objects(frame, [positions[j] for j in plain])
        found = _read(pd.Series(cells.ravel(order="F"), dtype=object))
        numbers[:, plain], bad[:, plain] = (part.reshape(cells.shape, order="F") for part in found)
    for j in sorted(set(range(len(positions))).difference(plain)):
        column = frame.iloc[:, positions[j]]
        if column.dtype.kind in "mM":  # dates and durations
            bad[:, j] = column.notna()
        else:
            numbers[:, j], bad[:, j] = _read(column.astype(object))
    return numbers, bad


def text_only(frame: pd.DataFrame, positions: Sequence[int]) -> list[int]:
    """Positions of the columns in which no cell is a number; ``"3,5"`` counts as a broken number, not as text."""
    if not positions:
        return []
    _, bad = read_cells(frame, positions)
    present = frame.iloc[:, list(positions)].notna().to_numpy()
    text = bad.any(axis=0) & (bad.sum(axis=0) == present.sum(axis=0))
    return [positions[j] for j in np.flatnonzero(text).tolist() if _is_prose(frame, positions[j], bad[:, j])]


def is_text_only(column: pd.Series) -> bool:
    """Whether no cell of a column is a number."""
    return bool(text_only(column.to_frame(), non_numeric(column.to_frame())))


def how_written(text: str) -> str | None:
    """What is odd about a number, and how to write it instead; None of what is no number."""
    return _how_written(text) if _MAYBE_NUMBER.match(text) else None


def plain_columns(frame: pd.DataFrame, positions: Sequence[int]) -> list[np.ndarray]:
    """Columns as arrays; objects that are all numbers in text become numbers, unless `lose_text` says no."""
    dtypes = frame.dtypes.tolist()
    objects = [i for i in positions if dtypes[i] == np.dtype(object)]
    cells = (
        dict(zip(objects, np.ascontiguousarray(_objects(frame, objects).T), strict=True)) if objects else {}
    )
    return [_plain(cells[i] if i in cells else _array(frame.iloc[:, i])) for i in positions]


def _objects(frame: pd.DataFrame, positions: Sequence[int]) -> np.ndarray:
    return frame.iloc[:, list(positions)].to_numpy(dtype=object)


def _read(values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    numbers = to_numbers(values).astype(np.float64)
    bad = np.isnan(numbers) & values.notna().to_numpy()
    unread = np.flatnonzero(bad)
    blank = [isinstance(value, str) and not value.strip() for value in values.to_numpy()[unread]]
    bad[unread] = ~np.array(blank, dtype=bool)
    return numbers, bad


def _is_prose(frame: pd.DataFrame, position: int, bad: np.ndarray) -> bool:
    """Whether the cells that are no numbers are not numbers in another spelling."""
    rows = np.flatnonzero(bad)[:_LOOK]
    values = frame.iloc[:, position].to_numpy(dtype=object)[rows]
    return sum(how_written(str(value)) is not None for value in values) < len(values) / 2


@functools.lru_cache(maxsize=1024)
def _how_written(text: str) -> str | None:
    if _THOUSANDS.fullmatch(text):
        thousands = "separators of thousands: write 1234.5, not 1,234.5 or 1.234,5"
        if _DECIMAL_COMMA.fullmatch(text):
            return f"decimal commas (read the file with decimal=',') or {thousands}"
        return thousands
    if _DECIMAL_COMMA.fullmatch(text):
        return "decimal commas: read the file with decimal=',', or write 3.5, not 3,5"
    return "percentages: write 12, not 12%" if _PER_CENT.fullmatch(text) else None


def _array(column: pd.Series) -> np.ndarray:
    return column.to_numpy() if column.dtype.kind in "biuf" else np.asarray(column, dtype=object)


def _plain(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        return values
    # a flipped table leaves numbers as objects or as text: give them back their type
    present = values[~pd.isna(values)].tolist()
    if present and _may_be_number(present[0]) and all(isinstance(value, str) for value in present):
        numbers = to_numbers(values)
        known = numbers[pd.notna(numbers)]
        if len(known) == len(present) and not lose_text(present, known):
            return numbers
    return values


def _may_be_number(text: object) -> bool:
    try:
        float(str(text))
        return True
    except ValueError:
        return False

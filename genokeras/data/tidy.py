"""Labels, groups and names as they were meant: without blanks around text, dates as dates, masked values as missing."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd


def tidy(values: np.ndarray) -> np.ndarray:
    """Return labels or groups with text stripped of blanks at its ends, and dates as text such as ``2026-01-31``.

    Numbers stay as they are; a missing date is None.
    """
    if values.dtype.kind == "U":
        return np.char.strip(values)
    if values.dtype.kind in "mM":
        values = np.array(pd.Series(values), dtype=object)
    if values.dtype != object:
        return values
    tidied = np.empty(len(values), dtype=object)
    tidied[:] = [_tidied(value) for value in values.tolist()]
    return tidied


def stripped(names: Iterable[str]) -> tuple[str, ...]:
    """Names without blanks at their ends."""
    return tuple(name.strip() for name in names)


def unmasked(values: Any) -> Any:
    """Return a masked array as a plain one, whose masked values are NaN, or None where it holds no numbers with a fraction."""
    if not np.ma.isMaskedArray(values):
        return values
    mask = np.ma.getmaskarray(values)
    if not mask.any():
        return np.asarray(values)
    plain = np.array(values.data, dtype=values.dtype if values.dtype.kind == "f" else object)
    plain[mask] = np.nan if plain.dtype.kind == "f" else None
    return plain


def _tidied(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip()
    if value is pd.NaT:
        return None
    if isinstance(value, np.datetime64 | np.timedelta64):
        value = pd.Timestamp(value) if isinstance(value, np.datetime64) else pd.Timedelta(value)
    if isinstance(value, datetime.datetime):  # a Timestamp, too
        midnight = value.time() == datetime.time()
        return value.date().isoformat() if midnight and value.tzinfo is None else value.isoformat(sep=" ")
    if isinstance(value, datetime.date | datetime.timedelta | pd.Period):
        return str(value)
    return value

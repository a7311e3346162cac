"""Labels, groups and names as they were meant: without blanks around text, dates as dates, masked values as missing."""

from __future__ import annotations

import datetime
import numbers
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from genokeras.support.wording import listed

_EXACT = 2.0**53
_SHOWN = 5


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


def as_text(value: Any, known: Collection[str] = ()) -> str:
    """A value as text: whole floats without a point, unless it is known with one.

    Examples
    --------
    >>> as_text(1.0), as_text(1.5), as_text(1.0, known=["1.0"])
    ('1', '1.5', '1.0')
    """
    text = str(value)
    if text in known or isinstance(value, numbers.Integral | str) or not isinstance(value, numbers.Real):
        return text
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else text


def merged_note(given: np.ndarray, made: np.ndarray, one: str) -> tuple[str, ...]:
    """A sentence where different values became one.

    Parameters
    ----------
    given, made : numpy.ndarray
        ``(n,)`` each.
    one : str
        What they count as: a class, say.
    """
    if given.dtype.kind not in "OUS":
        return ()
    alike: dict[Any, set[Any]] = {}
    for value, name in set(zip(_plain(given), _plain(made), strict=True)):
        alike.setdefault(name, set()).add(value)
    several = [sorted(map(_shown, values)) for values in alike.values() if len(values) > 1]
    if not several:
        return ()
    found = listed((f"{' and '.join(values)} count as one {one}" for values in sorted(several)), _SHOWN)
    return (
        f"{found}: blanks at the ends of text and the type of a label are no part of it. If they are several, name them apart.",
    )


def _plain(values: np.ndarray) -> list[Any]:
    """Text and numbers as they are, and nothing in the place of what else there is."""
    known = (str, bytes, numbers.Number, np.bool_)
    return [value if isinstance(value, known) else None for value in values.tolist()]


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


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

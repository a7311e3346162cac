"""Numbers in text, as pandas reads them but for what crashes it: an exponent of ten digits, such as ``1e3333333333``.

Its usual way to read floats ends the process there, in `pandas.read_csv` as in `pandas.to_numeric` (pandas 2.3.3). Python's own way, which
`read_csv` takes with ``float_precision=ROUND_TRIP``, does not, and rounds right; a number takes half a microsecond more.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any, Literal

import numpy as np
import pandas as pd

ROUND_TRIP: Literal["round_trip"] = "round_trip"
_WILD = re.compile(r"[eE][-+]?\d{10}")
_SHORTEST_WILD = 12
_LEADING_ZERO = re.compile(r"[-+]?0\d")


def to_numbers(values: Iterable[Any]) -> np.ndarray:
    """Numbers, NaN in the place of what is none; whole numbers stay such where all are.

    Examples
    --------
    >>> to_numbers(["1.5", "x", "1e3333333333"])
    array([1.5, nan, inf])
    """
    cells = pd.Series(values, dtype=object).to_numpy()
    wild = [i for i, cell in enumerate(cells) if _is_wild(cell)]
    if wild:
        cells = cells.copy()
        cells[wild] = [_number(cells[i]) for i in wild]
    return np.asarray(pd.to_numeric(cells, errors="coerce"))


def lose_text(texts: Collection[str], numbers: np.ndarray) -> bool:
    """Whether `numbers` say less than the texts that spell them: one has a leading zero, or several are the same number.

    Examples
    --------
    >>> [lose_text(texts, to_numbers(texts)) for texts in (["0.5", "7"], ["007", "8"], ["1.1", "1.10"])]
    [False, True, True]
    """
    distinct = {text.strip() for text in texts}
    return any(map(_LEADING_ZERO.match, distinct)) or len(distinct) > len(np.unique(numbers))


def _is_wild(cell: object) -> bool:
    if isinstance(cell, str):
        return len(cell) >= _SHORTEST_WILD and _WILD.search(cell) is not None
    return type(cell) is int and abs(cell) >= 2**64


def _number(cell: Any) -> float | str:
    try:
        return float(cell)
    except OverflowError:
        return float("inf") if cell > 0 else float("-inf")
    except ValueError:
        return "no number"

"""Classes as people name them: by text, or by the value of a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

_TRUTH = {"False": 0.0, "True": 1.0}


def class_name(wanted: Any, names: Sequence[str]) -> str:
    """The name of a class among all names: of equal text, or else of equal value, 1 for ``"1.0"`` or ``"True"``.

    Parameters
    ----------
    wanted : str, number or bool
    names : sequence of str

    Returns
    -------
    str
        The text of ``wanted`` where no class is meant.

    Examples
    --------
    >>> class_name(1, ["0.0", "1.0"]), class_name(True, ["0", "1"]), class_name("ill", ["well"])
    ('1.0', '1', 'ill')
    """
    text = str(wanted)
    if text in names:
        return text
    value = _value(text)
    return next((name for name in names if _value(name) == value), text)


def _value(name: str) -> float:
    """The number that a text stands for; NaN, which equals nothing, where it is none."""
    if name in _TRUTH:
        return _TRUTH[name]
    try:
        return float(name)
    except ValueError:
        return math.nan

"""Checks of single arguments: each returns what it was given, plain, or says what was expected and what came."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

from genokeras.errors import GenoKerasError, ParameterError
from genokeras.support.wording import did_you_mean, listed

_MOST_NAMES = 30


def check_whole(
    value: Any,
    name: str,
    least: int = 1,
    most: int | None = None,
    *,
    error: type[GenoKerasError] = ParameterError,
) -> int:
    """Return a whole number as a Python int.

    Parameters
    ----------
    value : object
        An int of Python or NumPy; True and 1.0 are none.
    name : str
        What the message calls it.
    least : int
    most : int, optional
    error : type of GenoKerasError
        What to raise.

    Raises
    ------
    GenoKerasError
        If it is something else, or out of range.

    Examples
    --------
    >>> check_whole(0, "epochs")
    Traceback (most recent call last):
    genokeras.errors.ParameterError: epochs must be a whole number of at least 1, got 0.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        range_ = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise error(f"{name} must be a whole number {range_}, got {value!r}.")
    return number


def check_number(
    value: Any,
    name: str,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
    error: type[GenoKerasError] = ParameterError,
) -> float:
    """Return a finite number as a Python float.

    Parameters
    ----------
    value : object
        A number of Python or NumPy; True is none, and neither is text.
    name : str
        What the message calls it; a unit may follow, as in ``time_limit (seconds)``.
    least, above : float, optional
        The lower limit, and whether it belongs to the range.
    most, below : float, optional
        The upper limit, likewise.
    error : type of GenoKerasError
        What to raise.

    Raises
    ------
    GenoKerasError
        If it is something else, or out of range.

    Examples
    --------
    >>> check_number(1, "dropout", least=0, below=1)
    Traceback (most recent call last):
    genokeras.errors.ParameterError: dropout must be a number of at least 0 and below 1, got 1.
    """
    limits = [
        ("at least", least, operator.ge),
        ("above", above, operator.gt),
        ("at most", most, operator.le),
        ("below", below, operator.lt),
    ]
    given = [(words, limit, holds) for words, limit, holds in limits if limit is not None]
    number = isinstance(value, Real) and not isinstance(value, bool) and _finite(value)
    if not number or not all(holds(value, limit) for _, limit, holds in given):
        words = " and ".join(f"{words} {limit:g}" for words, limit, _ in given)
        if least is not None and most is not None:
            words = f"from {least:g} to {most:g}"
        kind = f"number {'of ' * words.startswith('at')}{words}" if words else "finite number"
        raise error(f"{name} must be a {kind}, got {value!r}.")
    return float(value)


def check_choice(
    value: Any, name: str, known: Iterable[str | None], *, error: type[GenoKerasError] = ParameterError
) -> Any:
    """Return a value that is one of some names; the message of another has the nearest of them.

    Parameters
    ----------
    value : str or None
    name : str
        What the message calls it.
    known : iterable of str
        None is among them where it is allowed.
    error : type of GenoKerasError
        What to raise.

    Raises
    ------
    GenoKerasError
        If it is another one.
    """
    names = list(known)
    if not (value is None or isinstance(value, str)) or value not in names:
        shown = listed(names, _MOST_NAMES) or "none"
        raise error(f"{name} must be one of {shown}, got {value!r}.{did_you_mean(value, names)}")
    return value


def complaints(check: Callable[..., object], values: dict[str, Any], **limits: Any) -> list[str]:
    """What a check of this module says of several values, to be raised together with other complaints.

    Parameters
    ----------
    check : callable
    values : dict
        By the names that the messages call them.
    limits
        For the check.

    Examples
    --------
    >>> complaints(check_whole, {"epochs": 5, "patience": 0})
    ['patience must be a whole number of at least 1, got 0.']
    """
    found = []
    for name, value in values.items():
        try:
            check(value, name, **limits)
        except GenoKerasError as error:
            found.append(str(error))
    return found


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False

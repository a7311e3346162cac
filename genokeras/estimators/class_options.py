"""Options of classifiers about their classes: their order, and how much each counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from genokeras.errors import ParameterError
from genokeras.support.checks import check_number
from genokeras.support.wording import did_you_mean, listed
from genokeras.tasks.class_names import class_name

BALANCED = "balanced"


def order_of(ordered: Any, x: Any, y: Any) -> tuple[Any, ...]:
    """Classes from the lowest to the highest: as they were given, or those of an ordered Categorical; empty where there is no order.

    Raises
    ------
    ParameterError
        If ``ordered`` is no sequence of two or more classes.
    """
    if ordered is None or ordered is False:
        dtype = getattr(_values(x, y), "dtype", None)
        known = isinstance(dtype, pd.CategoricalDtype) and dtype.ordered
        return tuple(dtype.categories.tolist()) if known else ()  # type: ignore[union-attr]
    if (
        isinstance(ordered, str | Mapping)
        or not isinstance(ordered, Sequence | np.ndarray)
        or len(ordered) < 2
    ):
        raise ParameterError(
            f"ordered must be all classes, the lowest first, such as [1, 2, 3]: got {ordered!r}."
        )
    return tuple(np.asarray(ordered).tolist())


def _values(x: Any, y: Any) -> Any:
    """The labels themselves, where ``y`` names a column of a table in memory."""
    if not isinstance(y, str):
        return y
    table = getattr(x, "obs", x)
    return table[y] if isinstance(table, pd.DataFrame) and y in table else None


def class_factors(class_weight: Any, codes: np.ndarray, names: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """``(k,)`` what the weights of the samples of each class are multiplied by; the sum of all weights stays as it is.

    Parameters
    ----------
    class_weight : "balanced" or mapping
        "balanced" gives all classes the same total; classes that a mapping does not name count 1.
    codes : numpy.ndarray
        ``(n,)``.
    names : numpy.ndarray
        ``(k,)``.
    weight : numpy.ndarray
        ``(n,)``.

    Raises
    ------
    ParameterError
        If it is something else, names an unknown class, or a weight is not above 0.
    """
    known = [str(name) for name in names.tolist()]
    if isinstance(class_weight, str) and class_weight == BALANCED:
        totals = np.bincount(codes, weight, minlength=len(known))
        return np.asarray(weight.sum() / (len(known) * np.where(totals > 0, totals, np.inf)))
    if not isinstance(class_weight, Mapping):
        raise ParameterError(
            f"class_weight must be 'balanced' or a mapping from class to weight, got {class_weight!r}."
        )
    factors = np.ones(len(known))
    for name, value in class_weight.items():
        place = class_place(name, known, "class_weight")
        factors[place] = check_number(value, f"class_weight[{name!r}]", above=0)
    return np.asarray(factors / np.average(factors[codes], weights=weight))


def class_place(wanted: Any, known: Sequence[str], what: str) -> int:
    """The number of a class, as people name it.

    Raises
    ------
    ParameterError
        If there is no such class; says which is close.
    """
    name = class_name(wanted, known)
    if name not in known:
        raise ParameterError(
            f"{what} names the class {name!r}, and there are {listed(known, 20)}.{did_you_mean(name, known)}"
        )
    return list(known).index(name)


def plain_options(**options: Any) -> dict[str, Any]:
    """Those that were given, as JSON values."""
    return {name: _plain(value) for name, value in options.items() if value is not None}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in np.asarray(value).tolist()]
    return value.item() if isinstance(value, np.generic) else value

"""What the arguments of an explanation must be, checked before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from genokeras.errors import DataError, ParameterError
from genokeras.support.wording import did_you_mean, listed

METHODS = (
    "expected_gradients",
    "integrated_gradients",
    "linear",
    "shap_deep",
    "shap_gradient",
    "shap_permutation",
)
PROBABILITY, LOG_ODDS, NUMBER = OUTPUTS = ("probability", "log_odds", "number")


def as_rows(
    x: Any, name: str, n_features: int | None = None, medians: np.ndarray | None = None
) -> np.ndarray:
    """``(n, p)`` float32 without gaps.

    Parameters
    ----------
    x : array-like or sparse matrix
    name : str
        What the message calls it.
    n_features : int, optional
        Width that it must have.
    medians : numpy.ndarray, optional
        ``(p,)`` fill in NaN, which raises without them.

    Raises
    ------
    DataError
        If the shape is wrong, or values are missing or infinite.
    """
    dense = np.asarray(x.toarray() if hasattr(x, "toarray") else x)
    if dense.dtype.kind not in "biuf":
        raise DataError(f"{name} must hold numbers, got an array of {dense.dtype}.")
    rows = np.asarray(dense, dtype="float32")
    if rows.ndim != 2 or not len(rows):
        hint = " Pass a single sample as x[None, :]." if rows.ndim == 1 else ""
        raise DataError(f"{name} must be (n_samples, n_features), got the shape {rows.shape}.{hint}")
    if n_features is not None and rows.shape[1] != n_features:
        raise DataError(f"{name} must have {n_features} features, as the model has, got {rows.shape[1]}.")
    if medians is not None:
        rows = np.where(np.isnan(rows), medians.astype("float32"), rows)
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if len(bad):
        raise DataError(
            f"{name} has missing or infinite values in {len(bad)} of {len(rows)} rows: {listed(bad)}. "
            "Drop these rows or fill them in; a model fitted with missing='median' fills them by itself."
        )
    return rows


def named(given: Sequence[Any] | None, count: int, kind: str, default: str) -> tuple[str, ...]:
    """Names of features, outputs or samples.

    Parameters
    ----------
    given : sequence or None
        None for ``<default>0``, ``<default>1`` and so on.
    count : int
        How many there must be.
    kind : str
        What the message calls them.
    default : str

    Raises
    ------
    ParameterError
        If there are more or fewer.
    """
    if given is None:
        return tuple(f"{default}{i}" for i in range(count))
    names = tuple(str(name) for name in given)
    if len(names) != count:
        raise ParameterError(
            f"{kind} must have one name each: expected {count}, got {len(names)} ({listed(names, 3)})."
        )
    return names


def distinct(names: tuple[str, ...], kind: str) -> tuple[str, ...]:
    """Return names that tables and files are found by.

    Raises
    ------
    ParameterError
        If one stands more than once.
    """
    repeated = repeated_in(names)
    if repeated:
        raise ParameterError(f"{kind} must differ from each other: {listed(repeated)} stands more than once.")
    return names


def repeated_in(names: Sequence[str]) -> list[str]:
    """The names that stand more than once, each once."""
    return [name for name, count in Counter(names).items() if count > 1]


def position_of(output: object, names: Sequence[str], word: str = "output") -> int:
    """Where a class or target stands among ``names``.

    Parameters
    ----------
    output : object
    names : sequence of str
    word : str
        What the message calls it.

    Raises
    ------
    ParameterError
        If there is none of that name; the message lists those there are.
    """
    name = str(output)
    if name not in names:
        raise ParameterError(
            f"there is no {word} {name!r}; there are {listed(names)}.{did_you_mean(name, names)}"
        )
    return list(names).index(name)


def pick_rows(n_rows: int, num_samples: int | None, seed: int) -> np.ndarray:
    """Which rows are explained: all, or ``num_samples`` at random, in their order."""
    if num_samples is None or n_rows <= num_samples:
        return np.arange(n_rows)
    return np.sort(np.random.default_rng([seed, 0]).choice(n_rows, num_samples, replace=False))

"""How good numbers are, row by row or over all rows.

Notation
--------
======  ==============================================  ==================
symbol  meaning                                         shape
======  ==============================================  ==================
a       answers                                         (..., n, k)
t       targets                                         (n, k)
w       weight of each row                              (..., n)
======  ==============================================  ==================

Of several targets, every score is the mean of theirs.
"""

from __future__ import annotations

import numpy as np

from genokeras.tasks.rows import Array, tie_bounds

_EPSILON = 1e-24


def squared_error_rows(a: Array, t: Array) -> Array:
    """Squared error of each row, (..., n)."""
    return np.asarray(((a - t) ** 2).mean(-1))


def absolute_error_rows(a: Array, t: Array) -> Array:
    """Absolute error of each row, (..., n)."""
    return np.asarray(np.abs(a - t).mean(-1))


def r2(a: Array, t: Array, w: Array) -> Array:
    """Share of the variance that is explained, (...,); nan where a target is the same for all rows."""
    around = (t - _mean(t, w)[..., None, :]) ** 2
    total = _mean(around, w)
    varied = total > 0
    share = 1 - _mean((a - t) ** 2, w) / np.where(varied, total, 1.0)
    return np.asarray(np.where(varied, share, np.nan).mean(-1))


def root_mean_squared_error(a: Array, t: Array, w: Array) -> Array:
    """Root of the mean squared error, (...,)."""
    return np.asarray(np.sqrt(_mean((a - t) ** 2, w)).mean(-1))


def pearson(a: Array, t: Array, w: Array) -> Array:
    """Correlation, (...,); 0 where one side is constant."""
    around_a, around_t = (values - _mean(values, w)[..., None, :] for values in (a, t))
    spread_a, spread_t = _mean(around_a**2, w), _mean(around_t**2, w)
    # What is left of a constant behind the subtraction is rounding.
    defined = (spread_a > _EPSILON * _mean(a**2, w)) & (spread_t > _EPSILON * _mean(t**2, w))
    spread = np.sqrt(np.where(defined, spread_a * spread_t, 1.0))
    return np.asarray(np.where(defined, _mean(around_a * around_t, w) / spread, 0.0).mean(-1))


def spearman(a: Array, t: Array, w: Array) -> Array:
    """Correlation of the ranks, ties sharing theirs, (...,)."""
    return pearson(_ranks(a, w), _ranks(t, w), w)


def _mean(values: Array, w: Array) -> Array:
    """Mean over the rows, (..., k)."""
    return np.asarray((values * w[..., None]).sum(-2) / w.sum(-1)[..., None])


def _ranks(values: Array, w: Array) -> Array:
    """Mean rank of each row among the others, which count by their weights: (..., n, k)."""
    shape = np.broadcast_shapes(values.shape, (*w.shape, 1))
    columns = np.moveaxis(np.broadcast_to(values, shape), -1, -2)
    weights = np.broadcast_to(w[..., None, :], columns.shape)
    order = np.argsort(columns, axis=-1)
    first, last = tie_bounds(np.take_along_axis(columns, order, -1))
    weights = np.take_along_axis(weights, order, -1)
    up_to = np.cumsum(weights, axis=-1)
    middle = (np.take_along_axis(up_to - weights, first, -1) + np.take_along_axis(up_to, last, -1)) / 2
    ranks = np.empty(columns.shape)
    np.put_along_axis(ranks, order, middle, -1)
    return np.moveaxis(ranks, -1, -2)

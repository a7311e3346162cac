"""Weights of trials whose probabilities are multiplied, learnt from many rows.

Notation
--------
======  ====================================================================  =================
symbol  meaning                                                               shape
======  ====================================================================  =================
p       out-of-fold probabilities of every trial                              (t, n, k)
z       log p, less that of the last class                                    (n, k - 1, t)
c       weight of each row                                                    (n,)
b       what each trial's log p is multiplied by; not negative                (t,)
======  ====================================================================  =================

The ensemble's probabilities are ``prod_t p_t ** b_t``, normalised. b maximises ``sum_n c_n log p_n`` less ``s / 2 * sum_t (b_t - 1 / t)^2``, which
holds it near the plain mean of the logarithms where rows say little; that is a convex problem (a logistic regression with
coefficients that are not negative). Trials that see different things, words and motifs say, are surer together than each
alone: products add up their evidence, and means level it out.

References
----------
Bertsekas (1982), Projected Newton methods for optimization problems with simple constraints, SIAM Journal on Control and Optimization 20:
221-246.
Genest and Zidek (1986), Combining probability distributions: a critique and an annotated bibliography, Statistical Science 1:
114-135, section 3.3, the logarithmic opinion pool.
Wolpert (1992), Stacked generalization, Neural Networks 5: 241-259.
"""

from __future__ import annotations

import numpy as np

from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.rows import Array, Codes

# Rows that the prior is worth, roughly.
_STRENGTH = 10.0
_ITERATIONS, _HALVINGS = 50, 20
# Of the log loss of a row, gained by a step that is the last one.
_CLOSE = 1e-7
# A share below is none.
_NOTHING = 1e-3


def product_weights(p: Array, codes: Codes, rows: Array, largest: int) -> Array:
    """Weights of trials in a product of probabilities.

    Parameters
    ----------
    p : ndarray of shape (n_trials, n_samples, n_classes)
        Out-of-fold probabilities.
    codes : ndarray of shape (n_samples,)
        Class numbers.
    rows : ndarray of shape (..., n_samples)
        Weights of the rows; leading axes are resamples.
    largest : int
        Trials that keep a weight, at most; the others are fitted again without the lightest.

    Returns
    -------
    ndarray of shape (..., n_trials)
        Not negative, summing to 1: how sure the product is, is for its calibration to say.
    """
    logs = np.log(np.clip(p, SMALLEST_PROBABILITY, 1.0))
    z = np.ascontiguousarray(np.moveaxis(logs[:, :, :-1] - logs[:, :, -1:], 0, -1))
    found = np.zeros((*rows.shape[:-1], len(p)))
    start = None
    for place in np.ndindex(rows.shape[:-1]):
        counted = np.flatnonzero(rows[place])
        start = _fitted(z[counted], codes[counted], rows[place][counted], start)
        found[place] = _few(z[counted], codes[counted], rows[place][counted], start, largest)
    return found


def _few(z: Array, codes: Codes, weight: Array, b: Array, largest: int) -> Array:
    """Shares of at most so many trials; the lightest go in two steps."""
    kept = np.arange(len(b))
    for most in (2 * largest, largest):
        if np.count_nonzero(b > _NOTHING * b.sum()) > most:
            order = np.sort(np.argsort(-b, kind="stable")[:most])
            kept = kept[order]
            b = _fitted(z[..., kept], codes, weight, b[order])
    shares = np.zeros(z.shape[-1])
    shares[kept] = np.where(b > _NOTHING * b.sum(), b, 0.0)
    total = shares.sum()
    if total == 0:
        shares[kept[:largest]] = 1.0
        total = shares.sum()
    return np.asarray(shares / total)


def _fitted(z: Array, codes: Codes, weight: Array, start: Array | None) -> Array:
    """The best multipliers of all trials, by Newton's steps, cut off at 0 (Bertsekas 1982, section 2)."""
    t = z.shape[-1]
    b = np.full(t, 1 / t) if start is None else start
    problem = _Likelihood(z, codes, weight)
    loss = problem.loss(b)
    for _ in range(_ITERATIONS):
        slope, curvature = problem.derivatives(b)
        free = (b > 0) | (slope < 0)
        step = np.zeros(t)
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], slope[free])
        for halving in range(_HALVINGS):
            tried = np.maximum(b - 0.5**halving * step, 0.0)
            found = problem.loss(tried)
            if found < loss:
                break
        else:
            break
        gained, b, loss = loss - found, tried, found
        if gained < _CLOSE * weight.sum():
            break
    return b


class _Likelihood:
    """What is minimised, as sums over the rows."""

    def __init__(self, z: Array, codes: Codes, weight: Array) -> None:
        self._z, self._weight = z, weight
        n, others, t = z.shape
        self._flat = z.reshape(-1, t)
        own = np.zeros((n, others))
        inner = codes < others
        own[np.flatnonzero(inner), codes[inner]] = 1.0
        self._own = own
        self._of_own = (own * weight[:, None]).reshape(-1) @ self._flat

    def loss(self, b: Array) -> float:
        highest, _, sums = self._exponents(b)
        off = b - 1 / len(b)
        normaliser = self._weight @ (highest + np.log(sums))
        return float(normaliser - self._of_own @ b + _STRENGTH / 2 * off @ off)

    def derivatives(self, b: Array) -> tuple[Array, Array]:
        """First ``(t,)`` and second ``(t, t)``."""
        _, e, sums = self._exponents(b)
        p = e / sums[:, None]
        slope = (p * self._weight[:, None]).reshape(-1) @ self._flat - self._of_own
        slope += _STRENGTH * (b - 1 / len(b))
        root = np.sqrt(p * self._weight[:, None]).reshape(-1, 1) * self._flat
        mean = np.einsum("nk,nkt->nt", p, self._z) * np.sqrt(self._weight)[:, None]
        curvature = root.T @ root - mean.T @ mean
        return slope, curvature + _STRENGTH * np.eye(len(b))

    def _exponents(self, b: Array) -> tuple[Array, Array, Array]:
        """The largest logarithm of each row, the last class's 0 among them, exponentials less it, and their sums."""
        s = (self._flat @ b).reshape(self._own.shape)
        highest = np.maximum(s.max(axis=1), 0.0)
        e = np.exp(s - highest[:, None])
        return highest, e, np.exp(-highest) + e.sum(axis=1)

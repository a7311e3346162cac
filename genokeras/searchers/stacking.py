"""Weights of trials whose probabilities are multiplied, learnt from their out-of-fold answers.

Notation
--------
======  ====================================================================  =================
symbol  meaning                                                               shape
======  ====================================================================  =================
p       out-of-fold probabilities of every trial                              (t, n, k)
z       log p, less that of the last class                                    (n, k - 1, t)
c       weight of each row                                                    (n,)
e       weight of each trial by its discounted evidence                       (t,)
b       what each trial's log p is multiplied by; not negative                (t,)
======  ====================================================================  =================

The ensemble's probabilities are ``prod_t p_t ** b_t``, normalised. Trials that see different things, words and motifs say, are surer together than
each alone: products add up their evidence, and means level it out. b maximises ``sum_n c_n log p_n`` less ``s / 2 * sum_t (b_t - e_t)^2``, a convex
problem (a logistic regression with coefficients that are not negative). With ``s = max(2, (1,000 / sum_n c_n)^2)`` a hundred rows hardly move the
weights from the evidence, and a thousand decide alone; benchmarks/README.md has the figures.

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
from threadpoolctl import threadpool_limits

from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.rows import Array, Codes

# Of s: the weight of all rows at which it is 1, and what it is at least.
_ENOUGH, _LEAST_STRENGTH = 1000.0, 2.0
_ITERATIONS, _HALVINGS = 50, 20
# Of the log loss of a row, gained by a step that is the last one.
_CLOSE = 1e-6
# A share below is none.
_NOTHING = 1e-3
# Rows, and numbers in z: of more, rows are left out evenly.
MOST_ROWS, MOST_LOGARITHMS = 4_000, 500_000


def product_weights(p: Array, codes: Codes, rows: Array, evidence: Array, largest: int) -> Array:
    """Weights of trials in a product of probabilities.

    Parameters
    ----------
    p : ndarray of shape (n_trials, n_samples, n_classes)
        Out-of-fold probabilities.
    codes : ndarray of shape (n_samples,)
        Class numbers.
    rows : ndarray of shape (..., n_samples)
        Weights of the rows; leading axes are resamples.
    evidence : ndarray of shape (..., n_trials)
        Weights that few rows do not change much, summing to 1; trials of weight 0 stay out.
    largest : int
        Trials that keep a weight, at most; these are fitted again without the others.

    Returns
    -------
    ndarray of shape (..., n_trials)
        Not negative. They sum to more than 1 where the product should be surer than the mean of logarithms is.
    """
    n, k = p.shape[1:]
    # Of hundreds of trials few have evidence: the others must not cost rows.
    most = min(MOST_ROWS, MOST_LOGARITHMS // (int((evidence > 0).sum(axis=-1).max()) * (k - 1)))
    kept = np.linspace(0, n - 1, min(n, max(1, most))).astype(int)
    logs = np.log(np.clip(p[:, kept], SMALLEST_PROBABILITY, 1.0))
    z = np.ascontiguousarray(np.moveaxis(logs[:, :, :-1] - logs[:, :, -1:], 0, -1))
    found = np.zeros((*rows.shape[:-1], len(p)))
    # On matrices this small a second thread costs more time than it saves.
    with threadpool_limits(1, user_api="blas"):
        for place in np.ndindex(rows.shape[:-1]):
            weight = rows[place][kept]
            if not weight.any():
                weight = np.ones(len(kept))
            counted, trials = np.flatnonzero(weight), np.flatnonzero(evidence[place])
            weight = weight[counted] * (rows[place].sum() / weight.sum())
            own = z[counted][..., trials]
            found[place][trials] = _few(own, codes[kept][counted], weight, evidence[place][trials], largest)
    return found


def _few(z: Array, codes: Codes, weight: Array, evidence: Array, largest: int) -> Array:
    """Multipliers of at most so many trials; those that move the product least go in two steps."""
    kept = np.arange(len(evidence))
    b, spread = _fitted(z, codes, weight, evidence), z.std(axis=(0, 1))
    for most in (2 * largest, largest):
        if np.count_nonzero(b > _NOTHING * b.sum()) > most:
            kept = np.sort(kept[np.argsort(-b * spread[kept], kind="stable")[:most]])
            centre = evidence[kept] / evidence[kept].sum()
            b = _fitted(z[..., kept], codes, weight, centre)
    shares = np.zeros(len(evidence))
    shares[kept] = np.where(b > _NOTHING * b.sum(), b, 0.0)
    if not shares.any():
        shares[kept[:largest]] = 1 / len(kept[:largest])
    return shares


def _fitted(z: Array, codes: Codes, weight: Array, evidence: Array) -> Array:
    """The best multipliers, by Newton's steps from the evidence, cut off at 0 (Bertsekas 1982, section 2)."""
    b = evidence
    problem = _Penalised(z, codes, weight, evidence)
    loss = problem.loss(b)
    for _ in range(_ITERATIONS):
        slope, curvature = problem.derivatives(b)
        free = (b > 0) | (slope < 0)
        step = np.zeros(len(b))
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


class _Penalised:
    """What is minimised, as sums over the rows."""

    def __init__(self, z: Array, codes: Codes, weight: Array, evidence: Array) -> None:
        self._z, self._weight, self._evidence = z, weight, evidence
        self._strength = max(_LEAST_STRENGTH, (_ENOUGH / weight.sum()) ** 2)
        n, others, t = z.shape
        self._flat = z.reshape(-1, t)
        self._at: Array | None = None
        self._known: tuple[Array, Array, Array]
        own = np.zeros((n, others))
        inner = codes < others
        own[np.flatnonzero(inner), codes[inner]] = weight[inner]
        self._of_own = own.reshape(-1) @ self._flat

    def loss(self, b: Array) -> float:
        highest, _, sums = self._exponents(b)
        off = b - self._evidence
        normaliser = self._weight @ (highest + np.log(sums))
        return float(normaliser - self._of_own @ b + self._strength / 2 * off @ off)

    def derivatives(self, b: Array) -> tuple[Array, Array]:
        """First ``(t,)`` and second ``(t, t)``."""
        _, e, sums = self._exponents(b)
        p = e / sums[:, None]
        expected = np.einsum("nk,nkt->nt", p, self._z) * self._weight[:, None]
        slope = expected.sum(axis=0) - self._of_own + self._strength * (b - self._evidence)
        root = np.sqrt(p * self._weight[:, None]).reshape(-1, 1) * self._flat
        curvature = root.T @ root - (expected / self._weight[:, None]).T @ expected
        return slope, curvature + self._strength * np.eye(len(b))

    def _exponents(self, b: Array) -> tuple[Array, Array, Array]:
        """The largest logarithm of each row, the last class's 0 among them, exponentials less it, and their sums."""
        if self._at is not b:
            s = (self._flat @ b).reshape(self._z.shape[:2])
            highest = np.maximum(s.max(axis=1), 0.0)
            e = np.exp(s - highest[:, None])
            self._at, self._known = b, (highest, e, np.exp(-highest) + e.sum(axis=1))
        return self._known

"""Cox's model with a ridge penalty, exactly: Newton's method on the partial likelihood of a few hundred coordinates.

=======  ==========================================================  ==========
symbol   meaning                                                     shape
=======  ==========================================================  ==========
z        coordinates of the samples                                  (n, r)
eta      logarithms of relative hazards, ``z beta``                  (n,)
share    of each row in the risk set of each event                   (e, n)
=======  ==========================================================  ==========
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

_MOST_STEPS, _MOST_HALVINGS = 30, 12
_TOLERANCE = 1e-7
# Rows of risk sets that are held in memory at once.
_PLACES_AT_ONCE = 20_000_000


def solve_cox(
    z: np.ndarray, time: np.ndarray, event: np.ndarray, weight: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
    """Minimise the negative log partial likelihood, divided by the weight of all rows, plus ``penalty / 2`` times the squared length of beta.

    Parameters
    ----------
    z : numpy.ndarray
        ``(n, r)``, dense and small.
    time, event : numpy.ndarray
        ``(n,)``; ties are broken as Efron does.
    weight : numpy.ndarray
        ``(n,)``; rows of weight 0 play no part.
    penalty : float
        Above 0.

    Returns
    -------
    beta : numpy.ndarray
        ``(r,)`` float64.
    bias : float
        What makes the mean of ``z beta + bias`` over the rows 0.
    """
    kept = np.flatnonzero(weight > 0)
    order = kept[np.argsort(-time[kept], kind="stable")]
    x = np.asarray(z, dtype="float64")[order]
    w = np.asarray(weight, dtype="float64")[order] / weight.sum()
    mean = w @ x
    x = x - mean
    sets = RiskSets(time[order], event[order], w)
    beta = np.zeros(x.shape[1])
    value, gradient, hessian = _expansion(sets, x, beta, penalty)
    for _ in range(_MOST_STEPS):
        step = linalg.solve(hessian, gradient, assume_a="pos")
        size = 1.0
        for _ in range(_MOST_HALVINGS):
            trial = beta - size * step
            if sets.loss(x @ trial) + penalty / 2 * trial @ trial <= value:
                break
            size /= 2
        else:
            break
        before, beta = value, trial
        value, gradient, hessian = _expansion(sets, x, beta, penalty)
        if before - value < _TOLERANCE * max(abs(value), 1e-3):
            break
    return beta, float(-mean @ beta)


class RiskSets:
    """The risk sets of rows in descending order of time, the weights of all rows summing to 1.

    Parameters
    ----------
    time, event, w : numpy.ndarray
        ``(n,)``.
    """

    def __init__(self, time: np.ndarray, event: np.ndarray, w: np.ndarray) -> None:
        n = len(time)
        self._w = w
        self._event = event > 0
        self.rows = np.flatnonzero(self._event)
        # Of each event: the rows at risk are all up to this one.
        self._last = n - 1 - np.searchsorted(time[::-1], time[self.rows], side="left")
        same = time[self.rows]
        levels, group = np.unique(same, return_inverse=True)
        size = np.bincount(group, minlength=len(levels))
        rank = np.arange(len(group)) - np.searchsorted(-same, -same, side="left")
        self._share = rank / size[group]
        total = np.bincount(group, w[self.rows], minlength=len(levels))
        self._mean = (total / size)[group]
        self._group = group

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Over each event's risk set, Efron's part of the tied events taken off."""
        of_events = values[self.rows]
        tied = np.bincount(self._group, of_events, minlength=self._group.max(initial=-1) + 1)[self._group]
        return np.cumsum(values)[self._last] - self._share * tied

    def loss(self, eta: np.ndarray) -> float:
        """The negative log partial likelihood."""
        level = eta.max()
        with np.errstate(over="ignore"):
            sums = self._sums(self._w * np.exp(eta - level))
        if not (sums > 0).all():
            return float("inf")
        return float(self._mean @ (np.log(sums) + level) - self._w[self.rows] @ eta[self.rows])

    def shares(self, eta: np.ndarray, events: slice) -> tuple[np.ndarray, np.ndarray]:
        """``(e, n)`` shares of the rows in the risk sets of some events, and what these events count."""
        hazards = self._w * np.exp(eta - eta.max())
        sums = self._sums(hazards)[events]
        at_risk = np.arange(len(eta)) <= self._last[events, None]
        tied = np.zeros(at_risk.shape, dtype=bool)
        tied[:, self.rows] = self._group[events, None] == self._group[None]
        share = (at_risk - self._share[events, None] * tied) * hazards / sums[:, None]
        return share, self._mean[events]


def _expansion(
    sets: RiskSets, x: np.ndarray, beta: np.ndarray, penalty: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient and Hessian of the penalised loss."""
    eta = x @ beta
    n, r = x.shape
    expected, hessian = np.zeros(n), penalty * np.eye(r)
    block = max(1, _PLACES_AT_ONCE // max(n, 1))
    for start in range(0, len(sets.rows), block):
        share, counts = sets.shares(eta, slice(start, start + block))
        expected += counts @ share
        means = share @ x
        hessian -= (means * counts[:, None]).T @ means
    hessian += (x * expected[:, None]).T @ x
    seen = np.zeros(n)
    seen[sets.rows] = sets._w[sets.rows]
    gradient = x.T @ (expected - seen) + penalty * beta
    return sets.loss(eta) + penalty / 2 * float(beta @ beta), gradient, hessian

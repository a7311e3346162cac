"""Cox's model with a ridge penalty, exactly: Newton's method on the partial likelihood of a few hundred coordinates.

=======  ==========================================================  ==========
symbol   meaning                                                     shape
=======  ==========================================================  ==========
z        coordinates of the samples                                  (n, r)
eta      logarithms of relative hazards, ``z beta``                  (n,)
e        events                                                      scalar
=======  ==========================================================  ==========
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import linalg
from threadpoolctl import ThreadpoolController

_MOST_STEPS, _MOST_HALVINGS = 30, 12
_TOLERANCE = 1e-7


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
    # Matrices are small: several threads would mostly wait for each other.
    with _libraries().limit(limits=1, user_api="blas"):
        return _solved(z, time, event, weight, penalty)


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    """Finding out which libraries are loaded takes longer than a fit."""
    return ThreadpoolController()


def _solved(
    z: np.ndarray, time: np.ndarray, event: np.ndarray, weight: np.ndarray, penalty: float
) -> tuple[np.ndarray, float]:
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
        self._starts = np.flatnonzero(np.diff(same, prepend=np.inf))
        size = np.diff(self._starts, append=len(same))
        self._group = np.repeat(np.arange(len(size)), size)
        self._share = (np.arange(len(same)) - self._starts[self._group]) / size[self._group]
        # Each of several tied events counts by their mean weight.
        total = np.bincount(self._group, w[self.rows], minlength=len(size))
        self._mean = (total / size)[self._group]

    def _sums(self, values: np.ndarray) -> np.ndarray:
        """Over each event's risk set, Efron's part of the tied events taken off."""
        of_events = values[self.rows]
        tied = np.bincount(self._group, of_events, minlength=len(self._starts))[self._group]
        return np.cumsum(values)[self._last] - self._share * tied

    def loss(self, eta: np.ndarray) -> float:
        """The negative log partial likelihood."""
        level = eta.max()
        with np.errstate(over="ignore"):
            sums = self._sums(self._w * np.exp(eta - level))
        if not (sums > 0).all():
            return float("inf")
        return float(self._mean @ (np.log(sums) + level) - self._w[self.rows] @ eta[self.rows])

    def moments(self, eta: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What risk sets expect.

        Returns
        -------
        expected : numpy.ndarray
            ``(n,)`` weight of the events that each row is expected to have.
        means : numpy.ndarray
            ``(e, r)`` of the coordinates over the risk set of each event.
        counts : numpy.ndarray
            ``(e,)`` what each event counts.
        """
        hazards = self._w * np.exp(eta - eta.max())
        each = self._mean / self._sums(hazards)
        of_last = np.bincount(self._last, each, minlength=len(eta))
        expected = np.cumsum(of_last[::-1])[::-1]
        lost = np.bincount(self._group, self._share * each, minlength=len(self._starts))
        expected[self.rows] -= lost[self._group]
        weighted = hazards[:, None] * x
        tied = np.add.reduceat(weighted[self.rows], self._starts, axis=0)[self._group]
        sums = np.cumsum(weighted, axis=0)[self._last] - self._share[:, None] * tied
        return hazards * expected, sums * (each / self._mean)[:, None], self._mean


def _expansion(
    sets: RiskSets, x: np.ndarray, beta: np.ndarray, penalty: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Value, gradient and Hessian of the penalised loss."""
    eta = x @ beta
    expected, means, counts = sets.moments(eta, x)
    hessian = (
        (x * expected[:, None]).T @ x - (means * counts[:, None]).T @ means + penalty * np.eye(x.shape[1])
    )
    seen = np.zeros(len(x))
    seen[sets.rows] = sets._w[sets.rows]
    gradient = x.T @ (expected - seen) + penalty * beta
    return sets.loss(eta) + penalty / 2 * float(beta @ beta), gradient, hessian

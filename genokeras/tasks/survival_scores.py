"""How good predicted risks and survival curves are.

Notation
--------
======  =========================================================================  ==================
symbol  meaning                                                                    shape
======  =========================================================================  ==================
risk    the higher, the sooner the event is expected                               (..., n)
t       targets, columns as in `genokeras.tasks.survival_times`                    (n, 4)
w       weight of each row                                                         (..., n)
tau     the time up to which scores look: few samples are followed beyond it       scalar
curves  probability of no event by each of some times                              (..., n, times)
======  =========================================================================  ==================

Samples whose follow-up ended do not count for times behind that; the others count more in their place, by one over the share of samples that are
followed as long (inverse probability of censoring).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genokeras.tasks.rows import Array
from genokeras.tasks.survival_times import EVENT, TIME, UNCENSORED

# Pairs of rows that are compared at once.
_PAIRS_AT_ONCE = 20_000_000
# Share of the rows that must be followed beyond tau.
_BEYOND = 0.1
_MOST_TIMES, _AUC_TIMES = 60, 9

Curves = Callable[[Array, Array], Array]


def concordance(risk: Array, t: Array, w: Array) -> Array:
    """Share of the comparable pairs of rows whose risks are in the right order (Harrell, Lee and Mark 1996, Statistics in Medicine 15: 361-387).

    A pair is comparable where the event of one came before the other's time, or at the time of its censoring. Equal risks count half; nan without any
    such pair.
    """
    return _concordance(risk, t, w, np.ones(len(t)), np.inf)


def uno_concordance(risk: Array, t: Array, w: Array) -> Array:
    """The same up to tau, whatever the follow-up (Uno et al. 2011, Statistics in Medicine 30: 1105-1117)."""
    return _concordance(risk, t, w, t[:, UNCENSORED] ** -2.0, horizon(t))


def horizon(t: Array) -> float:
    """tau: the time that one row in ten is followed beyond."""
    return float(np.quantile(t[:, TIME], 1 - _BEYOND))


def score_times(t: Array, most: int = _MOST_TIMES) -> np.ndarray:
    """Numbers of rows whose times curves are judged at: events up to tau, evenly picked, in ascending order of time."""
    rows = np.flatnonzero((t[:, EVENT] > 0) & (t[:, TIME] <= horizon(t)))
    if len(rows) < 2:
        rows = np.flatnonzero(t[:, EVENT] > 0)
    _, first = np.unique(t[rows, TIME], return_index=True)
    rows = rows[first]
    picked = (
        np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))
        if len(rows) > most
        else slice(None)
    )
    return np.asarray(rows[picked])


def brier_weights(t: Array, times: Array, still: Array) -> tuple[Array, Array]:
    """What rows count at each time, ``(n, times)``, and what is true of them: 1 where the event had not come.

    Parameters
    ----------
    t : ndarray of shape (n, 4)
    times : ndarray of shape (times,)
    still : ndarray of shape (times,)
        Share of the samples that are followed beyond each time.
    """
    later = t[:, TIME, None] > times
    came = ~later & (t[:, EVENT, None] > 0)
    return later / still + came / t[:, UNCENSORED, None], later.astype("float64")


def brier_rows(curves: Array, t: Array, times: Array, still: Array) -> Array:
    """Squared error of survival curves, averaged over the times from the first to the last one, ``(..., n)``.

    Its mean over the rows is the integrated Brier score (Graf, Schmoor, Sauerbrei and Schumacher 1999, Statistics in Medicine 18: 2529-2545).

    Parameters
    ----------
    curves : ndarray of shape (..., n, times)
    t, times, still
        As in `brier_weights`.
    """
    counted, truth = brier_weights(t, times, still)
    errors = counted * (truth - curves) ** 2
    if len(times) == 1:
        return np.asarray(errors[..., 0])
    return np.asarray(np.trapezoid(errors, times, axis=-1) / (times[-1] - times[0]))


def auc_at(risk: Array, t: Array, w: Array, time: float) -> float:
    """Share of pairs, one whose event has come by a time and one followed beyond, whose risks are in the right order; nan without any.

    Cumulative cases and dynamic controls (Heagerty, Lumley and Pepe 2000, Biometrics 56: 337-344), cases weighted for censoring.

    Parameters
    ----------
    risk, w : ndarray of shape (n,)
    t : ndarray of shape (n, 4)
    time : float
    """
    cases = w * ((t[:, TIME] <= time) & (t[:, EVENT] > 0)) / t[:, UNCENSORED]
    controls = w * (t[:, TIME] > time)
    if not (cases.any() and controls.any()):
        return float("nan")
    order = np.argsort(risk, kind="stable")
    ordered, below = risk[order], np.concatenate([[0.0], np.cumsum(controls[order])])
    low, high = (np.searchsorted(ordered, risk, side=side) for side in ("left", "right"))
    return float(cases @ (below[low] + below[high]) / 2 / (cases.sum() * controls.sum()))


def mean_auc(risk: Array, t: Array, w: Array) -> Array:
    """The mean of `auc_at` over event times up to tau, ``(...,)``."""
    times = t[score_times(t, _AUC_TIMES + 2), TIME]
    times = times[1:-1] if len(times) > 2 else times

    def mean(one: Array, weight: Array) -> float:
        found = np.array([auc_at(one, t, weight, time) for time in times])
        return float(found[np.isfinite(found)].mean()) if np.isfinite(found).any() else float("nan")

    return _over_axes(mean, risk, w)


def partial_deviance(eta: Array, t: Array, w: Array) -> Array:
    """Negative log partial likelihood per event, less what it is where all rows are alike, ``(...,)``; ties as by Breslow."""
    order = np.argsort(-t[:, TIME], kind="stable")
    last = len(t) - 1 - np.searchsorted(t[order, TIME][::-1], t[order, TIME], side="left")
    event = t[order, EVENT]
    shape = np.broadcast_shapes(eta.shape, w.shape)
    eta, w = (np.broadcast_to(part, shape)[..., order] for part in (eta, w))
    level = eta.max(axis=-1, keepdims=True)

    def log_sums(values: Array) -> Array:
        return np.log(np.maximum(np.cumsum(values, axis=-1)[..., last], 1e-300))

    gained = log_sums(w * np.exp(eta - level)) + level - log_sums(w) - eta
    counted = w * event
    total = counted.sum(axis=-1)
    return np.asarray((counted * gained).sum(axis=-1) / np.where(total > 0, total, np.nan))


def _concordance(risk: Array, t: Array, w: Array, pair_weight: Array, until: float) -> Array:
    """Over leading axes of risks and weights."""
    cases = np.flatnonzero((t[:, EVENT] > 0) & (t[:, TIME] < until))
    shape = np.broadcast_shapes(risk.shape, w.shape)[:-1]
    good, all_pairs = np.zeros(shape), np.zeros(shape)
    block = max(1, _PAIRS_AT_ONCE // max(len(t), 1))
    for start in range(0, len(cases), block):
        part = cases[start : start + block]
        later = _later(t, part)
        all_pairs = all_pairs + _pairs(later, w, part, pair_weight)
        good = good + _ordered(risk, later, w, part, pair_weight)
    return np.asarray(np.divide(good, all_pairs, out=np.full(shape, np.nan), where=all_pairs > 0))


def _later(t: Array, cases: np.ndarray) -> Array:
    """``(cases, n)`` whether each row is known to have lived longer than a case."""
    time, own = t[:, TIME], t[cases, TIME, None]
    return ((time > own) | ((time == own) & (t[:, EVENT] == 0))).astype("float64")


def _pairs(matrix: Array, w: Array, cases: np.ndarray, pair_weight: Array) -> Array:
    return np.asarray(((w[..., cases] * pair_weight[cases]) @ matrix * w).sum(axis=-1))


def _ordered(risk: Array, later: Array, w: Array, cases: np.ndarray, pair_weight: Array) -> Array:
    """The weight of pairs in the right order."""

    def one(values: Array) -> Array:
        own = values[cases, None]
        return later * ((own > values) + 0.5 * (own == values))

    if risk.ndim == 1:
        return _pairs(one(risk), w, cases, pair_weight)
    flat = risk.reshape(-1, risk.shape[-1])
    weights = np.broadcast_to(w, risk.shape).reshape(flat.shape)
    found = [
        _pairs(one(values), weight, cases, pair_weight) for values, weight in zip(flat, weights, strict=True)
    ]
    return np.reshape(found, risk.shape[:-1])


def _over_axes(function: Callable[[Array, Array], float], risk: Array, w: Array) -> Array:
    shape = np.broadcast_shapes(risk.shape, w.shape)
    risks, weights = (np.broadcast_to(part, shape).reshape(-1, shape[-1]) for part in (risk, w))
    found = [function(one, weight) for one, weight in zip(risks, weights, strict=True)]
    return np.reshape(found, shape[:-1])

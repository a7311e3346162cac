"""What networks answer about survival: relative hazards, or survival curves; how these are scored, chosen and calibrated.

========  ================================================================================  ==============
symbol    meaning                                                                           shape
========  ================================================================================  ==============
a         answers: logarithms of relative hazards (k = 1), or the probability of no event    (..., n, k)
          by the end of each of k intervals
t         targets, columns as in `genokeras.tasks.survival_times`                           (n, 4)
places    times on the task's own scale: cumulative hazards, or intervals                   (times,)
========  ================================================================================  ==============
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize, minimize_scalar

from genokeras.tasks.answers import Answers, Evidence, Targets
from genokeras.tasks.calibration import (
    SMALLEST_SURVIVAL,
    Calibration,
    CurveCalibration,
    RiskCalibration,
    interval_hazards,
)
from genokeras.tasks.objectives import Objective, add_objectives
from genokeras.tasks.rows import Array, weighted_mean
from genokeras.tasks.survival_scores import (
    brier_rows,
    concordance,
    mean_auc,
    partial_deviance,
    score_times,
    uno_concordance,
)
from genokeras.tasks.survival_times import EVENT, PLACE, TIME, UNCENSORED, survival

SMALLEST = SMALLEST_SURVIVAL
# Relative hazards of e^30 say no more than those of e^15.
_LARGEST = 30.0
# A normal prior on the logarithm of the slope, as in `genokeras.tasks.calibration`.
_PRIOR, _SLOPES = 2.0, (-1.5, 1.0)
# And a wide one, of standard deviation 1, on how much higher the hazards of an interval are.
_LEVEL_PRIOR, _LEVELS = 0.5, (-3.0, 3.0)
_PLACES_AT_ONCE = 8_000_000


class SurvivalAnswers(Answers):
    """Of times until an event."""

    standard_metrics = ("c_index", "c_index_uno", "integrated_brier", "auc")
    discount = (5.0, 4.0)

    def as_targets(self, targets: ArrayLike) -> NDArray[np.float64]:
        return np.asarray(targets, dtype=np.float64)

    def fit(self, answers: Array, targets: Targets) -> str | None:
        if answers.ndim < 2 or targets.ndim != 2 or targets.shape[1] != 4 or not len(targets):
            return f"targets of survival must have shape (n_samples, 4): got {targets.shape}."
        if answers.shape[-2] != len(targets):
            return (
                "answers must have shape (..., n_samples, n_outputs) and targets (n_samples, 4): "
                f"got {answers.shape} and {targets.shape}."
            )
        return None

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        return targets[:, EVENT].astype(np.int64)

    def sharpness(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> float:
        return 1.0

    @abstractmethod
    def risk(self, answers: Array) -> Array:
        """``(..., n)`` the higher, the sooner the event is expected."""

    @abstractmethod
    def curves(self, answers: Array, places: Array) -> Array:
        """``(..., n, times)`` probability of no event by these places, which are in ascending order."""


@final
class _RiskEvidence(Evidence):
    """Of the partial likelihood."""

    def __init__(self, stack: Array, targets: Array, w: Array) -> None:
        self._stack, self._targets, self._w = stack[..., 0], targets, w

    def of_trials(self, members: NDArray[np.int64]) -> Array:
        block = max(1, _PLACES_AT_ONCE // max(1, self._w.size))
        parts = [
            self._loss(self._stack[members[start : start + block]], self._w[..., None, :])
            for start in range(0, len(members), block)
        ]
        return np.concatenate(parts, axis=-1)

    def of_mixture(self, members: NDArray[np.int64], shares: Array) -> Array:
        return self._loss(shares @ self._stack[members], self._w)

    def _loss(self, eta: Array, w: Array) -> Array:
        events = w @ self._targets[:, EVENT]
        return np.asarray(np.where(events > 0, events * partial_deviance(eta, self._targets, w), 0.0))


@final
class RiskAnswers(SurvivalAnswers):
    """Answers are logarithms of relative hazards; those of the folds are on one scale, since each is 0 on the average of its training rows."""

    kind = "risks"
    sharpens_packed = True
    shapes = ("log hazards (n_trials, n_samples, 1)", "targets (n_samples, 4)")

    def risk(self, answers: Array) -> Array:
        return np.asarray(answers[..., 0])

    def curves(self, answers: Array, places: Array) -> Array:
        hazard = np.exp(np.clip(answers, -_LARGEST, _LARGEST))
        return np.asarray(np.exp(-hazard * places))

    def constant(self, targets: Targets, n_outputs: int, sample_weight: ArrayLike | None) -> Array:
        return np.zeros((len(targets), n_outputs))

    def evidence(self, stack: Array, targets: Targets, w: Array) -> Evidence:
        return _RiskEvidence(stack, self.as_targets(targets), w)

    def sharpness(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> float:
        return self.calibration(answers, targets, sample_weight).sharpness

    def sharpened(self, answers: Array, sharpness: float) -> Array:
        return sharpness * answers

    def calibration(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> Calibration:
        known, eta = self.as_targets(targets), answers[:, 0]
        w = np.ones(len(known)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        events = float(w @ known[:, EVENT])
        if events <= 0:
            return RiskCalibration()

        def loss(logarithm: float) -> float:
            deviance = float(partial_deviance(np.exp(logarithm) * eta, known, w))
            return events * deviance + _PRIOR * logarithm**2

        found = minimize_scalar(loss, bounds=_SLOPES, method="bounded", options={"xatol": 1e-3})
        slope = float(np.exp(found.x))
        expected = float(w @ (known[:, PLACE] * np.exp(np.clip(slope * eta, -_LARGEST, _LARGEST))))
        return RiskCalibration(slope, shift=float(np.log(events / max(expected, SMALLEST))))


@final
class _CurveEvidence(Evidence):
    """Of the likelihood of each row's interval."""

    def __init__(self, stack: Array, targets: Array, w: Array) -> None:
        self._stack, self._targets, self._w = stack, targets, w

    def of_trials(self, members: NDArray[np.int64]) -> Array:
        return np.asarray(self._w @ interval_losses(self._stack[members], self._targets).T)

    def of_mixture(self, members: NDArray[np.int64], shares: Array) -> Array:
        mean = np.tensordot(shares, self._stack[members], axes=1)
        return np.asarray((self._w * interval_losses(mean, self._targets)).sum(-1))


@final
class CurveAnswers(SurvivalAnswers):
    """Answers are survival curves by intervals."""

    kind = "curves"
    shapes = ("curves (n_trials, n_samples, n_intervals)", "targets (n_samples, 4)")

    def risk(self, answers: Array) -> Array:
        """The mean cumulative hazard over the intervals (Ishwaran et al. 2008, Annals of Applied Statistics 2: 841-860)."""
        return np.asarray(-np.log(np.maximum(answers, SMALLEST)).mean(axis=-1))

    def curves(self, answers: Array, places: Array) -> Array:
        k = answers.shape[-1]
        logs = np.log(np.maximum(answers, SMALLEST))
        logs = np.concatenate([np.zeros((*logs.shape[:-1], 1)), logs], axis=-1)
        at = np.clip(places, 0, k)
        low = np.minimum(np.floor(at).astype(int), k - 1)
        share = at - low
        return np.asarray(np.exp((1 - share) * logs[..., low] + share * logs[..., low + 1]))

    def constant(self, targets: Targets, n_outputs: int, sample_weight: ArrayLike | None) -> Array:
        weight = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        curve = survival(targets[:, PLACE], targets[:, EVENT], weight).at(np.arange(1, n_outputs + 1))
        return np.broadcast_to(curve, (len(targets), n_outputs))

    def evidence(self, stack: Array, targets: Targets, w: Array) -> Evidence:
        return _CurveEvidence(stack, self.as_targets(targets), w)

    def calibration(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> Calibration:
        known = self.as_targets(targets)
        w = np.ones(len(known)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return _curve_calibration(answers, known, w)


def interval_of(t: Array, k: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Intervals that each row is known to have lived through, ``(n,)``, and whether the event came in the next one.

    Who is lost in the later half of an interval counts as having lived through it (Gensheimer and Narasimhan 2019, PeerJ 7: e6257).
    """
    event = t[:, EVENT] > 0
    before = np.where(event, np.ceil(t[:, PLACE]) - 1, np.floor(t[:, PLACE] + 0.5))
    return np.clip(before, 0, np.where(event, k - 1, k)).astype(np.int64), event


def interval_losses(curves: Array, t: Array) -> Array:
    """``(..., n)`` negative log likelihood of what is known of each row, of curves ``(..., n, k)``."""
    k = curves.shape[-1]
    lived, event = interval_of(t, k)
    whole = np.concatenate([np.ones((*curves.shape[:-1], 1)), curves], axis=-1)
    rows = np.arange(len(t))
    until = whole[..., rows, lived]
    likelihood = np.where(event, until - whole[..., rows, np.minimum(lived + 1, k)], until)
    return np.asarray(-np.log(np.maximum(likelihood, SMALLEST)))


def _curve_calibration(curves: Array, t: Array, w: Array) -> CurveCalibration:
    """The most probable line of hazards' logarithms in each interval, given curves ``(n, k)``, by the likelihood of `interval_losses`."""
    k = curves.shape[-1]
    lived, event = interval_of(t, k)
    rows, cells = np.nonzero((np.arange(k) < (lived + event)[:, None]) & (w > 0)[:, None])
    counted, came = w[rows], event[rows] & (cells == lived[rows])
    if not came.any():
        return CurveCalibration()
    logs = np.log(interval_hazards(curves))[rows, cells]

    def by_interval(values: Array) -> Array:
        return np.asarray(np.bincount(cells, counted * values, minlength=k), dtype=np.float64)

    # Levels are those of hazards of the usual size, so that their prior and that of the slope say nothing of each other.
    known = by_interval(np.ones(len(rows)))
    middle = np.full(k, np.average(logs, weights=counted))
    middle = np.divide(by_interval(logs), known, out=middle, where=known > 0)
    apart = logs - middle[cells]

    def loss(line: Array) -> tuple[float, Array]:
        bent = np.exp(line[0]) * apart
        hazards = np.exp(np.clip((middle + line[1:])[cells] + bent, -_LARGEST, _LARGEST))
        event_came = -np.expm1(-hazards)
        likely = np.where(came, -np.log(event_came), hazards)
        slopes = np.where(came, -hazards * np.exp(-hazards) / event_came, hazards)
        value = float(counted @ likely) + float(strength @ line**2)
        by_line = np.concatenate([[(counted * slopes) @ bent], by_interval(slopes)])
        return value, by_line + 2 * strength * line

    strength = np.array([_PRIOR, *[_LEVEL_PRIOR] * k])
    bounds = (_SLOPES, *[_LEVELS] * k)
    found = minimize(loss, np.zeros(k + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    slope = float(np.exp(found[0]))
    return CurveCalibration(slope, levels=tuple(map(float, found[1:] + (1 - slope) * middle)))


# ---- objectives; partials and no closures, because fitted estimators are pickled


def _of_risk(score: object, kind: SurvivalAnswers, a: Array, t: Array, w: Array) -> Array:
    return score(kind.risk(a), t, w)  # type: ignore[operator]


def _brier_rows(kind: SurvivalAnswers, a: Array, t: Array) -> Array:
    rows = score_times(t)
    if not len(rows):
        return np.full(a.shape[:-1], np.nan)
    return brier_rows(kind.curves(a, t[rows, PLACE]), t, t[rows, TIME], t[rows, UNCENSORED])


def _brier(kind: SurvivalAnswers, a: Array, t: Array, w: Array) -> Array:
    return weighted_mean(_brier_rows(kind, a, t), w)


def _interval_loss(a: Array, t: Array, w: Array) -> Array:
    return weighted_mean(interval_losses(a, t), w)


def _objectives(kind: SurvivalAnswers, own: Objective) -> dict[str, Objective]:
    found = (
        Objective("c_index", True, partial(_of_risk, concordance, kind), answers=kind),
        Objective("c_index_uno", True, partial(_of_risk, uno_concordance, kind), answers=kind),
        Objective("integrated_brier", False, partial(_brier, kind), partial(_brier_rows, kind), answers=kind),
        Objective("auc", True, partial(_of_risk, mean_auc, kind), answers=kind),
        own,
    )
    return {objective.name: objective for objective in found}


RISKS, CURVES = RiskAnswers(), CurveAnswers()
RISK_OBJECTIVES = _objectives(
    RISKS,
    Objective("partial_likelihood", False, partial(_of_risk, partial_deviance, RISKS), answers=RISKS),
)
CURVE_OBJECTIVES = _objectives(
    CURVES, Objective("interval_likelihood", False, _interval_loss, interval_losses, answers=CURVES)
)
for _kind, _known in ((RISKS, RISK_OBJECTIVES), (CURVES, CURVE_OBJECTIVES)):
    add_objectives(_kind.kind, _known)

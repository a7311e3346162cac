"""Two numbers that make an ensemble as sure as its accuracy allows, and the first of them for each of its trials.

The mean of many networks is less sure than each of them, and more so the more they differ. Raising its probabilities to a
power and normalising again, ``p^g / sum p^g``, is temperature scaling with temperature ``1 / g`` (Guo et al. 2017, On calibration of
modern neural networks, ICML, eq. 9). With few rows ``g`` is held towards 1 by a normal prior on its logarithm.

However well ``n`` rows are classified, row ``n + 1`` may be the first mistake. So every
prediction is mixed with the uniform one as if a single further row, spread evenly over the ``k`` classes, had been counted
(Perks 1947, related to Laplace's rule of succession): ``(n p + 1 / k) / (n + 1)``.

Networks that trained briefly are right long before they are sure. So that such a trial is judged by what it knows, its out-of-fold
answers get a sharpness, too, before anything compares them: those of a fold one that fits the rows of the other folds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.rows import Array

PRIOR_STRENGTH = 5.0
# Of survival curves: what is smaller differs in single precision from nothing by chance alone.
SMALLEST_SURVIVAL, SMALLEST_HAZARD = 1e-12, 1e-6
_LOGARITHMS = np.linspace(-1.2, 0.6, 37)
_COARSE = 4
# Of one trial, whose probabilities may be those of a network that hardly trained.
_WIDE, _WEAK_PRIOR = (-2.5, 3.0), 2.0
_CLOSE = 1e-3


@dataclass(frozen=True)
class Calibration:
    """How probabilities are changed before they are given out; the default leaves any answers as they are.

    Attributes
    ----------
    sharpness : float
        The power ``g``; 1 leaves probabilities alone, above 1 makes them surer.
    doubt : float
        Share of the uniform prediction, ``1 / (n + 1)``.
    """

    sharpness: float = 1.0
    doubt: float = 0.0

    def apply(self, p: ArrayLike) -> Array:
        """Calibrated probabilities, over the last axis."""
        if self == Calibration():
            return np.asarray(p, dtype=np.float64)
        powered = np.clip(np.asarray(p, dtype=np.float64), SMALLEST_PROBABILITY, 1.0) ** self.sharpness
        sharp = powered / powered.sum(axis=-1, keepdims=True)
        return np.asarray((1.0 - self.doubt) * sharp + self.doubt / sharp.shape[-1])


@dataclass(frozen=True)
class RiskCalibration(Calibration):
    """How logarithms of relative hazards are changed: multiplied by the sharpness, and moved.

    Attributes
    ----------
    shift : float
    """

    shift: float = 0.0

    def apply(self, p: ArrayLike) -> Array:
        """Calibrated logarithms of hazards."""
        return np.asarray(self.sharpness * np.asarray(p, dtype=np.float64) + self.shift)


@dataclass(frozen=True)
class CurveCalibration(Calibration):
    """How survival curves by intervals are changed: the hazard of an interval ``h = log S(its begin) - log S(its end)`` becomes ``e^level h^sharpness``.

    Its logarithm is the complementary log-log of the probability of the event in that interval, so this is a line on the scale on which a shift is
    a proportional hazard (Prentice and Gloeckler 1978, Biometrics 34: 57-67). The levels are to intervals what the baseline is to Cox's model.

    Attributes
    ----------
    levels : tuple of float
        ``(k,)`` of each interval; without any, curves stay as they are.
    """

    levels: tuple[float, ...] = ()

    def apply(self, p: ArrayLike) -> Array:
        """Calibrated curves, over the last axis."""
        curves = np.asarray(p, dtype=np.float64)
        if not self.levels:
            return curves
        hazards = np.exp(np.array(self.levels) + self.sharpness * np.log(interval_hazards(curves)))
        return np.asarray(np.exp(-np.cumsum(hazards, axis=-1)))


def interval_hazards(curves: Array) -> Array:
    """``(..., k)`` hazards, above 0, of each of the intervals that curves ``(..., k)`` are known at the ends of."""
    logs = -np.log(np.maximum(curves, SMALLEST_SURVIVAL))
    return np.asarray(np.maximum(np.diff(logs, axis=-1, prepend=0.0), SMALLEST_HAZARD))


def read_calibration(data: Mapping[str, Any]) -> Calibration:
    """What `dataclasses.asdict` made of one."""
    if "levels" in data:
        return CurveCalibration(**{**data, "levels": tuple(data["levels"])})
    return RiskCalibration(**data) if "shift" in data else Calibration(**data)


def fit_calibration(p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> Calibration:
    """The most probable sharpness given out-of-fold probabilities, and the doubt: the share of 1 / (n + 1) for n rows.

    Parameters
    ----------
    p : array-like of shape (n_samples, n_classes)
    codes : array-like of shape (n_samples,)
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    Calibration
        With a sharpness between 0.30 and 1.82.
    """
    loss, weight = _loss_of_logarithm(p, codes, sample_weight, PRIOR_STRENGTH)
    # There is one minimum: the neighbourhood of the best one of every few holds it.
    coarse = range(0, len(_LOGARITHMS), _COARSE)
    best = min(coarse, key=lambda number: loss(float(_LOGARITHMS[number])))
    near = range(max(0, best - _COARSE + 1), min(len(_LOGARITHMS), best + _COARSE))
    sharpness = float(np.exp(_LOGARITHMS[min(near, key=lambda number: loss(float(_LOGARITHMS[number])))]))
    return Calibration(sharpness, float(1.0 / (np.count_nonzero(weight) + 1.0)))


def fit_sharpness(p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """The most probable sharpness of one trial, between 0.08 and 20.

    Parameters
    ----------
    p : array-like of shape (n_samples, n_classes)
    codes : array-like of shape (n_samples,)
    sample_weight : array-like of shape (n_samples,), optional
    """
    loss, _ = _loss_of_logarithm(p, codes, sample_weight, _WEAK_PRIOR)
    found = minimize_scalar(loss, bounds=_WIDE, method="bounded", options={"xatol": _CLOSE})
    return float(np.exp(found.x))


def _loss_of_logarithm(
    p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None, prior: float
) -> tuple[Callable[[float], float], Array]:
    """The log loss of all rows and that of the prior, by the logarithm of the sharpness; and the weights of the rows."""
    labels = np.asarray(codes, dtype=np.int64)
    weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    logs = np.log(np.clip(np.asarray(p, dtype=np.float64), SMALLEST_PROBABILITY, 1.0))
    own = logs[np.arange(len(labels)), labels]
    counted = weight != 0
    logs, own, weighted = logs[counted], own[counted], weight[counted]

    def loss(logarithm: float) -> float:
        power = np.exp(logarithm)
        normaliser = np.log(np.exp(power * logs).sum(axis=1))
        return float(weighted @ (normaliser - power * own) + prior * logarithm**2)

    return loss, weight

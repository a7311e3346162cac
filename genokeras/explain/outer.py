"""What is done to the average of an ensemble's answers before it is explained, and the slopes of that.

=========  ===================================================================  =================
symbol     meaning                                                              shape
=========  ===================================================================  =================
k, P       outputs, points
p          average of the members' answers                                      ``(k, P)``
f          what is explained                                                    ``(k, P)``
s          calibrated probabilities: ``p^g / sum p^g``, ``g`` the sharpness     ``(k, P)``
J          slopes ``df_c / dp_j``                                               ``(k, k, P)``
=========  ===================================================================  =================

Of classes, ``f`` is ``(1 - doubt) s + doubt / k``, or the log odds of that. Of numbers it is ``sd p + mean``.

Where the answers of a point have a fixed sum, ``p_k`` is a constant minus the sum of the others. Then ``J`` has the shape ``(k - 1, k - 1, P)``
and the entries ``df_c / dp_j - df_c / dp_k``; the last output is a constant minus the sum of the others, too, and its slopes need not be known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from scipy.special import softmax

from genokeras.explain.checks import PROBABILITY
from genokeras.tasks.calibration import (
    SMALLEST_HAZARD,
    SMALLEST_SURVIVAL,
    Calibration,
    CurveCalibration,
    interval_hazards,
)
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.links import SMALLEST_PROBABILITY as SMALLEST_IN_LOG_ODDS


class Outer(Protocol):
    """From the average to what is explained."""

    def values(self, p: np.ndarray) -> np.ndarray:
        """``p``, ``(k, ...)`` -> ``f``, float64."""
        ...

    def gradients(self, p: np.ndarray, of_average: np.ndarray) -> np.ndarray:
        """``p``, ``(k, ...)``, and gradients ``(k, ..., r)`` of its rows -> those of ``f``. Without the last row where sums are fixed."""
        ...


@final
@dataclass(frozen=True)
class Scaled:
    """Numbers, brought back to their units.

    Parameters
    ----------
    sd, mean : tuple of float
        ``(k,)``.
    """

    sd: tuple[float, ...]
    mean: tuple[float, ...]

    def values(self, p: np.ndarray) -> np.ndarray:
        """``p`` -> ``f``."""
        p = np.asarray(p, dtype="float64")
        return _column(self.sd, p) * p + _column(self.mean, p)

    def gradients(self, p: np.ndarray, of_average: np.ndarray) -> np.ndarray:
        """Gradients of ``p`` -> those of ``f``."""
        return np.asarray(of_average * _column(self.sd, of_average).astype(of_average.dtype))


def _column(numbers: tuple[float, ...], like: np.ndarray) -> np.ndarray:
    return np.reshape(np.array(numbers), (-1, *[1] * (like.ndim - 1)))


@final
@dataclass(frozen=True)
class Calibrated:
    """Probabilities, calibrated, or their log odds.

    Parameters
    ----------
    calibration : Calibration
    output : {"probability", "log_odds"}
        Log odds as ``genokeras.tasks.links.log_odds`` has them.
    """

    calibration: Calibration
    output: str

    def values(self, p: np.ndarray) -> np.ndarray:
        """``p`` -> ``f``."""
        f = self._doubted(self._sharpened(np.asarray(p, dtype="float64")))
        if self.output == PROBABILITY:
            return f
        return against_others(np.log(np.maximum(f, SMALLEST_IN_LOG_ODDS)), axis=0)

    def slopes(self, p: np.ndarray, fixed_sum: bool = True) -> np.ndarray:
        """``p`` -> ``J``, float64."""
        p = np.asarray(p, dtype="float64")
        k = len(p)
        j = np.zeros((k, k, *p.shape[1:]))
        j[range(k), range(k)] = 1.0
        s = p
        if self.calibration.sharpness != 1.0:
            s = self._sharpened(p)
            j = (
                self.calibration.sharpness
                * s[:, None]
                * (j - s[None])
                * _inverse(p, SMALLEST_PROBABILITY)[None]
            )
        j *= 1.0 - self.calibration.doubt
        if self.output != PROBABILITY:
            j *= _inverse(self._doubted(s), SMALLEST_IN_LOG_ODDS)[:, None]
            j = against_others(j, axis=0)
        return np.asarray(j[:-1, :-1] - j[:-1, -1:]) if fixed_sum else j

    def gradients(self, p: np.ndarray, of_average: np.ndarray) -> np.ndarray:
        """Gradients of ``p`` -> those of ``f``."""
        j = self.slopes(p, fixed_sum=len(of_average) < len(p)).astype("float32")[..., None]
        if len(j) == 1:
            return np.multiply(of_average, j[0], out=of_average)
        return np.stack([(row * of_average).sum(axis=0) for row in j])

    def _sharpened(self, p: np.ndarray) -> np.ndarray:
        if self.calibration.sharpness == 1.0:
            return p
        logs = self.calibration.sharpness * np.log(np.maximum(p, SMALLEST_PROBABILITY))
        powered = np.exp(logs - logs.max(axis=0))
        return np.asarray(powered / powered.sum(axis=0))

    def _doubted(self, s: np.ndarray) -> np.ndarray:
        return np.asarray((1.0 - self.calibration.doubt) * s + self.calibration.doubt / len(s))


@final
@dataclass(frozen=True)
class Product:
    """Probabilities of which logarithms were averaged, normalised again, and calibrated.

    Parameters
    ----------
    calibrated : Calibrated
    """

    calibrated: Calibrated

    def values(self, p: np.ndarray) -> np.ndarray:
        """Averages of logarithms, each less the same number in all outputs of a point -> ``f``."""
        return self.calibrated.values(self._normalised(p))

    def gradients(self, p: np.ndarray, of_average: np.ndarray) -> np.ndarray:
        """Gradients of these averages -> those of ``f``; the last row, where it is left out, is constant."""
        normalised = self._normalised(p)
        each = normalised[: len(of_average)].astype(of_average.dtype)[..., None]
        mean = (each * of_average).sum(axis=0)
        return self.calibrated.gradients(normalised, each * (of_average - mean))

    def _normalised(self, p: np.ndarray) -> np.ndarray:
        return np.asarray(softmax(np.asarray(p, dtype="float64"), axis=0))


@final
@dataclass(frozen=True)
class Bent:
    """Survival curves, calibrated: ``f_c = exp -sum_j<=c e^level_j h_j^g``, where ``h_j = log p_j-1 - log p_j`` and ``p_0 = 1``.

    Parameters
    ----------
    calibration : CurveCalibration
    """

    calibration: CurveCalibration

    def values(self, p: np.ndarray) -> np.ndarray:
        """``p`` -> ``f``."""
        return np.moveaxis(self.calibration.apply(np.moveaxis(p, 0, -1)), -1, 0)

    def gradients(self, p: np.ndarray, of_average: np.ndarray) -> np.ndarray:
        """Gradients of ``p`` -> those of ``f``."""
        p, line = np.asarray(p, dtype="float64"), self.calibration
        hazards = np.moveaxis(interval_hazards(np.moveaxis(p, 0, -1)), -1, 0)
        levels = np.reshape(line.levels, (-1, *[1] * (p.ndim - 1)))
        slopes = np.exp(levels) * line.sharpness * hazards ** (line.sharpness - 1.0)
        slopes = np.where(hazards > SMALLEST_HAZARD, slopes, 0.0)
        of_logs = _inverse(p, SMALLEST_SURVIVAL)[..., None] * of_average
        of_hazards = -np.diff(of_logs, axis=0, prepend=0.0)
        bent = np.cumsum(slopes[..., None] * of_hazards, axis=0)
        return np.asarray(-self.values(p)[..., None] * bent, dtype=of_average.dtype)


def against_others(logs: np.ndarray, axis: int) -> np.ndarray:
    """Logarithms of probabilities -> log odds of each class against the geometric mean of the others, as ``tasks.links.log_odds``."""
    k = logs.shape[axis]
    return np.asarray(k / (k - 1) * (logs - logs.mean(axis=axis, keepdims=True)))


def _inverse(p: np.ndarray, least: float) -> np.ndarray:
    """Slope of ``log(max(p, least))``."""
    return np.divide(1.0, p, out=np.zeros_like(p), where=p > least)

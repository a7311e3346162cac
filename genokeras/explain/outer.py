"""What is done to the average of an ensemble's probabilities before it is explained, and the slopes of that.

=========  ===================================================================  ============
symbol     meaning                                                              shape
=========  ===================================================================  ============
k, P       classes, points
p          average of the members' probabilities                                ``(k, P)``
s          calibrated: ``p^g / sum p^g``, ``g`` the sharpness                   ``(k, P)``
f          ``(1 - doubt) s + doubt / k``; or the log odds of that               ``(k, P)``
J          slopes ``df_c / dp_j - df_c / dp_k``, as ``p_k = 1 - sum of the others``  ``(k - 1, k - 1, P)``
=========  ===================================================================  ============

The last output is minus the sum of the others, but for a constant, so that its slopes need not be known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.tasks.calibration import Calibration

SMALLEST_PROBABILITY = 1e-7
_SMALLEST_OUTPUT = 1e-30


@dataclass(frozen=True)
class Outer:
    """From the average to what is explained.

    Parameters
    ----------
    calibration : Calibration
    output : {"probability", "log_odds"}
        Log odds as ``genokeras.explain.gradients.log_odds`` has them.
    """

    calibration: Calibration
    output: str

    def values(self, p: np.ndarray) -> np.ndarray:
        """``p`` -> ``f``, float64."""
        f = self._doubted(self._sharpened(np.asarray(p, dtype="float64")))
        if self.output == "probability":
            return f
        logs, k = np.log(np.maximum(f, _SMALLEST_OUTPUT)), len(f)
        return k / (k - 1) * (logs - logs.mean(axis=0))

    def slopes(self, p: np.ndarray) -> np.ndarray:
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
                / np.maximum(p, SMALLEST_PROBABILITY)[None]
            )
        j *= 1.0 - self.calibration.doubt
        if self.output == "log_odds":
            j /= np.maximum(self._doubted(s), _SMALLEST_OUTPUT)[:, None]
            j = k / (k - 1) * (j - j.mean(axis=0))
        return np.asarray(j[:-1, :-1] - j[:-1, -1:])

    def gradients(self, p: np.ndarray, of_average: np.ndarray) -> np.ndarray:
        """``p`` ``(k, ...)`` and gradients of all its rows but the last ``(k - 1, ..., r)`` -> those of ``f``, the same shape."""
        j = self.slopes(p).astype("float32")[..., None]
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

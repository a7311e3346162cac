"""How promising a predicted score is; scores and acquisition values alike are better the lower they are.

References
----------
Ament, Daulton, Eriksson, Balandat and Bakshy (2023), Unexpected improvements to expected improvement for
Bayesian optimization, NeurIPS: the logarithm of expected improvement without underflow (equation 9).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr

Array = NDArray[np.float64]

_LOG_SQRT_2_PI = 0.5 * np.log(2 * np.pi)


def expected_improvement(mean: Array, std: Array, best: float) -> Array:
    """Expected amount by which a score falls below `best`; never negative."""
    z = (best - mean) / std
    density = np.exp(-0.5 * z**2 - _LOG_SQRT_2_PI)
    return np.maximum(std * (density + z * ndtr(z)), 0.0)


def negative_log_expected_improvement(mean: Array, std: Array, best: float) -> Array:
    """Minus the logarithm of expected improvement, finite far away from `best` too."""
    z = (best - mean) / std
    near = np.maximum(z, -1.0)
    log_near = np.log(np.exp(-0.5 * near**2 - _LOG_SQRT_2_PI) + near * ndtr(near))
    far = np.minimum(z, -1.0)
    # 1 - sqrt(pi/2) |z| erfcx(|z| / sqrt 2) loses its digits where it nears 1 / z^2.
    ratio = 1.0 - np.sqrt(np.pi / 2) * -far * erfcx(-far / np.sqrt(2))
    tail = np.where(far < -1e3, -2 * np.log(-far), np.log(np.where(far < -1e3, 1.0, ratio)))
    log_far = -0.5 * far**2 - _LOG_SQRT_2_PI + tail
    return -(np.where(z > -1.0, log_near, log_far) + np.log(std))


def lower_confidence_bound(mean: Array, std: Array, beta: float = 2.576) -> Array:
    """Mean minus `beta` standard deviations, as classic AutoKeras had it."""
    return mean - beta * std

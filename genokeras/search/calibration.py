"""One number that makes an ensemble as sure as it has a right to be.

The mean of many networks is less sure than each of them, and more so the more they differ. Raising its probabilities to a
power and normalising again, ``p^g / sum p^g``, is temperature scaling with temperature ``1 / g`` (Guo et al. 2017, On calibration of
modern neural networks, ICML, eq. 9). With few rows ``g`` is held towards 1 by a normal prior on its logarithm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from genokeras.search.scores import SMALLEST_PROBABILITY, Array

PRIOR_STRENGTH = 5.0
_LOGARITHMS = np.linspace(-1.2, 0.6, 37)


def fit_sharpness(p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
    """The power ``g`` that is most probable given out-of-fold probabilities.

    Parameters
    ----------
    p : array-like of shape (n_samples, n_classes)
    codes : array-like of shape (n_samples,)
    sample_weight : array-like of shape (n_samples,), optional

    Returns
    -------
    float
        Between 0.30 and 1.82; 1 leaves probabilities alone, above 1 makes them surer.
    """
    labels = np.asarray(codes, dtype=np.int64)
    weight = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    logs = np.log(np.clip(np.asarray(p, dtype=np.float64), SMALLEST_PROBABILITY, 1.0))
    own = logs[np.arange(len(labels)), labels]
    losses = []
    for logarithm in _LOGARITHMS:
        power = np.exp(logarithm)
        normaliser = np.log(np.exp(power * logs).sum(axis=1))
        losses.append(weight @ (normaliser - power * own) + PRIOR_STRENGTH * logarithm**2)
    return float(np.exp(_LOGARITHMS[int(np.argmin(losses))]))


def sharpen(p: ArrayLike, sharpness: float) -> Array:
    """``p^g / sum p^g`` over the last axis."""
    powered = np.clip(np.asarray(p, dtype=np.float64), SMALLEST_PROBABILITY, 1.0) ** sharpness
    return np.asarray(powered / powered.sum(axis=-1, keepdims=True))

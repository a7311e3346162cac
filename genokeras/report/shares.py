"""Shares of samples, and how certain they are."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

_MARGIN = 0.025


class Share(NamedTuple):
    """A share and its 95 % interval."""

    value: float
    low: float
    high: float


def share_of(right: np.ndarray, weight: np.ndarray) -> Share:
    """Which share of the samples is right, with an exact interval (Clopper and Pearson 1934, Biometrika 26: 404-413).

    Samples that count differently are as many as their effective number, ``sum(w)^2 / sum(w^2)``, of which need be no whole number (Korn and
    Graubard 1998, Survey Methodology 24: 193-201).

    Parameters
    ----------
    right : numpy.ndarray
        ``(n,)`` bool.
    weight : numpy.ndarray
        ``(n,)`` how much each sample counts, on any scale.

    Returns
    -------
    Share
        NaN where no sample counts.

    Examples
    --------
    >>> [round(value, 3) for value in share_of(np.array([True, True, True, False]), np.ones(4))]
    [0.75, 0.194, 0.994]
    """
    total = float(weight.sum())
    if total <= 0:
        return Share(math.nan, math.nan, math.nan)
    value = float(weight @ right) / total
    n = total**2 / float(weight @ weight)
    hits, misses = value * n, (1.0 - value) * n
    low = float(beta.ppf(_MARGIN, hits, misses + 1.0)) if right[weight > 0].any() else 0.0
    high = float(beta.ppf(1.0 - _MARGIN, hits + 1.0, misses)) if not right[weight > 0].all() else 1.0
    return Share(value, low, high)

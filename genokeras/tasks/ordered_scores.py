"""How good probabilities of ordered classes are: a mistake counts more, the farther off it is.

Notation
--------
======  ==========================================  ==================
symbol  meaning                                     shape
======  ==========================================  ==================
p       class probabilities, lowest class first     (..., n, k)
codes   number of the true class of each row        (n,)
w       weight of each row                          (..., n)
======  ==========================================  ==================
"""

from __future__ import annotations

import numpy as np

from genokeras.tasks.class_scores import confusion
from genokeras.tasks.rows import Array, Codes


def ranked_probability_rows(p: Array, codes: Codes) -> Array:
    """Ranked probability score of each row, (..., n): the mean squared error of the cumulative probabilities.

    Epstein 1969, A scoring system for probability forecasts of ranked categories, Journal of Applied Meteorology 8: 985-987; divided
    by k - 1, so that 1 is the worst.
    """
    k = p.shape[-1]
    below = np.cumsum(p, axis=-1)[..., :-1]
    true = (codes[:, None] <= np.arange(k - 1)).astype(np.float64)
    return np.asarray(((below - true) ** 2).mean(axis=-1))


def quadratic_kappa(p: Array, codes: Codes, w: Array) -> Array:
    """Agreement of the most probable class with the true one beyond chance, mistakes weighted by their squared distance.

    Cohen 1968, Weighted kappa, Psychological Bulletin 70: 213-220. 0 where both sides are constant.
    """
    seen = confusion(p, codes, w)
    seen = seen / seen.sum((-2, -1), keepdims=True)
    k = p.shape[-1]
    distance = (np.arange(k)[:, None] - np.arange(k)) ** 2
    expected = seen.sum(-1)[..., :, None] * seen.sum(-2)[..., None, :]
    missed, by_chance = (seen * distance).sum((-2, -1)), (expected * distance).sum((-2, -1))
    defined = by_chance > 0
    return np.where(defined, 1.0 - missed / np.where(defined, by_chance, 1.0), 0.0)


def rank_error_rows(p: Array, codes: Codes) -> Array:
    """By how many ranks the most probable class of each row is off, (..., n)."""
    return np.abs(p.argmax(-1) - codes).astype(np.float64)

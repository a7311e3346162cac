"""Sets of classes and intervals of numbers that hold the truth as often as was asked for.

Notation
--------
======  =============================================================  ==========
symbol  meaning                                                        shape
======  =============================================================  ==========
s       how badly an answer fits the truth, of rows whose networks     (n,)
        never saw them: ``1 - p`` of the true class, or the size of
        the error
v       how much each row counts by its ``sample_weight``              (n,)
w       weight of each row: 1, or 1 / rows of its group, so that each  (n,)
        group counts as one; where rows have weights ``w v`` times
        ``sum(w v) / sum(w v^2)``
m       sum of the weights: independent rows                           scalar
q       the smallest s with the share of the rows up to it that was    scalar
        asked for: the sum of w over ``s_i <= q`` is at least
        ``coverage (m + 1)``
======  =============================================================  ==========

A new sample is one more draw beside these rows, so its own ``s`` is at most ``q`` with the probability ``coverage`` or more; all
answers whose ``s`` is at most ``q`` are therefore what can be said of it (Vovk, Gammerman and Shafer 2005, Algorithmic learning in a
random world; Angelopoulos and Bates 2023, Conformal prediction: a gentle introduction, Foundations and Trends in Machine Learning 16:
494-591). With ``1 - p`` of the class the sets are the smallest on average (Sadinle, Lei and Wasserman 2019, Journal of the American
Statistical Association 114: 223-234); a set may be empty where no class is probable enough. By class, each class has a
separate ``q`` (Vovk's Mondrian predictors), so that a rare class is covered as often as a frequent one.

Rows that count differently stand for samples of which there are more, or fewer, than in the data: weighted conformal prediction
(Tibshirani, Barber, Candes and Ramdas 2019, Conformal prediction under covariate shift, NeurIPS, equation 7). What a new sample weighs is
not known; it counts as such samples do on average, which makes ``m`` the effective number of rows (Kish 1965, Survey sampling).

The rows' answers are out of fold (cross-conformal: Vovk 2015, Annals of Mathematics and Artificial Intelligence 74: 9-28), those
of new samples come from the mean of the networks of all folds, which errs less rather than more. So coverage is a little above what
was asked for; like that of cross-conformal predictors in general it is no theorem without assuming that networks are stable (Barber,
Candes, Ramdas and Tibshirani 2021, Annals of Statistics 49: 486-507).
"""

from __future__ import annotations

import math

import numpy as np

from genokeras.errors import ParameterError
from genokeras.support.checks import check_number
from genokeras.tasks.rows import Array, Codes

# Sums of weights such as 1/3 + 1/3 + 1/3 are whole numbers but for rounding.
_ROUNDING = 1e-9


def check_coverage(coverage: object, name: str = "coverage") -> float:
    """A share between 0 and 1, both excluded.

    Raises
    ------
    ParameterError
        If it is something else.
    """
    return check_number(coverage, name, above=0, below=1)


def row_weights(
    n: int,
    groups: np.ndarray | None,
    importance: Array | None = None,
    strata: Codes | None = None,
) -> Array:
    """The ``w`` of the notation: 1 each, or equal parts of 1 among the rows of a group, times how much each row counts.

    Parameters
    ----------
    n : int
    groups : numpy.ndarray, optional
        ``(n,)``.
    importance : numpy.ndarray, optional
        ``(n,)`` at least 0, on any scale; without it all rows count alike.
    strata : numpy.ndarray, optional
        ``(n,)`` classes, where each is looked at by itself: how much rows count is compared within a class only.

    Returns
    -------
    numpy.ndarray
        ``(n,)``.
    """
    each = np.ones(n)
    if groups is not None:
        _, of, counts = np.unique(groups, return_inverse=True, return_counts=True)
        each = 1.0 / counts[of]
    if importance is None:
        return np.asarray(each)
    found, kinds = each * importance, np.zeros(n, dtype=int) if strata is None else strata
    for kind in np.unique(kinds):
        rows = kinds == kind
        squares = float(found[rows] @ importance[rows])
        found[rows] *= found[rows].sum() / squares if squares > 0 else 0.0
    return np.asarray(found)


def limit(scores: Array, weight: Array, coverage: float) -> float:
    """The ``q`` of the notation; infinite where there are too few rows for that coverage."""
    needed = coverage * (weight.sum() + 1.0) - _ROUNDING
    order = np.argsort(scores, kind="stable")
    enough = np.flatnonzero(np.cumsum(weight[order]) >= needed)
    return float(scores[order[enough[0]]]) if len(enough) else math.inf


def fewest(coverage: float) -> int:
    """The fewest independent rows for which `limit` is finite."""
    return math.ceil(coverage / (1.0 - coverage) - _ROUNDING)


def class_limits(p: Array, codes: Codes, weight: Array, coverage: float, by_class: bool) -> Array:
    """``(k,)`` how far from 1 the probability of each class may be where it belongs to a set.

    Parameters
    ----------
    p : numpy.ndarray
        ``(n, k)`` out of fold.
    codes : numpy.ndarray
        ``(n,)``.
    weight : numpy.ndarray
        ``(n,)``.
    coverage : float
    by_class : bool
        A limit for each class by its own rows; infinite for one with too few of them, which then belongs to every set.

    Raises
    ------
    ParameterError
        If there are too few rows for that coverage.
    """
    scores = 1.0 - p[np.arange(len(codes)), codes]
    if by_class:
        found = [limit(scores[codes == c], weight[codes == c], coverage) for c in range(p.shape[1])]
        return np.array(found)
    return np.full(p.shape[1], _finite(limit(scores, weight, coverage), weight, coverage))


def error_limits(answers: Array, targets: Array, weight: Array, coverage: float) -> Array:
    """``(k,)`` half of the length of each target's interval.

    Parameters
    ----------
    answers, targets : numpy.ndarray
        ``(n, k)``, the answers out of fold.
    weight : numpy.ndarray
        ``(n,)``.
    coverage : float
        Of each target by itself.

    Raises
    ------
    ParameterError
        If there are too few rows for that coverage.
    """
    errors = np.abs(answers - targets)
    return np.array([_finite(limit(error, weight, coverage), weight, coverage) for error in errors.T])


def _finite(q: float, weight: Array, coverage: float) -> float:
    if math.isinf(q):
        raise ParameterError(
            f"coverage={coverage:g} needs {fewest(coverage)} samples or more (with groups: groups) that some fold held out; the "
            f"run has {weight.sum():.0f}. Ask for a lower coverage."
        )
    return q

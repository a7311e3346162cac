"""How well lists of genes agree, with genes that go together counted as what they are: nearly the same.

=========  =====================================================================================  ==============
symbol     meaning                                                                                shape
=========  =====================================================================================  ==============
M, p, k    lists, features, features a list names (on average)
f_g        share of the lists that name gene g                                                    ``(p,)``
S          unbiased covariance, over the lists, of whether they name a gene                       ``(p, p)``
S0         the same of lists drawn at random                                                      ``(p, p)``
C          how far two genes are the same: their squared correlation                              ``(p, p)``
index      1 - tr(C S) / tr(C S0): 1 for equal lists, 0 for random ones
=========  =====================================================================================  ==============

Without likeness (C the identity) it is the index of Nogueira, Sechidis and Brown 2018 (On the stability of feature selection algorithms,
Journal of Machine Learning Research 18 (174): 1-54, definition 4); with it, that of Sechidis et al. 2019 (On the stability of feature
selection in the presence of feature correlations, ECML PKDD, LNCS 11906: 327-342), for which lists that name different genes of one
co-expressed block agree.
"""

from __future__ import annotations

import numpy as np

from genokeras.errors import ParameterError


def nogueira_index(lists: np.ndarray) -> float:
    """Stability of feature lists.

    Parameters
    ----------
    lists : numpy.ndarray
        ``(M, p)`` bool: which features each list names; lists of any lengths, at least two of them.

    Returns
    -------
    float
        1 for equal lists, about 0 for random ones; NaN where all name everything or nothing.

    Raises
    ------
    ParameterError
        If there are fewer than two lists.
    """
    return _index(lists, None)


def likeness_index(lists: np.ndarray, unit: np.ndarray) -> float:
    """Stability of feature lists, where features that go together may stand for each other.

    Parameters
    ----------
    lists : numpy.ndarray
        ``(M, p)`` bool, as for `nogueira_index`.
    unit : numpy.ndarray
        ``(n, p)`` the features' values over some samples, each column with mean 0 and length 1 (or 0 throughout); see `statistics.unit_columns`.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        If there are fewer than two lists.
    """
    return _index(lists, unit)


def _index(lists: np.ndarray, unit: np.ndarray | None) -> float:
    m, p = lists.shape
    if m < 2:
        raise ParameterError(f"stability compares lists: expected at least 2, got {m}.")
    sizes = lists.sum(axis=1)
    k = sizes.mean()
    if k in (0, p):
        return float("nan")
    alone = k / p * (1.0 - k / p)
    if unit is None:
        share = lists.mean(axis=0)
        return float(1.0 - (m / (m - 1) * share * (1.0 - share)).mean() / alone)
    named = np.flatnonzero(lists.any(axis=0))
    away = lists[:, named] - lists[:, named].mean(axis=0)
    varied = float((_likeness(unit[:, named]) * (away.T @ away)).sum() / (m - 1))
    together = (sizes**2 - sizes).mean() / (p**2 - p) - (k / p) ** 2
    # The squares of all correlations add up to those of the samples' products, of which there are fewer.
    of_pairs = float(((unit @ unit.T) ** 2).sum()) - int((np.abs(unit).max(axis=0) > 0).sum())
    expected = p * alone + of_pairs * together
    return float(1.0 - varied / expected)


def _likeness(unit: np.ndarray) -> np.ndarray:
    like = (unit.T @ unit) ** 2
    np.fill_diagonal(like, 1.0)
    return np.asarray(like)


def top_lists(importances: np.ndarray, top: int) -> np.ndarray:
    """``(M, p)`` importances -> ``(M, p)`` bool: the ``top`` largest of each row, ties by position."""
    order = np.argsort(-importances, axis=1, kind="stable")[:, :top]
    lists = np.zeros(importances.shape, dtype=bool)
    np.put_along_axis(lists, order, True, axis=1)
    return lists


def like_frequency(lists: np.ndarray, unit: np.ndarray, above: float) -> np.ndarray:
    """``(p,)`` share of the lists that name a feature, or one whose correlation with it exceeds ``above`` in size.

    Parameters
    ----------
    lists : numpy.ndarray
        ``(M, p)`` bool.
    unit : numpy.ndarray
        ``(n, p)``, as for `likeness_index`.
    above : float
    """
    named = np.flatnonzero(lists.any(axis=0))
    like = np.abs(unit.T @ unit[:, named]) > above
    like[named, np.arange(len(named))] = True
    return np.asarray((lists[:, named].astype("float32") @ like.T.astype("float32") > 0).mean(axis=0))

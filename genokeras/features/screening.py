"""How much each feature has to do with the targets, by the training rows of each fold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genokeras.features.standardise import Matrix, Standardisation, standardised_blocks

# (x, scaling, targets, train) -> (n_folds, n_features); greater is more.
Statistic = Callable[[Matrix, Standardisation, np.ndarray, np.ndarray], np.ndarray]


def anova_f(x: Matrix, scaling: Standardisation, codes: np.ndarray, train: np.ndarray) -> np.ndarray:
    """One-way ANOVA F statistic of every feature on the training rows of every fold.

    Returns
    -------
    numpy.ndarray
        ``(n_folds, n_features)``; 0 for features that are constant there.
    """
    n_folds, classes = len(train), np.unique(codes)
    member = np.stack([train & (codes == c) for c in classes], axis=1).astype("float64")
    counts = member.sum(axis=2)
    result = np.zeros((n_folds, x.shape[1]))
    for part, block in standardised_blocks(x, scaling):
        sums = member @ block
        squares = train.astype("float64") @ (block * block)
        result[:, part] = _f_ratio(sums, squares, counts)
    return result


def _f_ratio(sums: np.ndarray, squares: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """From class sums ``(F, k, b)``, sums of squares ``(F, b)`` and class sizes ``(F, k)``."""
    present, n = (counts > 0).sum(axis=1), counts.sum(axis=1)
    explained = (sums**2 / np.maximum(counts, 1)[:, :, None]).sum(axis=1)
    between = explained - sums.sum(axis=1) ** 2 / n[:, None]
    within = squares - explained
    freedom = np.maximum(n - present, 1) / np.maximum(present - 1, 1)
    usable = within > 1e-12 * np.maximum(squares, 1e-300)
    ratio = np.divide(between, within, out=np.full_like(between, np.inf), where=usable)
    ratio[~usable & (between <= 1e-9)] = 0.0
    return freedom[:, None] * ratio


def squared_correlation(
    x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
) -> np.ndarray:
    """Squared Pearson correlation of every feature with the target on the training rows of every fold.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    scaling : Standardisation
    targets : numpy.ndarray
        ``(n_samples,)`` or ``(n_samples, n_targets)`` numbers.
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool.

    Returns
    -------
    numpy.ndarray
        ``(n_folds, n_features)``, the mean over the targets; 0 where a feature or a target is constant.
    """
    weights = train.astype("float64")
    n = weights.sum(axis=1)
    numbers = np.asarray(targets, dtype="float64").reshape(len(targets), -1)
    means = weights @ numbers / n[:, None]
    # (n_folds, n_targets, n_samples)
    centred = weights[:, None, :] * (numbers.T[None] - means[:, :, None])
    spread = (centred**2).sum(axis=2)
    varied = spread > 1e-12 * np.maximum((weights[:, None, :] * numbers.T[None] ** 2).sum(axis=2), 1e-300)
    unit = np.divide(
        centred, np.sqrt(spread)[:, :, None], out=np.zeros_like(centred), where=varied[:, :, None]
    )
    result = np.zeros((len(train), x.shape[1]))
    for part, block in standardised_blocks(x, scaling):
        squares = weights @ (block * block)
        within = squares - (weights @ block) ** 2 / n[:, None]
        usable = within > 1e-12 * np.maximum(squares, 1e-300)
        explained = ((unit @ block) ** 2).mean(axis=1)
        result[:, part] = np.divide(explained, within, out=np.zeros_like(explained), where=usable)
    return result

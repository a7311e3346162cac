"""How strongly each feature is related to the targets, by the training rows of each fold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from genokeras.features.pairs import pair_correlation
from genokeras.features.standardise import Matrix, Standardisation, standardised_blocks

# (x, scaling, targets, train) -> (n_folds, n_features); greater is more.
Statistic = Callable[[Matrix, Standardisation, np.ndarray, np.ndarray], np.ndarray]
# Penalty of the ridge regression that weighs features.
_RIDGE = 0.3


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


def ridge_weights(x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Size of every feature's coefficient in a ridge regression on the training rows of every fold.

    A ridge regression on features times these weights is adaptive ridge (Grandvalet 1998, ICANN 98: 201-206): the penalty of a
    feature grows as its first coefficient shrinks, which is a smooth step towards a sparse model, as the adaptive lasso is (Zou 2006,
    JASA 101: 1418-1429). The coefficients are ``B = X^T (X X^T / p + lambda I)^-1 Y`` of centred rows, with ``lambda`` = 0.3, where
    ``X X^T / p`` has a mean diagonal of 1.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    scaling : Standardisation
    targets : numpy.ndarray
        ``(n_samples, n_targets)`` numbers; classes as one-hot rows.
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool.

    Returns
    -------
    numpy.ndarray
        ``(n_folds, n_features)``, the Euclidean norm over the targets divided by the largest of the fold; all 1 in a fold where every
        coefficient is 0.
    """
    numbers = np.asarray(targets, dtype="float64").reshape(len(targets), -1)
    gram, used = np.zeros((len(numbers), len(numbers))), max(1, int((scaling.inverse_sd > 0).sum()))
    for _, block in standardised_blocks(x, scaling):
        gram += block @ block.T
    dual = np.zeros((len(train), *numbers.shape))
    for solved, rows in zip(dual, train, strict=True):
        centre = np.eye(rows.sum()) - 1 / rows.sum()
        kernel = centre @ gram[np.ix_(rows, rows)] @ centre / used
        varied = np.where(np.ptp(numbers[rows], axis=0) > 0, numbers[rows] - numbers[rows].mean(axis=0), 0.0)
        solved[rows] = centre @ np.linalg.solve(kernel + _RIDGE * np.eye(len(kernel)), varied)
    result = np.zeros((len(train), x.shape[1]))
    for part, block in standardised_blocks(x, scaling):
        result[:, part] = np.linalg.norm(np.swapaxes(dual, 1, 2) @ block, axis=1)
    largest = result.max(axis=1, keepdims=True)
    return np.divide(result, largest, out=np.ones_like(result), where=largest > 0)


@dataclass(frozen=True)
class Screening:
    """How views look at the targets.

    Attributes
    ----------
    rank : Statistic
        By which ``top<k>`` picks features.
    weigh : Statistic
        What ``weighted<k>`` multiplies standardised features by; at least 0.
    pair : Statistic
        By which ``paired<k>`` picks features.
    """

    rank: Statistic
    weigh: Statistic
    pair: Statistic


def _weights_by_class(
    x: Matrix, scaling: Standardisation, codes: np.ndarray, train: np.ndarray
) -> np.ndarray:
    return ridge_weights(x, scaling, codes[:, None] == np.unique(codes), train)


def _pairs_by_class(x: Matrix, scaling: Standardisation, codes: np.ndarray, train: np.ndarray) -> np.ndarray:
    return pair_correlation(x, scaling, codes[:, None] == np.unique(codes), train)


BY_CLASS = Screening(anova_f, _weights_by_class, _pairs_by_class)

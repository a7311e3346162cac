"""How strongly each feature is related to the targets together with another one, by the training rows of each fold.

=========  ====================================================================================  =============
symbol     meaning                                                                               shape
=========  ====================================================================================  =============
n, p, m    training rows of a fold, features, targets (classes as one-hot columns)
T          targets, each of mean 0 and variance 1                                                ``(n, m)``
Z          features less what the targets say of them (within classes: less the class means),    ``(n, p)``
           standardised, and cut off at three standard deviations
=========  ====================================================================================  =============

The statistic of two features is the squared correlation of their product ``z_i z_j`` with a target, the mean over the targets; that
of a feature is its largest one. Neither feature need say anything by itself. With classes it asks whether two genes are correlated
otherwise in one class than in another: differential co-expression; in general it is liquid association (Li 2002, Genome-wide
coexpression dynamics, PNAS 99: 16875-16880).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from genokeras.features.standardise import Matrix, Standardisation

# With more rows, or more features, a part of them takes part: all pairs take n p^2 (m + 2) multiplications.
_MOST_ROWS = 2000
_MOST_MULTIPLICATIONS = 5e9
_CUT_OFF, _LEAST_VARIANCE = 3.0, 1e-6
_FEATURES_AT_ONCE = 256
# A pair stands out where its statistic is so many times the largest one that shuffled targets give.
_STANDS_OUT, _SHUFFLES = 2.0, 2


def pair_correlation(
    x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
) -> np.ndarray:
    """The largest squared correlation of a product with another feature with the targets, for every feature and fold.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``. Of very many features, by the number of rows, those that vary most are looked at, and as many
        of the others, spread evenly.
    scaling : Standardisation
        Which features vary, and how much.
    targets : numpy.ndarray
        ``(n_samples,)`` or ``(n_samples, n_targets)`` numbers; classes as one-hot rows.
    train : numpy.ndarray
        ``(n_folds, n_samples)`` bool.

    Returns
    -------
    numpy.ndarray
        ``(n_folds, n_features)``; 0 for features that are constant there or were not looked at.
    """
    result = np.zeros((len(train), x.shape[1]))
    for found, rows in zip(result, train, strict=True):
        looked = _looked_at(x, scaling, targets, np.flatnonzero(rows))
        best = np.zeros(len(looked.columns))
        for start, block in looked.statistics():
            inside = slice(start, start + len(block))
            best[inside] = np.maximum(best[inside], block.max(axis=1))
            best[start:] = np.maximum(best[start:], block.max(axis=0))
        found[looked.columns] = best
    return result


class StrongestPairs(NamedTuple):
    """The pairs with the largest statistics, the largest first.

    Attributes
    ----------
    features : numpy.ndarray
        ``(k, 2)`` their numbers.
    statistic : numpy.ndarray
        ``(k,)``.
    target : numpy.ndarray
        ``(k,)`` number of the target that the product of both is correlated with most.
    """

    features: np.ndarray
    statistic: np.ndarray
    target: np.ndarray


def strongest_pairs(x: Matrix, scaling: Standardisation, targets: np.ndarray, count: int) -> StrongestPairs:
    """The strongest pairs in all rows; fewer than ``count`` where there are no more. See `pair_correlation`."""
    looked = _looked_at(x, scaling, targets, np.arange(x.shape[0]))
    numbers, values = np.empty(0, dtype=int), np.empty(0)
    width = max(1, len(looked.columns))
    for start, block in looked.statistics():
        # Each pair once: of those within the block, above its diagonal.
        each = np.triu(block, 1).ravel()
        likely = np.argpartition(-each, min(count, len(each)) - 1)[:count]
        first, second = np.divmod(likely, block.shape[1])
        numbers = np.append(numbers, (first + start) * width + second + start)
        values = np.append(values, each[likely])
        kept = np.lexsort((numbers, -values))[:count]
        numbers, values = numbers[kept], values[kept]
    numbers, values = numbers[values > 0], values[values > 0]
    pairs = np.stack(np.divmod(numbers, width), axis=1)
    return StrongestPairs(looked.columns[pairs], values, looked.target_of(pairs))


def some_pair_stands_out(
    statistic: Callable[..., np.ndarray],
    x: Matrix,
    scaling: Standardisation,
    targets: np.ndarray,
    train: np.ndarray,
) -> bool:
    """Whether the strongest pair is far above the strongest ones that shuffled targets give, in the training rows of the first fold.

    Parameters
    ----------
    statistic : callable
        As `pair_correlation`.
    x, scaling, targets, train
        As `pair_correlation` takes them; targets as the statistic does.
    """
    first, rng = train[:1], np.random.default_rng(0)
    rows, shuffled = np.flatnonzero(first[0]), np.arange(len(targets))
    strongest = statistic(x, scaling, targets, first).max()
    for _ in range(_SHUFFLES):
        shuffled[rows] = rng.permutation(rows)
        if strongest <= _STANDS_OUT * statistic(x, scaling, targets[shuffled], first).max():
            return False
    return True


@dataclass(frozen=True)
class _LookedAt:
    """The features of which all pairs are made.

    Attributes
    ----------
    columns : numpy.ndarray
        ``(q,)`` their numbers.
    z : numpy.ndarray
        ``(n, q)`` float32, as in the module's table.
    targets : numpy.ndarray
        ``(n, m)`` float32.
    target_numbers : numpy.ndarray
        ``(m,)`` which of the given targets these are.
    """

    columns: np.ndarray
    z: np.ndarray
    targets: np.ndarray
    target_numbers: np.ndarray

    def target_of(self, pairs: np.ndarray) -> np.ndarray:
        """``(k,)`` number of the target that goes most with the product of two features, by their positions ``(k, 2)``."""
        if not len(pairs):
            return np.empty(0, dtype=int)
        products = self.z[:, pairs[:, 0]] * self.z[:, pairs[:, 1]]
        return np.asarray(self.target_numbers[np.abs(products.T @ self.targets).argmax(axis=1)])

    def statistics(self) -> Iterator[tuple[int, np.ndarray]]:
        """The number of a block's first feature, and the statistics ``(b, q - first)`` of its features with themselves and all behind."""
        z, n = self.z, len(self.z)
        if not self.targets.shape[1]:
            return
        squares, weighted = z * z, [z * column[:, None] for column in self.targets.T]
        for start in range(0, z.shape[1], _FEATURES_AT_ONCE):
            part, rest = slice(start, start + _FEATURES_AT_ONCE), slice(start, None)
            both = z[:, part].T @ z[:, rest] / n
            variance = squares[:, part].T @ squares[:, rest] / n - both * both
            found = np.zeros_like(both)
            for one in weighted:
                found += np.square(one[:, part].T @ z[:, rest] / n)
            found /= np.maximum(variance, _LEAST_VARIANCE) * len(weighted)
            np.fill_diagonal(found, 0.0)
            yield start, found


def _looked_at(x: Matrix, scaling: Standardisation, targets: np.ndarray, rows: np.ndarray) -> _LookedAt:
    picked = rows if len(rows) <= _MOST_ROWS else rows[np.linspace(0, len(rows) - 1, _MOST_ROWS).astype(int)]
    numbers = np.asarray(targets, dtype="float64").reshape(len(targets), -1)
    wanted, kept = _independent(numbers[picked])
    columns = _picked(scaling, len(picked), wanted.shape[1])
    part: Any = x[picked][:, columns]
    values = part.toarray() if isinstance(part, sparse.csr_matrix) else np.asarray(part)
    return _LookedAt(columns, _left_over(values.astype("float64"), wanted), wanted.astype("float32"), kept)


def _independent(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets of mean 0 and variance 1, of two classes one column, which says what the other one does; and which targets these are."""
    centred = numbers - numbers.mean(axis=0)
    spread = centred.std(axis=0)
    varied = spread > 1e-9 * np.maximum(np.abs(numbers).max(axis=0), 1e-300)
    scaled, kept = centred[:, varied] / spread[varied], np.flatnonzero(varied)
    if scaled.shape[1] == 2 and np.allclose(scaled[:, 0], -scaled[:, 1]):
        return scaled[:, :1], kept[:1]
    return scaled, kept


def _picked(scaling: Standardisation, n_rows: int, n_targets: int) -> np.ndarray:
    """Which features all pairs are made of, in order."""
    varying = np.flatnonzero(scaling.inverse_sd > 0)
    most = int(np.sqrt(_MOST_MULTIPLICATIONS / (n_rows * (n_targets + 2))))
    if len(varying) <= most:
        return varying
    by_spread = varying[np.argsort(scaling.inverse_sd[varying], kind="stable")]
    first, others = by_spread[: most // 2], np.sort(by_spread[most // 2 :])
    spread_evenly = others[np.linspace(0, len(others) - 1, most - len(first)).astype(int)]
    return np.sort(np.concatenate([first, spread_evenly]))


def _left_over(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Z of the module's table, float32; a feature that does not vary is 0."""
    explaining = np.linalg.qr(np.hstack([np.ones((len(targets), 1)), targets]))[0]
    left = values - explaining @ (explaining.T @ values)
    # What is left of a gene that is constant, or that the targets say exactly, is rounding.
    usable = left.std(axis=0) > 1e-6 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    z = _cut_off(left, usable)
    return _cut_off(z - explaining @ (explaining.T @ z), usable).astype("float32")


def _cut_off(z: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Standardised, and not beyond three standard deviations."""
    scaled = np.divide(z, z.std(axis=0), out=np.zeros_like(z), where=usable)
    return np.clip(scaled, -_CUT_OFF, _CUT_OFF)

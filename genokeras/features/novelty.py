"""How unlike the training samples a sample is, with a stated rate of false alarms.

========  ==============================================================  ==================
symbol    meaning                                                         shape
========  ==============================================================  ==================
n, p, r   training samples, genes, directions                             ``r <= n, p``
t         normal scores of the ranks of the genes within a sample, or       ``(p,)``
          values
V         orthonormal basis of the training samples' scores               ``(p, r)``
z         ``V' t``                                                        ``(r,)``
m, l, E   mean, variances and axes of the training samples of a fold      ``(r,), (q,), (r, q)``
tau       mean variance of a gene, ``sum(l) / p``
d         ``sum ((E'(z - m))^2 / ((1 - a) l + a tau)) + res / (a tau)``   scalar
res       what of ``|t - m|^2`` lies outside the axes
========  ==============================================================  ==================

``d`` is the squared Mahalanobis distance under a covariance that is shrunk towards the identity (Ledoit and Wolf 2004, Journal of
Multivariate Analysis 88: 365-411; here ``a = 1/2``): it counts both how far a sample lies within the span of the training samples and
how far outside of it, which is where samples of another tissue mostly differ. Ranks within the sample take off what differs between
arrays and laboratories as a whole. Where samples hardly have a profile in common, as when each gene was standardised beforehand, ranks
say nothing of size: ``t`` are then the values as they are. Each training sample's own ``d`` comes from a fold without it, and a new sample is compared with it by the
``d`` of the same fold; the share of training samples that are as far or farther is a p-value (cross-conformal: Vovk 2015; of
outliers: Bates, Candes, Lei, Romano and Sesia 2023, Annals of Statistics 51: 149-178). No classes are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import ndtri
from scipy.stats import rankdata

from genokeras.features.standardise import Matrix

# Of more samples and genes than these, those that are spread evenly: a second or two of work.
_MOST_SAMPLES, _MOST_FEATURES = 512, 20_000
_OF_VALUE = 2.3e-7
_FOLDS = 10
_SHRINKAGE = 0.5
_SMALLEST_SHARE = 1e-8
# Of the squared scores of a sample, on average, the part of the mean profile: .08 to .9 in expression, 1 / n where genes were standardised.
_LEAST_PROFILE, _OF_NOISE = 0.04, 3.0
_ARRAYS = ("columns", "basis", "z", "fold", "weight", "ranked")
_ROWS_AT_ONCE = 512


class Novelty(NamedTuple):
    """How unlike the training samples some samples are.

    Attributes
    ----------
    distance : numpy.ndarray
        ``(n,)`` the root of ``d``, in units of the median training sample's.
    p_value : numpy.ndarray
        ``(n,)`` the share of training samples that are as far or farther, the sample itself counted as one of them.
    """

    distance: np.ndarray
    p_value: np.ndarray


@dataclass(frozen=True, eq=False)
class NoveltySpace:
    """What samples are compared with.

    Attributes
    ----------
    columns : numpy.ndarray
        ``(p,)`` the genes, as column numbers of the raw matrix.
    basis : numpy.ndarray
        ``(p, r)`` float32.
    z : numpy.ndarray
        ``(n, r)`` training samples.
    fold : numpy.ndarray
        ``(n,)`` the fold without each of them.
    weight : numpy.ndarray
        ``(n,)``: 1, or equal parts of 1 among the samples of a group.
    ranked : bool
        Whether ``t`` are normal scores.
    """

    columns: np.ndarray
    basis: np.ndarray
    z: np.ndarray
    fold: np.ndarray
    weight: np.ndarray
    ranked: bool

    @property
    def smallest_p_value(self) -> float:
        """No p-value is smaller: one of the independent training samples and the new one."""
        return float(1.0 / (self.weight.sum() + 1.0))

    def of(self, x: Matrix) -> Novelty:
        """The novelty of raw rows ``(n, n_features)``."""
        parts = [
            self._of(_profiles(x[start : start + _ROWS_AT_ONCE], self.columns, self.ranked))
            for start in range(0, x.shape[0], _ROWS_AT_ONCE)
        ]
        distance, p_value = (np.concatenate(values) for values in zip(*parts, strict=True))
        return Novelty(distance, p_value)

    def _of(self, t: np.ndarray) -> Novelty:
        z, length = t @ self.basis.astype("float64"), (t**2).sum(axis=1)
        farther, size = np.zeros(len(t)), np.zeros(len(t))
        folds = np.unique(self.fold)
        for fold in folds:
            held = self.fold == fold
            squared = self._distances(fold, np.vstack([self.z[held], z]), (self.z[held] ** 2).sum(1), length)
            known, new = squared[: held.sum()], squared[held.sum() :]
            farther += self.weight[held] @ (known[:, None] >= new)
            size += np.sqrt(new / np.median(known)) / len(folds)
        return Novelty(size, (1.0 + farther) / (self.weight.sum() + 1.0))

    def _distances(self, fold: int, z: np.ndarray, *lengths: np.ndarray) -> np.ndarray:
        """``(n,)`` ``d`` in a fold, of coordinates and squared lengths."""
        train = self.z[self.fold != fold]
        mean = train.mean(axis=0)
        _, values, axes = np.linalg.svd(train - mean, full_matrices=False)
        variances = values**2 / len(train)
        used = variances > _SMALLEST_SHARE * variances[0]
        variances, axes = variances[used], axes[used]
        tau = max(variances.sum() / len(self.columns), np.finfo(float).tiny)
        inside = ((z - mean) @ axes.T) ** 2
        whole = np.concatenate(lengths) - 2 * z @ mean + mean @ mean
        outside = np.maximum(whole - inside.sum(axis=1), 0.0)
        within = (inside / ((1 - _SHRINKAGE) * variances + _SHRINKAGE * tau)).sum(axis=1)
        return np.asarray(within + outside / (_SHRINKAGE * tau))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As the arrays of an npz file."""
        return {name: np.asarray(getattr(self, name)) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> NoveltySpace:
        """Read what `to_arrays` wrote; KeyError where something is missing."""
        return cls(**{name: arrays[name] for name in _ARRAYS[:-1]}, ranked=bool(arrays[_ARRAYS[-1]]))


def fit_novelty(x: Matrix, groups: np.ndarray | None = None, seed: int = 0) -> NoveltySpace:
    """What further samples are compared with.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)`` raw training rows, without missing values.
    groups : numpy.ndarray, optional
        ``(n_samples,)`` numbers; samples of a group are in one fold, and count as one.
    seed : int
        Of the folds.
    """
    rows, columns = _spread(x.shape[0], _MOST_SAMPLES), _spread(x.shape[1], _MOST_FEATURES)
    used = x[rows] if len(rows) < x.shape[0] else x
    t = _profiles(used, columns, ranked=True)
    spread = (t**2).sum(axis=1).mean()
    profile = (t.mean(axis=0) ** 2).sum() / spread if spread > 0 else 0.0  # one gene has one rank
    ranked = bool(profile >= max(_LEAST_PROFILE, _OF_NOISE / len(t)))
    t = t if ranked else _profiles(used, columns, ranked=False)
    basis = _basis(t)
    of = np.arange(len(rows)) if groups is None else groups[rows]
    _, unit, counts = np.unique(of, return_inverse=True, return_counts=True)
    order = np.random.default_rng([seed, 6]).permutation(len(counts))
    return NoveltySpace(columns, basis, t @ basis, (order % _FOLDS)[unit], 1.0 / counts[unit], ranked)


def novelty_seconds(x: Matrix) -> float:
    """Seconds that `fit_novelty` takes, on the machine that costs were measured on (``genokeras.engine.pace``)."""
    return _OF_VALUE * min(x.shape[0], _MOST_SAMPLES) * min(x.shape[1], _MOST_FEATURES)


def _basis(t: np.ndarray) -> np.ndarray:
    """``(p, r)`` float32 orthonormal columns that span the rows."""
    if t.shape[1] <= t.shape[0]:
        return np.eye(t.shape[1], dtype="float32")
    values, vectors = np.linalg.eigh(t @ t.T)
    used = values > _SMALLEST_SHARE * values[-1]
    return np.asarray(t.T @ (vectors[:, used] / np.sqrt(values[used])), dtype="float32")


def _profiles(x: Matrix, columns: np.ndarray, ranked: bool) -> np.ndarray:
    """``(n, p)`` float64 values, or quantiles of the normal distribution by the rank of each gene within its sample."""
    dense = x.toarray() if isinstance(x, sparse.csr_matrix) else np.asarray(x)
    values = dense[:, columns].astype("float64")
    return np.asarray(ndtri((rankdata(values, axis=1) - 0.5) / len(columns))) if ranked else values


def _spread(n: int, most: int) -> np.ndarray:
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).astype(int)

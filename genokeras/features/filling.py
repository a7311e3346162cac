"""Features that new samples lack, estimated from those that they have, as these go together in training.

==========  ======================================================================================  ===================
symbol      meaning                                                                                 shape
==========  ======================================================================================  ===================
P, M        training samples by the features that are present, and by those that are missing,       ``(n, p)``, ``(n, m)``
            standardised, raw or behind arcsinh (`genokeras.features.log_factors`)
G           products of samples, P P^T                                                              ``(n, n)``
estimate    of a sample with present features x: x P^T (G + penalty I)^-1 M                         ``(m,)``
==========  ======================================================================================  ===================

That is ridge regression in its dual form (Saunders, Gammerman and Vovk 1998, ICML, equation 5), which needs no matrix as large as the
features. The penalty, and whether arcsinh comes first, are those of the smallest error of leaving one training sample out
(Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, equation 7.64).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genokeras.features.logarithm import log_factors

# Products of more samples than that take longer than they bring.
_MOST_SAMPLES = 2000
# Features by whose errors the penalty is chosen.
_MOST_JUDGED = 500
_PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


@dataclass(frozen=True, eq=False)
class Filling:
    """How missing features follow from present ones.

    Attributes
    ----------
    present : numpy.ndarray
        ``(n_features,)`` bool.
    error : float
        Mean absolute error of leaving one sample out, as a share of that of the median: median over the missing features.
    """

    present: np.ndarray
    error: float
    _scale: _Scale
    _samples: np.ndarray
    _dual: np.ndarray

    def fill(self, x: np.ndarray) -> np.ndarray:
        """``(n, n_features)`` raw rows, whose missing features are estimated: never beyond what training has."""
        found, missing = np.array(x, dtype="float32"), ~self.present
        rows = self._scale.forth(np.asarray(x, dtype="float64")[:, self.present], self.present)
        found[:, missing] = self._scale.back((rows @ self._samples.T) @ self._dual, missing)
        return found


@dataclass(frozen=True, eq=False)
class _Scale:
    """Raw values, or their arcsinh, standardised; the least and the largest of training."""

    factors: np.ndarray | None
    mean: np.ndarray
    sd: np.ndarray
    least: np.ndarray
    largest: np.ndarray

    def forth(self, x: np.ndarray, which: np.ndarray) -> np.ndarray:
        logs = x if self.factors is None else np.arcsinh(x * self.factors[which])
        return (logs - self.mean[which]) / self.sd[which]

    def back(self, standardised: np.ndarray, which: np.ndarray) -> np.ndarray:
        found = standardised * self.sd[which] + self.mean[which]
        if self.factors is not None:
            with np.errstate(over="ignore"):
                found = np.sinh(found) / np.where(self.factors > 0, self.factors, 1.0)[which]
        return np.clip(found, self.least[which], self.largest[which])


def fit_filling(x: np.ndarray, present: np.ndarray) -> Filling:
    """Learn from training samples how missing features follow from present ones.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, n_features)`` raw training rows without gaps.
    present : numpy.ndarray
        ``(n_features,)`` bool: which of them new samples have.
    """
    rows = np.asarray(x[:: -(-len(x) // _MOST_SAMPLES)], dtype="float64")
    fitted = [_fit(rows, present, factors) for factors in (None, log_factors(rows).astype("float64"))]
    return min(fitted, key=lambda filling: filling.error)


def _fit(x: np.ndarray, present: np.ndarray, factors: np.ndarray | None) -> Filling:
    logs = x if factors is None else np.arcsinh(x * factors)
    sd = logs.std(axis=0)
    scale = _Scale(factors, logs.mean(axis=0), np.where(sd > 0, sd, 1.0), x.min(axis=0), x.max(axis=0))
    missing = ~present
    samples, wanted = scale.forth(x[:, present], present), scale.forth(x[:, missing], missing)
    values, vectors = np.linalg.eigh(samples @ samples.T)
    values = np.maximum(values, 0.0)
    turned = vectors.T @ wanted
    judged = np.linspace(0, missing.sum() - 1, min(_MOST_JUDGED, int(missing.sum()))).astype(int)
    left_out = {
        penalty: _left_out(values, vectors, turned[:, judged], wanted[:, judged], penalty)
        for penalty in np.array(_PENALTIES) * max(values.mean(), 1e-12)
    }
    best = min(left_out, key=lambda penalty: np.square(left_out[penalty] - wanted[:, judged]).mean())
    columns = np.flatnonzero(missing)[judged]
    error = _share_of_median(scale.back(left_out[best], columns), x[:, columns])
    dual = vectors @ (turned / (values + best)[:, None])
    return Filling(present, error, scale, samples, dual)


def _left_out(
    values: np.ndarray, vectors: np.ndarray, turned: np.ndarray, wanted: np.ndarray, penalty: float
) -> np.ndarray:
    """Estimates of each sample by the others: its residual grows by 1 less its own weight, the mean's included."""
    share = values / (values + penalty)
    own = (np.square(vectors) * share).sum(axis=1) + 1.0 / len(vectors)
    residuals = wanted - vectors @ (turned * share[:, None])
    return wanted - residuals / np.maximum(1.0 - own, 1e-6)[:, None]


def _share_of_median(estimates: np.ndarray, x: np.ndarray) -> float:
    usual = np.abs(x - np.median(x, axis=0)).mean(axis=0)
    errors = np.abs(estimates - x).mean(axis=0)
    return float(np.median(errors[usual > 0] / usual[usual > 0])) if (usual > 0).any() else 0.0

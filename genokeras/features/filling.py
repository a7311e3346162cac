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

A new sample need not be on the scale of training: another platform gives larger values, ratios, or logarithms. Of such a sample counts
the order of its features: in place of values stand normal scores within the sample, and what counts of a score is how far it is from
what is usual in that sample for features of such a training mean. That usual score is a rising function of the training mean, fitted to
the features that the sample has by isotonic regression (Barlow, Bartholomew, Bremner and Brunk 1972, Statistical Inference under Order
Restrictions). A sample with 100 features or more is taken for such a one where a rising function of the training means of logarithms leaves
less than half of the deviation from these: medians over the features, in standard deviations of training samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

from genokeras.features.logarithm import log_factors
from genokeras.features.rescaling import normal_scores

# Products of more samples than that take longer than they bring.
_MOST_SAMPLES = 2000
# Features by whose errors the penalty is chosen, and by which a sample's scale is judged.
_MOST_JUDGED = 500
# Where a larger share of the deviation is left, a sample is on the scale of training.
_OTHER_SCALE = 0.5
_FEWEST_FOR_A_SCALE = 100
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
    _values: _Ridge
    _log_scale: _Scale
    _log_mean: np.ndarray
    _log_sd: np.ndarray
    _scores: _Ridge

    def fill(self, x: np.ndarray) -> np.ndarray:
        """``(n, n_features)`` raw rows, whose missing features are estimated, each row alone.

        Estimates are never beyond what training has, and of rows on another scale never beyond what they have themselves.
        """
        found, missing = np.array(x, dtype="float32"), ~self.present
        given = found[:, self.present].astype("float64")
        other = self._on_another_scale(given)
        logs = self._scale.forth(given[~other], self.present)
        found[np.ix_(~other, missing)] = self._scale.back(self._values.estimates(logs, self.present), missing)
        for row in np.flatnonzero(other):
            found[row, missing] = self._by_scores(given[row])
        return found

    def _by_scores(self, given: np.ndarray) -> np.ndarray:
        order, ladder, scores = np.sort(given), normal_scores(len(given)), self._scores
        own = np.interp(given, order, ladder)
        usual = _rising(scores.mean[self.present], own)
        shift = usual(scores.mean) - scores.mean
        estimates = scores.estimates(own - shift[self.present], self.present) + shift[~self.present]
        return np.interp(estimates, ladder, order)

    def _on_another_scale(self, given: np.ndarray) -> np.ndarray:
        """``(n,)`` bool: which rows, ``(n, n_present)``, are like those of training by the order of their features only."""
        if given.shape[1] < _FEWEST_FOR_A_SCALE:
            return np.zeros(len(given), dtype=bool)
        step = -(-given.shape[1] // _MOST_JUDGED)
        rising = np.argsort(self._log_mean[self.present], kind="stable")[::step]
        judged = np.flatnonzero(self.present)[rising]
        mean, sd = self._log_mean[judged], self._log_sd[judged]
        return np.array(
            [_rises(mean, sd, row) for row in self._log_scale.forth(given[:, rising], judged)], dtype=bool
        )


@dataclass(frozen=True, eq=False)
class _Scale:
    """Raw values, or their arcsinh; the least and the largest of training."""

    factors: np.ndarray | None
    least: np.ndarray
    largest: np.ndarray

    def forth(self, x: np.ndarray, which: np.ndarray) -> np.ndarray:
        return x if self.factors is None else np.arcsinh(x * self.factors[which])

    def back(self, logs: np.ndarray, which: np.ndarray) -> np.ndarray:
        found = logs
        if self.factors is not None:
            with np.errstate(over="ignore"):
                found = np.sinh(logs) / np.where(self.factors > 0, self.factors, 1.0)[which]
        return np.clip(found, self.least[which], self.largest[which])


@dataclass(frozen=True, eq=False)
class _Ridge:
    """Ridge regression of missing features on present ones, and the estimates of training samples by the others.

    ``mean`` and ``sd`` are ``(n_features,)``; ``left_out`` is of the features ``judged``.
    """

    mean: np.ndarray
    sd: np.ndarray
    judged: np.ndarray
    left_out: np.ndarray
    _samples: np.ndarray
    _dual: np.ndarray

    def estimates(self, given: np.ndarray, present: np.ndarray) -> np.ndarray:
        """``(..., n_missing)``, of ``(..., n_present)``."""
        standardised = (given - self.mean[present]) / self.sd[present]
        return self.mean[~present] + ((standardised @ self._samples.T) @ self._dual) * self.sd[~present]


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
    everywhere = np.ones(rows.shape[1], dtype=bool)
    fitted = []
    for factors in (None, log_factors(rows).astype("float64")):
        scale = _Scale(factors, rows.min(axis=0), rows.max(axis=0))
        ridge = _fit(scale.forth(rows, everywhere), present)
        error = _share_of_median(scale.back(ridge.left_out, ridge.judged), rows[:, ridge.judged])
        fitted.append((error, scale, ridge))
    ladder = normal_scores(int(present.sum()))
    scores = np.stack([np.interp(row, np.sort(row[present]), ladder) for row in rows])
    error, scale, ridge = min(fitted, key=lambda found: found[0])
    _, log_scale, logs = fitted[-1]
    return Filling(present, error, scale, ridge, log_scale, logs.mean, logs.sd, _fit(scores, present))


def _fit(x: np.ndarray, present: np.ndarray) -> _Ridge:
    missing, mean, sd = ~present, x.mean(axis=0), x.std(axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    standardised = (x - mean) / sd
    samples, wanted = standardised[:, present], standardised[:, missing]
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
    dual = vectors @ (turned / (values + best)[:, None])
    return _Ridge(mean, sd, columns, left_out[best] * sd[columns] + mean[columns], samples, dual)


def _rises(mean: np.ndarray, sd: np.ndarray, logs: np.ndarray) -> bool:
    fitted = isotonic_regression(logs)
    unlike, rest = (np.median(np.abs(logs - usual) / sd) for usual in (mean, fitted))
    # A function with many steps fits whatever it is given.
    free = 1.0 - len(np.unique(fitted)) / len(mean)
    return bool(rest < _OTHER_SCALE * unlike * free)


def _rising(mean: np.ndarray, given: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    order = np.argsort(mean, kind="stable")
    fitted = isotonic_regression(given[order])
    return lambda at: np.interp(at, mean[order], fitted)


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

"""How good class probabilities are, row by row or over all rows.

Notation
--------
======  ==========================================  ==================
symbol  meaning                                     shape
======  ==========================================  ==================
p       class probabilities, rows sum to 1          (..., n, k)
codes   number of the true class of each row        (n,)
w       weight of each row                          (..., n)
======  ==========================================  ==================
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genokeras.tasks.rows import Array, Codes, tie_bounds

SMALLEST_PROBABILITY = 1e-7


def true_class_probabilities(p: Array, codes: Codes) -> Array:
    """Probability given to the true class of each row, (..., n)."""
    return p[..., np.arange(len(codes)), codes]


def log_loss_rows(p: Array, codes: Codes) -> Array:
    """Negative log likelihood of each row, (..., n); probabilities are kept above 1e-7."""
    return -np.log(np.clip(true_class_probabilities(p, codes), SMALLEST_PROBABILITY, 1.0))


def brier_rows(p: Array, codes: Codes) -> Array:
    """Squared distance of each row to its one-hot label, (..., n); halved for two classes, as in sklearn."""
    rows = ((p - np.eye(p.shape[-1])[codes]) ** 2).sum(-1)
    return rows / 2 if p.shape[-1] == 2 else rows


def calibration_error(p: Array, codes: Codes, bins: int = 10) -> float:
    """How far the probability of the predicted class is from the share that is right, on average over intervals of equal width.

    Guo et al. 2017, On calibration of modern neural networks, ICML, eq. 3: the expected calibration error.
    """
    said, right = p.max(axis=-1), p.argmax(axis=-1) == codes
    place = np.minimum((said * bins).astype(int), bins - 1)
    gaps = np.bincount(place, right - said, minlength=bins)
    return float(np.abs(gaps).sum() / len(codes))


def accuracy_rows(p: Array, codes: Codes) -> Array:
    """1 where the most probable class is the true one, else 0; (..., n)."""
    return (p.argmax(-1) == codes).astype(np.float64)


def confusion(p: Array, codes: Codes, w: Array) -> Array:
    """Weight of the rows by true class and predicted class, (..., k, k)."""
    one_hot = np.eye(p.shape[-1])
    predicted = one_hot[p.argmax(-1)]
    return np.swapaxes(w[..., None] * one_hot[codes], -1, -2) @ predicted


def _mean_over_present(values: Array, present: NDArray[np.bool_]) -> Array:
    return np.where(present, values, 0.0).sum(-1) / np.maximum(present.sum(-1), 1)


def balanced_accuracy(p: Array, codes: Codes, w: Array) -> Array:
    """Mean over the classes of the share of their rows that is found."""
    seen = confusion(p, codes, w)
    totals = seen.sum(-1)
    hits = np.diagonal(seen, axis1=-2, axis2=-1)
    return _mean_over_present(hits / np.where(totals > 0, totals, 1.0), totals > 0)


def f1(p: Array, codes: Codes, w: Array) -> Array:
    """Mean over the classes of the harmonic mean of precision and recall."""
    seen = confusion(p, codes, w)
    hits = np.diagonal(seen, axis1=-2, axis2=-1)
    totals = seen.sum(-1) + seen.sum(-2)
    return _mean_over_present(2 * hits / np.where(totals > 0, totals, 1.0), totals > 0)


def mcc(p: Array, codes: Codes, w: Array) -> Array:
    """Multi-class Matthews correlation (Gorodkin 2004); 0 where one side is constant."""
    seen = confusion(p, codes, w)
    seen = seen / seen.sum((-2, -1), keepdims=True)
    true, predicted = seen.sum(-1), seen.sum(-2)
    hits = np.diagonal(seen, axis1=-2, axis2=-1).sum(-1)
    covariance = hits - (true * predicted).sum(-1)
    spread = (1 - (true**2).sum(-1)) * (1 - (predicted**2).sum(-1))
    defined = spread > 1e-15
    return np.where(defined, covariance / np.sqrt(np.where(defined, spread, 1.0)), 0.0)


def binary_auc(scores: Array, positive: Array, w: Array) -> Array:
    """Weighted share of (positive, negative) pairs in the right order, ties counting half; or nan."""
    order = np.argsort(scores, axis=-1)
    shape = np.broadcast_shapes(order.shape, w.shape)
    order = np.broadcast_to(order, shape)
    ordered = np.take_along_axis(np.broadcast_to(scores, shape), order, -1)
    weights = np.take_along_axis(np.broadcast_to(w, shape), order, -1)
    is_positive = positive[order]
    negatives = weights * (1 - is_positive)
    positives = weights * is_positive
    up_to = np.cumsum(negatives, axis=-1)
    first, last = tie_bounds(ordered)
    below = np.take_along_axis(up_to - negatives, first, -1)
    half_ties = (below + np.take_along_axis(up_to, last, -1)) / 2
    pairs = positives.sum(-1) * negatives.sum(-1)
    return np.where(pairs > 0, (positives * half_ties).sum(-1) / np.where(pairs > 0, pairs, 1.0), np.nan)


def roc_auc(p: Array, codes: Codes, w: Array) -> Array:
    """Area under the ROC curve, one class against the rest, averaged; nan where a class has no rows."""
    # With two classes both columns say the same; rounding in one of them must not break ties in the other.
    classes = [1] if p.shape[-1] == 2 else range(p.shape[-1])
    areas = [binary_auc(p[..., c], (codes == c).astype(np.float64), w) for c in classes]
    return np.mean(areas, axis=0)

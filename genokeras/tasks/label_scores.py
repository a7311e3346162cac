"""How good probabilities of several labels are, row by row or over all rows; all labels count alike.

Notation
--------
======  ==========================================  ==================
symbol  meaning                                     shape
======  ==========================================  ==================
p       probability of each label                   (..., n, k)
t       1 where a row has the label, else 0         (n, k)
w       weight of each row                          (..., n)
======  ==========================================  ==================
"""

from __future__ import annotations

import numpy as np

from genokeras.tasks.class_scores import SMALLEST_PROBABILITY, binary_auc
from genokeras.tasks.rows import Array


def log_loss_rows(p: Array, t: Array) -> Array:
    """Mean over the labels of the negative log likelihood of each row, (..., n)."""
    true = np.where(t > 0, p, 1.0 - p)
    return np.asarray(-np.log(np.clip(true, SMALLEST_PROBABILITY, 1.0)).mean(axis=-1))


def brier_rows(p: Array, t: Array) -> Array:
    """Mean over the labels of the squared error of each row, (..., n)."""
    return np.asarray(((p - t) ** 2).mean(axis=-1))


def hamming_rows(p: Array, t: Array) -> Array:
    """Share of the labels of each row that are right, (..., n): 1 - Hamming loss."""
    return np.asarray(((p >= 0.5) == (t > 0)).mean(axis=-1))


def subset_rows(p: Array, t: Array) -> Array:
    """1 where all labels of a row are right, else 0; (..., n)."""
    return np.asarray(((p >= 0.5) == (t > 0)).all(axis=-1).astype(np.float64))


def f1_macro(p: Array, t: Array, w: Array) -> Array:
    """Mean over the labels of the harmonic mean of precision and recall; 0 of a label that no row has or gets."""
    called = (p >= 0.5).astype(np.float64)
    hits = (w[..., None] * called * t).sum(-2)
    total = (w[..., None] * (called + t)).sum(-2)
    return np.asarray((2 * hits / np.where(total > 0, total, 1.0)).mean(axis=-1))


def roc_auc_macro(p: Array, t: Array, w: Array) -> Array:
    """Area under the ROC curve, averaged over the labels; nan where all rows have a label, or none."""
    return np.asarray(np.mean([binary_auc(p[..., c], t[:, c], w) for c in range(t.shape[1])], axis=0))

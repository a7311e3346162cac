"""Objectives: how good class probabilities are, as a reported value and as a loss to minimise.

Notation
--------
======  ==========================================  ==================
symbol  meaning                                     shape
======  ==========================================  ==================
p       class probabilities, rows sum to 1          (..., n, k)
codes   number of the true class of each row        (n,)
w       weight of each row                          (..., n)
======  ==========================================  ==================

Every function takes leading axes, so that many trials, or many resamples given as row weights, are scored at
once.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genokeras.errors import ParameterError

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

SMALLEST_PROBABILITY = 1e-7


def true_class_probabilities(p: Array, codes: Codes) -> Array:
    """Probability given to the true class of each row, (..., n)."""
    return p[..., np.arange(len(codes)), codes]


def _mean(values: Array, w: Array) -> Array:
    return (values * w).sum(-1) / w.sum(-1)


def log_loss_rows(p: Array, codes: Codes) -> Array:
    """Negative log likelihood of each row, (..., n); probabilities are kept above 1e-7."""
    return -np.log(np.clip(true_class_probabilities(p, codes), SMALLEST_PROBABILITY, 1.0))


def brier_rows(p: Array, codes: Codes) -> Array:
    """Squared distance of each row to its one-hot label, (..., n); halved for two classes, as in sklearn."""
    rows = ((p - np.eye(p.shape[-1])[codes]) ** 2).sum(-1)
    return rows / 2 if p.shape[-1] == 2 else rows


def accuracy_rows(p: Array, codes: Codes) -> Array:
    """1 where the most probable class is the true one, else 0; (..., n)."""
    return (p.argmax(-1) == codes).astype(np.float64)


def _confusion(p: Array, codes: Codes, w: Array) -> Array:
    """Weight of the rows by true class and predicted class, (..., k, k)."""
    one_hot = np.eye(p.shape[-1])
    predicted = one_hot[p.argmax(-1)]
    return np.swapaxes(w[..., None] * one_hot[codes], -1, -2) @ predicted


def _mean_over_present(values: Array, present: NDArray[np.bool_]) -> Array:
    return np.where(present, values, 0.0).sum(-1) / np.maximum(present.sum(-1), 1)


def _balanced_accuracy(p: Array, codes: Codes, w: Array) -> Array:
    confusion = _confusion(p, codes, w)
    totals = confusion.sum(-1)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return _mean_over_present(hits / np.where(totals > 0, totals, 1.0), totals > 0)


def _f1(p: Array, codes: Codes, w: Array) -> Array:
    confusion = _confusion(p, codes, w)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    totals = confusion.sum(-1) + confusion.sum(-2)
    return _mean_over_present(2 * hits / np.where(totals > 0, totals, 1.0), totals > 0)


def _mcc(p: Array, codes: Codes, w: Array) -> Array:
    """Multi-class Matthews correlation (Gorodkin 2004); 0 where one side is constant."""
    confusion = _confusion(p, codes, w)
    confusion = confusion / confusion.sum((-2, -1), keepdims=True)
    true, predicted = confusion.sum(-1), confusion.sum(-2)
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).sum(-1)
    covariance = hits - (true * predicted).sum(-1)
    spread = (1 - (true**2).sum(-1)) * (1 - (predicted**2).sum(-1))
    defined = spread > 1e-15
    return np.where(defined, covariance / np.sqrt(np.where(defined, spread, 1.0)), 0.0)


def _tie_bounds(scores: Array) -> tuple[Codes, Codes]:
    """First and last position of the run of equal values that each sorted value is in."""
    n = scores.shape[-1]
    positions = np.broadcast_to(np.arange(n), scores.shape)
    change = scores[..., 1:] != scores[..., :-1]
    edge = np.ones((*scores.shape[:-1], 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, change], -1), positions, 0), axis=-1)
    ends = np.where(np.concatenate([change, edge], -1), positions, n - 1)
    last = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    return first, last


def _binary_auc(scores: Array, positive: Array, w: Array) -> Array:
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
    first, last = _tie_bounds(ordered)
    below = np.take_along_axis(up_to - negatives, first, -1)
    half_ties = (below + np.take_along_axis(up_to, last, -1)) / 2
    pairs = positives.sum(-1) * negatives.sum(-1)
    return np.where(pairs > 0, (positives * half_ties).sum(-1) / np.where(pairs > 0, pairs, 1.0), np.nan)


def _roc_auc(p: Array, codes: Codes, w: Array) -> Array:
    """Area under the ROC curve, one class against the rest, averaged; nan where a class has no rows."""
    # With two classes both columns say the same; rounding in one of them must not break ties in the other.
    classes = [1] if p.shape[-1] == 2 else range(p.shape[-1])
    areas = [_binary_auc(p[..., c], (codes == c).astype(np.float64), w) for c in classes]
    return np.mean(areas, axis=0)


def _over_rows(rows: Callable[[Array, Codes], Array]) -> Callable[[Array, Codes, Array], Array]:
    return lambda p, codes, w: _mean(rows(p, codes), w)


def _checked(p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None) -> tuple[Array, Codes, Array]:
    probabilities = np.asarray(p, dtype=np.float64)
    labels = np.asarray(codes, dtype=np.int64)
    if (
        probabilities.ndim < 2
        or labels.ndim != 1
        or probabilities.shape[-2] != len(labels)
        or not len(labels)
    ):
        raise ParameterError(
            "probabilities must have shape (..., n_samples, n_classes) and codes (n_samples,): "
            f"got {probabilities.shape} and {labels.shape}."
        )
    if labels.min() < 0 or labels.max() >= probabilities.shape[-1]:
        raise ParameterError(
            f"codes must lie in 0..{probabilities.shape[-1] - 1}, one per column of the probabilities: "
            f"got {labels.min()}..{labels.max()}."
        )
    weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape[-1:] != labels.shape:
        raise ParameterError(
            f"sample_weight must have {len(labels)} values, one per row: got {weights.shape}."
        )
    return probabilities, labels, weights


@dataclass(frozen=True)
class Objective:
    """One way to score class probabilities.

    Parameters
    ----------
    name : str
        The name it goes by in settings, tables and reports.
    greater_is_better : bool
        Direction of the reported value. Values for which greater is better are best at 1.
    function : callable
        ``(p, codes, w) -> values`` over leading axes; see the notation table of this module.
    rows : callable, optional
        ``(p, codes) -> (..., n)`` where the value is the mean of one number per row.
    needs_every_class : bool
        Whether the value is undefined (nan) where a class has no rows.
    """

    name: str
    greater_is_better: bool
    function: Callable[[Array, Codes, Array], Array]
    rows: Callable[[Array, Codes], Array] | None = None
    needs_every_class: bool = False

    def values(self, p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Reported values over the leading axes of `p` and `sample_weight`.

        Raises
        ------
        ParameterError
            If the shapes do not fit, or a code has no column.
        """
        return np.asarray(self.function(*_checked(p, codes, sample_weight)))

    def losses(self, p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Losses over the leading axes: the value itself, or 1 - value where greater is better."""
        values = self.values(p, codes, sample_weight)
        return 1.0 - values if self.greater_is_better else values

    def value(self, p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Reported value of one set of probabilities (n_samples, n_classes)."""
        return float(self.values(p, codes, sample_weight))

    def loss(self, p: ArrayLike, codes: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Loss of one set of probabilities (n_samples, n_classes); lower is better."""
        return float(self.losses(p, codes, sample_weight))

    def value_of_loss(self, loss: float) -> float:
        """The reported value that belongs to a loss."""
        return 1.0 - loss if self.greater_is_better else loss

    def chance(self, codes: ArrayLike, n_classes: int, sample_weight: ArrayLike | None = None) -> float:
        """Value of the constant predictor that says the class frequencies for every row."""
        labels = np.asarray(codes, dtype=np.int64)
        counts = np.bincount(labels, sample_weight, minlength=n_classes).astype(np.float64)
        constant = np.broadcast_to(counts / counts.sum(), (len(labels), n_classes))
        return self.value(constant, labels, sample_weight)

    def standard_error(
        self,
        p: ArrayLike,
        codes: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        n_resamples: int = 200,
        seed: int = 0,
    ) -> float:
        """Standard error of the value (and of the loss) over the rows.

        Means over rows have it in closed form, with Kish's effective number of rows under weights. The others
        are bootstrapped, resampling the rows of each class, with fewer resamples for very many rows. A class
        with one row adds nothing to a bootstrapped error.
        """
        probabilities, labels, w = _checked(p, codes, sample_weight)
        if self.rows is not None:
            return _standard_error_of_mean(self.rows(probabilities, labels), w)
        n_resamples = int(np.clip(4_000_000 // probabilities.size, 20, n_resamples))
        counts = resample_counts(labels, n_resamples, np.random.default_rng(seed))
        values = self.function(probabilities, labels, counts * w)
        values = values[np.isfinite(values)]
        return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def _standard_error_of_mean(rows: Array, w: Array) -> float:
    n_effective = w.sum() ** 2 / (w**2).sum()
    if n_effective <= 1.0:
        return float("nan")
    variance = _mean((rows - _mean(rows, w)) ** 2, w) * n_effective / (n_effective - 1)
    return float(np.sqrt(variance / n_effective))


def resample_counts(strata: ArrayLike, n_resamples: int, rng: np.random.Generator) -> Array:
    """How often bootstrap resamples draw each unit, every stratum keeping its size.

    Parameters
    ----------
    strata : array-like of shape (n_units,)
        Stratum of each unit.

    Returns
    -------
    ndarray of shape (n_resamples, n_units)
    """
    labels = np.asarray(strata)
    counts = np.zeros((n_resamples, len(labels)))
    for stratum in np.unique(labels):
        members = np.flatnonzero(labels == stratum)
        share = np.full(len(members), 1.0 / len(members))
        counts[:, members] = rng.multinomial(len(members), share, size=n_resamples)
    return counts


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("log_loss", False, _over_rows(log_loss_rows), log_loss_rows),
        Objective("brier", False, _over_rows(brier_rows), brier_rows),
        Objective("accuracy", True, _over_rows(accuracy_rows), accuracy_rows),
        Objective("balanced_accuracy", True, _balanced_accuracy),
        Objective("roc_auc", True, _roc_auc, needs_every_class=True),
        Objective("f1", True, _f1),
        Objective("mcc", True, _mcc),
    )
}
ALIASES = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "balanced_acc": "balanced_accuracy",
    "bacc": "balanced_accuracy",
    "brier_score": "brier",
    "cross_entropy": "log_loss",
    "f1_macro": "f1",
    "logloss": "log_loss",
    "matthews": "mcc",
    "nll": "log_loss",
}


def get_objective(name: str | Objective) -> Objective:
    """The objective of that name or alias; an `Objective` is handed back as it is.

    Raises
    ------
    ParameterError
        If no objective has that name; says which is close.

    Examples
    --------
    >>> get_objective("auc").name
    'roc_auc'
    """
    if isinstance(name, Objective):
        return name
    key = str(name).strip().lower().replace("-", "_").replace(" ", "_")
    key = ALIASES.get(key, key)
    if key in OBJECTIVES:
        return OBJECTIVES[key]
    close = difflib.get_close_matches(key, [*OBJECTIVES, *ALIASES], n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ParameterError(f"objective must be one of {', '.join(OBJECTIVES)}: got {name!r}.{hint}")

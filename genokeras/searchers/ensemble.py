"""How much each trial counts in the ensemble: by its evidence, discounted for having few rows and many trials.

Notation
--------
======  =======================================================  =============
symbol  meaning                                                  shape
======  =======================================================  =============
p       out-of-fold answers of every trial                       (t, n, k)
l       log loss, or squared error, of every trial on every row  (t, n)
c       weight of each row; how often a resample drew it         (..., n)
w       weight of each trial, summing to 1                       (..., t)
d       discount: rows that count as one                         scalar
f          families of trials, such as those of one view
======  =======================================================  =============

Within a family, ``w_t`` is proportional to ``exp(-sum_n c_n l_tn / d)``. With ``d = 1`` that is pseudo Bayesian model averaging, which among a hundred
trials and forty rows believes the luckiest few; a large ``d`` is the plain mean. Greedy selection (Caruana et al. 2004) was
worse, stacking as good and more work; benchmarks/README.md has the figures. A search goes where it fares best and fills one view
with trials that are much alike; were all trials weighted at once, their number would outvote every other view. So the families' mixtures
are weighted against each other in the same way, whatever their sizes. Within a family a search has chosen each trial by
the scores of those before, so that the best ones are partly lucky on these rows: a larger discount believes them less. Every objective is served by the
log loss; those that count classes alike get rows weighted so. For numbers, ``l`` is the squared error over twice the mean squared
error of the best trial, as if errors were normal with that variance.

Class probabilities are multiplied in place of averaged (`pooling`): ``genokeras.searchers.stacking`` moves the weights from the evidence
as far as there are rows to say so.

References
----------
Yao, Vehtari, Simpson and Gelman (2018), Using stacking to average Bayesian predictive distributions, Bayesian Analysis
13: 917-1007, section 3.4.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from genokeras.errors import ParameterError
from genokeras.searchers.stacking import product_weights
from genokeras.support.checks import check_choice, check_number, check_whole
from genokeras.tasks.answers import CLASSES, Answers, Targets
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.objectives import Objective, get_objective
from genokeras.tasks.rows import Array, Codes

DISCOUNT = 8.0
LARGEST_ENSEMBLE = 100
CLASS_BALANCED = ("balanced_accuracy", "f1", "mcc")
# How an ensemble's answers follow from those of its trials: their weighted mean, or the weighted mean of their logarithms, normalised.
MEAN, GEOMETRIC = "mean", "geometric"


def select_ensemble(
    p: ArrayLike,
    codes: ArrayLike,
    objective: str | Objective = "log_loss",
    *,
    sample_weight: ArrayLike | None = None,
    families: ArrayLike | None = None,
    discount: float = DISCOUNT,
    within: float | None = None,
    largest: int = LARGEST_ENSEMBLE,
    pooling: str = MEAN,
) -> Array:
    """Weights of the trials in the ensemble.

    Parameters
    ----------
    p : array-like of shape (n_trials, n_samples, n_classes)
        Out-of-fold probabilities, or answers (n_trials, n_samples, n_targets).
    codes : array-like of shape (n_samples,)
        Class numbers, or targets (n_samples, n_targets).
    objective : str or Objective
        Those that count classes alike (balanced accuracy, F1, MCC) weight the rows so.
    sample_weight : array-like of shape (..., n_samples), optional
        Rows of weight 0 play no part. Leading axes are resamples, all fitted at once.
    families : array-like of shape (n_trials,), optional
        Names or numbers; all trials are of one family by default.
    discount : float
        How many rows count as one; the larger, the closer to equal weights.
    within : float, optional
        The same among the trials of a family, where it is another one.
    largest : int
        Trials that keep a weight, at most; the lightest are left out.
    pooling : {"mean", "geometric"}
        As in `combine`. The weights of a geometric mean are learnt from the rows, and near the evidence where these are few; of class probabilities only.

    Returns
    -------
    ndarray of shape (..., n_trials)
        Not negative, summing to 1; those of a geometric mean to about 1, and more where the product should be surer than that is.

    Raises
    ------
    ParameterError
        If the shapes do not fit, an answer is not finite, or an argument is out of range.
    """
    goal = get_objective(objective)
    stack, targets, rows = check_stack(p, codes, sample_weight, goal.answers)
    check_number(discount, "discount", above=0)
    check_number(discount if within is None else within, "within", above=0)
    check_whole(largest, "largest")
    if goal.name in CLASS_BALANCED:
        rows = _balanced(rows, goal.answers.strata(targets))
    check_choice(pooling, "pooling", (MEAN, GEOMETRIC))
    if pooling == GEOMETRIC and goal.answers.kind != CLASSES.kind:
        raise ParameterError(
            f"class probabilities are multiplied: pooling must be {MEAN!r} for {goal.name!r}."
        )
    of = np.zeros(len(stack), dtype=int)
    if families is not None:
        of = np.unique(np.asarray(families), return_inverse=True)[1]
        if of.shape != (len(stack),):
            raise ParameterError(
                f"families must name one for each of {len(stack)} trials, got shape {of.shape}."
            )
    weights = np.zeros((*rows.shape[:-1], len(stack)))
    evidence, mixtures = goal.answers.evidence(stack, targets, rows), []
    for family in range(of.max() + 1):
        members = np.flatnonzero(of == family)
        own = _shares(evidence.of_trials(members), discount if within is None else within)
        weights[..., members] = own
        mixtures.append(evidence.of_mixture(members, own))
    weights *= _shares(np.stack(mixtures, axis=-1), discount)[..., of]
    if pooling == MEAN:
        return _lightest_dropped(weights, largest)
    weights = _lightest_dropped(weights, max(largest, LARGEST_ENSEMBLE))
    return product_weights(stack, goal.answers.strata(targets), rows, weights, largest)


def _shares(losses: Array, discount: float) -> Array:
    """Weights over the last axis from sums of losses."""
    evidence = np.exp((losses.min(-1, keepdims=True) - losses) / discount)
    return np.asarray(evidence / evidence.sum(-1, keepdims=True))


def combine(p: ArrayLike, weights: ArrayLike, pooling: str = MEAN) -> Array:
    """Weighted mean of the trials' answers, (n_samples, n_outputs); or the product of their powers, normalised."""
    used = np.flatnonzero(np.asarray(weights))
    return mixer(np.asarray(p)[used], pooling)(np.asarray(weights)[used])


def mixer(p: ArrayLike, pooling: str = MEAN) -> Callable[[ArrayLike], Array]:
    """`combine` as a function of the weights, for many of them."""
    found = np.asarray(p, dtype=np.float64)
    if pooling == MEAN:
        return lambda weights: np.tensordot(np.asarray(weights, dtype=np.float64), found, axes=1)
    logs = np.log(np.clip(found, SMALLEST_PROBABILITY, 1.0))

    def mixed(weights: ArrayLike) -> Array:
        found = np.tensordot(np.asarray(weights, dtype=np.float64), logs, axes=1)
        found -= found.max(axis=-1, keepdims=True)
        np.exp(found, out=found)
        return np.asarray(found / found.sum(axis=-1, keepdims=True))

    return mixed


def _lightest_dropped(weights: Array, largest: int) -> Array:
    if weights.shape[-1] <= largest:
        return weights
    threshold = np.partition(weights, -largest, axis=-1)[..., -largest, None]
    kept = np.where(weights >= threshold, weights, 0.0)
    return kept / kept.sum(-1, keepdims=True)


def _balanced(rows: Array, codes: Codes) -> Array:
    """The same total weight for every class that has any."""
    of_class = rows @ np.eye(codes.max() + 1)[codes]
    share = np.divide(1.0, of_class, out=np.zeros_like(of_class), where=of_class > 0)
    balanced = rows * share[..., codes]
    return balanced * (rows.sum(-1, keepdims=True) / balanced.sum(-1, keepdims=True))


def check_stack(
    p: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None, answers: Answers = CLASSES
) -> tuple[Array, Targets, Array]:
    """Float64 answers, targets and row weights whose shapes fit; ParameterError where they do not."""
    stack, known = np.asarray(p, dtype=np.float64), answers.as_targets(targets)
    rows = np.ones(len(known)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if stack.ndim != 3 or not len(stack) or stack.shape[1] != len(known) or rows.shape[-1:] != (len(known),):
        raise ParameterError(
            f"expected {answers.shapes[0]}, {answers.shapes[1]} and sample_weight (..., n_samples): got {stack.shape}, "
            f"{known.shape} and {rows.shape}."
        )
    if not np.isfinite(stack).all():
        raise ParameterError(
            f"{answers.shapes[0].split()[0]} must be finite: leave out rows that no fold scored."
        )
    if (rows < 0).any() or not (rows.sum(-1) > 0).all():
        raise ParameterError("sample_weight must not be negative, and not zero for every row.")
    return stack, known, rows

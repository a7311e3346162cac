"""What the chosen ensemble will score on new samples: bootstrap bias correction of the whole selection.

The best of many trials flatters itself on the rows that chose it. Here the rows are resampled, the selection
is run again on the drawn rows, and what it chose is scored on the rows left out; no network is trained again. Every class leaves
rows out, and these count for all of its rows: of two rows half of the resamples would draw both, and a score over the other classes alone flatters.

References
----------
Tsamardinos, Greasidou and Borboudakis (2018), Bootstrapping the out-of-sample predictions for efficient and
accurate cross-validation, Machine Learning 107: 1895-1922, algorithm 3 (BBC-CV).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genokeras.errors import ParameterError
from genokeras.searchers.ensemble import (
    DISCOUNT,
    LARGEST_ENSEMBLE,
    MEAN,
    check_stack,
    mixer,
    select_ensemble,
)
from genokeras.tasks.answers import Targets
from genokeras.tasks.objectives import Objective, get_objective
from genokeras.tasks.rows import Array, Codes, resample_counts

FEWEST_RESAMPLES = AT_ONCE = 20
# A resample of two groups leaves out one or the other: the quantiles of all are those of two scores.
FEWEST_GROUPS = 5


@dataclass(frozen=True)
class Estimate:
    """A score on new samples, corrected for having chosen the best of many.

    Attributes
    ----------
    metric : str
    value : float
        Mean over the resamples of the score on the rows left out.
    low, high : float
        Percentile interval of those scores, 95 % unless asked otherwise. NaN where rows come in fewer than five groups: their scores say
        how it went in these, and not how much that varies.
    naive : float
        Score of the ensemble on the rows that chose it, for comparison.
    chance : float
        Score of the constant predictor of the class frequencies, or of the mean.
    greater_is_better : bool
    n_resamples : int
        Resamples that gave a value; 0 where the score is not defined on these rows (value and interval are nan).
    values : tuple of float
        That of each resample, NaN where it has none. With the same rows, groups and random numbers another set of trials is scored
        on the same resamples, so that differences can be taken one by one.
    """

    metric: str
    value: float
    low: float
    high: float
    naive: float
    chance: float
    greater_is_better: bool
    n_resamples: int
    values: tuple[float, ...] = field(default=(), repr=False, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; undefined numbers become null."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
            if name != "values"
        }


def estimate_performance(
    p: ArrayLike,
    codes: ArrayLike,
    objective: str | Objective = "log_loss",
    *,
    rng: np.random.Generator,
    metrics: Sequence[str | Objective] | None = None,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    families: ArrayLike | None = None,
    discount: float = DISCOUNT,
    within: float | None = None,
    largest: int = LARGEST_ENSEMBLE,
    pooling: str = MEAN,
    n_resamples: int = 200,
    max_seconds: float | None = None,
    level: float = 0.95,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Estimate]:
    """Estimate what the ensemble of these trials scores on new samples.

    Parameters
    ----------
    p : array-like of shape (n_trials, n_samples, n_classes)
        Out-of-fold probabilities of every trial that stood for selection, those that lost included; or answers
        (n_trials, n_samples, n_targets).
    codes : array-like of shape (n_samples,)
        Class numbers, or targets (n_samples, n_targets).
    objective : str or Objective
        What the selection minimises; always among the results, and first.
    rng : numpy.random.Generator
    metrics : sequence of str or Objective, optional
        Further scores, from the same resamples; the standard ones of classes or numbers by default.
    groups : array-like of shape (n_samples,), optional
        Rows of a group are drawn and left out together; below five groups there is no interval. Otherwise rows are drawn within their
        class, if they have one.
    sample_weight : array-like of shape (n_samples,), optional
    families : array-like of shape (n_trials,), optional
    discount, within : float
    largest : int
    pooling : {"mean", "geometric"}
        As in `select_ensemble`.
    n_resamples : int
    max_seconds : float, optional
        No resample starts after that time, though 20 always run.
    level : float
        Coverage of the interval.
    clock : callable
        Seconds that only grow.

    Returns
    -------
    dict of str to Estimate

    Raises
    ------
    ParameterError
        If the shapes do not fit, or every resample draws all the rows.
    """
    goal = get_objective(objective)
    kind = goal.answers
    named = kind.standard_metrics if metrics is None else metrics
    scores = {item.name: item for item in (goal, *(get_objective(name, kind.kind) for name in named))}
    stack, targets, weight = check_stack(p, codes, sample_weight, kind)

    def select(rows: Array) -> Array:
        return select_ensemble(
            stack,
            targets,
            goal,
            sample_weight=rows,
            families=families,
            discount=discount,
            within=within,
            largest=largest,
            pooling=pooling,
        )

    mixed = mixer(stack, pooling)
    naive = mixed(select(weight))
    naive = kind.calibration(naive, targets, weight).apply(naive)
    strata = kind.strata(targets)
    counts = row_counts(strata, groups, n_resamples, rng)
    started = clock()
    found: dict[str, list[float]] = {name: [] for name in scores}
    for start in range(0, len(counts), AT_ONCE):
        if max_seconds is not None and start >= FEWEST_RESAMPLES and clock() - started >= max_seconds:
            break
        part = [
            row
            for row in counts[start : start + AT_ONCE]
            if (row * weight).any() and _left_out(row, weight).any()
        ]
        if not part:
            continue
        shares = select(np.stack(part) * weight)
        for row, share in zip(part, shares, strict=True):
            scored, counted = _scored(row, weight, strata)
            mixture = mixed(share)
            answers = kind.calibration(mixture, targets, row * weight).apply(mixture[scored])
            for name, score in scores.items():
                rows = counted if score.takes_weights else weight[scored]
                found[name].append(score.value(answers, targets[scored], rows))
    if not found[goal.name]:
        raise ParameterError(
            f"too few rows for an estimate: no resample of {len(targets)} rows "
            f"{'and their groups ' if groups is not None else ''}left any out."
        )
    margin = None if few_groups(groups, weight) else (1 - level) / 2
    return {
        name: _summary(score, found[name], naive, targets, weight, margin) for name, score in scores.items()
    }


def few_groups(groups: ArrayLike | None, sample_weight: ArrayLike) -> int:
    """The number of groups of rows that count, where it is too small for an interval; else 0."""
    if groups is None:
        return 0
    n = len(np.unique(np.asarray(groups)[np.asarray(sample_weight) > 0]))
    return n if n < FEWEST_GROUPS else 0


def few_groups_note(
    groups: ArrayLike | None, sample_weight: ArrayLike, called: str = "groups"
) -> tuple[str, ...]:
    """Why an estimate has no interval; nothing where it has one."""
    n = few_groups(groups, sample_weight)
    if not n:
        return ()
    return (
        f"{n} {called} say how it went in these, not how much that varies: the estimate has no interval below {FEWEST_GROUPS} {called}.",
    )


def _left_out(counts: Array, weight: Array) -> NDArray[np.bool_]:
    return np.asarray((counts == 0) & (weight > 0))


def _scored(counts: Array, weight: Array, strata: Codes) -> tuple[NDArray[np.int64], Array]:
    """The rows that a resample is scored on, and their weights, which sum to the whole weight of each stratum.

    They are those left out. A class of one row, or of one group, that was drawn is scored on these: without it, the score would be that of the other classes.
    """
    out = _left_out(counts, weight)
    whole = np.bincount(strata, weight)
    none_left = (np.bincount(strata, weight * out) == 0) & (whole > 0)
    rows = np.flatnonzero(out | (none_left[strata] & (weight > 0)))
    there = np.bincount(strata[rows], weight[rows], minlength=len(whole))
    return rows, weight[rows] * (whole[strata[rows]] / there[strata[rows]])


def _summary(
    score: Objective, found: list[float], naive: Array, targets: Targets, weight: Array, margin: float | None
) -> Estimate:
    values = np.asarray(found)[np.isfinite(found)]
    low, high = math.nan, math.nan
    if margin is not None and len(values):
        low, high = map(float, np.quantile(values, [margin, 1 - margin]))
    return Estimate(
        metric=score.name,
        value=float(values.mean()) if len(values) else math.nan,
        low=low,
        high=high,
        naive=score.value(naive, targets, weight),
        chance=score.chance(targets, naive.shape[-1], weight),
        greater_is_better=score.greater_is_better,
        n_resamples=len(values),
        values=tuple(found),
    )


def row_counts(codes: Codes, groups: ArrayLike | None, n_resamples: int, rng: np.random.Generator) -> Array:
    """How often each resample draws each row, (n_resamples, n_samples); of each class of several units one is left out at least."""
    if groups is None:
        return _unit_counts(_join_single_units(codes), n_resamples, rng)
    names, unit = np.unique(np.asarray(groups), return_inverse=True)
    if len(unit) != len(codes):
        raise ParameterError(f"groups must have {len(codes)} values, one per row: got {len(unit)}.")
    by_class = np.zeros((len(names), codes.max() + 1))
    np.add.at(by_class, (unit, codes), 1)
    return _unit_counts(_join_single_units(by_class.argmax(1)), n_resamples, rng)[:, unit]


def _unit_counts(strata: NDArray[np.int64], n_resamples: int, rng: np.random.Generator) -> Array:
    counts = resample_counts(strata, n_resamples, rng)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        while len(members) > 1 and len(whole := np.flatnonzero((counts[:, members] > 0).all(axis=1))):
            counts[np.ix_(whole, members)] = resample_counts(strata[members], len(whole), rng)
    return counts


def _join_single_units(strata: NDArray[np.int64]) -> NDArray[np.int64]:
    """Strata where those of one unit, which would be drawn every time, have joined the largest."""
    labels, counts = np.unique(strata, return_counts=True)
    single = np.isin(strata, labels[counts == 1])
    return np.where(single, labels[counts.argmax()], strata)

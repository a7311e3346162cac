"""From finished trials to what is delivered: the ensemble, its weights and its honest estimate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from genokeras.engine.delivery_time import DeliveryTime, by_share
from genokeras.engine.problem import Problem, ScoredRows
from genokeras.engine.store import TrialStore
from genokeras.graph import is_linear
from genokeras.searchers import (
    GEOMETRIC,
    LARGEST_ENSEMBLE,
    MEAN,
    Estimate,
    History,
    HyperSpace,
    TrialResult,
    combine,
    estimate_performance,
    posterior_best,
    select_ensemble,
)
from genokeras.tasks.answers import CLASSES
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY
from genokeras.tasks.objectives import Objective

# With many rows the difference of two mean losses is known well; trials within 0.01 or so of the best still add to it.
_LOSS_THAT_COUNTS = 0.01
# Of fewer rows, trials' probabilities are averaged: products are too sure where little can be known.
_FEWEST_TO_MULTIPLY = 100
# Scores of many rows vary little from resample to resample.
_RESAMPLES, _RESAMPLES_OF_MANY_ROWS, _ROWS_FOR_FEW_RESAMPLES = 200, 50, 5000
# Of the estimate's time, the share that the linear models' own estimate gets.
_SHARE_OF_BASELINE = 0.25


@dataclass(frozen=True)
class Delivery:
    """What is delivered.

    Attributes
    ----------
    shares : dict of int to float
        Weight of each trial in the ensemble, by trial id; they sum to 1.
    calibration : Calibration
        Of the ensemble's probabilities; numbers have none.
    estimate : dict
        See ``GenomeClassifier.estimate_``.
    best : int or None
        The single best trial where it was chosen by more than its score.
    pooling : {"mean", "geometric"}
        What the ensemble's answers are of those of its trials; see `genokeras.searchers.combine`.
    """

    shares: dict[int, float]
    calibration: Calibration = field(default_factory=Calibration)
    estimate: dict[str, Any] = field(default_factory=dict)
    best: int | None = None
    pooling: str = MEAN

    def answers(self, p: np.ndarray) -> np.ndarray:
        """What is delivered, calibrated, of the trials' answers ``(n_trials, n, n_outputs)``, in the order of the shares."""
        return self.calibration.apply(combine(p, np.array(list(self.shares.values())), self.pooling))


class OutOfFold(NamedTuple):
    """Predictions of rows by networks that never saw them.

    Attributes
    ----------
    targets : numpy.ndarray
        ``(n, ...)`` of the rows that some fold holds out: class numbers, or numbers.
    answers : numpy.ndarray
        ``(n, n_outputs)`` float64, calibrated.
    fold : numpy.ndarray
        ``(n,)`` the fold that holds each row out; the first one where several do.
    weight : numpy.ndarray
        ``(n,)``.
    """

    targets: np.ndarray
    answers: np.ndarray
    fold: np.ndarray
    weight: np.ndarray


def deliver(
    store: TrialStore,
    rows: ScoredRows,
    history: History,
    objective: Objective,
    seed: int,
    groups: np.ndarray | None = None,
    time: DeliveryTime | None = None,
    largest: int = LARGEST_ENSEMBLE,
) -> Delivery:
    """Choose the ensemble on out-of-fold predictions and estimate what it will score on new samples.

    Parameters
    ----------
    store : TrialStore
    rows : ScoredRows
    history : History
        With at least one trial that did not fail.
    objective : Objective
    seed : int
    groups : numpy.ndarray, optional
        ``(n_samples,)``; resampled whole.
    time : DeliveryTime, optional
        How many trials may be delivered, the weightiest ones, and how long the estimate may take; at least 20 resamples are drawn
        in any case.
    largest : int
        Trials in the ensemble, at most.
    """
    trials, scored = tuple(filter(lambda trial: store.has_weights(trial.id), history.ok())), rows.scored
    p = store.answers(trials)[:, scored].astype("float64")
    targets, weight = rows.targets[scored], rows.sample_weight[scored]
    # Trials that look at the data alike are weighted among themselves first.
    views = np.array([family_of(trial) for trial in trials])
    limits = limits_of(int(scored.sum()), objective, largest)
    how: dict[str, Any] = {"objective": objective, "sample_weight": weight}
    shares = select_ensemble(p, targets, families=views, **how, **limits)
    weightiest = by_share(trials, shares)
    fitting = len(weightiest) if time is None else time.members(rows, weightiest)
    if fitting < len(weightiest):
        limits["largest"] = fitting
        shares = select_ensemble(p, targets, families=views, **how, **limits)
    mixture = combine(p, shares, limits["pooling"])
    calibration = objective.answers.calibration(mixture, targets, weight)
    seconds = None if time is None else time.for_estimate(rows, weightiest[:fitting])
    how |= {"groups": None if groups is None else groups[scored], **limits}
    linear = np.array([is_linear(trial.proposal.graph) for trial in trials])

    def estimated(picked: np.ndarray, share: float) -> dict[str, Estimate]:
        return estimate_performance(
            p[picked],
            targets,
            rng=np.random.default_rng([seed, 2]),
            max_seconds=None if seconds is None else seconds * share,
            families=views[picked],
            n_resamples=_RESAMPLES if scored.sum() < _ROWS_FOR_FEW_RESAMPLES else _RESAMPLES_OF_MANY_ROWS,
            **how,
        )

    apart = linear.any() and not linear.all()
    found = estimated(np.ones_like(linear), 1 - _SHARE_OF_BASELINE if apart else 1.0)
    baseline = estimated(linear, _SHARE_OF_BASELINE) if apart else found if linear.all() else None
    if limits["pooling"] == GEOMETRIC:  # how sure the product is, is for the calibration to say
        total = float(shares.sum())
        shares, calibration = shares / total, replace(calibration, sharpness=calibration.sharpness * total)
    chosen = {trial.id: float(share) for trial, share in zip(trials, shares, strict=True) if share > 0}
    summary = _summary(objective, found, baseline, int(scored.sum()), len(trials))
    return Delivery(chosen, calibration, summary, pooling=limits["pooling"])


def read_estimate(content: Mapping[str, Any]) -> dict[str, Any]:
    """An estimate as JSON has it, where a limit of an interval that is not known is null: NaN, as it was."""
    found = dict(content)
    if found.get("interval") is not None:
        found["interval"] = [math.nan if limit is None else limit for limit in found["interval"]]
    if "also" in found:
        found["also"] = {name: read_estimate(one) for name, one in found["also"].items()}
    return found


def trials_calibration(store: TrialStore, problem: Problem, trials: Sequence[TrialResult]) -> Calibration:
    """The calibration of what several trials answer on average, each counted alike, by their out-of-fold answers."""
    mean = store.answers(tuple(trials)).astype("float64").mean(axis=0)
    there = np.isfinite(mean).all(axis=-1)
    targets, weight = problem.targets[there], problem.sample_weight[there]
    return problem.task.answers.calibration(mean[there], targets, weight)


def family_of(trial: TrialResult) -> str:
    """The view that a trial's network reads first: trials of one are weighted among themselves."""
    return trial.proposal.hyper.view


def limits_of(n_rows: int, objective: Objective, largest: int, quick: bool = False) -> dict[str, Any]:
    """How an ensemble of trials on this many rows is chosen; see :func:`genokeras.searchers.select_ensemble`.

    Parameters
    ----------
    n_rows : int
    objective : Objective
    largest : int
        Trials in the ensemble, at most.
    quick : bool
        Weight classes' trials by their evidence alone, which takes next to no time.
    """
    classes = objective.answers.kind == CLASSES.kind
    multiplied = classes and n_rows >= _FEWEST_TO_MULTIPLY and not quick
    rows, within_a_view = objective.answers.discount
    discount = max(rows, _LOSS_THAT_COUNTS * n_rows)
    return {
        "discount": discount,
        "within": within_a_view * discount,
        "largest": largest,
        "pooling": GEOMETRIC if multiplied else MEAN,
    }


def single_best(
    store: TrialStore,
    rows: ScoredRows,
    history: History,
    delivery: Delivery,
    objective: Objective,
    views: tuple[str, ...],
) -> int:
    """The id of the trial to hand out alone: of hundreds of scores on few rows, the lowest is so by luck.

    Of classes it is, of the delivered trials, the one whose calibrated out-of-fold answers are nearest to those of the ensemble, in which the luck of all
    levels out (least mean divergence of Kullback and Leibler 1951); otherwise the one with the lowest posterior mean.
    """
    if objective.answers.kind == CLASSES.kind:
        return _nearest_to_ensemble(store, rows, history, delivery, objective)
    found = posterior_best(history, HyperSpace(views=views))
    assert found is not None
    return found[0].id


def _nearest_to_ensemble(
    store: TrialStore, rows: ScoredRows, history: History, delivery: Delivery, objective: Objective
) -> int:
    ids, scored = list(delivery.shares), rows.scored
    p = store.answers(tuple(history.get(id) for id in ids))[:, scored].astype("float64")
    targets, weight = rows.targets[scored], rows.sample_weight[scored]
    whole = delivery.answers(p)

    def divergence(answers: np.ndarray) -> float:
        own = objective.answers.calibration(answers, targets, weight).apply(answers)
        logs = np.log(np.clip(whole, SMALLEST_PROBABILITY, 1.0)) - np.log(
            np.clip(own, SMALLEST_PROBABILITY, 1.0)
        )
        return float(weight @ (whole * logs).sum(axis=1))

    return ids[int(np.argmin([divergence(answers) for answers in p]))]


def deliver_best(history: History, objective: Objective) -> Delivery:
    """The best trial alone; its value is that on the rows that chose it, so it flatters."""
    best = history.ranked()[0]
    value = objective.value_of_loss(best.score)
    return Delivery({best.id: 1.0}, Calibration(), {"metric": objective.name, "uncorrected": value})


def _summary(
    objective: Objective,
    found: Mapping[str, Any],
    baseline: Mapping[str, Any] | None,
    n_rows: int,
    n_trials: int,
) -> dict[str, Any]:
    def entry(name: str) -> dict[str, Any]:
        estimate = found[name]
        return {
            "metric": name,
            "value": estimate.value,
            "interval": [estimate.low, estimate.high],
            "linear_baseline": None if baseline is None else baseline[name].value,
            "chance": estimate.chance,
            "uncorrected": estimate.naive,
            "greater_is_better": estimate.greater_is_better,
        }

    main = entry(objective.name)
    also = {name: entry(name) for name in found if name != objective.name}
    return main | {"n_samples": n_rows, "n_trials": n_trials, "also": also}


def ensemble_out_of_fold(store: TrialStore, rows: ScoredRows, delivery: Delivery) -> OutOfFold:
    """What the delivered ensemble predicts for rows that its members did not train on.

    The rows took part in choosing the ensemble and its calibration, so scores of these predictions are a little too
    good; ``delivery.estimate`` is corrected for that.
    """
    trials = tuple(store.read(trial) for trial in delivery.shares)
    scored = rows.scored
    p = store.answers(trials)[:, scored].astype("float64")
    fold = rows.held_out[:, scored].argmax(axis=0)
    return OutOfFold(rows.targets[scored], delivery.answers(p), fold, rows.sample_weight[scored])

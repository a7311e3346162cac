"""From finished trials to what is delivered: the ensemble, its honest estimate, one Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from genokeras.engine.problem import Problem, ScoredProblem
from genokeras.engine.store import TrialStore
from genokeras.graph import Dense, Graph, Input
from genokeras.networks import TrainedTrial, export_model
from genokeras.searchers import (
    DISCOUNT,
    LARGEST_ENSEMBLE,
    History,
    TrialResult,
    combine,
    estimate_performance,
    select_ensemble,
)
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.objectives import Objective


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
    """

    shares: dict[int, float]
    calibration: Calibration
    estimate: dict[str, Any]


class OutOfFold(NamedTuple):
    """Predictions of rows by networks that never saw them.

    Attributes
    ----------
    codes : numpy.ndarray
        ``(n,)`` true classes of the rows that some fold holds out.
    probabilities : numpy.ndarray
        ``(n, n_classes)`` float64, calibrated.
    fold : numpy.ndarray
        ``(n,)`` the fold that holds each row out; the first one where several do.
    """

    codes: np.ndarray
    probabilities: np.ndarray
    fold: np.ndarray


def is_linear(graph: Graph) -> bool:
    """Whether a graph is the linear father: one Dense layer on the input."""
    return [type(layer.spec) for layer in graph.layers] == [Input, Dense]


def deliver(
    store: TrialStore,
    problem: ScoredProblem,
    history: History,
    objective: Objective,
    seed: int,
    groups: np.ndarray | None = None,
    max_seconds: float | None = None,
    discount: float = DISCOUNT,
    largest: int = LARGEST_ENSEMBLE,
    steps: int = 0,
) -> Delivery:
    """Choose the ensemble on out-of-fold predictions and estimate what it will score on new samples.

    Parameters
    ----------
    store : TrialStore
    problem : Problem
    history : History
        With at least one trial that did not fail.
    objective : Objective
    seed : int
    groups : numpy.ndarray, optional
        ``(n_samples,)``; resampled whole.
    max_seconds : float, optional
        For the estimate; at least 20 resamples are drawn in any case.
    discount : float
        Rows that count as one; see :func:`genokeras.searchers.select_ensemble`.
    largest : int
        Trials in the ensemble, at most.
    steps : int
        Of stacking, where probabilities of very many rows are known.
    """
    trials, rows = history.ok(), problem.scored
    p = store.probabilities(trials)[:, rows].astype("float64")
    codes, weight = problem.codes[rows], problem.sample_weight[rows]
    # Trials that look at the data alike are weighted among themselves first.
    views = np.array([trial.proposal.hyper.view for trial in trials])
    limits: dict[str, Any] = {"discount": discount, "largest": largest, "steps": steps}
    shares = select_ensemble(p, codes, objective, sample_weight=weight, families=views, **limits)
    calibration = objective.answers.calibration(combine(p, shares), codes, weight)
    settings: dict[str, Any] = {
        "objective": objective,
        "groups": None if groups is None else groups[rows],
        "sample_weight": weight,
        **limits,
    }
    linear = np.array([is_linear(trial.proposal.graph) for trial in trials])
    part = None if max_seconds is None else max_seconds * (0.75 if linear.any() else 1.0)
    rng = np.random.default_rng([seed, 2])
    found = estimate_performance(p, codes, rng=rng, max_seconds=part, families=views, **settings)
    baseline = None
    if linear.any():
        part = None if max_seconds is None else 0.25 * max_seconds
        rng = np.random.default_rng([seed, 2])
        baseline = estimate_performance(
            p[linear], codes, rng=rng, max_seconds=part, families=views[linear], **settings
        )
    chosen = {trial.id: float(share) for trial, share in zip(trials, shares, strict=True) if share > 0}
    return Delivery(chosen, calibration, _summary(objective, found, baseline, int(rows.sum()), len(trials)))


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


def trained_trial(
    store: TrialStore, problem: Problem, trial: TrialResult, share: float = 1.0
) -> TrainedTrial:
    """A trial as export needs it."""
    return TrainedTrial(
        graph=trial.proposal.graph,
        activation=trial.proposal.hyper.activation,
        weights=store.father(trial).weights,
        spaces=problem.views[trial.proposal.hyper.view].spaces,
        share=share,
    )


def ensemble_model(store: TrialStore, problem: Problem, delivery: Delivery) -> Any:
    """The delivered ``keras.Model``: raw features in, class probabilities out."""
    trials = [trained_trial(store, problem, store.read(id), share) for id, share in delivery.shares.items()]
    sharpness, doubt = delivery.calibration.sharpness, delivery.calibration.doubt
    return export_model(trials, problem.n_features, problem.medians, sharpness=sharpness, doubt=doubt)


def ensemble_out_of_fold(store: TrialStore, problem: ScoredProblem, delivery: Delivery) -> OutOfFold:
    """What the delivered ensemble says of rows that its members did not train on.

    The rows took part in choosing the ensemble and its calibration, so scores of these predictions are a little too
    good; ``delivery.estimate`` is corrected for that.
    """
    trials = tuple(store.read(trial) for trial in delivery.shares)
    rows = problem.scored
    p = store.probabilities(trials)[:, rows].astype("float64")
    mixture = combine(p, np.array(list(delivery.shares.values())))
    fold = problem.held_out[:, rows].argmax(axis=0)
    return OutOfFold(problem.codes[rows], delivery.calibration.apply(mixture), fold)

"""What both runners do with a trial: weights inherited from a parent, and the outcome of its answers."""

from __future__ import annotations

import numpy as np

from genokeras.engine.jobs import Father, Outcome
from genokeras.engine.problem import Problem
from genokeras.errors import TrainingError
from genokeras.graph import Weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.tasks.objectives import Objective


def inherit(proposal: Proposal, father: Father, rng: np.random.Generator) -> Weights:
    """Replay the proposal's morphisms on its father's members: weights with which each computes what it did before."""
    graph, weights = father.graph, father.weights
    for morphism in proposal.morphisms:
        graph, carried = morphism.apply(graph, weights, rng)
        weights = carried or {}
    if graph != proposal.graph:
        raise TrainingError(
            f"the morphisms of the proposal lead from its father (trial {proposal.father}) to another graph than the one "
            f"proposed: {graph.describe()} instead of {proposal.graph.describe()}."
        )
    return weights


def scored_outcome(
    problem: Problem,
    objective: Objective,
    trial_id: int,
    proposal: Proposal,
    weights: Weights,
    answers: np.ndarray,
    curve: np.ndarray,
    step: int,
    seconds: float,
) -> Outcome:
    """A trained trial, scored on its out-of-fold answers.

    Parameters
    ----------
    problem : Problem
    objective : Objective
    trial_id : int
    proposal : Proposal
    weights : Weights
        Of its fold members.
    answers : numpy.ndarray
        ``(n_samples, n_outputs)``; NaN for rows that no fold holds out.
    curve : numpy.ndarray
        ``(scorings, 3)``: step, training loss, held-out loss.
    step : int
        The step that was kept.
    seconds : float
    """
    scored = problem.scored
    score_of = (answers[scored], problem.targets[scored], problem.sample_weight[scored])
    trial = TrialResult(
        id=trial_id,
        proposal=proposal,
        status="ok",
        score=objective.loss(*score_of),
        score_se=objective.standard_error(*score_of),
        step=step,
        seconds=seconds,
        n_parameters=proposal.graph.n_parameters(problem.encoder.input_units(proposal.hyper.view)),
    )
    return Outcome(trial, weights, answers, curve.astype("float32"))

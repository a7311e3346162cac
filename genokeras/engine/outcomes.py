"""What both runners do with a trial: weights inherited from a parent, and the outcome of its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from genokeras.encoders import NetworkEncoder
from genokeras.engine.jobs import Father, Outcome
from genokeras.engine.problem import Problem
from genokeras.errors import TrainingError
from genokeras.graph import Weights
from genokeras.graph.shapes import InputUnits
from genokeras.searchers import Proposal, TrialResult
from genokeras.tasks.objectives import Objective

# What is left of inherited weights, and how much of fresh ones joins them.
SHRINK, PERTURB = 0.5, 0.5
# Of the halves of the rows that a single fold holds out.
_SEED_OF_HALVES = 0


def inherit(
    proposal: Proposal,
    father: Father,
    rng: np.random.Generator,
    widths: Mapping[str, int] | None = None,
) -> Weights:
    """Replay the proposal's morphisms on its father's members: weights with which each computes what it did before.

    Parameters
    ----------
    proposal : Proposal
    father : Father
    rng : numpy.random.Generator
    widths : mapping of str to int, optional
        Units of each view, for Inputs that the morphisms add.

    Raises
    ------
    TrainingError
        If the morphisms lead to another graph than the proposal's.
    """
    graph, weights = father.graph, father.weights
    for morphism in proposal.morphisms:
        graph, carried = morphism.apply(graph, weights, rng, widths)
        weights = carried or {}
    if graph != proposal.graph:
        raise TrainingError(
            f"the morphisms of the proposal lead from its father (trial {proposal.father}) to another graph than the one "
            f"proposed: {graph.describe()} instead of {proposal.graph.describe()}."
        )
    return weights


def shrunk_and_perturbed(inherited: Weights, fresh: Weights) -> Weights:
    """Inherited weights made smaller, and fresh ones made smaller added to them.

    A network that goes on from trained weights learns fast and generalises worse than a fresh one; shrinking what it knows keeps the
    former and mends the latter (Ash and Adams 2020, "On warm-starting neural network training", NeurIPS, section 4).
    """
    return {
        layer: {name: SHRINK * array + PERTURB * fresh[layer][name] for name, array in named.items()}
        for layer, named in inherited.items()
    }


def joined_weights(parts: Sequence[Weights]) -> Weights:
    """Members of one graph, one part behind the other."""
    return {
        layer: {name: np.concatenate([part[layer][name] for part in parts]) for name in named}
        for layer, named in parts[0].items()
    }


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
    """A trained trial, scored on its out-of-fold answers; of mini-batch training, on those that `sharpened` makes of them.

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
    scored, sharpness = problem.scored, 1.0
    if isinstance(problem.encoder, NetworkEncoder) or problem.task.answers.sharpens_packed:
        answers, sharpness = sharpened(problem, answers)
    score_of = (answers[scored], problem.targets[scored], problem.sample_weight[scored])
    trial = TrialResult(
        id=trial_id,
        proposal=proposal,
        status="ok",
        score=objective.loss(*score_of),
        score_se=objective.standard_error(*score_of),
        step=step,
        seconds=seconds,
        n_parameters=proposal.graph.n_parameters(input_units(problem, proposal)),
        sharpness=sharpness,
    )
    return Outcome(trial, weights, answers, curve.astype("float32"))


def sharpened(problem: Problem, answers: np.ndarray) -> tuple[np.ndarray, float]:
    """Out-of-fold answers as sure as they are right, and the sharpness that the whole trial gets.

    Answers to the rows of a fold are changed by what the other folds' rows say; where one fold alone has answers, those of one half
    of its rows by what the other half says.

    Parameters
    ----------
    problem : Problem
    answers : numpy.ndarray
        ``(n_samples, n_outputs)``; NaN for rows without any.
    """
    there = np.isfinite(answers).all(axis=1)
    kind, targets, weight = problem.task.answers, problem.targets, problem.sample_weight
    part = np.where(there, problem.held_out.argmax(axis=0), -1)
    if len(np.unique(part[there])) < 2:
        part[there] = _halves(kind.strata(targets[there]))

    def sharpness(rows: np.ndarray) -> float:
        return kind.sharpness(answers[rows], targets[rows], weight[rows])

    changed = answers.copy()
    for number in np.unique(part[there]):
        own = part == number
        changed[own] = kind.sharpened(answers[own], sharpness(there & ~own))
    return changed, sharpness(there)


def _halves(strata: np.ndarray) -> np.ndarray:
    """``(n,)`` 0 or 1, drawn alike for every trial; each class has as many of both as it can."""
    order = np.random.default_rng(_SEED_OF_HALVES).permutation(len(strata))
    order = order[np.argsort(strata[order], kind="stable")]
    halves = np.empty(len(strata), dtype=np.int64)
    halves[order] = np.arange(len(strata)) % 2
    return halves


def input_units(problem: Problem, proposal: Proposal) -> InputUnits:
    """What the graph of a proposal reads."""
    graph, view = proposal.graph, proposal.hyper.view
    if len(graph.inputs) == 1:
        return problem.encoder.input_units(view)
    return {id: problem.widths[name] for id, name in graph.views(view).items()}

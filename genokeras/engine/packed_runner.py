"""Train a job: initial or inherited weights, packed training, out-of-fold scores."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

import numpy as np
from scipy.special import softmax

from genokeras.engine.jobs import Father, Job, Outcome
from genokeras.engine.problem import Problem
from genokeras.errors import TrainingError
from genokeras.graph import Weights
from genokeras.networks import initial_weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.tasks.objectives import Objective
from genokeras.training import PackedResult, PackedTask, PackedTrainer, TrainingSettings


class JobRunner:
    """Runs jobs on one problem; an exception in a job is an outcome, not the end of the search.

    Parameters
    ----------
    problem : Problem
    objective : Objective
        Trials are scored by its loss on their out-of-fold probabilities.
    settings : TrainingSettings
    """

    def __init__(self, problem: Problem, objective: Objective, settings: TrainingSettings) -> None:
        self.problem = problem
        self.objective = objective
        self.trainer = PackedTrainer(settings)

    def run(self, job: Job, should_stop: Callable[[], bool] = lambda: False) -> list[Outcome]:
        """Train all the trials of a job; one outcome each, in the order of its ids."""
        started = time.perf_counter()
        try:
            task = self._task(job)
            result = self.trainer.run(task, should_stop)
            seconds = (time.perf_counter() - started) / len(job.ids)
            return [self._outcome(job, number, result, seconds) for number in range(len(job.ids))]
        except Exception:
            error = traceback.format_exc()
            seconds = (time.perf_counter() - started) / len(job.ids)
            return [
                Outcome(TrialResult.failure(trial_id, proposal, error, seconds))
                for trial_id, proposal in zip(job.ids, job.proposals, strict=True)
            ]

    # ---- before training

    def _task(self, job: Job) -> PackedTask:
        problem, proposals = self.problem, job.proposals
        folds, trials, first = problem.n_folds, len(job.proposals), job.proposals[0]
        names = [p.hyper.view for p in proposals]
        # Members of the same view and fold share their inputs, of which there may be gigabytes.
        views = {name: problem.views[name] for name in names}
        first_input = np.repeat([folds * list(views).index(name) for name in names], folds)
        train = problem.train * problem.sample_weight
        held_out = problem.held_out * problem.sample_weight
        return PackedTask(
            graph=first.graph,
            activation=first.hyper.activation,
            inputs=np.concatenate([v.z for v in views.values()]) if len(views) > 1 else views[names[0]].z,
            targets=np.eye(problem.n_classes, dtype="float32")[problem.codes],
            train_weights=np.tile(train / train.sum(axis=1, keepdims=True), (trials, 1)),
            score_weights=np.tile(held_out / held_out.sum(), (trials, 1)),
            trial_of_member=np.repeat(np.arange(trials), folds),
            learning_rate=np.repeat([p.hyper.learning_rate for p in proposals], folds),
            weight_decay=np.repeat([p.hyper.weight_decay for p in proposals], folds),
            dropout=np.repeat([p.hyper.dropout for p in proposals], folds),
            input_rank=np.concatenate([views[name].ranks() for name in names]),
            weights=self._start(first, job.father, trials),
            seed=first.seed,
            input_of_member=first_input + np.tile(np.arange(folds), trials),
        )

    def _start(self, proposal: Proposal, father: Father | None, trials: int) -> Weights:
        """Members to start from: fold k of the father begets fold k, so no held-out row is ever seen.

        Fresh weights are drawn for every trial; inherited ones are the same for all, who differ in how they go on.
        """
        rng = np.random.default_rng(proposal.seed)
        if father is None:
            width = self.problem.widths[proposal.hyper.view]
            return initial_weights(proposal.graph, width, trials * self.problem.n_folds, rng)
        return _repeated(inherit(proposal, father, rng), trials)

    # ---- after training

    def _outcome(self, job: Job, number: int, result: PackedResult, seconds: float) -> Outcome:
        problem, proposal, trial_id = self.problem, job.proposals[number], job.ids[number]
        members = slice(number * problem.n_folds, (number + 1) * problem.n_folds)
        if not np.isfinite(result.best_loss[number]):
            raise TrainingError(
                f"the held-out loss of trial {trial_id} was never finite in {result.steps} steps (learning rate "
                f"{proposal.hyper.learning_rate:g}); look for extreme values in the data."
            )
        probabilities = out_of_fold(result.logits[members], result.rows[members], problem.held_out)
        scored = problem.scored
        score_of = (probabilities[scored], problem.codes[scored], problem.sample_weight[scored])
        curve = np.column_stack([result.curve_steps, result.curves[:, number]])
        weights = {
            layer: {k: v[members] for k, v in arrays.items()} for layer, arrays in result.weights.items()
        }
        trial = TrialResult(
            id=trial_id,
            proposal=proposal,
            status="ok",
            score=self.objective.loss(*score_of),
            score_se=self.objective.standard_error(*score_of),
            step=int(result.best_step[number]),
            seconds=seconds,
            n_parameters=proposal.graph.n_parameters(problem.widths[proposal.hyper.view]),
        )
        return Outcome(trial, weights, probabilities, curve.astype("float32"))


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


def out_of_fold(logits: np.ndarray, rows: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Mean probabilities ``(n, k)`` of every row over the folds that hold it out; NaN for no fold.

    Parameters
    ----------
    logits : numpy.ndarray
        ``(folds, s, k)``.
    rows : numpy.ndarray
        ``(folds, s)`` the rows they are of: all that the fold holds out are among them, others may be.
    held_out : numpy.ndarray
        ``(folds, n)`` bool.
    """
    total, times = np.zeros((held_out.shape[1], logits.shape[2])), held_out.sum(axis=0)[:, None]
    for of_fold, numbers, held in zip(logits, rows, held_out, strict=True):
        wanted = held[numbers]
        # A row that comes twice is added once.
        total[numbers[wanted]] += softmax(of_fold[wanted].astype("float64"), axis=-1)
    return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0).astype("float32")


def _repeated(weights: Weights, times: int) -> Weights:
    return {
        layer: {name: np.tile(array, (times,) + (1,) * (array.ndim - 1)) for name, array in arrays.items()}
        for layer, arrays in weights.items()
    }

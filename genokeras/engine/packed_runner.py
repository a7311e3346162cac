"""Train a job on a table: initial or inherited weights, packed training, out-of-fold scores."""

from __future__ import annotations

import time
import traceback
from typing import final

import numpy as np

from genokeras.encoders import TableEncoder, by_sample
from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import Father, Job, Outcome
from genokeras.engine.outcomes import inherit, scored_outcome
from genokeras.engine.problem import Problem
from genokeras.errors import TrainingError
from genokeras.graph import Weights, is_linear
from genokeras.networks import initial_weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.tasks.objectives import Objective
from genokeras.tasks.task import Task
from genokeras.training import PackedResult, PackedTask, PackedTrainer, TrainingSettings

_TYPICAL_UNITS = 64
_PACK_MULTIPLICATIONS = 250_000_000
_SMALLEST_PACK, _LARGEST_PACK = 4, 24


@final
class PackedRunner:
    """Runs jobs on one problem; an exception in a job is an outcome, not the end of the search.

    Parameters
    ----------
    problem : Problem
        Of a table.
    objective : Objective
        Trials are scored by its loss on their out-of-fold answers.
    settings : TrainingSettings
        Its loss is replaced by that of the task.
    """

    def __init__(self, problem: Problem, objective: Objective, settings: TrainingSettings) -> None:
        assert isinstance(problem.encoder, TableEncoder)
        self.problem = problem
        self.encoder: TableEncoder = problem.encoder
        self.objective = objective
        self.trainer = PackedTrainer(settings)

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        """Train all the trials of a job; one outcome each, in the order of its ids."""
        started = time.perf_counter()
        try:
            found = self._solved(job) or self._trained(job, deadline)
            seconds = (time.perf_counter() - started) / len(job.ids)
            return [self._outcome(job, number, *parts, seconds) for number, parts in enumerate(found)]
        except Exception:
            error = traceback.format_exc()
            seconds = (time.perf_counter() - started) / len(job.ids)
            return [
                Outcome(TrialResult.failure(trial_id, proposal, error, seconds))
                for trial_id, proposal in zip(job.ids, job.proposals, strict=True)
            ]

    # ---- linear models that are solved

    def _solved(self, job: Job) -> list[tuple[Weights, np.ndarray, np.ndarray, int]]:
        """Members, answers, curve and step of each trial, where the task solves linear models exactly; else nothing."""
        graph, task = job.proposals[0].graph, self.problem.task
        if job.father is not None or not is_linear(graph) or not task.solves_linear:
            return []
        return [self._solution(proposal) for proposal in job.proposals]

    def _solution(self, proposal: Proposal) -> tuple[Weights, np.ndarray, np.ndarray, int]:
        problem, task, graph = self.problem, self.problem.task, proposal.graph
        z = by_sample(problem.rows[proposal.hyper.view])
        ranks = self.encoder.ranks(proposal.hyper.view)
        kernels = np.zeros((problem.n_folds, z.shape[2], task.n_outputs), dtype="float32")
        biases = np.zeros((problem.n_folds, task.n_outputs), dtype="float32")
        outputs = []
        for fold, rank in enumerate(ranks):
            weight = problem.train[fold] * problem.sample_weight
            kernel, bias = task.solve_linear(
                z[fold, :, :rank], problem.targets, weight, proposal.hyper.weight_decay
            )
            kernels[fold, :rank], biases[fold] = kernel, bias
            outputs.append(z[fold, :, :rank] @ kernel + bias)
        answers = out_of_fold(task, np.stack(outputs), None, problem.held_out)
        losses = [
            [
                task.held_out_loss(
                    task.answers_of(found[rows]), problem.targets[rows], problem.sample_weight[rows]
                )
                for rows in (train, held)
            ]
            for found, train, held in zip(outputs, problem.train, problem.held_out, strict=True)
        ]
        curve = np.array([[1.0, *np.mean(losses, axis=0)]])
        return {graph.output: {"kernel": kernels, "bias": biases}}, answers, curve, 1

    # ---- before training

    def _trained(self, job: Job, deadline: Deadline) -> list[tuple[Weights, np.ndarray, np.ndarray, int]]:
        result = self.trainer.run(self._task(job), deadline.passed)
        return [self._parts(job, number, result) for number in range(len(job.ids))]

    def _task(self, job: Job) -> PackedTask:
        problem, proposals = self.problem, job.proposals
        folds, trials, first = problem.n_folds, len(job.proposals), job.proposals[0]
        names = [p.hyper.view for p in proposals]
        # Members of the same view and fold share their inputs, of which there may be gigabytes.
        views = {name: by_sample(problem.rows[name]) for name in names}
        first_input = np.repeat([folds * list(views).index(name) for name in names], folds)
        train = problem.train * problem.sample_weight
        held_out = problem.held_out * problem.sample_weight
        return PackedTask(
            graph=first.graph,
            activation=first.hyper.activation,
            inputs=np.concatenate(list(views.values())) if len(views) > 1 else views[names[0]],
            targets=problem.task.training_targets(problem.targets),
            train_weights=np.tile(train / train.sum(axis=1, keepdims=True), (trials, 1)),
            score_weights=np.tile(held_out / held_out.sum(), (trials, 1)),
            trial_of_member=np.repeat(np.arange(trials), folds),
            learning_rate=np.repeat([p.hyper.learning_rate for p in proposals], folds),
            weight_decay=np.repeat([p.hyper.weight_decay for p in proposals], folds),
            dropout=np.repeat([p.hyper.dropout for p in proposals], folds),
            input_rank=np.concatenate([self.encoder.ranks(name) for name in names]),
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

    def _parts(
        self, job: Job, number: int, result: PackedResult
    ) -> tuple[Weights, np.ndarray, np.ndarray, int]:
        problem = self.problem
        members = slice(number * problem.n_folds, (number + 1) * problem.n_folds)
        if not np.isfinite(result.best_loss[number]):
            raise TrainingError(
                f"the held-out loss of trial {job.ids[number]} was never finite in {result.steps} steps (learning rate "
                f"{job.proposals[number].hyper.learning_rate:g}); look for extreme values in the data."
            )
        answers = out_of_fold(problem.task, result.logits[members], result.rows[members], problem.held_out)
        curve = np.column_stack([result.curve_steps, result.curves[:, number]])
        weights = {
            layer: {k: v[members] for k, v in arrays.items()} for layer, arrays in result.weights.items()
        }
        return weights, answers, curve, int(result.best_step[number])

    def _outcome(
        self,
        job: Job,
        number: int,
        weights: Weights,
        answers: np.ndarray,
        curve: np.ndarray,
        step: int,
        seconds: float,
    ) -> Outcome:
        trial_id, proposal = job.ids[number], job.proposals[number]
        return scored_outcome(
            self.problem, self.objective, trial_id, proposal, weights, answers, curve, step, seconds
        )


def pack_size(problem: Problem) -> int:
    """Trials that train well in one run: as many as keep its matrix products within a few milliseconds a step."""
    multiplications = problem.n_samples * problem.n_folds * max(problem.widths.values()) * _TYPICAL_UNITS
    return int(np.clip(_PACK_MULTIPLICATIONS // multiplications, _SMALLEST_PACK, _LARGEST_PACK))


def out_of_fold(task: Task, outputs: np.ndarray, rows: np.ndarray | None, held_out: np.ndarray) -> np.ndarray:
    """Mean answers ``(n, k)`` float32 of every row over the folds that hold it out; NaN for no fold.

    Parameters
    ----------
    task : Task
    outputs : numpy.ndarray
        ``(folds, s, k)``.
    rows : numpy.ndarray or None
        ``(folds, s)`` the rows they are of: all that the fold holds out are among them, others may be. None is all, in order.
    held_out : numpy.ndarray
        ``(folds, n)`` bool.
    """
    total, times = np.zeros((held_out.shape[1], task.n_outputs)), held_out.sum(axis=0)[:, None]
    for fold, (of_fold, held) in enumerate(zip(outputs, held_out, strict=True)):
        numbers = np.arange(len(held)) if rows is None else rows[fold]
        wanted = held[numbers]
        # A row that comes twice is added once.
        total[numbers[wanted]] += task.answers_of(of_fold[wanted])
    return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0).astype("float32")


def _repeated(weights: Weights, times: int) -> Weights:
    return {
        layer: {name: np.tile(array, (times,) + (1,) * (array.ndim - 1)) for name, array in arrays.items()}
        for layer, arrays in weights.items()
    }

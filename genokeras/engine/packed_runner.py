"""Train a job on a table: initial or inherited weights, packed training, out-of-fold scores."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar, final

import numpy as np

from genokeras.encoders import TableEncoder, by_sample
from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import NO_TIME, Father, Job, Outcome
from genokeras.engine.outcomes import inherit, joined_weights, scored_outcome, shrunk_and_perturbed
from genokeras.engine.pace import SECONDS_TO_COMPILE, measured_slowness
from genokeras.engine.problem import Problem
from genokeras.errors import ParameterError
from genokeras.graph import Weights, is_linear
from genokeras.networks import Columns, ShapeClass, initial_weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.support.memory import failure_text, is_out_of_memory
from genokeras.tasks.objectives import Objective
from genokeras.tasks.task import Task
from genokeras.training import (
    MixedTask,
    PackedResult,
    PackedTask,
    PackedTrainer,
    TrainingSettings,
    TrialNetwork,
)

_T = TypeVar("_T")
# Kernel and bias of coordinates, targets, weights and a weight decay.
Solve = Callable[[np.ndarray, np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]
_NO_BETTER = 2


class Trained(NamedTuple):
    """A trained trial: weights, answers, curve and step as in `scored_outcome`."""

    weights: Weights
    answers: np.ndarray
    curve: np.ndarray
    step: int


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
        self.problem = problem
        self.objective = objective
        self.trainer = PackedTrainer(settings)
        self._most: dict[ShapeClass | None, int] = {}
        self._compiled: set[ShapeClass | None] = set()

    @property
    def seconds_to_begin(self) -> float:
        """What the slowest program so far took before it trained."""
        return self.trainer.seconds_to_begin

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        """Train all the trials of a job; one outcome each, in the order of its ids."""
        started = time.perf_counter()
        found = self._found_in_parts(job, deadline)
        seconds = (time.perf_counter() - started) / len(job.ids)
        return [
            self._outcome(trial_id, proposal, parts, seconds)
            for trial_id, proposal, parts in zip(job.ids, job.proposals, found, strict=True)
        ]

    def _found_in_parts(self, job: Job, deadline: Deadline, first: int = 0) -> list[Trained | str]:
        """What was trained, or the error, of each trial; where memory runs out, of half of them at a time, and then of each alone.

        Later jobs of their shapes are no larger than what fitted.
        """
        n, most = len(job.ids), self._most.get(job.shape)
        if most is None or n <= most:
            try:
                return list(self._found(job, deadline, first))
            except Exception as error:
                if n == 1 or not is_out_of_memory(error):
                    return [failure_text(error)] * n
            most = self._most[job.shape] = -(-n // 2) if most is None else 1
        found: list[Trained | str] = []
        while len(found) < n:
            part = range(len(found), min(n, len(found) + most))
            found += self._found_in_parts(job.part(part), deadline, first + part.start)
        return found

    def _found(self, job: Job, deadline: Deadline, first: int = 0) -> Sequence[Trained | str]:
        """What was trained, or the error, of each trial: one that fails must not spoil the others."""
        one = job.proposals[0]
        if job.shape is None and self.problem.solves(one.graph, one.hyper.view):
            return self._solved(job, deadline, self.problem.task.solve_linear)
        if self._in_haste(job, deadline):
            return self._fitted_in_haste(job, deadline)
        # Copies of one graph differ in their weights only if their seeds do.
        seeded = [
            replace(proposal, seed=proposal.seed + number) if job.shape is None else proposal
            for number, proposal in enumerate(job.proposals, start=first)
        ]
        starts = [_tried(self._start, *given) for given in zip(seeded, job.fathers, strict=True)]
        found: list[Trained | str] = [start if isinstance(start, str) else "" for start in starts]
        good = [number for number, start in enumerate(starts) if not isinstance(start, str)]
        if not good:
            return found
        part = Job(tuple(job.ids[n] for n in good), tuple(job.proposals[n] for n in good), shape=job.shape)
        weights = [start for start in starts if not isinstance(start, str)]
        task = self._task(part, weights) if job.shape is None else self._mixed_task(part, weights)
        result = self.trainer.run(task, deadline.passed)
        self._compiled.add(job.shape)
        for place, number in enumerate(good):
            found[number] = _tried(self._part, part, place, result)
        return found

    # ---- linear models that are solved

    def _in_haste(self, job: Job, deadline: Deadline) -> bool:
        """Whether the time is over before a first program would be compiled, and there are linear models, which can do without."""
        if self._compiled or not self.problem.task.has_linear_fit or math.isinf(deadline.at):
            return False
        linear = any(is_linear(proposal.graph) for proposal in job.proposals)
        return linear and deadline.left < SECONDS_TO_COMPILE * measured_slowness()

    def _fitted_in_haste(self, job: Job, deadline: Deadline) -> list[Trained | str]:
        """The linear models, fitted without a program, and nothing else."""
        task = self.problem.task

        def fit(z: np.ndarray, targets: np.ndarray, weight: np.ndarray, decay: float) -> Any:
            rows = weight > 0
            return task.fit_linear(z[rows], targets[rows], weight[rows], decay, 0.0, deadline.passed)[:2]

        return self._solved(job, deadline, fit, own=True)

    def _solved(self, job: Job, deadline: Deadline, solve: Solve, own: bool = False) -> list[Trained | str]:
        """The linear models, one by one: the first in any case, further ones as long as there is time; with their own decays, or the best."""
        found: list[Trained | str] = []
        for proposal in job.proposals:
            late = deadline.passed() and any(not isinstance(trained, str) for trained in found)
            fits = is_linear(proposal.graph) and not late
            decays = (
                (proposal.hyper.weight_decay,)
                if own or not fits
                else self.problem.solved_decays(proposal.hyper)
            )
            found.append(_tried(self._best_solution, proposal, solve, decays, deadline) if fits else NO_TIME)
        return found

    def _best_solution(
        self, proposal: Proposal, solve: Solve, decays: Sequence[float], deadline: Deadline
    ) -> Trained:
        """The solution whose loss is lowest on the rows held out, and a curve of those tried; weaker decays end behind two that are no better."""
        best, curve = None, np.empty((0, 3))
        for step, decay in enumerate(decays, start=1):
            weights, answers, losses = self._solution(proposal, solve, decay)
            curve = np.vstack([curve, [float(step), *losses]])
            if best is None or losses[1] < curve[best.step - 1, 2]:
                best = Trained(weights, answers, curve, step)
            if step - best.step == _NO_BETTER or deadline.passed():
                break
        assert best is not None
        return best._replace(curve=curve)

    def _solution(
        self, proposal: Proposal, solve: Solve, decay: float
    ) -> tuple[Weights, np.ndarray, np.ndarray]:
        """Weights, answers out of fold, and the mean losses of training and held-out rows."""
        problem, task = self._problem(proposal), self.problem.task
        z = _coordinates(problem, (proposal.hyper.view,))
        ranks = _ranks(problem, (proposal.hyper.view,))
        kernels = np.zeros((problem.n_folds, z.shape[2], task.n_outputs), dtype="float32")
        biases = np.zeros((problem.n_folds, task.n_outputs), dtype="float32")
        outputs = []
        for fold, rank in enumerate(ranks):
            weight = problem.train[fold] * problem.sample_weight
            kernel, bias = solve(z[fold, :, :rank], problem.targets, weight, decay)
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
        weights = {proposal.graph.output: {"kernel": kernels, "bias": biases}}
        return weights, answers, np.mean(losses, axis=0)

    # ---- before training

    def _problem(self, proposal: Proposal) -> Problem:
        """The problem in the split into folds that a proposal is trained on.

        Raises
        ------
        ParameterError
            If the data have no view that it reads, or no such split.
        """
        views, known = _views(proposal), self.problem.widths
        for view in views:
            if view not in known:
                raise ParameterError(
                    f"the data have no view {view!r}; there are {', '.join(map(repr, known))}."
                )
        return self.problem.of_split(proposal.split, views)

    def _columns(self, proposal: Proposal) -> Columns:
        """Which columns of its views, side by side, each Input of a proposal's graph reads."""
        columns, first, widths = {}, 0, self._problem(proposal).widths
        for id, view in proposal.graph.views(proposal.hyper.view).items():
            columns[id] = (first, widths[view])
            first += widths[view]
        return columns

    def _of_members(self, proposals: Sequence[Proposal], width: int | None = None) -> dict[str, Any]:
        """What a task knows of its members; inputs of other widths get zeros behind them."""
        problem = self.problem
        folds, trials = problem.n_folds, len(proposals)
        of_trials = [self._problem(proposal) for proposal in proposals]
        read = [(proposal.split, _views(proposal)) for proposal in proposals]
        # Members of the same split, views and fold share their inputs, of which there may be gigabytes.
        seen = dict(zip(read, of_trials, strict=True))
        inputs = {key: _widened(_coordinates(found, key[1]), width) for key, found in seen.items()}
        first_input = np.repeat([folds * list(inputs).index(key) for key in read], folds)
        train = [found.train * found.sample_weight for found in of_trials]
        held_out = [found.held_out * found.sample_weight for found in of_trials]
        ranks = [_ranks(found, names) for found, (_, names) in zip(of_trials, read, strict=True)]
        rates = {
            name: np.repeat([getattr(p.hyper, name) for p in proposals], folds)
            for name in ("learning_rate", "weight_decay", "dropout")
        }
        return {
            "inputs": np.concatenate(list(inputs.values())) if len(inputs) > 1 else inputs[read[0]],
            "targets": problem.task.training_targets(problem.targets),
            "train_weights": np.concatenate([rows / rows.sum(axis=1, keepdims=True) for rows in train]),
            "score_weights": np.concatenate([rows / rows.sum() for rows in held_out]),
            "trial_of_member": np.repeat(np.arange(trials), folds),
            "input_rank": np.concatenate(ranks),
            "input_of_member": first_input + np.tile(np.arange(folds), trials),
            **rates,
        }

    def _task(self, job: Job, starts: Sequence[Weights]) -> PackedTask:
        first = job.proposals[0]
        return PackedTask(
            graph=first.graph,
            activation=first.hyper.activation,
            weights=joined_weights(starts),
            columns=self._columns(first) if len(first.graph.inputs) > 1 else None,
            seed=first.seed,
            **self._of_members(job.proposals),
        )

    def _mixed_task(self, job: Job, starts: Sequence[Weights]) -> MixedTask:
        assert job.shape is not None
        networks = tuple(
            TrialNetwork(p.graph, p.hyper.activation, weights, self._columns(p), p.seed)
            for p, weights in zip(job.proposals, starts, strict=True)
        )
        return MixedTask(
            shape=job.shape,
            networks=networks,
            # The same mini-batches for all trials of a run, whatever they are trained beside.
            seed=0,
            **self._of_members(job.proposals, job.shape.input_units),
        )

    def _start(self, proposal: Proposal, father: Father | None) -> Weights:
        """Members to start from: fold k of the father begets fold k, so no held-out row is ever seen."""
        rng = np.random.default_rng(proposal.seed)
        units = {id: n for id, (_, n) in self._columns(proposal).items()}
        fresh = initial_weights(proposal.graph, units, self.problem.n_folds, rng)
        if father is None:
            return fresh
        return shrunk_and_perturbed(inherit(proposal, father, rng, self.problem.widths), fresh)

    # ---- after training

    def _part(self, job: Job, number: int, result: PackedResult) -> Trained | str:
        problem = self._problem(job.proposals[number])
        members = slice(number * problem.n_folds, (number + 1) * problem.n_folds)
        if not np.isfinite(result.best_loss[number]):
            return (
                f"the held-out loss of trial {job.ids[number]} was never finite in {result.steps} steps (learning rate "
                f"{job.proposals[number].hyper.learning_rate:g}): it is too high, or there are extreme values in the data."
            )
        answers = out_of_fold(problem.task, result.logits[members], result.rows[members], problem.held_out)
        curve = np.column_stack([result.curve_steps, result.curves[:, number]])
        # A trial that settled before others of its pack has nothing behind.
        curve = curve[: int(result.n_scorings[number])]
        return Trained(result.networks[number], answers, curve, int(result.best_step[number]))

    def _outcome(self, trial_id: int, proposal: Proposal, found: Trained | str, seconds: float) -> Outcome:
        if isinstance(found, str):
            return Outcome(TrialResult.failure(trial_id, proposal, found, seconds))
        outcome = _tried(
            scored_outcome,
            self._problem(proposal),
            self.objective,
            trial_id,
            proposal,
            found.weights,
            found.answers,
            found.curve,
            found.step,
            seconds,
        )
        return self._outcome(trial_id, proposal, outcome, seconds) if isinstance(outcome, str) else outcome


def _tried(function: Callable[..., _T], *arguments: Any) -> _T | str:
    """What a function returns, or its error as text."""
    try:
        return function(*arguments)
    except Exception as error:
        return failure_text(error)


def _views(proposal: Proposal) -> tuple[str, ...]:
    """Views that a proposal's network reads, the main one first."""
    return tuple(proposal.graph.views(proposal.hyper.view).values())


def _coordinates(problem: Problem, views: tuple[str, ...]) -> np.ndarray:
    """``(n_folds, n_samples, width)`` of these views, side by side."""
    parts = [by_sample(problem.rows[view]) for view in views]
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)


def _ranks(problem: Problem, views: tuple[str, ...]) -> np.ndarray:
    """``(n_folds,)`` coordinates of these views in each fold, without the zeros behind them."""
    assert isinstance(problem.encoder, TableEncoder)
    return np.sum([problem.encoder.ranks(view) for view in views], axis=0)


def _widened(z: np.ndarray, width: int | None) -> np.ndarray:
    missing = 0 if width is None else width - z.shape[2]
    return np.pad(z, ((0, 0), (0, 0), (0, missing))) if missing else z


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

"""Train a job by mini-batches, fold by fold: linear models by scikit-learn, all other networks by Keras."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, final

import numpy as np

from genokeras.encoders import TENSOR, Counts, NetworkEncoder
from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import Begun, Father, Job, Outcome
from genokeras.engine.outcomes import inherit, joined_weights, scored_outcome
from genokeras.engine.problem import Problem
from genokeras.errors import TrainingError
from genokeras.graph import Weights
from genokeras.networks import start_weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.support.memory import failure_text, is_out_of_memory
from genokeras.tasks.objectives import Objective
from genokeras.training.allotment import Allotment, Plan
from genokeras.training.members import NetworkSettings, Scoring, mean_answers, train_member
from genokeras.training.samples import Samples
from genokeras.training.trainee import Trainee

_KEPT_COMPILED = 4
# The last scoring of a network comes behind its last step.
_SCORING_SHARE = 0.95


@dataclass(frozen=True)
class _Found:
    """A trial's fold members and their answers to the rows that each holds out; as `Outcome` and `TrialResult` have the rest."""

    weights: Weights
    answers: list[np.ndarray]
    curve: np.ndarray
    step: int
    planned: int = 0

    @property
    def folds(self) -> int:
        return len(self.answers)


@final
class NetworkRunner:
    """Runs jobs on one problem; an exception in a job is an outcome, not the end of the search.

    Parameters
    ----------
    problem : Problem
    objective : Objective
        Trials are scored by its loss on their out-of-fold probabilities.
    allotment : Allotment
        How long a trial may train.
    settings : NetworkSettings
    """

    def __init__(
        self,
        problem: Problem,
        objective: Objective,
        allotment: Allotment,
        settings: NetworkSettings,
    ) -> None:
        assert isinstance(problem.encoder, NetworkEncoder)
        self.problem = problem
        self.objective = objective
        self.allotment = allotment
        self.settings = settings
        # Seconds that linear models took.
        self._on_linear = 0.0
        self._compiled: OrderedDict[Any, Trainee] = OrderedDict()
        self.encoder: NetworkEncoder = problem.encoder
        self._samples = Samples(
            problem.task, problem.encoder, problem.rows, problem.targets, problem.sample_weight
        )

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        """Train the trials of a job one after the other; one outcome each, in the order of its ids."""
        outcomes = []
        for position, (trial_id, proposal) in enumerate(zip(job.ids, job.proposals, strict=True)):
            started = time.perf_counter()
            try:
                if proposal.hyper.view != TENSOR:
                    found = self._linear(proposal, deadline)
                else:
                    start = self._start(proposal, job.fathers[position])
                    begun = job.begun[position]
                    make = self._network if begun is None else partial(self._completed, begun)
                    found = make(proposal, start, deadline)
                outcomes.append(self._outcome(trial_id, proposal, found, job.begun[position], started))
            except Exception as raised:
                error, seconds = failure_text(raised), time.perf_counter() - started
                if is_out_of_memory(raised):
                    # What earlier networks hold may be what the next one lacks.
                    self._compiled.clear()
                outcomes.append(Outcome(TrialResult.failure(trial_id, proposal, error, seconds)))
        return outcomes

    def _outcome(
        self, trial_id: int, proposal: Proposal, found: _Found, begun: Begun | None, started: float
    ) -> Outcome:
        """The outcome of what was trained, scored on the rows of the folds that there are."""
        n = found.folds
        problem = replace(self.problem, held_out=self.problem.held_out[:n], train=self.problem.train[:n])
        seconds = time.perf_counter() - started + (0.0 if begun is None else begun.result.seconds)
        own = replace(proposal, folds=n % self.problem.n_folds, completes=None)
        answers = self._out_of_fold(found.answers)
        outcome = scored_outcome(
            problem, self.objective, trial_id, own, found.weights, answers, found.curve, found.step, seconds
        )
        losses = tuple(self._loss(outcome.answers, held) for held in problem.held_out)
        missing = self.problem.n_folds - n
        result = replace(outcome.result, folds=losses, missing=missing, planned=found.planned)
        return replace(outcome, result=result)

    def _loss(self, answers: np.ndarray, held: np.ndarray) -> float:
        """NaN where the objective is not defined on the rows of a fold."""
        problem = self.problem
        try:
            return self.objective.loss(answers[held], problem.targets[held], problem.sample_weight[held])
        except Exception:
            # It may be a function that somebody wrote for all rows.
            return math.nan

    @cached_property
    def _compares(self) -> bool:
        """Whether the objective says something of the first fold alone: it may lack a class."""
        problem = self.problem
        outputs = np.random.default_rng(0).normal(size=(problem.n_samples, problem.task.n_outputs))
        return math.isfinite(self._loss(problem.task.answers_of(outputs), problem.held_out[0]))

    # ---- convolutional networks

    def _start(self, proposal: Proposal, father: Father | None) -> Weights:
        """Weights to start from: fold k of the father begets fold k, so no held-out row is ever seen."""
        rng = np.random.default_rng(proposal.seed)
        if father is None:
            return start_weights(proposal.graph, rng, self.problem.n_folds)
        return inherit(proposal, father, rng)

    def _network(self, proposal: Proposal, start: Weights, deadline: Deadline) -> _Found:
        """Train the folds that a proposal asks for."""
        folds = (self._compares and proposal.folds) or self.problem.n_folds
        plan = self.allotment.plan(proposal.rung, grown=bool(proposal.morphisms))
        scorings = []
        for fold in range(folds):
            seconds = partial(_seconds_each, deadline, folds - fold)
            scorings.append(self._member(proposal, start, fold, plan, seconds, deadline, keep_all=folds > 1))
        return self._kept(scorings)

    def _completed(self, begun: Begun, proposal: Proposal, start: Weights, deadline: Deadline) -> _Found:
        """Train the folds that a trial lacks as its first ones were trained, up to the step that was kept there."""
        problem, before = self.problem, begun.result
        plan = Plan(max(before.planned, before.step, 1), None)
        weights, answers = [begun.weights], []
        for fold in range(problem.n_folds):
            if fold < begun.folds:
                answers.append(self._answers(proposal, begun.weights, fold))
                continue
            seconds = partial(_seconds_each, deadline, problem.n_folds - fold)
            last = self._member(proposal, start, fold, plan, seconds, deadline, until=before.step)[-1]
            answers.append(last.answers)
            weights.append(last.weights)
        return _Found(joined_weights(weights), answers, begun.curve, before.step, before.planned)

    def _answers(self, proposal: Proposal, weights: Weights, fold: int) -> np.ndarray:
        """What a trained fold answers to the rows that it holds out."""
        trainee, held = self._trainee(proposal), self._samples.take(self.problem.held_out[fold])
        trainee.restart(weights, fold, proposal.seed)
        return mean_answers(trainee, held.task, held.encoder, held.rows)

    def _member(
        self,
        proposal: Proposal,
        start: Weights,
        fold: int,
        plan: Plan,
        remaining: Callable[[], float],
        deadline: Deadline,
        keep_all: bool = True,
        until: int | None = None,
    ) -> list[Scoring]:
        trainee, seed = self._trainee(proposal), proposal.seed + fold
        trainee.restart(start, fold, seed)
        found = train_member(
            trainee,
            self._training_rows(fold),
            self._samples.take(self.problem.held_out[fold]),
            plan=plan,
            rate=proposal.hyper.learning_rate,
            seed=seed,
            settings=self.settings,
            remaining=remaining,
            should_stop=deadline.passed,
            keep_all=keep_all,
            until=until,
        )
        if not found:
            raise TrainingError(
                f"the held-out loss of fold {fold + 1} was never finite (learning rate "
                f"{proposal.hyper.learning_rate:g}), or time ran out before it was known."
            )
        return found

    def _training_rows(self, fold: int) -> Samples:
        """Those of a fold, moved at random in training only where its own training rows allow it."""
        moved = self.problem.moved is None or bool(self.problem.moved[fold])
        rows = self._samples.take(self.problem.train[fold])
        return rows if moved else replace(rows, encoder=self.encoder.still())

    def _trainee(self, proposal: Proposal) -> Trainee:
        hyper = proposal.hyper
        key = (proposal.graph, hyper.activation)
        trainee = self._compiled.pop(key, None)
        if trainee is None:
            loss = self.problem.task.training_loss(self.settings.label_smoothing)
            trainee = Trainee(proposal.graph, hyper, loss)
        trainee.use(hyper)
        self._compiled[key] = trainee
        while len(self._compiled) > _KEPT_COMPILED:
            self._compiled.popitem(last=False)
        return trainee

    def _kept(self, scorings: list[list[Scoring]]) -> _Found:
        """The weights at the scoring that is best on the mean over the folds, and the curve up to where all folds went.

        A fold that chose its own step on the rows it is scored on would flatter itself.
        """
        held_out = self.problem.held_out[: len(scorings)] * self.problem.sample_weight
        share = held_out.sum(axis=1) / held_out.sum()
        common = min(len(found) for found in scorings)
        curve = np.array(
            [
                [
                    np.mean([found[i].step for found in scorings]),
                    np.dot(share, [found[i].loss for found in scorings]),
                    np.dot(share, [found[i].held_out_loss for found in scorings]),
                ]
                for i in range(common)
            ]
        )
        best = int(curve[:, 2].argmin())
        chosen = [found[best] for found in scorings]
        weights = joined_weights([scoring.weights for scoring in chosen])
        answers = [scoring.answers for scoring in chosen]
        last = scorings[0][common - 1]
        planned = math.ceil(last.step / last.used)
        return _Found(weights, answers, curve, int(curve[best, 0]), planned)

    # ---- the linear father

    @cached_property
    def _counts(self) -> Counts:
        return self.encoder.counts(self.problem.rows)

    def _linear(self, proposal: Proposal, deadline: Deadline) -> _Found:
        problem, began = self.problem, time.perf_counter()
        view = self.encoder.linear_views[proposal.hyper.view]
        counts = self._counts
        spent = self._on_linear + time.perf_counter() - began
        kernels, biases, answers, losses, steps = [], [], [], [], 0
        # The first of many must leave some time for the others.
        seconds = (self.allotment.linear_seconds - spent) / (2 * problem.n_folds)
        for train, held in zip(problem.train, problem.held_out, strict=True):
            weight, end = problem.sample_weight, time.perf_counter() + seconds
            kernel, bias, steps = problem.task.fit_view(
                view,
                counts[train],
                problem.targets[train],
                weight[train],
                proposal.hyper.weight_decay,
                partial(_is_over, deadline, end),
            )
            found = problem.task.answers_of(np.asarray(counts @ kernel) + bias)
            own = problem.task.row_losses(found, problem.targets)
            losses.append([np.average(own[rows], weights=weight[rows]) for rows in (train, held)])
            kernels.append(kernel)
            biases.append(bias)
            answers.append(found[held])
        layer = proposal.graph.output
        weights: Weights = {layer: {"kernel": np.stack(kernels), "bias": np.stack(biases)}}
        curve = np.array([[steps, *np.mean(losses, axis=0)]])
        self._on_linear += time.perf_counter() - began
        return _Found(weights, answers, curve, steps)

    # ---- after training

    def _out_of_fold(self, answers: list[np.ndarray]) -> np.ndarray:
        """Mean answers ``(n, n_outputs)`` over the folds that hold a row out; NaN for no fold."""
        held_out = self.problem.held_out[: len(answers)]
        total = np.zeros((held_out.shape[1], self.problem.task.n_outputs))
        for found, held in zip(answers, held_out, strict=True):
            total[held] += found
        times = held_out.sum(axis=0)[:, None]
        return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0).astype("float32")


def _seconds_each(deadline: Deadline, members: int) -> float:
    return _SCORING_SHARE * deadline.left / members


def _is_over(deadline: Deadline, end: float) -> bool:
    return deadline.passed() or time.perf_counter() > end

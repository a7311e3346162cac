"""Train a job on sequences, images or texts: fold by fold, the linear father by scikit-learn, all others by Keras."""

from __future__ import annotations

import math
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, final

import numpy as np

from genokeras.encoders.encoder import TENSOR, Counts
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.network_problem import SpatialProblem
from genokeras.engine.packed_runner import inherit
from genokeras.errors import TrainingError
from genokeras.graph import Weights
from genokeras.networks import start_weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.tasks.objectives import Objective
from genokeras.training.allotment import Allotment
from genokeras.training.members import NetworkSettings, Samples, Scoring, Trainee, train_member

_KEPT_COMPILED = 4


@final
class NetworkRunner:
    """Runs jobs on one problem; an exception in a job is an outcome, not the end of the search.

    Parameters
    ----------
    problem : SpatialProblem
    objective : Objective
        Trials are scored by its loss on their out-of-fold probabilities.
    allotment : Allotment
        How long a trial may train.
    settings : NetworkSettings
    remaining : callable
        Seconds that the search still has.
    """

    def __init__(
        self,
        problem: SpatialProblem,
        objective: Objective,
        allotment: Allotment,
        settings: NetworkSettings,
        remaining: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.problem = problem
        self.objective = objective
        self.allotment = allotment
        self.settings = settings
        self._remaining = remaining
        self._compiled: OrderedDict[Any, Trainee] = OrderedDict()
        self._samples = Samples(
            problem.task, problem.encoder, problem.rows, problem.codes, problem.sample_weight
        )

    def run(self, job: Job, should_stop: Callable[[], bool] = lambda: False) -> list[Outcome]:
        """Train the trials of a job one after the other; one outcome each, in the order of its ids."""
        outcomes = []
        for trial_id, proposal in zip(job.ids, job.proposals, strict=True):
            started = time.perf_counter()
            try:
                if proposal.hyper.view != TENSOR:
                    found = self._linear(proposal, should_stop)
                else:
                    found = self._network(proposal, self._start(proposal, job), should_stop)
                seconds = time.perf_counter() - started
                outcomes.append(self._outcome(trial_id, proposal, *found, seconds))
            except Exception:
                error, seconds = traceback.format_exc(), time.perf_counter() - started
                outcomes.append(Outcome(TrialResult.failure(trial_id, proposal, error, seconds)))
        return outcomes

    # ---- convolutional networks

    def _start(self, proposal: Proposal, job: Job) -> Weights:
        """Weights to start from: fold k of the father begets fold k, so no held-out row is ever seen."""
        rng = np.random.default_rng(proposal.seed)
        if job.father is None:
            return start_weights(proposal.graph, rng, self.problem.n_folds)
        return inherit(proposal, job.father, rng)

    def _network(
        self, proposal: Proposal, start: Weights, should_stop: Callable[[], bool]
    ) -> tuple[Weights, np.ndarray, np.ndarray, int]:
        problem, folds = self.problem, self.problem.n_folds
        plan = self.allotment.plan(proposal.rung, grown=bool(proposal.morphisms))
        trainee = self._trainee(proposal)
        scorings: list[list[Scoring]] = []
        for fold in range(folds):
            trainee.restart(start, fold, proposal.seed + fold)
            found = train_member(
                trainee,
                self._samples.take(problem.train[fold]),
                self._samples.take(problem.held_out[fold]),
                plan=plan,
                rate=proposal.hyper.learning_rate,
                seed=proposal.seed + fold,
                settings=self.settings,
                remaining=partial(self._remaining_each, folds - fold),
                should_stop=should_stop,
                keep_all=folds > 1,
            )
            if not found:
                raise TrainingError(
                    f"the held-out loss of fold {fold + 1} was never finite (learning rate "
                    f"{proposal.hyper.learning_rate:g}), or time ran out before it was known."
                )
            scorings.append(found)
        return self._kept(scorings)

    def _remaining_each(self, members: int) -> float:
        return self._remaining() / members

    def _trainee(self, proposal: Proposal) -> Trainee:
        hyper = proposal.hyper
        key = (proposal.graph, hyper.activation, hyper.dropout, hyper.weight_decay)
        trainee = self._compiled.pop(key, None)
        if trainee is None:
            loss = self.problem.task.training_loss(self.settings.label_smoothing)
            trainee = Trainee(proposal.graph, hyper, loss)
        self._compiled[key] = trainee
        while len(self._compiled) > _KEPT_COMPILED:
            self._compiled.popitem(last=False)
        return trainee

    def _kept(self, scorings: list[list[Scoring]]) -> tuple[Weights, np.ndarray, np.ndarray, int]:
        """The weights at the scoring that is best on the mean over the folds, and the curve up to where all folds went.

        A fold that chose its own step on the rows it is scored on would flatter itself.
        """
        held_out = self.problem.held_out * self.problem.sample_weight
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
        weights = {
            layer: {name: np.concatenate([s.weights[layer][name] for s in chosen]) for name in arrays}
            for layer, arrays in chosen[0].weights.items()
        }
        answers = [scoring.answers for scoring in chosen]
        return weights, self._out_of_fold(answers), curve, int(curve[best, 0])

    # ---- the linear father

    @cached_property
    def _counts(self) -> Counts:
        return self.problem.encoder.counts(self.problem.rows)

    def _linear(
        self, proposal: Proposal, should_stop: Callable[[], bool]
    ) -> tuple[Weights, np.ndarray, np.ndarray, int]:
        problem = self.problem
        view = problem.encoder.linear_views[proposal.hyper.view]
        counts = self._counts
        kernels, biases, answers, losses, steps = [], [], [], [], 0
        seconds = self.allotment.plan(0).seconds or math.inf
        for train, held in zip(problem.train, problem.held_out, strict=True):
            weight, end = problem.sample_weight, time.perf_counter() + seconds
            kernel, bias, steps = problem.task.fit_view(
                view,
                counts[train],
                problem.codes[train],
                weight[train],
                proposal.hyper.weight_decay,
                partial(_is_over, should_stop, end),
            )
            found = problem.task.answers_of(np.asarray(counts @ kernel) + bias)
            own = problem.task.row_losses(found, problem.codes)
            losses.append([np.average(own[rows], weights=weight[rows]) for rows in (train, held)])
            kernels.append(kernel)
            biases.append(bias)
            answers.append(found[held])
        layer = proposal.graph.output
        weights: Weights = {layer: {"kernel": np.stack(kernels), "bias": np.stack(biases)}}
        curve = np.array([[steps, *np.mean(losses, axis=0)]])
        return weights, self._out_of_fold(answers), curve, steps

    # ---- after training

    def _out_of_fold(self, answers: list[np.ndarray]) -> np.ndarray:
        """Mean answers ``(n, n_outputs)`` over the folds that hold a row out; NaN for no fold."""
        held_out = self.problem.held_out
        total = np.zeros((held_out.shape[1], self.problem.task.n_outputs))
        for found, held in zip(answers, held_out, strict=True):
            total[held] += found
        times = held_out.sum(axis=0)[:, None]
        return np.divide(total, times, out=np.full_like(total, np.nan), where=times > 0).astype("float32")

    def _outcome(
        self,
        trial_id: int,
        proposal: Proposal,
        weights: Weights,
        probabilities: np.ndarray,
        curve: np.ndarray,
        step: int,
        seconds: float,
    ) -> Outcome:
        problem = self.problem
        scored = problem.scored
        score_of = (probabilities[scored], problem.codes[scored], problem.sample_weight[scored])
        trial = TrialResult(
            id=trial_id,
            proposal=proposal,
            status="ok",
            score=self.objective.loss(*score_of),
            score_se=self.objective.standard_error(*score_of),
            step=step,
            seconds=seconds,
            n_parameters=proposal.graph.n_parameters(problem.input_units(proposal.hyper.view)),
        )
        return Outcome(trial, weights, probabilities, curve.astype("float32"))


def _is_over(should_stop: Callable[[], bool], end: float) -> bool:
    return should_stop() or time.perf_counter() > end

"""A contract for executors: subclass it in pytest, give it an executor, and it tests what the loop relies on."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import ClassVar, final

import numpy as np

from genokeras.encoders import fit_table_encoder
from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Executor, Recipe
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.packed_runner import PackedRunner
from genokeras.engine.packing import GraphPacker
from genokeras.engine.problem import Problem
from genokeras.features import DEFAULT_VIEWS, Matrix
from genokeras.graph import HyperParameters, get_father
from genokeras.searchers import Proposal
from genokeras.tasks.classes import Classes
from genokeras.tasks.task import Task
from genokeras.training import TrainingSettings

# Seconds that a job may take until it comes back, the start of workers included.
_PATIENCE = 300.0


def small_problem(n: int = 24, p: int = 40) -> Problem:
    """Two classes that three genes tell apart, in three folds."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 2
    x = rng.standard_normal((n, p)).astype("float32")
    x[codes == 1, :3] += 3
    fold = np.arange(n) // 2 % 3
    held_out = np.stack([fold == f for f in range(3)])
    return table_problem(x, codes, Classes(2), ~held_out, held_out, DEFAULT_VIEWS[:1])


def table_problem(
    x: Matrix,
    targets: np.ndarray,
    task: Task,
    train: np.ndarray,
    held_out: np.ndarray,
    views: tuple[str, ...],
    sample_weight: np.ndarray | None = None,
    medians: np.ndarray | None = None,
) -> Problem:
    """The problem of a table whose features have no names.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    targets : numpy.ndarray
    task : Task
    train, held_out : numpy.ndarray
        ``(n_folds, n_samples)`` bool.
    views : tuple of str
    sample_weight, medians : numpy.ndarray, optional
    """
    names = tuple(f"feature_{i}" for i in range(x.shape[1]))
    encoder, rows = fit_table_encoder(x, targets, train, views, task.screening, names, medians)
    weight = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, dtype="float64")
    return Problem(targets, held_out, weight, encoder, rows, task, train)


def small_runner(problem: Problem | None = None) -> PackedRunner:
    """A runner whose trials take ten steps."""
    chosen = problem or small_problem()
    return PackedRunner(chosen, chosen.task.objective(), TrainingSettings(max_steps=10, loss=chosen.task))


def linear_job(first_id: int, *decays: float, view: str = "all") -> Job:
    """A job of the linear father with these weight decays."""
    graph = get_father("linear", 2)
    proposals = [
        Proposal(graph, HyperParameters(weight_decay=decay, view=view), origin="test") for decay in decays
    ]
    return GraphPacker(len(decays)).jobs(proposals, first_id)[0]


@final
class ContractRunner:
    """``small_runner()``, but it raises at jobs with this note, as no runner should."""

    RAISES = "raise"

    def __init__(self) -> None:
        self._runner = small_runner()

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        """Train a job."""
        if job.note == self.RAISES:
            raise ValueError(f"this runner raises at job {job.ids[0]}")
        return self._runner.run(job, deadline)


class ExecutorContract(ABC):
    """What every executor has to do; all tests share one, whose workers may take long to start.

    from genokeras.engine.testing import ExecutorContract

    class TestMyExecutor(ExecutorContract):
        def make_executor(self, recipe):
            return MyExecutor(recipe)
    """

    _shared: ClassVar[Executor | None] = None

    @abstractmethod
    def make_executor(self, recipe: Recipe) -> Executor:
        """A fresh executor; the recipe, which can be pickled, makes a `ContractRunner`."""

    @property
    def executor(self) -> Executor:
        """The executor that is tested."""
        cls = type(self)
        if cls._shared is None:
            cls._shared = self.make_executor(ContractRunner)
        return cls._shared

    @classmethod
    def teardown_class(cls) -> None:
        if cls._shared is not None:
            cls._shared.submit(linear_job(0, 0.1), Deadline())
            cls._shared.close()
            assert cls._shared.collect(timeout=0.0) == [], "what is closed gives nothing back"
            cls._shared.close()
            cls._shared = None

    def outcomes(self, *jobs: Job, deadline: Deadline | None = None) -> list[Outcome]:
        """All outcomes of some jobs, as they come."""
        for job in jobs:
            self.executor.submit(job, deadline or Deadline())
        trials, found = sum(len(job.ids) for job in jobs), list[Outcome]()
        until = time.monotonic() + _PATIENCE
        while len(found) < trials and time.monotonic() < until:
            found += self.executor.collect(timeout=1.0)
        assert len(found) == trials, f"{len(found)} of {trials} outcomes came back"
        return found

    def test_every_trial_of_a_job_comes_back_once(self) -> None:
        outcomes = self.outcomes(linear_job(0, 0.1, 0.3), linear_job(2, 1.0))
        assert sorted(outcome.result.id for outcome in outcomes) == [0, 1, 2]
        assert all(outcome.result.status == "ok" for outcome in outcomes)

    def test_it_takes_more_jobs_than_it_has_slots(self) -> None:
        n = 2 * self.executor.slots + 1
        outcomes = self.outcomes(*(linear_job(number, 0.1) for number in range(n)))
        assert sorted(outcome.result.id for outcome in outcomes) == list(range(n))

    def test_a_job_that_cannot_be_trained_comes_back_as_failed_trials(self) -> None:
        (outcome,) = self.outcomes(linear_job(0, 0.1, view="nowhere"))
        assert outcome.result.status == "failed"
        assert "nowhere" in (outcome.result.error or "")

    def test_a_runner_that_raises_fails_its_trials_and_no_others(self) -> None:
        raising = replace(linear_job(0, 0.1, 0.2), note=ContractRunner.RAISES)
        outcomes = self.outcomes(raising, linear_job(2, 0.1))
        status = {outcome.result.id: outcome.result.status for outcome in outcomes}
        assert status == {0: "failed", 1: "failed", 2: "ok"}
        errors = [outcome.result.error or "" for outcome in outcomes if outcome.result.status == "failed"]
        assert all("Traceback" in text and "this runner raises at job 0" in text for text in errors)

    def test_a_job_past_its_deadline_comes_back_too(self) -> None:
        (outcome,) = self.outcomes(linear_job(0, 0.1), deadline=Deadline.after(-1.0))
        assert outcome.result.id == 0

    def test_nothing_to_do_gives_nothing_at_once(self) -> None:
        assert self.executor.collect(timeout=0.0) == []

    def test_there_is_at_least_one_slot(self) -> None:
        assert self.executor.slots >= 1

    def test_the_same_job_gives_the_same_outcome(self) -> None:
        first, second = self.outcomes(linear_job(0, 0.1), linear_job(1, 0.1))
        np.testing.assert_array_equal(first.answers, second.answers)
        assert first.result.score == second.result.score

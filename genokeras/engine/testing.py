"""A contract for executors: subclass it in pytest, give it an executor, and it tests what the loop relies on."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from genokeras.encoders import fit_table_encoder
from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Executor
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


class ExecutorContract(ABC):
    """What every executor has to do."""

    @abstractmethod
    def make_executor(self) -> Executor:
        """A fresh executor around ``small_runner()``."""

    def collect_all(self, executor: Executor, trials: int) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for _ in range(1000):
            outcomes += executor.collect(timeout=1.0)
            if len(outcomes) >= trials:
                return outcomes
        raise AssertionError(f"{len(outcomes)} of {trials} outcomes came back")

    def test_every_trial_of_a_job_comes_back_once(self) -> None:
        executor = self.make_executor()
        executor.submit(linear_job(0, 0.1, 0.3), Deadline())
        executor.submit(linear_job(2, 1.0), Deadline())
        outcomes = self.collect_all(executor, 3)
        executor.close()
        assert sorted(outcome.result.id for outcome in outcomes) == [0, 1, 2]
        assert all(outcome.result.status == "ok" for outcome in outcomes)

    def test_a_job_that_cannot_be_trained_comes_back_as_failed_trials(self) -> None:
        executor = self.make_executor()
        executor.submit(linear_job(0, 0.1, view="nowhere"), Deadline())
        outcome = self.collect_all(executor, 1)[0]
        executor.close()
        assert outcome.result.status == "failed"
        assert "nowhere" in (outcome.result.error or "")

    def test_nothing_to_do_gives_nothing_at_once(self) -> None:
        executor = self.make_executor()
        assert executor.collect(timeout=0.0) == []
        executor.close()

    def test_there_is_at_least_one_slot(self) -> None:
        executor = self.make_executor()
        assert executor.slots >= 1
        executor.close()

    def test_the_same_job_gives_the_same_outcome(self) -> None:
        executor = self.make_executor()
        executor.submit(linear_job(0, 0.1), Deadline())
        executor.submit(linear_job(1, 0.1), Deadline())
        first, second = self.collect_all(executor, 2)
        executor.close()
        np.testing.assert_array_equal(first.answers, second.answers)

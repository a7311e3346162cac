"""Where jobs are trained: the seam, and the executor that trains them in this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import Protocol, final

from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import Job, Outcome
from genokeras.searchers import TrialResult
from genokeras.support.memory import failure_text


class Runner(Protocol):
    """Trains a job: `PackedRunner` on tables, `NetworkRunner` on everything else."""

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        """One outcome for each trial, in the order of its ids; what goes wrong is an outcome too."""


def failed(job: Job, error: str, seconds: float = 0.0) -> list[Outcome]:
    """The outcomes of a job that could not be trained."""
    each = seconds / len(job.ids)
    return [
        Outcome(TrialResult.failure(trial, proposal, error, each))
        for trial, proposal in zip(job.ids, job.proposals, strict=True)
    ]


def outcomes_of(runner: Runner, job: Job, deadline: Deadline) -> list[Outcome]:
    """What a runner makes of a job; whatever it raises is an outcome."""
    try:
        return runner.run(job, deadline)
    except Exception as error:
        return failed(job, failure_text(error))


class Recipe(Protocol):
    """Makes a runner; called once in every process that trains."""

    def __call__(self) -> Runner:
        """The runner."""


class Executor(ABC):
    """Takes jobs, gives outcomes back. `genokeras.engine.testing.ExecutorContract` tests an implementation.

    Its constructor gets a `Recipe`, which it calls wherever it trains, and ``executor_args``.

    Examples
    --------
    >>> class MyExecutor(gk.Executor): ...  # doctest: +SKIP
    >>> gk.GenomeClassifier(executor=MyExecutor, executor_args={"queue": "long"})  # doctest: +SKIP
    """

    @property
    @abstractmethod
    def slots(self) -> int:
        """Jobs that can run at the same time; the loop keeps that many submitted."""

    @property
    def seconds_to_begin(self) -> float:
        """What the slowest program so far took before it trained, as far as that was measured; else 0."""
        return 0.0

    @abstractmethod
    def submit(self, job: Job, deadline: Deadline) -> None:
        """Take a job; returns at once or after training it, as the executor pleases."""

    @abstractmethod
    def collect(self, timeout: float | None = None) -> list[Outcome]:
        """Outcomes that are ready, after waiting for one at most ``timeout`` seconds; empty where none is.

        A job that could not be trained comes back as failed trials, never as an exception.
        """

    @abstractmethod
    def close(self) -> None:
        """Give up what still runs and free the resources."""


@final
@dataclass(frozen=True)
class LocalSettings:
    """There is nothing to set."""


@final
class LocalExecutor(Executor):
    """Trains one job after the other, in this process, when outcomes are asked for.

    Parameters
    ----------
    recipe : Recipe
        Makes the runner.
    settings : LocalSettings, optional
    """

    def __init__(self, recipe: Recipe, settings: LocalSettings | None = None) -> None:
        self.runner = recipe()
        self._waiting: deque[tuple[Job, Deadline]] = deque()

    @property
    def slots(self) -> int:
        return 1

    @property
    def seconds_to_begin(self) -> float:
        return float(getattr(self.runner, "seconds_to_begin", 0.0))

    def submit(self, job: Job, deadline: Deadline) -> None:
        self._waiting.append((job, deadline))

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        return outcomes_of(self.runner, *self._waiting.popleft()) if self._waiting else []

    def close(self) -> None:
        self._waiting.clear()

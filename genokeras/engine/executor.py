"""Where jobs are trained: the seam, and the executor that trains them right here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Protocol, final

from genokeras.engine.jobs import Job, Outcome


class Runner(Protocol):
    """Trains a job where it is: :class:`genokeras.engine.JobRunner`, or one for other samples."""

    def run(self, job: Job, should_stop: Callable[[], bool] = ...) -> list[Outcome]:
        """One outcome for each trial, in the order of its ids; what goes wrong is an outcome too."""


class Executor(ABC):
    """Takes jobs, gives outcomes back; how many run at once is its own affair."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """Jobs that can run at the same time."""

    @abstractmethod
    def submit(self, job: Job) -> None:
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
class LocalExecutor(Executor):
    """Trains one job after the other, in this process, when outcomes are asked for.

    Parameters
    ----------
    runner : Runner
    should_stop : callable
        Asked between chunks of steps; a job that is stopped early comes back with its best so far.
    """

    def __init__(self, runner: Runner, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._runner = runner
        self._should_stop = should_stop
        self._waiting: deque[Job] = deque()

    @property
    def slots(self) -> int:
        return 1

    def submit(self, job: Job) -> None:
        self._waiting.append(job)

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        return self._runner.run(self._waiting.popleft(), self._should_stop) if self._waiting else []

    def close(self) -> None:
        self._waiting.clear()

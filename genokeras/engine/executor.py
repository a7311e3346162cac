"""Where jobs are trained: the seam, and the executor that trains them in this process."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Protocol, final

from genokeras.engine.budget import Deadline
from genokeras.engine.jobs import Job, Outcome


class Runner(Protocol):
    """Trains a job: `PackedRunner` on tables, `NetworkRunner` on everything else."""

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        """One outcome for each trial, in the order of its ids; what goes wrong is an outcome too."""


class Executor(ABC):
    """Takes jobs, gives outcomes back."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """Jobs that can run at the same time; the loop keeps that many submitted."""

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
class LocalExecutor(Executor):
    """Trains one job after the other, in this process, when outcomes are asked for.

    Parameters
    ----------
    runner : Runner
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._waiting: deque[tuple[Job, Deadline]] = deque()

    @property
    def slots(self) -> int:
        return 1

    def submit(self, job: Job, deadline: Deadline) -> None:
        self._waiting.append((job, deadline))

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        return self._runner.run(*self._waiting.popleft()) if self._waiting else []

    def close(self) -> None:
        self._waiting.clear()

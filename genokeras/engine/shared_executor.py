"""Jobs that any process of a run may train, its leader among them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import final

from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Executor, Recipe, failed
from genokeras.engine.job_queue import JobQueue
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.pool import PoolExecutor, PoolSettings
from genokeras.support import RunFolder
from genokeras.support.checks import check_whole
from genokeras.support.leases import Lease
from genokeras.support.processes import usable_cores

_TRIES = 2
# Seconds between two looks into the queue.
_LOOK = 0.2


@final
@dataclass(frozen=True)
class SharedSettings:
    """What a user may set.

    Attributes
    ----------
    threads : int, optional
        With which each process trains; all cores that it may use.
    """

    threads: int | None = None

    def __post_init__(self) -> None:
        if self.threads is not None:
            check_whole(self.threads, "executor_args 'threads'")


@final
class SharedExecutor(Executor):
    """Puts jobs into the queue of a run; a worker process of the leader takes them like the other processes of the run do.

    Parameters
    ----------
    recipe : Recipe
    settings : SharedSettings
    folder : RunFolder
    """

    def __init__(self, recipe: Recipe, settings: SharedSettings, folder: RunFolder) -> None:
        self._queue = JobQueue(folder)
        threads = settings.threads or usable_cores()
        self._own = PoolExecutor(recipe, PoolSettings(workers=1, threads=threads))
        self._jobs: dict[int, Job] = {}
        self._tries: dict[int, int] = {}
        self._at: tuple[Job, Lease] | None = None

    @property
    def slots(self) -> int:
        return 1 + self._queue.members()

    def submit(self, job: Job, deadline: Deadline) -> None:
        self._jobs[job.ids[0]] = job
        self._queue.put(job, deadline)
        self._train()

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        until = None if timeout is None else time.monotonic() + timeout
        while self._jobs:
            self._train()
            if self._at is not None and (outcomes := self._own.collect(_LOOK)):
                return self._finished(self._at[0], outcomes)
            for job in list(self._jobs.values()):
                if (theirs := self._theirs(job)) is not None:
                    return self._finished(job, theirs)
            if until is not None and time.monotonic() >= until:
                break
            if self._at is None:
                time.sleep(_LOOK)
        return []

    def close(self) -> None:
        self._own.close()
        if self._at is not None:
            self._at[1].release()
            self._at = None
        for job in self._jobs.values():
            self._queue.remove(job)
        self._jobs.clear()

    def _train(self) -> None:
        """Let the own worker take a job, if it has none."""
        if self._at is None and (found := self._queue.taken()) is not None:
            job, deadline, lease = found
            self._at = (job, lease)
            self._own.submit(job, deadline)

    def _theirs(self, job: Job) -> list[Outcome] | None:
        """What came of a job elsewhere; None while nothing did."""
        outcomes = self._queue.outcomes(job)
        if outcomes is not None or not self._queue.lost(job):
            return outcomes
        self._tries[job.ids[0]] = self._tries.get(job.ids[0], 0) + 1
        if self._tries[job.ids[0]] < _TRIES:
            return None
        return failed(job, "the process that trained it ended before it was done, twice.")

    def _finished(self, job: Job, outcomes: list[Outcome]) -> list[Outcome]:
        if self._at is not None and self._at[0].ids == job.ids:
            self._at[1].release()
            self._at = None
        self._queue.remove(job)
        self._jobs.pop(job.ids[0], None)
        return outcomes

"""A runner that trains nothing, and an executor with two slots."""

from __future__ import annotations

import pickle
import queue
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.engine import Deadline, Executor, Job, Outcome, Runner, SearchLoop, TrialStore
from genokeras.engine.budget import Budget
from genokeras.engine.executor import outcomes_of
from genokeras.searchers import Searcher, TrialResult
from genokeras.support import RunFolder

N_SAMPLES = 6


def pretend(job: Job) -> list[Outcome]:
    """An outcome for each trial of a job, made of its proposal alone."""
    outcomes = []
    for trial_id, proposal in zip(job.ids, job.proposals, strict=True):
        score = (1 + zlib.crc32(proposal.fingerprint().encode()) % 1000) / 1000
        answers = np.full((N_SAMPLES, 2), 0.5, dtype="float32")
        weights = {1: {"kernel": np.full((2, 3, 2), score, dtype="float32")}}
        result = TrialResult(trial_id, proposal, "ok", score, score_se=0.1, step=10)
        outcomes.append(Outcome(result, weights, answers, np.array([[10, score, score]], dtype="float32")))
    return outcomes


class FakeRunner:
    """Runs jobs in numpy; notes them, their deadlines, and how many ran at the same time.

    Parameters
    ----------
    before : callable, optional
        Called with each job before it ends, in the thread that runs it; what it raises fails the trials.
    """

    def __init__(self, before: Callable[[Job], Any] | None = None) -> None:
        self.before = before
        self.jobs: list[Job] = []
        self.deadlines: list[Deadline] = []
        self.running = self.most_running = 0
        self._lock = threading.Lock()

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        with self._lock:
            self.jobs.append(job)
            self.deadlines.append(deadline)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            if self.before is not None:
                self.before(job)
            return pretend(job)
        except Exception as error:
            return [
                Outcome(TrialResult.failure(trial, proposal, f"Traceback\n{error!r}\n"))
                for trial, proposal in zip(job.ids, job.proposals, strict=True)
            ]
        finally:
            with self._lock:
                self.running -= 1


class ThreadExecutor(Executor):
    """Jobs in threads, several at a time; outcomes come back as they are ready."""

    def __init__(self, runner: Runner, slots: int = 2) -> None:
        self._runner, self._slots = runner, slots
        self._pool = ThreadPoolExecutor(slots)
        self._ready: queue.Queue[list[Outcome]] = queue.Queue()
        self.closed = False

    @property
    def slots(self) -> int:
        return self._slots

    def submit(self, job: Job, deadline: Deadline) -> None:
        self._pool.submit(lambda: self._ready.put(outcomes_of(self._runner, job, deadline)))

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        try:
            return self._ready.get(timeout=timeout) if timeout else self._ready.get_nowait()
        except queue.Empty:
            return []

    def close(self) -> None:
        self.closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._ready = queue.Queue()


def make_loop(
    folder: Path, searcher: Searcher, executor: Executor, budget: Budget | None = None, **arguments: Any
) -> SearchLoop:
    """A search on a fresh run folder."""
    store = TrialStore(RunFolder.create(folder, {}))
    return SearchLoop(searcher, executor, store, budget or Budget(None), 0, **arguments)


def run_from_bytes(pickled: bytes) -> bytes:
    """In another process: unpickle a job and its deadline, run it, and pickle what came back."""
    job, deadline = pickle.loads(pickled)
    outcomes = FakeRunner().run(job, deadline)
    return pickle.dumps((outcomes, deadline.left, deadline.passed()))

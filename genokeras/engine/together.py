"""Several processes search one run: one leads, the others train its jobs, and when the leader ends before the search does one of them leads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import final

from genokeras.engine.executor import Recipe, Runner, outcomes_of
from genokeras.engine.job_queue import JobQueue
from genokeras.engine.problem_files import has_problem
from genokeras.engine.reopening import open_run
from genokeras.engine.run import Run
from genokeras.errors import RunInUseError
from genokeras.support import RunFolder
from genokeras.support.folder import QUEUE
from genokeras.support.leases import Lease, Watch
from genokeras.support.run_lock import abandon_lock, check_unlocked

_LEADER = "leader"
# Seconds between two looks into the queue.
_LOOK = 0.5


def search_together(path: Path, lead: Callable[[], Run], recipe_for: Callable[[RunFolder], Recipe]) -> Run:
    """The run that this process has led, or helped to search.

    Parameters
    ----------
    path : pathlib.Path
        The run folder.
    lead : callable
        Makes or resumes the run, holding its lock.
    recipe_for : callable
        Of a run whose problem is there, makes what this process trains its jobs with.
    """
    while True:
        try:
            return lead()
        except RunInUseError:
            run = _Follower(path, recipe_for).run()
        if run is not None:
            return run


@contextmanager
def leading(path: Path) -> Iterator[None]:
    """Let the other processes of a run see that this one, which holds its lock, goes on."""
    leader = path / QUEUE / _LEADER
    leader.unlink(missing_ok=True)  # of one that ended
    lease = Lease.take(leader)
    try:
        yield
    finally:
        if lease is not None:
            lease.release()
        _remove_empty(leader.parent)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # somebody is still there
        folder.rmdir()


@final
class _Follower:
    def __init__(self, path: Path, recipe_for: Callable[[RunFolder], Recipe]) -> None:
        self._path, self._recipe_for = path, recipe_for
        self._watch = Watch()
        self._member: Lease | None = None
        self._runner: Runner | None = None
        self._queue: JobQueue | None = None

    def run(self) -> Run | None:
        """Train until the leader has ended; the run it has delivered, None if it has not."""
        try:
            while not self._is_over():
                if not self._trained():
                    time.sleep(_LOOK)
        finally:
            if self._member is not None:
                self._member.release()
                _remove_empty(self._path / QUEUE)
        if not RunFolder.exists(self._path):
            return None
        folder = RunFolder(self._path)
        events = [str(event.get("event")) for event in folder.journal()]
        return open_run(folder) if events and events[-1] == "finished" else None

    def _is_over(self) -> bool:
        try:
            check_unlocked(self._path)
        except RunInUseError:
            leader = self._path / QUEUE / _LEADER
            if not (leader.exists() and self._watch.is_over(leader)):
                return False
            # It was on another machine, from where its lock cannot be told from that of one that goes on.
            abandon_lock(self._path)
        return True

    def _trained(self) -> bool:
        """Whether there was a job, which is trained now."""
        if self._queue is None or self._runner is None:
            if not (RunFolder.exists(self._path) and has_problem(RunFolder(self._path))):
                return False
            folder = RunFolder(self._path)
            self._runner = self._recipe_for(folder)()
            self._queue = JobQueue(folder)
            self._member = self._queue.join()
        found = self._queue.taken()
        if found is None:
            return False
        job, deadline, lease = found
        try:
            self._queue.give(job, outcomes_of(self._runner, job, deadline))
        finally:
            lease.release()
        return True

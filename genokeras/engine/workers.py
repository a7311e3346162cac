"""What executors with workers have in common: who trains what, and what becomes of a job whose worker is lost."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import Any

from genokeras.encoders import SplitView
from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Executor, Recipe, failed
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.recipes import SearchRecipe, SplitKey
from genokeras.errors import SearchError
from genokeras.support.memory import failure_text

# Times that a job is given to a worker at most, and workers in a row that may end before they are ready.
_TRIES = 2
# Seconds behind the deadline after which a job counts as hanging, and those that the first job of a worker has in any case: it imports
# and compiles what later ones find ready.
_GRACE, _FIRST = 5.0, 60.0
# Seconds between two looks at the workers, and within which a first one has to be ready.
_LOOK, _START = 0.2, 600.0


@dataclass
class Task:
    """A job on its way."""

    job: Job
    deadline: Deadline
    tries: int = 0
    began: float = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


@dataclass(eq=False)
class Hand:
    """A worker and what it does."""

    worker: Any
    is_ready: bool = False
    is_new: bool = True
    task: Task | None = None

    def hangs(self, timeout: float | None) -> bool:
        """Whether it is at its task for too long."""
        if self.task is None:
            return False
        seconds = self.task.seconds
        late = self.task.deadline.left < -_GRACE and seconds > (_FIRST if self.is_new else _GRACE)
        return late or (timeout is not None and seconds > timeout)


class WorkersExecutor(Executor):
    """Gives each worker one job at a time. A worker that is lost is replaced and its job trained once more, then its trials have failed.

    Parameters
    ----------
    recipe : Recipe
    workers : int
    timeout : float or None
        Seconds that a job may take.
    """

    def __init__(self, recipe: Recipe, workers: int, timeout: float | None) -> None:
        self._recipe, self._workers, self._timeout = recipe, workers, timeout
        self._hands: list[Hand] = []
        self._waiting: deque[Task] = deque()
        self._done: deque[list[Outcome]] = deque()
        self._n_stillborn = 0
        self._why = ""

    # ---- what differs

    @abstractmethod
    def _started(self) -> Any:
        """A new worker, which will be ready later."""

    @abstractmethod
    def _send(self, worker: Any, task: Task, views: dict[SplitKey, SplitView]) -> None:
        """Have a worker begin."""

    @abstractmethod
    def _listen(self, seconds: float) -> None:
        """Wait for a worker to say something, or to end, and see to what follows."""

    @abstractmethod
    def _end(self, worker: Any, hung: bool) -> str:
        """End a worker, and give what it wrote."""

    def _is_too_large(self, worker: Any) -> str:
        """What to say of a worker that holds more memory than it may; nothing of another one."""
        return ""

    # ---- what is the same

    @property
    def slots(self) -> int:
        return self._workers

    def submit(self, job: Job, deadline: Deadline) -> None:
        self._waiting.append(Task(job, deadline))
        self._hand_out()

    def collect(self, timeout: float | None = None) -> list[Outcome]:
        until = math.inf if timeout is None else time.monotonic() + timeout
        while not self._done and (self._waiting or any(hand.task for hand in self._hands)):
            left = until - time.monotonic()
            self._listen(min(max(left, 0.0), _LOOK))
            self._look()
            if left <= 0:
                break
        return self._done.popleft() if self._done else []

    def close(self) -> None:
        self._waiting.clear()
        while self._hands:
            self._end(self._hands.pop().worker, hung=False)

    def _await_start(self) -> None:
        """Wait for a first worker.

        Raises
        ------
        SearchError
            If there is none; says what it wrote.
        """
        until = time.monotonic() + _START
        while not any(hand.is_ready for hand in self._hands):
            self._listen(_LOOK)
            if not self._hands or time.monotonic() > until:
                raise SearchError(f"no worker process could be started: {self._why or 'none got ready'}")

    def _start(self) -> None:
        self._hands.append(Hand(self._started()))

    def _hand_out(self) -> None:
        """Give the waiting jobs to the workers that have none."""
        for hand in self._hands:
            if self._waiting and hand.is_ready and hand.task is None:
                self._give(hand, self._waiting.popleft())

    def _give(self, hand: Hand, task: Task) -> None:
        task.began, task.tries = time.monotonic(), task.tries + 1
        try:
            views = self._recipe.views_for(task.job) if isinstance(self._recipe, SearchRecipe) else {}
            self._send(hand.worker, task, views)
        except Exception as error:
            self._done.append(failed(task.job, failure_text(error)))
            return
        hand.task = task

    def _is_ready(self, hand: Hand) -> None:
        hand.is_ready, self._n_stillborn = True, 0
        self._hand_out()

    def _answered(self, hand: Hand, answer: list[Outcome] | str) -> None:
        """A worker has trained its job, or says why it could not even try."""
        task = hand.task
        assert task is not None
        hand.task, hand.is_new = None, False
        self._done.append(failed(task.job, answer, task.seconds) if isinstance(answer, str) else answer)
        self._hand_out()

    def _look(self) -> None:
        """See that no worker hangs or has grown too large."""
        for hand in [hand for hand in self._hands if hand.is_ready]:
            if hand.hangs(self._timeout):
                assert hand.task is not None
                self._lose(hand, f"was still at it after {hand.task.seconds:.0f} s and was ended", hung=True)
            elif said := self._is_too_large(hand.worker):
                self._lose(hand, said)

    def _lose(self, hand: Hand, how: str, hung: bool = False, blames_job: bool = True) -> None:
        """Replace a worker, and see what becomes of its job.

        Parameters
        ----------
        hand : Hand
        how : str
            What became of it.
        hung : bool
        blames_job : bool
            Whether the job may have been the cause; it is not of a machine that was lost.
        """
        said = self._end(hand.worker, hung)
        self._hands.remove(hand)
        self._why = f"a worker process {how}.\n{said}".strip()
        if not hand.is_ready and blames_job:
            self._n_stillborn += 1
        if hand.task is not None:
            hand.task.tries -= not blames_job
            self._again_or_failed(hand.task)
        if self._n_stillborn < _TRIES:
            self._start()
        elif not self._hands:
            # No worker can be started any more.
            self._done.extend(failed(task.job, self._why) for task in self._waiting)
            self._waiting.clear()
        self._hand_out()

    def _again_or_failed(self, task: Task) -> None:
        if task.tries < _TRIES and not task.deadline.passed():
            self._waiting.appendleft(task)
            return
        times = "twice; the second time " if task.tries == _TRIES else ""
        self._done.append(failed(task.job, f"training it failed {times}because {self._why}", task.seconds))

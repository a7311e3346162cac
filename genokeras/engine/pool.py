"""Jobs in worker processes of this machine, which stay as long as the search does."""

from __future__ import annotations

import math
import queue
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, final

import cloudpickle

from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Executor, Recipe, failed
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.recipes import SearchRecipe, travelling
from genokeras.engine.shipping import Shipping
from genokeras.engine.worker_process import WorkerProcess
from genokeras.engine.workshop import READY
from genokeras.errors import SearchError
from genokeras.support.checks import check_number, check_whole
from genokeras.support.memory import failure_text
from genokeras.support.processes import usable_cores
from genokeras.support.temporary import remove_folder, temporary_folder

# Times that a job is given to a worker at most, and workers in a row that may end before they are ready.
_TRIES = 2
# Seconds behind the deadline after which a job counts as hanging, and those that the first job of a worker has in any case: it imports
# and compiles what later ones find ready.
_GRACE, _FIRST = 5.0, 60.0
# Seconds between two looks at the workers, and within which a first one has to be ready.
_LOOK, _START = 0.2, 300.0
_GIB = 1 << 30


@dataclass
class _Task:
    """A job on its way."""

    job: Job
    deadline: Deadline
    tries: int = 0
    began: float = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began


@dataclass(eq=False)
class _Hand:
    """A worker and what it does."""

    process: WorkerProcess
    is_ready: bool = False
    is_new: bool = True
    task: _Task | None = None

    def hangs(self, timeout: float | None) -> bool:
        if self.task is None:
            return False
        seconds = self.task.seconds
        late = self.task.deadline.left < -_GRACE and seconds > (_FIRST if self.is_new else _GRACE)
        return late or (timeout is not None and seconds > timeout)


@final
@dataclass(frozen=True)
class PoolSettings:
    """What a user may set.

    Attributes
    ----------
    workers : int, optional
        Processes; as many as there are cores for their threads.
    threads : int, optional
        Of each worker; an even share of the cores.
    memory : float, optional
        GiB that a worker may hold for itself.
    timeout : float, optional
        Seconds that a job may take. A job that runs on past the end of the search counts as hanging in any case.
    """

    workers: int | None = None
    threads: int | None = None
    memory: float | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("workers", "threads"):
            if getattr(self, name) is not None:
                check_whole(getattr(self, name), f"executor_args {name!r}")
        for name, unit in (("memory", "GiB"), ("timeout", "seconds")):
            if getattr(self, name) is not None:
                check_number(getattr(self, name), f"executor_args {name!r} ({unit})", above=0)
        cores = usable_cores()
        workers = self.workers or max(1, cores // (self.threads or 1))
        object.__setattr__(self, "workers", workers)
        object.__setattr__(self, "threads", self.threads or max(1, cores // workers))


@final
class PoolExecutor(Executor):
    """Trains jobs in worker processes, each of a few threads.

    A worker that dies, hangs or grows too large is replaced, and its job is trained once more; then its trials have failed, and their
    error says how. Workers end with this process, however it ends.

    Parameters
    ----------
    recipe : Recipe
        Makes the runner in each worker; large arrays in it are written to files once, which all workers map into memory.
    settings : PoolSettings, optional

    Raises
    ------
    SearchError
        If no worker can be started; says what it wrote.
    """

    def __init__(self, recipe: Recipe, settings: PoolSettings | None = None) -> None:
        self._recipe, self._settings = recipe, settings or PoolSettings()
        self._folder = temporary_folder()
        self._shipping = Shipping(self._folder)
        self._answers: queue.Queue[tuple[WorkerProcess, Any]] = queue.Queue()
        self._hands: list[_Hand] = []
        self._waiting: deque[_Task] = deque()
        self._done: deque[list[Outcome]] = deque()
        self._order = b""
        self._n_started = self._n_stillborn = 0
        self._why = ""
        try:
            for _ in range(self.slots):
                self._start()
            # They import what they need meanwhile.
            self._order = self._shipping.packed(travelling(recipe))
            for hand in self._hands:
                hand.process.order(self._order)
            self._await_start()
        except BaseException:
            self.close()
            raise

    @property
    def slots(self) -> int:
        assert self._settings.workers is not None
        return self._settings.workers

    @property
    def processes(self) -> list[int]:
        """Numbers of the worker processes."""
        return [hand.process.pid for hand in self._hands]

    def submit(self, job: Job, deadline: Deadline) -> None:
        self._waiting.append(_Task(job, deadline))
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
        for hand in self._hands:
            hand.process.kill()
        while self._hands:
            self._hands.pop().process.end()
        remove_folder(self._folder)

    # ---- jobs

    def _hand_out(self) -> None:
        """Give the waiting jobs to the workers that have none."""
        for hand in self._hands:
            if self._waiting and hand.is_ready and hand.task is None:
                self._give(hand, self._waiting.popleft())

    def _give(self, hand: _Hand, task: _Task) -> None:
        try:
            views = self._recipe.views_for(task.job) if isinstance(self._recipe, SearchRecipe) else {}
            order = self._shipping.packed((cloudpickle.dumps((task.job, task.deadline)), views))
        except Exception as error:
            self._done.append(failed(task.job, failure_text(error)))
            return
        task.began = time.monotonic()
        task.tries += 1
        hand.task = task
        hand.process.order(order)

    # ---- workers

    def _start(self) -> None:
        assert self._settings.threads is not None
        process = WorkerProcess(self._n_started, self._settings.threads, self._folder, self._answers)
        self._n_started += 1
        self._hands.append(_Hand(process))
        if self._order:
            process.order(self._order)

    def _await_start(self) -> None:
        until = time.monotonic() + _START
        while not any(hand.is_ready for hand in self._hands):
            self._listen(_LOOK)
            if not self._hands or time.monotonic() > until:
                raise SearchError(f"no worker process could be started: {self._why or 'none got ready'}")

    def _listen(self, seconds: float) -> None:
        """Wait for a worker to say something, or to end, and see to what follows."""
        try:
            process, answer = self._answers.get(timeout=seconds) if seconds else self._answers.get_nowait()
        except queue.Empty:
            return
        hand = next((hand for hand in self._hands if hand.process is process), None)
        if hand is None:
            return  # it was ended here
        if answer is None:
            self._lose(hand, f"ended by itself{process.manner}")
        elif hand.is_ready and hand.task is not None:
            # An error there is none of the runner: it could not be read, say.
            self._done.append(failed(hand.task.job, answer) if isinstance(answer, str) else answer)
            hand.task, hand.is_new = None, False
        elif answer == READY:
            hand.is_ready, self._n_stillborn = True, 0
        else:
            self._lose(hand, f"could not begin:\n{answer}")
        self._hand_out()

    def _look(self) -> None:
        """See that no worker hangs or has grown too large."""
        most = self._settings.memory
        for hand in [hand for hand in self._hands if hand.is_ready]:
            if hand.hangs(self._settings.timeout):
                assert hand.task is not None
                self._lose(hand, f"was still at it after {hand.task.seconds:.0f} s and was ended", hung=True)
            elif most is not None and hand.process.memory > most * _GIB:
                self._lose(hand, f"grew past {most:g} GiB of memory and was ended")

    def _lose(self, hand: _Hand, how: str, hung: bool = False) -> None:
        """Replace a worker, and see what becomes of its job."""
        said = hand.process.end(last_words=hung)
        self._hands.remove(hand)
        self._why = f"a worker process {how}.\n{said}".strip()
        if not hand.is_ready:
            self._n_stillborn += 1
        task = hand.task
        if task is not None and (task.tries == _TRIES or task.deadline.passed()):
            times = "twice; the second time " if task.tries == _TRIES else ""
            self._done.append(
                failed(task.job, f"training it failed {times}because {self._why}", task.seconds)
            )
        elif task is not None:
            self._waiting.appendleft(task)
        if self._n_stillborn < _TRIES:
            self._start()
        elif not self._hands:
            # No worker can be started any more.
            self._done.extend(failed(task.job, self._why) for task in self._waiting)
            self._waiting.clear()

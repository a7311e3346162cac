"""Jobs in worker processes of this machine, which stay as long as the search does."""

from __future__ import annotations

import pickle
import queue
from dataclasses import dataclass
from typing import Any, final

import cloudpickle

from genokeras.encoders import SplitView
from genokeras.engine.executor import Recipe
from genokeras.engine.recipes import SplitKey, travelling
from genokeras.engine.shipping import Shipping
from genokeras.engine.worker_process import WorkerProcess
from genokeras.engine.workers import Task, WorkersExecutor
from genokeras.engine.workshop import READY
from genokeras.errors import ParameterError
from genokeras.support.checks import check_number, check_whole
from genokeras.support.processes import usable_cores
from genokeras.support.temporary import remove_folder, temporary_folder
from genokeras.support.wording import cause

_GIB = 1 << 30


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
class PoolExecutor(WorkersExecutor):
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
        self._settings = settings or PoolSettings()
        assert self._settings.workers is not None
        super().__init__(recipe, self._settings.workers, self._settings.timeout)
        self._folder = temporary_folder()
        self._shipping = Shipping(self._folder)
        self._answers: queue.Queue[tuple[WorkerProcess, Any]] = queue.Queue()
        self._order = b""
        self._n_started = 0
        try:
            for _ in range(self.slots):
                self._start()
            # They import what they need meanwhile.
            self._order = self._packed(recipe)
            for hand in self._hands:
                hand.worker.order(self._order)
            self._await_start()
        except BaseException:
            self.close()
            raise

    def _packed(self, recipe: Recipe) -> bytes:
        try:
            return self._shipping.packed(travelling(recipe))
        except (TypeError, AttributeError, ValueError, pickle.PicklingError) as error:
            raise ParameterError(
                f"what the search needs cannot be sent to worker processes ({cause(error)}): an objective or a metric of your own must "
                "not hold locks, open files or connections. Keep these out of it, or take executor='local'."
            ) from error

    @property
    def processes(self) -> list[int]:
        """Numbers of the worker processes."""
        return [hand.worker.pid for hand in self._hands]

    def close(self) -> None:
        for hand in self._hands:
            hand.worker.kill()
        super().close()
        remove_folder(self._folder)

    def _started(self) -> WorkerProcess:
        assert self._settings.threads is not None
        process = WorkerProcess(self._n_started, self._settings.threads, self._folder, self._answers)
        self._n_started += 1
        if self._order:
            process.order(self._order)
        return process

    def _send(self, worker: WorkerProcess, task: Task, views: dict[SplitKey, SplitView]) -> None:
        # Weights that a job inherits are sent along: they are read once. Views are there for many jobs.
        worker.order(self._shipping.packed((cloudpickle.dumps((task.job, task.deadline)), views)))

    def _listen(self, seconds: float) -> None:
        try:
            process, answer = self._answers.get(timeout=seconds) if seconds else self._answers.get_nowait()
        except queue.Empty:
            return
        hand = next((hand for hand in self._hands if hand.worker is process), None)
        if hand is None:
            return  # it was ended here
        if answer is None:
            self._lose(hand, f"ended by itself{process.manner}")
        elif hand.is_ready:
            self._answered(hand, answer)
        elif answer == READY:
            self._is_ready(hand)
        else:
            self._lose(hand, f"could not begin:\n{answer}")

    def _end(self, worker: WorkerProcess, hung: bool) -> str:
        return worker.end(last_words=hung)

    def _is_too_large(self, worker: WorkerProcess) -> str:
        most = self._settings.memory
        if most is None or worker.memory <= most * _GIB:
            return ""
        return f"grew past {most:g} GiB of memory and was ended"

"""Jobs in actors of a Ray cluster: on other machines, beside other programs, on shares of graphics cards.

Ray: Moritz et al. (2018), "Ray: a distributed framework for emerging AI applications", OSDI.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, final

from genokeras.encoders import SplitView
from genokeras.engine.budget import Deadline
from genokeras.engine.executor import Recipe
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.recipes import SplitKey, travelling
from genokeras.engine.worker_process import worker_environment
from genokeras.engine.workers import Hand, Task, WorkersExecutor
from genokeras.engine.workshop import Workshop
from genokeras.errors import ParameterError, SearchError
from genokeras.support.checks import check_number, check_whole
from genokeras.support.extras import install_command

# Tries of Ray itself to reach an actor; whether a job is trained again is decided here.
_NO_RESTARTS = {"max_restarts": 0, "max_task_retries": 0}
# How Ray says it before the list of machines does.
_LOST = "node has died"


@final
@dataclass(frozen=True)
class RaySettings:
    """What a user may set.

    Attributes
    ----------
    address : str, optional
        Of a cluster: ``"auto"`` on one of its machines, or ``"ray://..."``. Without it, and where the program has not called
        ``ray.init``, Ray is started on this machine.
    workers : int, optional
        Actors; as many as the cluster has room for when the search begins.
    num_cpus, num_gpus : float
        What an actor takes of the cluster; shares such as 0.25 put several on one graphics card.
    timeout : float, optional
        Seconds that a job may take.
    """

    address: str | None = None
    workers: int | None = None
    num_cpus: float = 1.0
    num_gpus: float = 0.0
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.address is not None and not isinstance(self.address, str):
            raise ParameterError(
                f"executor_args 'address' must be text such as 'auto', got {self.address!r}."
            )
        if self.workers is not None:
            check_whole(self.workers, "executor_args 'workers'")
        check_number(self.num_cpus, "executor_args 'num_cpus'", least=0)
        check_number(self.num_gpus, "executor_args 'num_gpus'", least=0)
        if self.num_cpus == self.num_gpus == 0:
            raise ParameterError("executor_args 'num_cpus' and 'num_gpus' must not both be 0.")
        if self.timeout is not None:
            check_number(self.timeout, "executor_args 'timeout' (seconds)", above=0)
        load_ray()


def load_ray() -> Any:
    """The package ``ray``.

    Raises
    ------
    ParameterError
        If it is not installed.
    """
    try:
        with _handlers_kept():
            return import_module("ray")
    except ImportError as error:
        raise ParameterError(
            f'executor "ray" needs the package ray, which cannot be imported ({error}): {install_command("ray")}.'
        ) from error


@final
class RayExecutor(WorkersExecutor):
    """Trains jobs in actors, which stay as long as the search does. What is trained on lies in the object store once a machine.

    Jobs of a machine that is lost go on elsewhere, however often that happens; where an actor alone dies, its job is trained once more.

    Parameters
    ----------
    recipe : Recipe
    settings : RaySettings, optional

    Raises
    ------
    ParameterError
        If Ray is not installed, or there is no cluster at the address.
    SearchError
        If the cluster has no room for an actor.
    """

    def __init__(self, recipe: Recipe, settings: RaySettings | None = None) -> None:
        self._settings = settings or RaySettings()
        self._ray = load_ray()
        self._is_ours = not self._ray.is_initialized()
        if self._is_ours:
            self._connect()
        super().__init__(recipe, self._settings.workers or self._room(), self._settings.timeout)
        self._views_there: dict[SplitKey, Any] = {}
        # What is awaited of each actor: that it is ready, or its outcomes.
        self._awaited: dict[Any, Any] = {}
        self._nodes: dict[Any, str] = {}
        self._actor = self._ray.remote(_Actor).options(
            num_cpus=self._settings.num_cpus,
            num_gpus=self._settings.num_gpus,
            runtime_env={"env_vars": worker_environment(max(1, int(self._settings.num_cpus)))},
            **_NO_RESTARTS,
        )
        try:
            self._recipe_there = self._ray.put(travelling(recipe))
            for _ in range(self.slots):
                self._start()
            self._await_start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        super().close()
        if self._is_ours:
            self._ray.shutdown()

    def _connect(self) -> None:
        address = self._settings.address or os.environ.get("RAY_ADDRESS")
        usual = {} if address else {"include_dashboard": False}
        try:
            with _handlers_kept():
                self._ray.init(address=address, log_to_driver=False, logging_level="ERROR", **usual)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise ParameterError(
                f"there is no Ray cluster at {address!r} ({str(error).splitlines()[0]}). Start one with `ray start --head`, or leave "
                "out the address to use this machine alone."
            ) from error

    def _room(self) -> int:
        """Actors that the cluster has room for."""
        there, settings = self._ray.cluster_resources(), self._settings
        rooms = [
            int(there.get(name, 0) / wanted)
            for name, wanted in (("CPU", settings.num_cpus), ("GPU", settings.num_gpus))
            if wanted
        ]
        if min(rooms) < 1:
            if self._is_ours:
                self._ray.shutdown()
            raise SearchError(
                f"the Ray cluster has {there.get('CPU', 0):g} CPUs and {there.get('GPU', 0):g} GPUs, too few for a worker of "
                f"num_cpus={settings.num_cpus:g} and num_gpus={settings.num_gpus:g}."
            )
        return min(rooms)

    def _started(self) -> Any:
        actor = self._actor.remote(self._recipe_there)
        self._awaited[actor] = actor.node.remote()
        return actor

    def _send(self, worker: Any, task: Task, views: dict[SplitKey, SplitView]) -> None:
        for key, view in views.items():
            if key not in self._views_there:
                self._views_there[key] = self._ray.put(view)
        there = [self._views_there[key] for key in views]
        self._awaited[worker] = worker.run.remote(task.job, task.deadline, list(views), *there)

    def _listen(self, seconds: float) -> None:
        hands = {ref: hand for hand in self._hands if (ref := self._awaited.get(hand.worker)) is not None}
        if not hands:
            return
        done, _ = self._ray.wait(list(hands), num_returns=1, timeout=seconds)
        for ref in done:
            del self._awaited[hands[ref].worker]
            self._take(hands[ref], ref)

    def _take(self, hand: Hand, ref: Any) -> None:
        """What follows from an answer, or from there being none."""
        errors = self._ray.exceptions
        try:
            answer = self._ray.get(ref)
        except errors.RayTaskError as error:
            if hand.is_ready:
                self._answered(hand, str(error))
            else:
                self._lose(hand, f"could not begin:\n{error}")
        except errors.RayError as error:
            lost = _LOST in str(error) or self._is_lost(hand.worker)
            how = "was on a machine that was lost" if lost else f"died: {error}"
            self._lose(hand, how, blames_job=not lost)
        else:
            if hand.is_ready:
                self._answered(hand, answer)
            else:
                self._nodes[hand.worker] = answer
                self._is_ready(hand)

    def _is_lost(self, actor: Any) -> bool:
        """Whether the machine of an actor has left the cluster."""
        node = self._nodes.get(actor)
        alive = {found["NodeID"] for found in self._ray.nodes() if found["Alive"]}
        return node is not None and node not in alive

    def _end(self, worker: Any, hung: bool) -> str:
        self._awaited.pop(worker, None)
        self._nodes.pop(worker, None)
        self._ray.kill(worker, no_restart=True)
        return ""


class _Actor:
    """Trains on one of the cluster's machines."""

    def __init__(self, recipe: Recipe) -> None:
        self._workshop = Workshop(recipe)

    def node(self) -> str:
        """The machine that it is on."""
        return str(load_ray().get_runtime_context().get_node_id())

    def run(self, job: Job, deadline: Deadline, keys: list[SplitKey], *views: SplitView) -> list[Outcome]:
        """Train a job."""
        return self._workshop.run(job, deadline, dict(zip(keys, views, strict=True)))


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray takes SIGTERM for itself, which ends a search and delivers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)

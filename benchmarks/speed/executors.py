"""Trials a minute of one and of two workers, a thousand trials that take no time, and machines of a Ray cluster that are killed."""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from genokeras import load_dataset
from genokeras.engine import (
    Deadline,
    Executor,
    Job,
    LocalExecutor,
    Observer,
    Outcome,
    PoolExecutor,
    PoolSettings,
    SearchLoop,
    TrialStore,
    method_of,
)
from genokeras.engine.budget import Budget
from genokeras.engine.problem import Problem
from genokeras.engine.ray_executor import RayExecutor, RaySettings
from genokeras.engine.recipes import SearchRecipe
from genokeras.engine.testing import table_problem
from genokeras.features import available_views
from genokeras.searchers import BayesianSearcher, History, HyperSpace, Proposal, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes

_NO_OPS, _ON_RAY, _FOLDS = 1000, 120, 5


class NoOp:
    """Trains nothing: a made-up score after a pause."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause

    def run(self, job: Job, deadline: Deadline) -> list[Outcome]:
        time.sleep(self.pause)
        return [self._outcome(*given) for given in zip(job.ids, job.proposals, strict=True)]

    def _outcome(self, trial: int, proposal: Proposal) -> Outcome:
        score = 0.3 + int(proposal.fingerprint()[:6], 16) / 2**26
        result = TrialResult(trial, proposal, "ok", score, score_se=0.05, step=10)
        weights = {1: {"kernel": np.zeros((5, 10, 2), dtype="float32")}}
        curve = np.array([[10, score, score]], dtype="float32")
        return Outcome(result, weights, np.full((60, 2), 0.5, dtype="float32"), curve)


class NoOps:
    """Makes a `NoOp` wherever it is called."""

    def __init__(self, pause: float) -> None:
        self.pause = pause

    def __call__(self) -> NoOp:
        return NoOp(self.pause)


def main(arguments: argparse.Namespace) -> None:
    """All three, the last one as often as ``--kills`` says."""
    no_ops()
    workers(arguments)
    if arguments.kills:
        kills(arguments.kills)


def no_ops() -> None:
    """A thousand trials that take no time, through the loop and onto the disk."""
    with folder() as where:
        loop = SearchLoop(
            BayesianSearcher(2),
            LocalExecutor(NoOp),
            TrialStore(where),
            Budget(None),
            0,
            max_trials=_NO_OPS,
            pack_size=24,
        )
        started, used = time.perf_counter(), time.process_time()
        found = loop.run(History())
        seconds, used = time.perf_counter() - started, time.process_time() - used
        print(f"{len(found.history)} no-op trials: {seconds:.1f} s, of the processor {used:.1f} s")


def workers(arguments: argparse.Namespace) -> None:
    """The same search by one worker and by two, of one thread each."""
    problem = problem_of(arguments.data)
    recipe = SearchRecipe(problem, problem.task.objective(), None, arguments.seconds)
    rates = []
    for number in (1, 2):
        began = time.perf_counter()
        executor = PoolExecutor(recipe, PoolSettings(workers=number, threads=1))
        start = time.perf_counter() - began
        trials = searched(problem, executor, arguments.seconds)
        rates.append(60 * trials / arguments.seconds)
        print(
            f"{number} worker(s): {rates[-1]:.0f} trials a minute ({trials} in {arguments.seconds:g} s; ready after {start:.1f} s)"
        )
    allowed = capacity()
    print(
        f"ratio {rates[1] / rates[0]:.2f}; two processes of plain NumPy do {allowed:.2f} x the work of one here"
    )


def searched(problem: Problem, executor: Executor, seconds: float) -> int:
    """Trials of a search that lasts for some seconds."""
    method = method_of(problem)
    with folder() as where:
        loop = SearchLoop(
            BayesianSearcher(problem.task.n_outputs, space=HyperSpace(views=tuple(problem.widths))),
            executor,
            TrialStore(where),
            Budget(seconds, least=0.0),
            0,
            pack_size=method.pack_size(problem),
            packer=method.packer(problem),
        )
        return len(loop.run(History()).history.ok())


def capacity() -> float:
    """How much more work two processes do than one, of products that fit into a core's cache."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(products, [0.1, 0.1])
        alone = pool.map(products, [3.0])[0]
        return sum(pool.map(products, [3.0, 3.0], chunksize=1)) / alone


def products(seconds: float) -> int:
    """Products of small matrices that one process makes in some seconds."""
    x, done, until = np.ones((64, 64), dtype="float32"), 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        for _ in range(100):
            x = np.tanh(x @ x)
        done += 100
    return done


class Killing(Observer):
    """Kills a machine once a third of the trials are there."""

    def __init__(self, kill: Callable[[], None]) -> None:
        self.kill: Callable[[], None] | None = kill

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        pass

    def finished(self, outcomes: Sequence[Outcome], history: History) -> None:
        if self.kill is not None and len(history) >= _ON_RAY // 3:
            self.kill()
            self.kill = None


def kills(times: int) -> None:
    """Searches on three machines, one of which is killed on the way."""
    from ray.cluster_utils import Cluster

    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    whole = 0
    with folder() as where:
        expected = fingerprints(search_no_ops(where, LocalExecutor(NoOps(0.0))))
    for number in range(times):
        node = cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        executor = RayExecutor(NoOps(0.3), RaySettings(address=cluster.address, workers=3))
        killing = Killing(lambda node=node: cluster.remove_node(node, allow_graceful=False))  # type: ignore[misc]
        with folder() as where:
            history = search_no_ops(where, executor, killing)
        lost = killing.kill is None
        whole += lost and fingerprints(history) == expected and not history.failed()
        print(f"run {number + 1}: machine killed: {lost}, {len(history.ok())} of {_ON_RAY} trials")
    cluster.shutdown()
    print(f"all trials recorded, and those of one process: {whole} of {times} runs")


def search_no_ops(where: RunFolder, executor: Executor, *observers: Observer) -> History:
    loop = SearchLoop(
        BayesianSearcher(2),
        executor,
        TrialStore(where),
        Budget(None),
        0,
        max_trials=_ON_RAY,
        pack_size=8,
        observers=observers,
        ahead=0,
    )
    return loop.run(History()).history


def fingerprints(history: History) -> list[tuple[int, str]]:
    return [(trial.id, trial.proposal.fingerprint()) for trial in history]


def problem_of(path: str) -> Problem:
    """Classes of a table in five folds, in all usual views."""
    dataset = load_dataset(path, "label")
    names, codes = np.unique(np.asarray(dataset.y), return_inverse=True)
    n, p = dataset.x.shape
    order = np.argsort(codes, kind="stable")
    fold = np.empty(n, dtype=int)
    fold[order] = np.arange(n) % _FOLDS
    held_out = np.stack([fold == number for number in range(_FOLDS)])
    views = available_views(p, n_samples=n)
    return table_problem(dataset.x, codes, Classes(len(names)), ~held_out, held_out, views)


@contextmanager
def folder() -> Iterator[RunFolder]:
    with tempfile.TemporaryDirectory() as place:
        yield RunFolder.create(Path(place) / "run", {})

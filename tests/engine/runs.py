"""Finished runs of a few chosen trials: no searcher, no time, and as few steps as will do."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.data import load_images
from genokeras.encoders import TableEncoder, fit_image_encoder
from genokeras.engine import Deadline, Problem, Run, TrialStore, finish_run, method_of, write_problem
from genokeras.engine.jobs import Job, Outcome
from genokeras.engine.testing import table_problem
from genokeras.graph import HyperParameters, linear, mlp, multi_view, small_cnn
from genokeras.networks import initial_weights
from genokeras.searchers import Proposal, TrialResult
from genokeras.support import RunFolder
from genokeras.support.processes import place, started
from genokeras.support.run_lock import LOCK_FILE
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import numbers_like

FEW_STEPS = {"max_iter_num": 12}


def two_folds(n: int) -> np.ndarray:
    """``(2, n)`` which rows each fold holds out."""
    return np.arange(n) // 2 % 2 == np.arange(2)[:, None]


def made_folder(path: Path, problem: Problem, objective: str = "") -> RunFolder:
    """A run folder that holds a problem."""
    task, encoder = problem.task, problem.encoder
    names = [f"output_{i}" for i in range(task.n_outputs)]
    table = isinstance(encoder, TableEncoder)
    entries = {
        "kind": encoder.kind,
        "task": task.kind,
        "seed": 0,
        "settings": {"objective": objective or task.objective().name},
        task.names_key: names,
        "feature_names": list(encoder.feature_names) if table else [],
        "notes": [],
        "groups": None if problem.groups is None else problem.groups.tolist(),
        "fingerprint": dict(problem.fingerprint),
    }
    folder = RunFolder.create(path, entries)
    write_problem(folder, problem)
    return folder


def trained(
    path: Path,
    problem: Problem,
    proposals: Sequence[Proposal],
    best_alone: bool = False,
    trainer_args: dict[str, Any] | None = None,
) -> Run:
    """A run that tried these proposals, each in a job of its own."""
    folder, objective = made_folder(path, problem), problem.task.objective()
    store = TrialStore(folder)
    runner = method_of(problem).runner(problem, objective, trainer_args or FEW_STEPS, None)
    for number, proposal in enumerate(proposals):
        father = None if proposal.father is None else store.father(store.read(proposal.father))
        store.write(*runner.run(Job((number,), (proposal,), (father,)), Deadline()))
    return finish_run(folder, problem, store.history(), objective, "trials", best_alone=best_alone)


def untrained(path: Path, problem: Problem, proposal: Proposal) -> Run:
    """A run whose only trial has the weights it started from."""
    folder, encoder, graph = made_folder(path, problem), problem.encoder, proposal.graph
    widths = {i: encoder.input_units(view) for i, view in graph.views(proposal.hyper.view).items()}
    weights = initial_weights(graph, widths, problem.n_folds, np.random.default_rng(0))
    answers = np.full((problem.n_samples, graph.n_outputs), 1 / graph.n_outputs, dtype="float32")
    store = TrialStore(folder)
    store.write(Outcome(TrialResult(0, proposal, "ok", 0.7, score_se=0.1, step=1), weights, answers))
    return finish_run(folder, problem, store.history(), problem.task.objective(), "trials")


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """A run folder while another process writes to it."""
    lock = path / LOCK_FILE
    with subprocess.Popen(["sleep", "60"]) as other:
        held = {"pid": other.pid, "start": started(other.pid), "place": place(), "path": str(lock)}
        lock.write_text(json.dumps({**held, "since": "now", "token": "other"}))
        try:
            yield
        finally:
            lock.unlink()
            other.kill()


# ---- tables


def expression(n: int = 24, p: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that three genes tell apart, and their numbers."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    x = rng.gamma(2.0, 3.0, size=(n, p)).astype("float32")
    x[codes == 1, :3] += 6
    return x, codes


def ages(x: np.ndarray) -> np.ndarray:
    """Two numbers for each row."""
    noise = np.random.default_rng(1).normal(size=(len(x), 2))
    return np.column_stack([50 + 3 * x[:, 0] - x[:, 4], 0.01 * x[:, 1]]) + noise * [1.0, 0.01]


def problem_of_classes(
    views: tuple[str, ...] = ("all",), medians: np.ndarray | None = None, weight: np.ndarray | None = None
) -> Problem:
    x, codes = expression()
    held_out = two_folds(len(x))
    return table_problem(x, codes, Classes(2), ~held_out, held_out, views, weight, medians)


def problem_of_numbers(views: tuple[str, ...] = ("all",), weight: np.ndarray | None = None) -> Problem:
    x, _ = expression()
    targets, held_out = ages(x), two_folds(len(x))
    return table_problem(x, targets, numbers_like(targets), ~held_out, held_out, views, weight)


def linear_proposal(n_outputs: int = 2, decay: float = 0.1, view: str = "all") -> Proposal:
    hyper = HyperParameters(0.03, decay, 0.0, "relu", view)
    return Proposal(linear(n_outputs), hyper, origin="father:linear")


def several_views_proposal(rate: float = 0.01) -> Proposal:
    """Reads all genes, and beside them those behind the logarithm."""
    return Proposal(multi_view(2, ("log",), (8,)), HyperParameters(rate, 0.1, 0.0, "relu"))


def mlp_proposal(n_outputs: int = 2, rate: float = 0.01, view: str = "all", **other: Any) -> Proposal:
    return Proposal(mlp(n_outputs, (8,)), HyperParameters(rate, 0.1, 0.0, "relu", view), **other)


# ---- images


def problem_of_images(n: int = 24) -> Problem:
    """Images that are bright at the top, or at the bottom."""
    rng = np.random.default_rng(0)
    codes = np.arange(n) % 2
    pixels = rng.integers(0, 90, size=(n, 8, 8)).astype("uint8")
    pixels[codes == 1, :3] += 120
    pixels[codes == 0, 5:] += 120
    data = load_images(pixels)
    encoder, held_out = fit_image_encoder(data), two_folds(n)
    return Problem(codes, held_out, np.ones(n), encoder, encoder.rows(data), Classes(2), ~held_out)


def cnn_proposal(rate: float = 0.01, **other: Any) -> Proposal:
    graph = small_cnn((8, 8, 1), 2, filters=(4,), units=0)
    return Proposal(graph, HyperParameters(rate, 0.01, 0.1, "relu", "tensor"), **other)


def counts_proposal(decay: float = 0.1) -> Proposal:
    return Proposal(linear(2), HyperParameters(0.01, decay, 0.0, "relu", "counts"), origin="father:linear")

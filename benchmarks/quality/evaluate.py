"""Outer cross-validation: one JSON line a set, tool and fold; what is there already is not run again."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from benchmarks.quality.sets import BenchmarkSet
from benchmarks.quality.tools import Fitted
from benchmarks.speed.machine import describe_machine
from genokeras.tasks.objectives import get_objective

METRICS = ("balanced_accuracy", "log_loss", "brier", "roc_auc")


@dataclass(frozen=True)
class Plan:
    """What is evaluated: outer folds (the first ``folds`` of five), seconds a fit, labels shuffled or not."""

    seconds: float
    folds: int = 5
    shuffle: bool = False


def outer_folds(data: BenchmarkSet, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The first ``count`` of five stratified folds, grouped where the set has groups."""
    splitter: Any = StratifiedKFold(5, shuffle=True, random_state=0)
    if data.groups is not None:
        splitter = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The least populated class")
        folds = list(splitter.split(data.x, data.codes, data.groups))
    yield from folds[:count]


def evaluate(
    data: BenchmarkSet, label: str, fit: Callable[..., Fitted], plan: Plan, results: Path
) -> Iterator[dict[str, Any]]:
    """Evaluate one tool on one set, appending a line for each fold that is not in ``results`` yet."""
    done = {(r["set"], r["tool"], r["fold"], r["seconds"], r["shuffle"]) for r in read_lines(results)}
    if plan.shuffle:
        data = BenchmarkSet(data.name, data.x, np.random.default_rng(0).permutation(data.codes), data.groups)
    for number, (train, test) in enumerate(outer_folds(data, plan.folds)):
        if (data.name, label, number, plan.seconds, plan.shuffle) in done:
            continue
        line = {
            "set": data.name,
            "cohort": data.cohort,
            "tool": label,
            "fold": number,
            "seconds": plan.seconds,
            "shuffle": plan.shuffle,
            "machine": describe_machine(),
            **_one_fold(data, fit, plan.seconds, train, test),
        }
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        yield line


def _one_fold(
    data: BenchmarkSet, fit: Callable[..., Fitted], seconds: float, train: np.ndarray, test: np.ndarray
) -> dict[str, Any]:
    # Classes that a fold's training part lacks are numbered away for the tool, and get probability 0.
    present, codes = np.unique(data.codes[train], return_inverse=True)
    groups = None if data.groups is None else data.groups[train]
    started = time.perf_counter()
    fitted = fit(data.x[train], codes, groups, seconds)
    trained = time.perf_counter()
    predicted = np.asarray(fitted.predict(data.x[test]), dtype="float64")
    finished = time.perf_counter()
    probabilities = np.zeros((len(test), int(data.codes.max()) + 1))
    probabilities[:, present] = predicted
    return {
        **{name: get_objective(name).value(probabilities, data.codes[test]) for name in METRICS},
        # A peer in an environment of its own is a process that does both, and says itself how long each took.
        "fit_seconds": fitted.facts.get("fit_seconds", trained - started),
        "predict_seconds": fitted.facts.get("predict_seconds", finished - trained),
        "estimate": fitted.estimate,
        "intervals": fitted.intervals,
        "facts": fitted.facts,
    }


def read_lines(results: Path) -> list[dict[str, Any]]:
    """All the lines of a results file; empty where there is none."""
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines() if line.strip()]

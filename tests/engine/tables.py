"""Small tables as ``fit`` prepares them, and runs on them that take a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data import Dataset
from genokeras.engine import Budget, Prepared, Run, RunSettings, Wanted, fit_run
from genokeras.estimators.content import Given, Training, labelled
from genokeras.estimators.gene_content import Genes
from genokeras.tasks.known import find_task

N, P = 24, 30
STEPS = {"trainer_args": {"max_iter_num": 12}}


def table(n: int = N, p: int = P, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Two classes that three genes tell apart."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % 2
    x = rng.gamma(2.0, 3.0, size=(n, p)).astype("float32")
    x[codes == 1, :3] += 8
    frame = pd.DataFrame(x, index=[f"S{i}" for i in range(n)], columns=[f"G{i}" for i in range(p)])
    return frame, np.array(["healthy", "tumor"])[codes]


def ages(x: pd.DataFrame) -> np.ndarray:
    """A number that three genes make."""
    values = x.to_numpy(dtype="float64")
    noise = np.random.default_rng(1).normal(0, 1, size=len(x))
    return 40 + 2 * values[:, 0] - 1.5 * values[:, 1] + values[:, 5] + noise


def prepare(
    x: Any,
    y: Any,
    task: str = "classes",
    weight: np.ndarray | None = None,
    groups: Any = None,
    folds: int = 2,
    missing: str = "error",
) -> Prepared:
    """What an estimator of tables hands to ``fit_run``."""
    kind, content = find_task(task), Genes()
    read = content.read if task == "classes" else content.read_several
    data: Any = read(Given(x, y, groups, None, missing, training=True))
    assert isinstance(data, Dataset)
    aim = kind.learn(labelled(data, y if isinstance(y, str) else None))
    sample_weight = np.ones(len(aim.targets)) if weight is None else weight
    return content.prepare(Training(data, aim, None, None, folds, sample_weight, seed=0), {})


def settings(path: Path, task: str = "classes", **changes: Any) -> RunSettings:
    """Two trials of twelve steps."""
    objective = find_task(task).objective(changes.pop("objective", None))
    searcher = changes.pop("searcher", "random")
    asked = {"objective": objective.name, "folds": 2, "missing": "error", **changes.pop("asked", {})}
    values: dict[str, Any] = {"max_trials": 2, "seed": 0, "described": {"time_limit": None}}
    wanted = Wanted.of(searcher, {**STEPS, **changes.pop("searcher_args", {})})
    return RunSettings(str(path), objective, wanted, asked, **(values | changes))


def fit(prepared: Prepared, asked: RunSettings) -> Run:
    """Search and deliver."""
    return fit_run(
        prepared, asked, lambda problem, arcs: Genes().searcher(asked.wanted, problem, arcs), Budget(None)
    )

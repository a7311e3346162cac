"""What the workers share: one process fits one peer once and leaves what came out in files.

A worker is started as ``python WORKER FOLDER`` by the Python of the peer's own environment, inside ``FOLDER``, so neither
this file nor any worker imports GenoKeras. ``FOLDER/task.npz`` holds ``x_train`` ``(n, p)``, ``codes`` ``(n,)`` numbered
from 0 without gaps, ``groups`` ``(n,)`` where samples belong together, ``x_test`` ``(m, p)`` and ``seconds``. The worker
writes ``probabilities.npz`` (``probabilities``, ``(m, k)``) and then ``facts.json`` (``estimate`` by metric; ``facts``).
Whatever goes wrong ends the process with a traceback; what that counts as is decided by who started it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Task:
    """What is to be fitted: ``x`` ``(n, p)``, ``codes`` ``(n,)``, ``groups`` ``(n,)`` or None, a time limit."""

    x: np.ndarray
    codes: np.ndarray
    groups: np.ndarray | None
    seconds: float

    @property
    def n_classes(self) -> int:
        return int(self.codes.max()) + 1


@dataclass(frozen=True)
class Result:
    """``predict(x) -> (m, k)`` probabilities, the peer's own estimate by metric, and counts worth keeping."""

    predict: Callable[[np.ndarray], np.ndarray]
    estimate: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


def serve(fit: Callable[[Task], Result]) -> None:
    """Fit and predict what the folder on the command line asks for; the seconds of both are among the facts."""
    folder = Path(sys.argv[1])
    with np.load(folder / "task.npz") as arrays:
        groups = arrays["groups"] if "groups" in arrays.files else None
        task = Task(arrays["x_train"], arrays["codes"], groups, float(arrays["seconds"]))
        x_test = arrays["x_test"]
    started = time.perf_counter()
    result = fit(task)
    fitted = time.perf_counter()
    probabilities = np.asarray(result.predict(x_test), dtype="float64")
    finished = time.perf_counter()
    np.savez(folder / "probabilities.npz", probabilities=probabilities)
    facts = {**result.facts, "fit_seconds": fitted - started, "predict_seconds": finished - fitted}
    text = json.dumps({"estimate": result.estimate, "facts": facts})
    (folder / "facts.json").write_text(text, encoding="utf-8")


def by_class(probabilities: np.ndarray, classes: np.ndarray, n_classes: int) -> np.ndarray:
    """Columns in the order of the codes; 0 for a class that the peer dropped."""
    ordered = np.zeros((len(probabilities), n_classes))
    ordered[:, np.asarray(classes, dtype=int)] = probabilities
    return ordered

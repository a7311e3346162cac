"""A run folder made by hand: what a search would have written, without training anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.engine import Outcome, TrialStore, write_problem
from genokeras.engine.testing import linear_job, small_problem
from genokeras.searchers import TrialResult
from genokeras.support import RunFolder

NASTY = "<script>alert(1)</script>"
ESTIMATE: dict[str, Any] = {
    "metric": "log_loss",
    "value": 0.2,
    "interval": [0.1, 0.3],
    "linear_baseline": 0.25,
    "chance": 0.69,
    "uncorrected": 0.18,
    "greater_is_better": False,
    "n_samples": 24,
    "n_trials": 2,
}


def finished_run(folder_of_runs: Path) -> Path:
    """Two linear trials on 24 samples in three folds, with curves and an ensemble of 3 to 1."""
    problem, rng = small_problem(), np.random.default_rng(0)
    settings = {
        "settings": {"objective": "log_loss"},
        "classes": ["well", "ill"],
        "feature_names": ["g"] * 40,
    }
    folder = RunFolder.create(folder_of_runs / "finished", settings)
    store = TrialStore(folder)
    write_problem(folder, problem)
    for number, proposal in enumerate(linear_job(0, 0.1, 0.3).proposals):
        trial = TrialResult(number, proposal, "ok", 0.3 - 0.1 * number, step=10, seconds=2.0)
        ill = np.clip(0.2 + 0.6 * problem.targets + rng.normal(0, 0.2, problem.n_samples), 0.01, 0.99)
        curve = np.array([[5, 0.6, 0.7], [10, 0.4, 0.5 - 0.1 * number], [15, 0.3, 0.6]], dtype="float32")
        store.write(Outcome(trial, answers=np.stack([1 - ill, ill], axis=1), curve=curve))
    calibration = {"sharpness": 1.2, "doubt": 0.04}
    folder.write_json(
        "result.json",
        {
            "shares": {"1": 0.75, "0": 0.25},
            "calibration": calibration,
            "estimate": {"value": 0.2},
            "stop_reason": "time",
        },
    )
    return folder.path


def named_run(folder_of_runs: Path) -> Path:
    """The finished run with a whole estimate, and with names that mean harm."""
    path = finished_run(folder_of_runs)
    result = json.loads((path / "result.json").read_text())
    (path / "result.json").write_text(json.dumps(result | {"estimate": ESTIMATE}))
    settings = json.loads((path / "run.json").read_text())
    names = {"classes": ["well", "ill <b>"], "feature_names": [NASTY, *(f"g{i}" for i in range(1, 40))]}
    (path / "run.json").write_text(json.dumps(settings | names | {"notes": [f"Note on {NASTY}."]}))
    return path

"""A run folder made by hand: what a search would have written, without training anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras.engine import Outcome, TrialStore
from genokeras.searchers import TrialResult
from genokeras.support import RunFolder
from tests.report import small_runs

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """``make_run(trials, shares)`` -> path of a run on 7,129 genes."""

    def make(
        trials: Sequence[TrialResult], shares: dict[str, float] | None = None, objective: str = "log_loss"
    ) -> Path:
        settings = {
            "settings": {"objective": objective},
            "feature_names": [f"gene_{i}" for i in range(7129)],
        }
        folder = RunFolder.create(tmp_path / "run", settings)
        store = TrialStore(folder)
        for trial in trials:
            store.write(Outcome(trial, answers=np.full((2, 2), 0.5, dtype="float32")))
        if shares is not None:
            folder.write_json("result.json", {"shares": shares})
        return folder.path

    return make


@pytest.fixture
def finished_run(tmp_path: Path) -> Path:
    """Two linear trials on 24 samples in three folds, with curves and an ensemble of 3 to 1."""
    return small_runs.finished_run(tmp_path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The finished run with a whole estimate, and with names that mean harm."""
    return small_runs.named_run(tmp_path)


@pytest.fixture
def estimate() -> dict[str, Any]:
    """What a run says of itself."""
    return dict(small_runs.ESTIMATE)

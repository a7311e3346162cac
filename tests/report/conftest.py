"""A run folder made by hand: what a search would have written, without training anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from genokeras.runs import Outcome, RunFolder, TrialStore
from genokeras.search import TrialResult

MakeRun = Callable[..., Path]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """``make_run(trials, shares)`` -> path of a run on 7,129 genes."""

    def make(trials: Sequence[TrialResult], shares: dict[str, float] | None = None) -> Path:
        settings = {
            "settings": {"objective": "log_loss"},
            "feature_names": [f"gene_{i}" for i in range(7129)],
        }
        folder = RunFolder.create(tmp_path / "run", settings)
        store = TrialStore(folder)
        for trial in trials:
            store.write(Outcome(trial, probabilities=np.full((2, 2), 0.5, dtype="float32")))
        if shares is not None:
            folder.write_json("result.json", {"shares": shares})
        return folder.path

    return make

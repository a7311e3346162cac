"""Small synthetic studies and one classifier fitted on them, shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras import GenomeClassifier


def make_study(
    n: int = 40, p: int = 120, informative: int = 8, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.array(["healthy", "tumor"])[np.arange(n) % 2]
    x = rng.normal(5.0, 2.0, size=(n, p)).astype("float32")
    x[y == "tumor", :informative] += 4.0
    return x, y


@pytest.fixture(scope="session")
def study() -> tuple[pd.DataFrame, np.ndarray]:
    x, y = make_study()
    names = [f"GENE{i}" for i in range(x.shape[1])]
    return pd.DataFrame(x, columns=names, index=[f"S{i:02d}" for i in range(len(x))]), y


@pytest.fixture(scope="session")
def fitted(
    study: tuple[pd.DataFrame, np.ndarray], tmp_path_factory: pytest.TempPathFactory
) -> GenomeClassifier:
    x, y = study
    path: Path = tmp_path_factory.mktemp("runs") / "study"
    clf = GenomeClassifier(path=path, time_limit=None, max_trials=24, random_state=0, verbose=0)
    return clf.fit(x, y)

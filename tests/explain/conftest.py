"""A study with planted genes and a classifier fitted on it; small networks with known answers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from genokeras import GenomeClassifier
from genokeras.explain import Explanation, explain_model

PLANTED = 20


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[GenomeClassifier, np.ndarray, np.ndarray]:
    """200 samples, 5,000 genes, the first 20 of them informative."""
    rng = np.random.default_rng(3)
    y = np.array(["healthy", "tumor"])[np.arange(200) % 2]
    x = rng.normal(8.0, 1.0, size=(200, 5000)).astype("float32")
    x[y == "tumor", :PLANTED] += 1.0
    path = tmp_path_factory.mktemp("explained") / "planted"
    clf = GenomeClassifier(path=path, time_limit=None, max_trials=10, random_state=0, verbose=0)
    return clf.fit(x, y), x, y


@pytest.fixture(scope="session")
def small_network() -> Any:
    """6 features, 3 classes, one hidden layer; the weights are random but always the same."""
    rng = np.random.default_rng(1)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.set_weights([rng.normal(0, 0.5, (6, 8)), np.zeros(8), rng.normal(0, 0.5, (8, 3)), np.zeros(3)])
    return model


@pytest.fixture(scope="session")
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(2.0, 1.5, size=(30, 6)).astype("float32")


@pytest.fixture(scope="session")
def explained(small_network: Any, rows: np.ndarray) -> Explanation:
    names = ["A", "B", "$C_1$", "<D>", "é", "A"]
    return explain_model(
        small_network, rows[:12], rows, feature_names=names, output_names=["low", "mid", "high"]
    )

"""Two genes of which neither says anything alone: found, explained, and not called noise."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from genokeras import GenomeClassifier, load_estimator
from genokeras.explain import explain_run, marker_table, stability_of

GENES, SAMPLES, PAIR = 120, 160, ["g41", "g7"]


def drawn(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    x = np.random.default_rng(seed).normal(6, 1, size=(n, GENES))
    labels = np.where((x[:, 7] - 6) * (x[:, 41] - 6) > 0, "same", "apart")
    return pd.DataFrame(x, columns=[f"g{i}" for i in range(GENES)]), labels


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    model = GenomeClassifier(
        tmp_path_factory.mktemp("runs") / "pairs", time_limit=None, max_trials=26, random_state=0, verbose=0
    )
    return model.fit(*drawn(SAMPLES, 0))


def test_the_estimate_holds_on_new_samples_where_a_linear_model_is_at_chance(
    fitted: GenomeClassifier,
) -> None:
    x, labels = drawn(1000, 1)
    expected = fitted.estimate_["also"]["balanced_accuracy"]
    low, high = expected["interval"]
    found = fitted.score(x, labels)
    assert found > 0.8 and low - 0.03 < found < high + 0.03
    assert expected["linear_baseline"] < 0.65
    assert fitted.leaderboard()["view"].iloc[0] == "paired4"


def test_both_genes_lead_the_markers_and_are_not_called_noise(fitted: GenomeClassifier) -> None:
    x, _ = drawn(SAMPLES, 0)
    table = marker_table(explain_run(fitted._run, x))["same"]
    assert sorted(table["gene"].head(2)) == PAIR
    judged = stability_of(fitted._run, x, num_samples=10)
    assert judged.in_pairs is not None
    assert [f"g{i}" for i in np.flatnonzero(judged.in_pairs)] == sorted(PAIR, key=lambda name: int(name[1:]))
    assert not judged.is_noise("same")


def test_the_exported_model_and_the_run_that_is_opened_again_answer_alike(
    fitted: GenomeClassifier, tmp_path: Path
) -> None:
    x, _ = drawn(50, 2)
    expected = fitted.predict_proba(x)
    np.testing.assert_allclose(load_estimator(fitted.path_).predict_proba(x), expected, atol=1e-6)
    fitted.export_keras_model(tmp_path / "pairs.keras")
    model = keras.saving.load_model(tmp_path / "pairs.keras", safe_mode=True)
    np.testing.assert_allclose(model.predict(x.to_numpy("float32"), verbose=0), expected, atol=1e-5)

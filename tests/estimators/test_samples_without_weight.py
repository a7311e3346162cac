"""A sample of weight 0 has no effect: models are the same as without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import genokeras as gk

N, COUNTED = 60, 40
SETTINGS: dict[str, Any] = {"max_trials": 2, "time_limit": None, "random_state": 0, "verbose": 0}
ROWS = np.arange(N) < COUNTED
WEIGHT = ROWS.astype("float64")


def made() -> tuple[pd.DataFrame, np.ndarray]:
    """Two classes by one gene; the values of the samples without weight are far off."""
    rng = np.random.default_rng(9)
    x = pd.DataFrame(rng.normal(size=(N, 12)), columns=[f"G{i}" for i in range(12)])
    y = np.where(x["G0"] + 0.3 * rng.normal(size=N) > 0, "ill", "well")
    x[~ROWS] *= 1e4
    return x, y


def test_samples_of_weight_0_are_as_if_left_out() -> None:
    x, y = made()
    given = gk.GenomeClassifier(**SETTINGS).fit(x, y, sample_weight=WEIGHT)
    without = gk.GenomeClassifier(**SETTINGS).fit(x[ROWS], y[ROWS])
    np.testing.assert_array_equal(given.predict_proba(x[ROWS]), without.predict_proba(x[ROWS]))
    np.testing.assert_array_equal(given.predict_set(x, 0.8), without.predict_set(x, 0.8))
    assert given.estimate_ == without.estimate_
    assert given.estimate_["n_samples"] == COUNTED
    assert "20 samples of weight 0" in given._fitted().folder.settings["notes"][-1]
    given.final_fit(x, y, sample_weight=WEIGHT)
    without.final_fit(x[ROWS], y[ROWS])
    np.testing.assert_array_equal(given.predict_proba(x[ROWS]), without.predict_proba(x[ROWS]))


def test_a_panel_leaves_samples_of_weight_0_out() -> None:
    x, y = made()
    clf = gk.GenomeClassifier(**SETTINGS).fit(x[ROWS], y[ROWS])
    asked: dict[str, Any] = {"n_genes": 2, "time_limit": None, "max_trials": 1}
    given = clf.panel(x, y, sample_weight=WEIGHT, **asked)
    without = clf.panel(x[ROWS], y[ROWS], **asked)
    assert given.panel_.genes == without.panel_.genes
    assert given.estimate_ == without.estimate_


def test_medians_that_fill_gaps_are_of_samples_with_weight() -> None:
    x, y = made()
    x.iloc[::7, 0] = np.nan
    given = gk.GenomeClassifier(missing="median", **SETTINGS).fit(x, y, sample_weight=WEIGHT)
    without = gk.GenomeClassifier(missing="median", **SETTINGS).fit(x[ROWS], y[ROWS])
    np.testing.assert_array_equal(given.predict_proba(x), without.predict_proba(x))


def test_texts_of_weight_0_bring_no_words() -> None:
    texts = ["good gene", "bad gene", "good cell", "bad cell"] * 6 + ["other words"] * 3
    y = ["yes", "no"] * 12 + ["yes"] * 3
    weight = [1.0] * 24 + [0.0] * 3
    asked: dict[str, Any] = SETTINGS | {"max_trials": 1, "folds": 2}
    given = gk.TextClassifier(**asked).fit(texts, y, sample_weight=weight)
    without = gk.TextClassifier(**asked).fit(texts[:24], y[:24])
    np.testing.assert_array_equal(given.predict_proba(texts[:4]), without.predict_proba(texts[:4]))


@pytest.mark.parametrize(
    ("labels", "lost"), [(["a", "b"], "'b'"), (["a", "b", "c"], "'c'"), ([0, 1, 2], "'2'")]
)
def test_a_class_without_weight_is_refused_before_anything_is_written(
    labels: list[Any], lost: str, tmp_path: Any
) -> None:
    x, _ = made()
    y = np.resize(labels, N)
    weight = (y != labels[-1]).astype(float)
    with pytest.raises(gk.DataError, match=f"sample_weight is 0 for all samples of {lost}"):
        gk.GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y, sample_weight=weight)
    assert not (tmp_path / "run").exists()


def test_too_few_samples_with_weight_are_refused_before_anything_is_written(tmp_path: Any) -> None:
    x, y = made()
    weight = np.zeros(N)
    weight[[np.flatnonzero(y == "ill")[0], np.flatnonzero(y == "well")[0]]] = 1.0
    with pytest.raises(gk.DataError, match="no class has 2 samples or more"):
        gk.GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y, sample_weight=weight)
    numbers = gk.GenomeRegressor(tmp_path / "run", **SETTINGS)
    with pytest.raises(gk.DataError, match="without 59 samples of weight 0"):
        numbers.fit(x, x["G1"], sample_weight=np.arange(N) == 3)
    assert not (tmp_path / "run").exists()

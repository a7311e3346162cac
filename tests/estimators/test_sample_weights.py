"""Weights and studies go to the samples that they were given for, as labels do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from genokeras import DataError, GenomeClassifier, GenomeRegressor
from genokeras.data import check_sample_weight

N = 40
SETTINGS: dict[str, Any] = {"max_trials": 2, "time_limit": None, "random_state": 0, "verbose": 0}


def made() -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    rng = np.random.default_rng(0)
    ids = [f"P{i}" for i in range(N)]
    x = pd.DataFrame(rng.normal(size=(N, 12)), index=ids, columns=[f"G{i}" for i in range(12)])
    y = pd.Series(np.where(x["G0"] + rng.normal(size=N) > 0, "ill", "well"), index=ids)
    return x, y, pd.Series(np.where(np.arange(N) < N // 2, 1.0, 0.01), index=ids)


def test_weights_with_ids_go_by_these() -> None:
    x, y, weight = made()
    shuffled = weight.sample(frac=1, random_state=1)
    as_given = GenomeClassifier(**SETTINGS).fit(x, y, sample_weight=weight).predict_proba(x)
    for other in (shuffled, shuffled.to_frame()):
        found = GenomeClassifier(**SETTINGS).fit(x, y, sample_weight=other)
        np.testing.assert_array_equal(found.predict_proba(x), as_given)
        found.final_fit(x, y, sample_weight=other)
    by_row = GenomeClassifier(**SETTINGS).fit(x, y, sample_weight=shuffled.to_numpy()).predict_proba(x)
    assert np.abs(by_row - as_given).max() > 0.01


def test_weights_are_relative() -> None:
    x, y, weight = made()
    fits = [
        GenomeClassifier(**SETTINGS | {"max_trials": 4}).fit(
            x, y, sample_weight=None if same is None else same * by
        )
        for same, by in ((None, 1), (np.ones(N), 1), (np.ones(N), 1 / N), (np.ones(N), 7.0))
    ]
    for found in fits[1:]:
        np.testing.assert_array_equal(found.predict_proba(x), fits[0].predict_proba(x))
        assert found.estimate_ == fits[0].estimate_
    odd = np.where(np.arange(N) % 3, weight, 0.0)
    once = check_sample_weight(odd, N)
    assert once[odd > 0].mean() == pytest.approx(1, abs=1e-6) and not once[odd == 0].any()
    for factor in (1 / N, 7.0, 1e-9):
        np.testing.assert_array_equal(check_sample_weight(odd * factor, N), once)


def test_scores_weigh_by_id() -> None:
    x, y, weight = made()
    shuffled = weight.sample(frac=1, random_state=1)
    clf = GenomeClassifier(**SETTINGS).fit(x, y)
    right = clf.predict(x) == y.to_numpy()
    assert clf.score(x, y, shuffled) == pytest.approx(np.average(right, weights=weight))
    assert clf.score(x, y, shuffled.to_numpy()) == pytest.approx(np.average(right, weights=shuffled))
    regressor = GenomeRegressor(**SETTINGS).fit(x, x["G1"])
    assert regressor.score(x, x["G1"], shuffled) == pytest.approx(regressor.score(x, x["G1"], weight))


def test_blocks_that_lack_samples_take_weights_by_id() -> None:
    x, y, weight = made()
    blocks = {"rna": x, "meth": x.iloc[5:].add_prefix("M")}
    clf = GenomeClassifier(**SETTINGS).fit(blocks, y, sample_weight=weight)
    assert clf.n_trials_ == 2
    with pytest.raises(
        DataError, match=r"expected 35, got shape \(40,\)\. Where samples were left out, pass a Series"
    ):
        GenomeClassifier(**SETTINGS).fit(blocks, y, sample_weight=weight.to_numpy())


@pytest.mark.parametrize("values", ["age", {"P0": 1.0}, ["a"] * N])
def test_what_is_no_weight_is_refused(values: Any) -> None:
    x, y, _ = made()
    with pytest.raises(
        DataError, match="sample_weight must have one number per sample, as an array or a Series: got"
    ):
        GenomeClassifier(**SETTINGS).fit(x, y, sample_weight=values)


def test_weights_of_some_samples_only_are_refused() -> None:
    x, y, weight = made()
    with pytest.raises(DataError, match="sample_weight has no value for 3 of 40 samples"):
        GenomeClassifier(**SETTINGS).fit(x, y, sample_weight=weight.iloc[3:])


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([None] * 3 + ["a"] * (N - 3), "batches has no study for 3 of 40 samples.*Give them a study"),
        (["a"] * 5, "batches must have one value per sample: expected 40, got 5"),
        ("study", "batches='study' is neither a column"),
    ],
)
def test_what_is_wrong_with_studies_is_said_of_these(batches: Any, message: str) -> None:
    x, y, _ = made()
    with pytest.raises(DataError, match=message):
        GenomeClassifier(**SETTINGS).fit(x, y, batches=batches)

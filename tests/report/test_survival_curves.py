"""Kaplan-Meier curves of risk groups, the log-rank test, and calibration, on predictions that are given."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.report.survival import (
    SurvivalPredictions,
    log_rank,
    plot_risk_groups,
    plot_survival_calibration,
    risk_thirds,
    survival_band,
)


def predictions(n: int = 60) -> SurvivalPredictions:
    rng = np.random.default_rng(0)
    risk = rng.normal(size=n)
    time = np.ceil(10 * rng.exponential(np.exp(-2 * risk)) + 0.1)
    event = (rng.random(n) < 0.7).astype("float64")
    times = np.array([2.0, 8.0])
    return SurvivalPredictions(
        time, event, risk, np.arange(n) % 5, times, np.exp(-np.exp(2 * risk)[:, None] * times / 10), "days"
    )


def test_the_log_rank_test_is_that_of_scikit_survival() -> None:
    compare = pytest.importorskip("sksurv.compare", reason="scikit-survival is not installed")
    found = predictions()
    group = np.arange(60) % 3
    y = np.array(
        list(zip(found.event > 0, found.time, strict=True)), dtype=[("event", bool), ("time", float)]
    )
    np.testing.assert_allclose(
        log_rank(found.time, found.event, group), compare.compare_survival(y, group), rtol=1e-9
    )


def test_the_band_is_that_of_scikit_survival() -> None:
    nonparametric = pytest.importorskip("sksurv.nonparametric", reason="scikit-survival is not installed")
    found = predictions()
    times, value, band = nonparametric.kaplan_meier_estimator(
        found.event > 0, found.time, conf_type="log-log"
    )
    mine = survival_band(found.time, found.event, times)
    inside = (value > 0) & (value < 1)
    np.testing.assert_allclose(mine[0], value, rtol=1e-12)
    np.testing.assert_allclose(np.array(mine[1:])[:, inside], band[:, inside], rtol=1e-9)


def test_thirds_are_of_each_fold() -> None:
    fold = np.repeat([0, 1], 6)
    risk = np.r_[np.arange(6.0), 100 + np.arange(6.0)]
    np.testing.assert_array_equal(risk_thirds(risk, fold), [0, 0, 1, 1, 2, 2] * 2)


def test_pictures_say_what_they_show() -> None:
    found = predictions()
    assert (
        "Log-rank p" in plot_risk_groups(found).alt and "high risk (20 samples" in plot_risk_groups(found).alt
    )
    assert "at 2 they differ by" in plot_survival_calibration(found).alt


def test_calibration_of_a_few_samples_is_refused() -> None:
    with pytest.raises(ParameterError, match="calibration needs 24 samples or more: got 10"):
        plot_survival_calibration(predictions(10))

"""Tables and pictures of a report count samples by their weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

import genokeras as gk
from genokeras.errors import ParameterError
from genokeras.report.by_class import class_table
from genokeras.report.class_curves import ROC
from genokeras.report.class_pictures import plot_confusion_of
from genokeras.report.diagnostics import Predictions, calibration_error, reliability
from genokeras.report.predicted import NumberPredictions, plot_predicted
from genokeras.report.shares import share_of
from tests.report.test_html_report import Page

# The first class is found in one of two samples, which counts three times as much as the other.
TRUTH, P = [0, 0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6]]
WEIGHTED = Predictions(TRUTH, P, ["ill", "well"], weight=[6.0, 2.0, 4.0, 4.0])


def test_samples_that_count_alike_give_exact_intervals_of_counts() -> None:
    for hits, n in ((0, 5), (3, 7), (8, 8)):
        limits = binomtest(hits, n).proportion_ci(0.95)
        found = share_of(np.arange(n) < hits, np.full(n, 2.0))
        assert found == pytest.approx((hits / n, limits.low, limits.high))


def test_weighted_shares_are_as_certain_as_their_effective_number() -> None:
    right = np.array([True, True, False, False])
    found, alike = share_of(right, np.array([3.0, 1.0, 3.0, 1.0])), share_of(right, np.ones(4))
    assert found.value == alike.value == 0.5
    assert found.low < alike.low and found.high > alike.high
    assert share_of(right, np.array([3.0, 1.0, 1.0, 0.0])).value == pytest.approx(0.8)
    assert np.isnan(share_of(right, np.zeros(4)).value)


def test_rates_of_classes_are_weighted_and_numbers_of_samples_are_not() -> None:
    text = Page(class_table(WEIGHTED, "By class")).text
    # Recall 6 of 8, precision of the second class 8 of 10; two samples each.
    assert "ill 2 0.750" in text and "well 2 1.000" in text and "0.800" in text


def test_a_confusion_matrix_has_sums_of_weights() -> None:
    figure = plot_confusion_of(WEIGHTED)
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.5", "0.5", "0.0", "2.0"]
    assert "4 samples, 87.5% right, by weight" in figure.axes[0].get_title(loc="left")
    alike = plot_confusion_of(Predictions(TRUTH, P, ["ill", "well"]))
    assert [text.get_text() for text in alike.axes[0].texts] == ["1", "1", "0", "2"]


def test_curves_and_calibration_are_weighted() -> None:
    # Both of the second class rank above the first sample, which counts 6, and below the second, which counts 2.
    assert ROC.curves(WEIGHTED)[0].area == pytest.approx(0.75)
    said, right = np.array([0.5, 0.5]), np.array([True, False])
    table = reliability(said, right, weight=np.array([3.0, 1.0]))
    assert table["observed"] == pytest.approx([0.75]) and table["count"].tolist() == [2]
    assert calibration_error(table) == pytest.approx(0.25)


def test_weights_that_are_none_are_refused() -> None:
    for wrong in ([1.0], [1.0, -1.0, 1.0, 1.0], np.zeros(4)):
        with pytest.raises(ParameterError, match="weight must have one number a sample"):
            Predictions(TRUTH, P, ["ill", "well"], weight=wrong)


def test_scores_of_numbers_are_weighted() -> None:
    truth, predicted = np.array([0.0, 1.0, 2.0, 9.0]), np.array([0.0, 1.0, 2.0, 0.0])
    found = NumberPredictions(truth, predicted, ["age"], weight=[1.0, 1.0, 1.0, 0.0])
    assert "R2 1.000" in plot_predicted(found).axes[0].get_title(loc="left")


def test_a_report_says_that_samples_count_by_their_weights(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6))
    y = np.where(x[:, 0] + 0.5 * rng.normal(size=40) > 0, "ill", "well")
    clf = gk.GenomeClassifier(tmp_path / "run", max_trials=1, time_limit=None, random_state=0, verbose=0)
    clf.fit(x, y, sample_weight=np.where(np.arange(40) % 2, 0.5, 1.5))
    text = clf.report(tmp_path / "report.html", explain=False).read_text()
    assert "Samples count by their weights, the heaviest 1.5 times the mean" in text

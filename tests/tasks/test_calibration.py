"""Temperature scaling with a prior."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.tasks.calibration import Calibration, fit_calibration, fit_sharpness
from genokeras.tasks.class_scores import calibration_error


def calibrated(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = rng.uniform(0.02, 0.98, n)
    return np.column_stack([1 - positive, positive]), (rng.random(n) < positive).astype(int)


def test_calibrated_probabilities_are_left_alone() -> None:
    p, codes = calibrated(20_000)
    assert fit_calibration(p, codes).sharpness == pytest.approx(1.0, abs=0.06)


def test_timid_probabilities_are_made_surer_and_sure_ones_timid() -> None:
    p, codes = calibrated(20_000)
    assert fit_calibration(Calibration(1 / 1.4).apply(p), codes).sharpness == pytest.approx(1.4, rel=0.06)
    assert fit_calibration(Calibration(2.0).apply(p), codes).sharpness == pytest.approx(0.5, rel=0.06)


def test_a_handful_of_rows_hardly_moves_it() -> None:
    p = np.array([[0.6, 0.4], [0.4, 0.6]])
    assert 1.0 <= fit_calibration(p, [0, 1]).sharpness < 1.15


def test_rows_of_weight_zero_play_no_part() -> None:
    p, codes = calibrated(200)
    weight = np.where(np.arange(200) < 120, 1.0, 0.0)
    assert fit_calibration(p, codes, weight) == fit_calibration(p[:120], codes[:120])


def test_sharpening_keeps_the_order_of_classes() -> None:
    p = np.array([[0.5, 0.3, 0.2]])
    sharp = Calibration(1.5).apply(p)
    assert sharp.sum() == pytest.approx(1)
    assert (np.diff(sharp) < 0).all() and sharp[0, 0] > 0.5
    np.testing.assert_allclose(Calibration(1.0).apply(p), p)


def test_forty_rows_told_apart_leave_the_doubt_of_one_row_in_forty_one() -> None:
    codes = np.arange(40) % 2
    sure = np.eye(2)[codes]
    calibration = fit_calibration(sure, codes)
    assert calibration.doubt == pytest.approx(1 / 41)
    assert calibration.apply(sure).min() == pytest.approx(1 / 41 / 2, rel=1e-3)
    np.testing.assert_allclose(calibration.apply(sure).sum(axis=1), 1)


def test_a_trial_that_hardly_trained_is_made_many_times_surer() -> None:
    p, codes = calibrated(5_000)
    assert fit_sharpness(Calibration(1 / 8).apply(p), codes) == pytest.approx(8, rel=0.06)
    assert fit_sharpness(p[:0], codes[:0]) == 1.0


def test_the_calibration_error_is_the_mean_gap_between_what_is_said_and_what_is_right() -> None:
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    assert calibration_error(p, np.array([0, 1, 1, 1])) == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)
    assert calibration_error(np.eye(2), np.array([0, 1])) == 0

"""Ramps, smoothed curves and the rate suggested by them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from genokeras.errors import ParameterError, TrainingError
from genokeras.tuning import RangeTest, exponential_rates, smooth, suggest_rate

RATES = exponential_rates(1e-5, 0.1, 100)


def falling(n: int = 100) -> np.ndarray:
    return np.linspace(2.0, 1.0, n)


def test_rates_grow_by_the_same_factor() -> None:
    np.testing.assert_allclose(exponential_rates(1e-4, 1e-1, 4), [1e-4, 1e-3, 1e-2, 1e-1])


@pytest.mark.parametrize(
    ("first", "last", "steps"),
    [(0.0, 1.0, 5), (0.1, 0.1, 5), (0.1, 0.01, 5), (1e-3, math.inf, 5), (0.1, 1.0, 1)],
)
def test_rates_that_do_not_rise_are_refused(first: float, last: float, steps: int) -> None:
    with pytest.raises(ParameterError):
        exponential_rates(first, last, steps)


def test_smoothing_by_hand() -> None:
    # Ten values cap the window at two, so the decay is 1 - 2 / 3.
    curve = [3.0, 0.0, 0.0, 3.0, *[0.0] * 6]
    expected = [3.0, (3 / 3) / (1 + 1 / 3), (3 / 9) / (1 + 1 / 3 + 1 / 9)]
    np.testing.assert_allclose(smooth(curve, 50)[:3], expected)


def test_a_window_of_one_leaves_the_curve_as_it_is() -> None:
    curve = [4.0, 1.0, 5.0]
    np.testing.assert_array_equal(smooth(curve, 1), curve)


def test_smoothing_ends_where_the_curve_is_not_finite() -> None:
    smoothed = smooth([1.0, 2.0, math.inf, 3.0], 2)
    np.testing.assert_array_equal(np.isfinite(smoothed), [True, True, False, False])


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=60), st.integers(1, 80))
def test_a_smoothed_curve_stays_between_its_extremes(curve: list[float], window: int) -> None:
    smoothed = smooth(curve, window)
    assert smoothed.min() >= min(curve) - 1e-9
    assert smoothed.max() <= max(curve) + 1e-9


def test_a_curve_that_keeps_falling_suggests_the_highest_rate() -> None:
    test = suggest_rate(RATES, falling())
    assert test.suggestion == RATES[-1]
    assert "never diverged" in test.reason


def test_a_divergence_suggests_the_last_rate_before_it() -> None:
    losses = np.concatenate([falling(60), np.linspace(1.1, 50.0, 40)])
    test = suggest_rate(RATES, losses, window=1)
    assert test.suggestion == RATES[59]
    assert "more than 10 drops in a row" in test.reason


def test_the_lag_of_smoothing_is_taken_off() -> None:
    losses = np.concatenate([falling(60), np.linspace(1.1, 50.0, 40)])
    sharp, wide = (suggest_rate(RATES, losses, window=window) for window in (1, 21))
    assert sharp.suggestion / 10 < wide.suggestion <= sharp.suggestion


def test_accuracies_are_walked_the_other_way_up() -> None:
    losses = np.concatenate([falling(60), np.linspace(1.1, 50.0, 40)])
    test = suggest_rate(RATES, -losses, higher_is_better=True, window=1)
    assert test.suggestion == RATES[59]


def test_as_many_drops_as_allowed_are_no_divergence() -> None:
    losses = np.concatenate([falling(60), np.full(10, 1.5), falling(30) - 0.5])
    assert suggest_rate(RATES, losses, window=1, max_thres=10).suggestion == RATES[-1]


def test_noise_before_anything_is_learnt_is_no_divergence() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 50)
    losses = np.concatenate([2.0 + noise, np.linspace(2.0, 1.0, 50)])
    assert suggest_rate(RATES, losses, window=5).suggestion == RATES[-1]


@pytest.mark.parametrize("end", [math.nan, math.inf])
def test_a_value_that_is_not_finite_ends_the_walk(end: float) -> None:
    losses = np.concatenate([falling(40), np.full(60, end)])
    test = suggest_rate(RATES, losses, window=1)
    assert test.suggestion == RATES[39]
    assert "no longer finite" in test.reason


def test_a_flat_curve_suggests_the_geometric_middle() -> None:
    test = suggest_rate([1e-5, 1e-4, 1e-1], [0.7, 0.7, 0.7])
    assert test.suggestion == pytest.approx(1e-3)
    assert "flat" in test.reason


def test_the_first_rate_is_not_suggested_even_if_all_others_are_worse() -> None:
    test = suggest_rate(RATES, np.linspace(1.0, 9.0, 100))
    assert test.suggestion == RATES[1]
    assert "begin lower" in test.reason


def test_a_breakdown_right_behind_the_first_rate_leaves_only_the_first() -> None:
    test = suggest_rate([0.1, 1.0], [2.0, math.nan])
    assert test.suggestion == 0.1
    assert "begin lower" in test.reason


def test_a_curve_without_a_finite_value_is_an_error() -> None:
    with pytest.raises(TrainingError, match="first value of the range test is nan"):
        suggest_rate([0.1, 1.0], [math.nan, math.nan])


@pytest.mark.parametrize("rates", [[0.1, 0.01, 1.0], [0.0, 0.1, 1.0], [0.1, 1.0]])
def test_rates_and_losses_that_do_not_fit_are_refused(rates: list[float]) -> None:
    with pytest.raises(ParameterError):
        suggest_rate(rates, [1.0, 1.0, 1.0])


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), min_size=3, max_size=50), st.integers(1, 50))
def test_any_curve_that_begins_finite_gets_one_of_its_rates_but_the_first(
    curve: list[float], window: int
) -> None:
    rates = exponential_rates(1e-5, 0.1, len(curve) + 2)
    test = suggest_rate(rates, [1.0, 1.0, *curve], window=window)
    assert rates[0] < test.suggestion <= rates[-1]


def test_a_finished_test_cannot_be_changed() -> None:
    test = suggest_rate(RATES, falling())
    with pytest.raises(ValueError, match="read-only"):
        test.raw[0] = 0.0


def diverging() -> RangeTest:
    return suggest_rate(RATES, np.concatenate([falling(60), 10.0 ** np.arange(1, 40), [math.inf]]))


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_the_plot_is_written_where_asked(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"range{suffix}"
    diverging().plot(path)
    assert path.stat().st_size > 1000


def test_the_plot_shows_the_curve_rather_than_its_explosion() -> None:
    axes = diverging().plot().axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_ylim()[1] < 10


def test_the_plot_goes_onto_axes_given() -> None:
    axes = Figure().subplots()
    assert diverging().plot(ax=axes) is axes.get_figure()
    assert len(axes.lines) == 3


def test_curves_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"rates must be numbers, one for each step: got \['a', 'b'\]"):
        suggest_rate(["a", "b"], [1, 2])  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="losses must be numbers"):
        suggest_rate([1e-3, 1e-2], [None, "b"])  # type: ignore[list-item]
    with pytest.raises(ParameterError, match="curve must be numbers"):
        smooth([[1.0], [2.0, 3.0]])  # type: ignore[list-item]

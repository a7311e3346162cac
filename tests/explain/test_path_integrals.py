"""Path integrals of functions whose attributions are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from genokeras.explain.paths import MOST_INTERVALS, attribute, background_rows, ranges_of
from tests.explain.functions import FunctionFrame

rng = np.random.default_rng(0)
X, BACKGROUND = rng.normal(2.0, 1.0, size=(5, 4)), rng.normal(0.0, 1.0, size=(7, 4))
WEIGHTS = np.array([1.5, -2.0, 0.0, 0.5])

linear = FunctionFrame(
    lambda x: x @ WEIGHTS[:, None] + 3.0, lambda x: np.broadcast_to(WEIGHTS, (1, len(x), 4)).copy(), 4
)
# f = x_0 x_1
product = FunctionFrame(
    lambda x: x[:, :1] * x[:, 1:2],
    lambda x: np.stack([x[:, 1], x[:, 0], 0 * x[:, 0], 0 * x[:, 0]], axis=1)[None],
    4,
)


def logistic(steepness: float) -> FunctionFrame:
    def slope(x: np.ndarray) -> np.ndarray:
        p = expit(steepness * (x @ WEIGHTS))
        return (steepness * p * (1 - p))[:, None] * WEIGHTS

    return FunctionFrame(
        lambda x: expit(steepness * (x @ WEIGHTS))[:, None], lambda x: slope(x)[None], 4, own_units=False
    )


def test_a_linear_function_gets_weight_times_distance_from_the_mean() -> None:
    found = attribute(linear, X, BACKGROUND)
    np.testing.assert_allclose(found.values[..., 0], (X - BACKGROUND.mean(axis=0)) * WEIGHTS, atol=1e-5)
    assert found.base[0] == pytest.approx((BACKGROUND @ WEIGHTS + 3.0).mean())


def test_the_two_factors_of_a_product_get_half_of_it_each() -> None:
    x = np.array([[2.0, 3.0, 1.0, 1.0], [1.0, -4.0, 0.0, 2.0]])
    found = attribute(product, x, np.zeros((1, 4))).values[..., 0]
    np.testing.assert_allclose(found, [[3.0, 3.0, 0.0, 0.0], [-2.0, -2.0, 0.0, 0.0]], atol=1e-5)


def test_from_any_start_a_factor_gets_its_step_times_the_mean_of_the_other() -> None:
    # The integral of x_1 along the line is the mean of its ends.
    x, b = X[:1], BACKGROUND[:1]
    found = attribute(product, x, b).values[0, :2, 0]
    middle = 0.5 * (x + b)[0]
    np.testing.assert_allclose(found, (x - b)[0, :2] * middle[[1, 0]], rtol=1e-4)


def test_a_logistic_function_is_shared_out_as_its_linear_part_is() -> None:
    x, b = X[:1], BACKGROUND[:1]
    frame = logistic(1.0)
    share = WEIGHTS * (x - b)[0] / (WEIGHTS @ (x - b)[0])
    change = (frame.outputs(x) - frame.outputs(b)).item()
    np.testing.assert_allclose(attribute(frame, x, b).values[0, :, 0], share * change, atol=1e-4)


@pytest.mark.parametrize("steepness", [1.0, 30.0, 300.0])
def test_steps_of_any_steepness_add_up(steepness: float) -> None:
    found = attribute(logistic(steepness), X, BACKGROUND)
    missing = np.abs(found.values.sum(axis=1) + found.base - found.outputs)
    assert missing.max() <= 1e-3 * found.ranges[0]


def test_more_draws_do_not_change_what_is_exact_already() -> None:
    few, many = (attribute(linear, X, BACKGROUND, n_draws=n).values for n in (1, 2000))
    np.testing.assert_allclose(few, many, atol=1e-5)


def test_intervals_are_doubled_until_values_add_up() -> None:
    counts: list[int] = []
    frame = logistic(3000.0)

    def gradient(x: np.ndarray) -> np.ndarray:
        counts.append(len(x))
        # Wrong by half, so that no number of intervals is enough.
        return 0.0 * frame.gradient(x)

    attribute(FunctionFrame(frame.function, gradient, 4, own_units=False), X[:1], BACKGROUND[:1], n_draws=10)
    assert counts == [4 * 2**i for i in range(8)]
    assert counts[-1] == MOST_INTERVALS


def test_only_samples_that_do_not_add_up_get_more_intervals() -> None:
    evaluated: list[int] = []
    # x_0 up to 1 is a straight line; beyond there is a wave.
    frame = FunctionFrame(
        lambda x: x[:, :1] + np.where(x[:, :1] > 1, np.sin(40 * (x[:, :1] - 1)), 0.0),
        lambda x: (
            evaluated.append(len(x)),
            np.eye(4)[0] * (1 + 40 * np.where(x > 1, np.cos(40 * (x - 1)), 0)),
        )[1][None],
        4,
    )
    straight, wave = np.full((3, 4), 0.5), np.full((1, 4), 2.0)
    found = attribute(frame, np.concatenate([straight, wave]), np.zeros((1, 4)), n_draws=10)
    first, *later = evaluated
    assert first == 4 * later[0] // 2
    np.testing.assert_allclose(found.values[:3, 0, 0], 0.5, rtol=1e-6)
    assert found.values[3, 0, 0] == pytest.approx(found.outputs[3, 0], abs=3e-3)


def test_samples_in_another_order_have_the_same_values() -> None:
    order = [3, 0, 4, 1, 2]
    frame = logistic(2.0)
    np.testing.assert_allclose(
        attribute(frame, X[order], BACKGROUND).values,
        attribute(frame, X, BACKGROUND).values[order],
        atol=1e-6,
    )


def test_background_rows_in_another_order_give_the_same_values() -> None:
    frame = logistic(2.0)
    np.testing.assert_allclose(
        attribute(frame, X, BACKGROUND[::-1]).values, attribute(frame, X, BACKGROUND).values, atol=1e-6
    )


def test_several_background_rows_are_averaged() -> None:
    frame = logistic(2.0)
    alone = [attribute(frame, X, row[None]).values for row in BACKGROUND]
    np.testing.assert_allclose(attribute(frame, X, BACKGROUND).values, np.mean(alone, axis=0), atol=2e-3)


def test_a_feature_with_the_value_of_the_background_gets_nothing() -> None:
    x, background = X.copy(), BACKGROUND.copy()
    x[:, 1], background[:, 1] = 0.7, 0.7
    assert not attribute(logistic(2.0), x, background).values[:, 1].any()


def test_a_sample_that_is_the_background_gets_nothing() -> None:
    found = attribute(logistic(2.0), X[:1], X[:1])
    assert not found.values.any()
    np.testing.assert_allclose(found.outputs[0], found.base)


def test_numbers_are_measured_by_their_own_range_and_classes_by_the_widest() -> None:
    outputs, reference = np.array([[0.0, 100.0], [1.0, 300.0]]), np.array([[3.0, 200.0]])
    assert ranges_of(outputs, reference, own_units=True).tolist() == [3.0, 200.0]
    assert ranges_of(outputs, reference, own_units=False).tolist() == [200.0, 200.0]


def test_the_range_of_a_constant_is_what_float32_resolves_of_it() -> None:
    ranges = ranges_of(np.array([[5.0, 0.0]]), np.array([[5.0, 0.0]]), own_units=True)
    assert ranges[0] == pytest.approx(5e-6)
    assert 0.0 < ranges[1] < 1e-30


def test_a_small_background_is_used_as_it_is() -> None:
    assert background_rows(linear, BACKGROUND, 70, np.random.default_rng(0)) is BACKGROUND


def test_chosen_rows_are_spread_over_the_outputs() -> None:
    background = np.random.default_rng(1).normal(size=(400, 4))
    chosen = background_rows(linear, background, 200, np.random.default_rng(0))
    assert len(chosen) == 20
    order = np.argsort(linear.outputs(background)[:, 0])
    places = [int(np.flatnonzero((background[order] == row).all(axis=1))[0]) // 20 for row in chosen]
    assert sorted(places) == list(range(20))


def test_a_wide_background_is_drawn_from_with_the_generator_alone() -> None:
    background = np.random.default_rng(1).normal(size=(900, 4))
    first, again, other = (
        background_rows(linear, background, 50, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first, axis=0)) == 5

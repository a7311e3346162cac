from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime

from genokeras.errors import ParameterError, SearchError
from genokeras.searchers.gp import (
    GaussianProcess,
    KernelParameters,
    negative_log_posterior,
    product_kernel,
    squared_distances,
    stable_cholesky,
)


def smooth(n: int, seed: int = 0, noise: float = 0.0) -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    inputs = [rng.normal(size=(n, 5)), rng.random((n, 1))]
    return inputs, np.sin(3 * inputs[1][:, 0]) + 0.3 * inputs[0][:, 0] + noise * rng.normal(size=n)


def test_squared_distances_are_those_by_hand() -> None:
    found = squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(found, [[25.0, 0.0]])


def test_kernel_is_the_product_of_its_blocks() -> None:
    blocks = [np.array([[0.0, 4.0], [4.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])]
    found = product_kernel(blocks, KernelParameters((2.0, 1.0), signal=3.0, noise=0.1))
    np.testing.assert_allclose(found[0], [3.0, 3.0 * np.exp(-4 / 8) * np.exp(-1 / 2)])


@settings(max_examples=25, deadline=None, derandomize=True)
@given(n=st.integers(1, 25), seed=st.integers(0, 999), scale=st.floats(0.1, 30.0))
def test_kernel_is_positive_semi_definite(n: int, seed: int, scale: float) -> None:
    inputs, _ = smooth(n, seed)
    distances = [squared_distances(block, block) for block in inputs]
    kernel = product_kernel(distances, KernelParameters((scale, 1.0), 1.0, 0.1))
    assert np.linalg.eigvalsh(kernel).min() > -1e-9


def test_gradient_of_the_likelihood_is_right() -> None:
    inputs, y = smooth(15, noise=0.1)
    distances = [squared_distances(block, block) for block in inputs]
    prior = np.array([1.0, -0.5, 0.0, -3.0])
    rest = (distances, y, np.full(15, 0.01), prior)
    theta = np.array([0.7, -0.2, 0.3, -2.0])
    numeric = approx_fprime(theta, lambda t: negative_log_posterior(t, *rest)[0], 1e-6)
    np.testing.assert_allclose(negative_log_posterior(theta, *rest)[1], numeric, rtol=1e-4, atol=1e-4)


def test_one_observation_predicts_itself_and_stays_finite_elsewhere() -> None:
    process = GaussianProcess.fit([np.zeros((1, 2))], [0.4])
    mean, std = process.predict([np.array([[0.0, 0.0], [100.0, 100.0]])])
    np.testing.assert_allclose(mean, [0.4, 0.4])
    assert std[0] < std[1] <= 1.0


@pytest.mark.parametrize("n", [2, 3])
def test_few_observations_leave_the_prior_in_place(n: int) -> None:
    inputs, y = smooth(n)
    process = GaussianProcess.fit(inputs, y)
    assert process.parameters.signal == 1.0
    mean, _ = process.predict(inputs)
    assert np.abs(mean - y).max() < 0.2 * np.ptp(y)


def test_equal_scores_are_predicted_everywhere() -> None:
    inputs, _ = smooth(8)
    mean, std = GaussianProcess.fit(inputs, np.full(8, 0.7)).predict(inputs)
    np.testing.assert_allclose(mean, 0.7)
    assert np.isfinite(std).all()


def test_exact_scores_are_interpolated() -> None:
    inputs, y = smooth(30)
    process = GaussianProcess.fit(inputs, y)
    mean, std = process.predict(inputs)
    np.testing.assert_allclose(mean, y, atol=0.05)
    assert std.max() < 0.1 * y.std()


def test_noise_is_learnt_from_the_scores() -> None:
    quiet, loud = (GaussianProcess.fit(*smooth(60, noise=noise)) for noise in (0.0, 0.5))
    assert loud.parameters.noise > 5 * quiet.parameters.noise


def test_prediction_beats_the_mean_on_new_points() -> None:
    inputs, y = smooth(90, noise=0.05)
    process = GaussianProcess.fit([block[:60] for block in inputs], y[:60])
    mean, _ = process.predict([block[60:] for block in inputs])
    assert np.mean((mean - y[60:]) ** 2) < 0.3 * y[60:].var()


def test_shift_and_scale_of_the_scores_pass_through() -> None:
    inputs, y = smooth(20)
    mean, std = GaussianProcess.fit(inputs, y).predict(inputs)
    shifted, wider = GaussianProcess.fit(inputs, 1000 + 50 * y).predict(inputs)
    np.testing.assert_allclose(shifted, 1000 + 50 * mean, rtol=1e-6)
    np.testing.assert_allclose(wider, 50 * std, rtol=1e-4)


def test_a_score_known_to_be_noisy_counts_for_less() -> None:
    inputs = [np.array([[0.0], [0.0], [5.0]])]
    process = GaussianProcess.fit(inputs, [0.0, 1.0, 0.5], noise=[0.0, 100.0, 0.0])
    assert process.predict([np.array([[0.0]])])[0][0] < 0.1


def test_joint_predictions_agree_with_those_one_by_one() -> None:
    inputs, y = smooth(20)
    process = GaussianProcess.fit(inputs, 30 * y)
    points = [block + 0.1 for block in inputs]
    mean, covariance = process.joint(points)
    single, std = process.predict(points)
    np.testing.assert_allclose(mean, single)
    np.testing.assert_allclose(np.sqrt(np.diagonal(covariance)), std, rtol=1e-5)
    assert np.linalg.eigvalsh(covariance).min() > -1e-6


def test_kernel_parameters_can_be_given() -> None:
    given = KernelParameters((2.0, 1.0), signal=3.0, noise=0.1)
    assert GaussianProcess.fit(*smooth(20), parameters=given).parameters == given


def test_fit_is_the_same_twice() -> None:
    first, second = (GaussianProcess.fit(*smooth(30, noise=0.1)).parameters for _ in range(2))
    assert first == second


def test_equal_points_need_jitter_and_get_it() -> None:
    factor = stable_cholesky(np.ones((5, 5)))
    np.testing.assert_allclose(factor @ factor.T, np.ones((5, 5)), atol=1e-3)


def test_a_matrix_that_is_no_covariance_is_refused() -> None:
    with pytest.raises(SearchError, match="not positive definite"):
        stable_cholesky(np.array([[1.0, 5.0], [5.0, 1.0]]))


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ParameterError, match="leave failed trials out"):
        GaussianProcess.fit([np.zeros((2, 1))], [0.1, np.inf])


def test_blocks_of_another_length_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"got \[\(3, 1\)\]"):
        GaussianProcess.fit([np.zeros((3, 1))], [0.1, 0.2])

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from genokeras.searchers.acquisition import (
    expected_improvement,
    lower_confidence_bound,
    negative_log_expected_improvement,
)

finite = st.floats(-1e3, 1e3)


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_expected_improvement_at_the_best_is_std_over_root_two_pi() -> None:
    assert expected_improvement(one(0.3), one(2.0), 0.3)[0] == pytest.approx(2 / np.sqrt(2 * np.pi))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(mean=finite, std=st.floats(1e-6, 1e3), best=finite)
def test_expected_improvement_is_never_negative(mean: float, std: float, best: float) -> None:
    assert expected_improvement(one(mean), one(std), best)[0] >= 0
    assert np.isfinite(negative_log_expected_improvement(one(mean), one(std), best)[0])


def test_expected_improvement_is_the_mean_of_the_improvements() -> None:
    draws = norm(0.2, 0.5).rvs(200_000, random_state=np.random.default_rng(0))
    expected = np.maximum(0.1 - draws, 0).mean()
    assert expected_improvement(one(0.2), one(0.5), 0.1)[0] == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("z", [-20.0, -5.0, -1.01, -0.99, 0.0, 3.0])
def test_logarithm_agrees_with_the_plain_formula(z: float) -> None:
    plain = np.log(expected_improvement(one(-z), one(1.0), 0.0)[0])
    assert -negative_log_expected_improvement(one(-z), one(1.0), 0.0)[0] == pytest.approx(plain, rel=1e-6)


def test_logarithm_still_falls_where_the_plain_formula_is_zero() -> None:
    means = np.array([50.0, 100.0, 500.0, 5000.0])
    values = negative_log_expected_improvement(means, np.ones(4), 0.0)
    assert (np.diff(values) > 0).all()


def test_confidence_bound_rewards_low_means_and_high_uncertainty() -> None:
    found = lower_confidence_bound(np.array([0.5, 0.5]), np.array([0.1, 0.2]), beta=2.0)
    np.testing.assert_allclose(found, [0.3, 0.1])

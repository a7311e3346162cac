"""The logarithm: set in by the data, every sample brought to one scale."""

from __future__ import annotations

import numpy as np

from genokeras.features import log_factors, log_normalised

RNG = np.random.default_rng(0)


def intensities() -> np.ndarray:
    return RNG.lognormal(5.0, 2.0, (12, 400)).astype("float32")


def test_the_logarithm_sets_in_at_a_tenth_of_the_median_size() -> None:
    x = np.array([[0.0, -10.0, 30.0], [0.0, 20.0, 40.0]], dtype="float32")
    np.testing.assert_allclose(log_factors(x), [0, 1 / 2.5, 1 / 2.5])


def test_a_constant_feature_plays_no_part_whatever_it_becomes() -> None:
    x = intensities()
    x[:, 3] = 7.0
    changed = x.copy()
    changed[:, 3] = 1e6
    factors = log_factors(x)
    np.testing.assert_array_equal(log_normalised(changed, factors), log_normalised(x, factors))


def test_a_matrix_of_zeros_stays_zero() -> None:
    x = np.zeros((3, 4), dtype="float32")
    assert not log_normalised(x, log_factors(x)).any()


def test_every_sample_gets_mean_zero_and_variance_one() -> None:
    z = log_normalised(intensities(), np.full(400, 0.1))
    np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(z.var(axis=1), 1, atol=1e-3)


def test_an_array_that_is_brighter_as_a_whole_looks_the_same() -> None:
    x = intensities()
    np.testing.assert_allclose(
        log_normalised(8 * x, np.full(400, 100.0)), log_normalised(x, np.full(400, 100.0)), atol=0.05
    )


def test_negative_intensities_keep_their_order() -> None:
    x = np.sort(RNG.normal(0, 100, (1, 50)).astype("float32"))
    assert (np.diff(log_normalised(x, np.full(50, 0.2))) > 0).all()

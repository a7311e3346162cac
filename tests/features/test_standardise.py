"""Standardisation: statistics per column, constant columns, dense and sparse alike."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from genokeras.features import column_blocks, standardisation, standardised_blocks
from genokeras.features import standardise as module


def test_statistics_are_those_of_the_columns() -> None:
    x = np.array([[1.0, 10.0], [3.0, 10.0], [5.0, 40.0]], dtype="float32")
    scaling = standardisation(x)
    np.testing.assert_allclose(scaling.mean, [3.0, 20.0])
    np.testing.assert_allclose(scaling.inverse_sd, [np.sqrt(3 / 8), 1 / np.sqrt(200)])


@pytest.mark.parametrize("constant", [0.0, 7.0, -1234.5])
def test_a_constant_column_gets_no_weight(constant: float) -> None:
    x = np.column_stack([np.full(6, constant), np.arange(6)]).astype("float32")
    inverse_sd = standardisation(x).inverse_sd
    assert inverse_sd[0] == 0 and inverse_sd[1] > 0


def test_a_spread_that_is_rounding_noise_beside_the_mean_counts_as_constant() -> None:
    x = 1000.0 + np.array([[0.0, 0.0], [1e-4, 1e-1], [2e-4, 2e-1]])
    inverse_sd = standardisation(x).inverse_sd
    assert inverse_sd[0] == 0 and inverse_sd[1] > 0


def test_a_small_spread_around_zero_is_no_constant() -> None:
    assert standardisation(np.array([[1e-9], [-1e-9], [2e-9]])).inverse_sd[0] > 0


def test_means_are_numbers_that_float32_can_hold() -> None:
    mean = standardisation(np.random.default_rng(0).standard_normal((9, 5))).mean
    np.testing.assert_array_equal(mean, mean.astype("float32"))


@pytest.mark.parametrize("block_bytes", [8, 8 * 7 * 3, 2**20])
def test_blocks_make_up_the_matrix_whatever_their_size(
    block_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK_BYTES", block_bytes)
    x = np.random.default_rng(0).standard_normal((7, 10)).astype("float32")
    columns = np.array([1, 2, 5, 8, 9])
    for matrix in (x, sparse.csr_matrix(x)):
        parts, blocks = zip(*column_blocks(matrix, columns), strict=True)
        np.testing.assert_array_equal(np.concatenate(parts), columns)
        np.testing.assert_array_equal(np.concatenate(blocks, axis=1), x[:, columns])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardised_blocks_have_unit_columns_and_leave_the_data_alone(dtype: str) -> None:
    x = np.random.default_rng(0).gamma(2.0, size=(20, 6)).astype(dtype)
    kept = x.copy()
    scaling = standardisation(x)
    block = np.concatenate([b for _, b in standardised_blocks(x, scaling)], axis=1)
    np.testing.assert_allclose(block.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(block.std(axis=0), 1, rtol=1e-12)
    np.testing.assert_array_equal(x, kept)

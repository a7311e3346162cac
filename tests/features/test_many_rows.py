"""Many rows are mapped in blocks, and their directions found without a copy of them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from genokeras.features import Matrix, fit_row_space, principal_axes, rowspace, standardisation


def counts(n: int, p: int) -> sparse.csr_matrix:
    return sparse.csr_matrix(np.random.default_rng(0).poisson(0.15, size=(n, p)).astype("float32"))


def test_rows_mapped_in_blocks_are_those_mapped_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x = counts(50, 90)
    space = fit_row_space(x, standardisation(x))
    at_once = space.transform(x)
    monkeypatch.setattr(rowspace, "_ROWS_MAPPED_AT_ONCE", 7)
    np.testing.assert_allclose(space.transform(x), at_once, atol=1e-5)


@pytest.mark.parametrize("n", [50, 300])
def test_axes_are_those_of_the_singular_value_decomposition(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    x = counts(n, 90)
    z, rows = fit_row_space(x, standardisation(x)).transform(x), np.arange(n) % 5 > 0
    monkeypatch.setattr(rowspace, "_ROWS_MAPPED_AT_ONCE", 7)
    found = principal_axes(z, rows)
    _, values, directions = np.linalg.svd(z[rows].astype("float64"), full_matrices=False)
    assert found.n_rows == rows.sum()
    np.testing.assert_allclose(found.values, values[: len(found.values)], rtol=1e-6)
    assert (values[len(found.values) :] <= 1e-3 * values[0]).all()
    # The same directions, each perhaps the other way round.
    overlap = np.abs(np.sum(directions[: len(found.values)].T * found.directions, axis=0))
    np.testing.assert_allclose(overlap, 1.0, atol=1e-6)


def test_a_part_of_the_rows_says_which_directions_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    low = rng.standard_normal((3000, 40)) @ rng.standard_normal((40, 1200))
    x = (low + 0.01 * rng.standard_normal(low.shape)).astype("float32")
    monkeypatch.setattr(rowspace, "_ROWS_FOR_LEADING", 1000)
    space = fit_row_space(x, standardisation(x))
    assert space.rank == 40  # the noise is below a thousandth
    kept = np.square(space.transform(x) / space.scale).sum()
    assert kept > 0.999 * len(space.columns) * len(x)  # all of the variance is one a column


@pytest.mark.parametrize("as_sparse", [True, False])
def test_leading_directions_are_those_of_the_decomposition(
    monkeypatch: pytest.MonkeyPatch, as_sparse: bool
) -> None:
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((300, 5)) @ rng.standard_normal((5, 200)) + 0.3 * rng.standard_normal(
        (300, 200)
    )
    x: Matrix = sparse.csr_matrix(dense) if as_sparse else dense
    for name, value in {"ROWS_FOR_GRAM": 100, "EXACT_RANK": 50}.items():
        monkeypatch.setattr(rowspace, name, value)
    scaling = standardisation(x)
    space = fit_row_space(x, scaling, directions=5)
    _, _, directions = np.linalg.svd((dense - scaling.mean) * scaling.inverse_sd, full_matrices=False)
    assert space.rank == 5
    assert np.mean(space.transform(x) ** 2) == pytest.approx(1.0, rel=0.02)
    overlap = np.linalg.svd(directions[:5] @ np.asarray(space.basis))[1]
    np.testing.assert_allclose(overlap, 1.0, atol=1e-4)


def test_a_sparse_matrix_is_never_dense_as_a_whole() -> None:
    x = counts(12_000, 1_200)
    tracemalloc.start()
    try:
        fit_row_space(x, standardisation(x)).transform(x)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12_000 * 1_200 * 8  # in float64
    assert peak < 110 * 2**20

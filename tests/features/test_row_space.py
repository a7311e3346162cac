"""Row space: a layer on a few directions is a layer on all the features."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import pdist

from genokeras.features import Matrix, RowSpace, fit_row_space, principal_axes, restrict, standardisation
from genokeras.features.rowspace import TRUNCATED_RANK

FOLD = np.arange(12) % 4 != 1


def expression(n: int, p: int, as_sparse: bool = False, seed: int = 0) -> Matrix:
    """Skewed positive values, many of them zero, with a constant and an all-zero gene."""
    rng = np.random.default_rng(seed)
    x = (rng.gamma(2.0, 3.0, size=(n, p)) * (rng.random((n, p)) < 0.6)).astype("float32")
    x[:, 1], x[:, 3] = 5.0, 0.0
    return sparse.csr_matrix(x) if as_sparse else x


def dense(x: Matrix) -> np.ndarray:
    return np.asarray(x.todense() if sparse.issparse(x) else x, dtype="float64")


def fold_space(whole: RowSpace, z: np.ndarray) -> RowSpace:
    return restrict(whole, principal_axes(z, FOLD))


def standardised(x: Matrix, space: RowSpace) -> np.ndarray:
    return (dense(x)[:, space.columns] - space.mean) * space.inverse_sd


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize(("n", "p"), [(12, 60), (12, 8)])
@pytest.mark.parametrize("restricted", [False, True])
def test_a_layer_in_row_space_is_a_layer_on_the_features(
    as_sparse: bool, n: int, p: int, restricted: bool
) -> None:
    x = expression(n, p, as_sparse)
    space = fit_row_space(x, standardisation(x))
    if restricted and space.basis is not None:
        space = fold_space(space, space.transform(x))
    kernel = np.random.default_rng(1).standard_normal((space.rank, 4))
    folded = space.inverse_sd[:, None] * (space.projection().astype("float64") @ kernel)
    on_features = dense(x)[:, space.columns] @ folded - space.mean @ folded
    np.testing.assert_allclose(space.transform(x) @ kernel, on_features, atol=2e-5)


def test_new_rows_are_mapped_as_the_folded_kernel_does() -> None:
    x, new = expression(12, 60), expression(5, 60, seed=9)
    space = fit_row_space(x, standardisation(x))
    np.testing.assert_allclose(space.transform(new), standardised(new, space) @ space.projection(), atol=2e-5)


def test_constant_genes_take_no_part() -> None:
    x = expression(12, 60)
    assert not {1, 3} & set(fit_row_space(x, standardisation(x)).columns)


def test_the_basis_is_orthonormal_and_the_scale_gives_unit_mean_square() -> None:
    x = expression(12, 60)
    space = fit_row_space(x, standardisation(x))
    assert space.basis is not None
    np.testing.assert_allclose(space.basis.T @ space.basis, np.eye(space.rank), atol=1e-5)
    assert np.mean(space.transform(x) ** 2) == pytest.approx(1.0, rel=1e-4)


def test_distances_between_rows_are_those_of_the_standardised_features() -> None:
    x = expression(12, 60)
    space = fit_row_space(x, standardisation(x))
    expected = space.scale * pdist(standardised(x, space))
    np.testing.assert_allclose(pdist(space.transform(x)), expected, rtol=1e-4)


def test_no_more_features_than_rows_stay_themselves() -> None:
    x = expression(12, 14)  # 12 of the 14 are not constant
    space = fit_row_space(x, standardisation(x))
    assert space.basis is None and space.rank == 12
    np.testing.assert_allclose(space.transform(x), standardised(x, space), atol=1e-5)


def test_repeated_rows_lower_the_rank_and_nothing_else() -> None:
    x = np.asarray(expression(12, 60))
    x = np.concatenate([x, x[:5], x[:1]])
    space = fit_row_space(x, standardisation(x))
    z = space.transform(x)
    assert space.rank <= 12 and np.isfinite(z).all()
    np.testing.assert_allclose(pdist(z), space.scale * pdist(standardised(x, space)), rtol=1e-4, atol=1e-4)


def test_a_fold_space_spans_exactly_the_training_rows() -> None:
    x = expression(12, 60)
    whole = fit_row_space(x, standardisation(x))
    z = whole.transform(x)
    fold = fold_space(whole, z)
    assert fold.rank == np.linalg.matrix_rank(z[FOLD], tol=1e-2) == FOLD.sum()
    ratio = fold.scale / whole.scale
    np.testing.assert_allclose(pdist(fold.transform(x)[FOLD]), ratio * pdist(z[FOLD]), rtol=1e-4)
    # Every direction is a combination of training rows.
    rotation = np.asarray(fold.rotation)
    within = z[FOLD].T @ np.linalg.lstsq(z[FOLD].T, rotation, rcond=None)[0]
    np.testing.assert_allclose(within, rotation, atol=1e-4)


def test_a_fold_space_has_unit_mean_square_on_its_training_rows() -> None:
    x = expression(12, 60)
    whole = fit_row_space(x, standardisation(x))
    fold = fold_space(whole, whole.transform(x))
    assert np.mean(fold.transform(x)[FOLD] ** 2) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_a_space_of_some_rows_and_columns_is_that_of_the_smaller_matrix(as_sparse: bool) -> None:
    x = expression(12, 80, as_sparse)
    scaling = standardisation(x)
    columns = np.arange(0, 80, 2)
    part = fit_row_space(x, scaling, columns, np.flatnonzero(FOLD))
    alone = fit_row_space(x[FOLD][:, columns], scaling.take(columns))
    np.testing.assert_array_equal(part.columns, columns[alone.columns])
    assert part.rank == alone.rank and part.scale == pytest.approx(alone.scale)
    np.testing.assert_allclose(
        pdist(part.transform(x)[FOLD]), pdist(alone.transform(x[FOLD][:, columns])), rtol=1e-4
    )


def test_very_many_directions_are_cut_to_the_leading_ones() -> None:
    """1,500 x 1,200 of rank 20 plus a little noise: the leading directions hold all but the noise, dense or sparse alike."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 20)) @ rng.normal(size=(20, 1200)) + 0.6 * rng.normal(size=(1500, 1200))
    scaling = standardisation(x)
    space = fit_row_space(x, scaling)
    assert space.rank == TRUNCATED_RANK
    standardised = (x - scaling.mean) * scaling.inverse_sd
    z = space.transform(x) / space.scale
    assert (z**2).sum() > 0.98 * (standardised**2).sum()
    from_sparse = fit_row_space(sparse.csr_matrix(x), scaling)
    a, b = (abs(found.transform(x[:5])[:, :20]) for found in (from_sparse, space))
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)

"""Views: which features each fold sees, chosen without a look at the rows it holds out."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy import sparse
from sklearn.feature_selection import f_classif
from sklearn.linear_model import Ridge

from genokeras.errors import ParameterError
from genokeras.features import (
    DEFAULT_VIEWS,
    FittedView,
    anova_f,
    available_views,
    fit_views,
    key_of,
    ridge_weights,
    standardisation,
)

N, P = 30, 90
CODES = np.arange(N) % 3
TRAIN = np.stack([(np.arange(N) // 3) % 5 != fold for fold in range(5)])


def fit_one(name: str, x: np.ndarray, codes: np.ndarray, train: np.ndarray) -> FittedView:
    return fit_views((name,), x, codes, train)[name]


def labelled() -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((N, P)).astype("float32") + 3
    x[:, :10] += CODES[:, None] * np.linspace(0.5, 3, 10, dtype="float32")
    x[:, 20] = 1.5
    return x


@pytest.mark.parametrize("matrix", [np.asarray, sparse.csr_matrix])
def test_anova_f_is_that_of_scikit_learn_on_the_training_rows_of_every_fold(matrix: type) -> None:
    x = labelled()
    varying = np.delete(np.arange(P), 20)
    found = anova_f(matrix(x), standardisation(x), CODES, TRAIN)
    for fold, rows in enumerate(TRAIN):
        expected, _ = f_classif(x[rows][:, varying].astype("float64"), CODES[rows])
        np.testing.assert_allclose(found[fold, varying], expected, rtol=1e-5)
    assert (found[:, 20] == 0).all()


def test_a_class_that_a_fold_does_not_train_on_is_left_out() -> None:
    x, codes = labelled(), CODES.copy()
    codes[~TRAIN[0]] = 3
    found = anova_f(x, standardisation(x), codes, TRAIN[:1])
    expected, _ = f_classif(x[TRAIN[0]][:, :20].astype("float64"), codes[TRAIN[0]])
    np.testing.assert_allclose(found[0, :20], expected, rtol=1e-5)


def test_a_feature_that_tells_the_classes_apart_without_error_ranks_first() -> None:
    x = labelled()
    x[:, 40] = CODES
    assert anova_f(x, standardisation(x), CODES, TRAIN).argmax(axis=1).tolist() == [40] * 5


def test_a_feature_that_is_constant_on_the_training_rows_alone_scores_zero() -> None:
    x = labelled()
    x[TRAIN[2], 40] = 2.0
    assert anova_f(x, standardisation(x), CODES, TRAIN)[2, 40] == 0


def test_the_folds_of_all_share_one_basis_and_no_direction_of_their_own() -> None:
    x = labelled()
    view = fit_one("all", x, CODES, TRAIN)
    assert len({id(space.basis) for space in view.spaces}) == 1
    assert view.ranks().tolist() == TRAIN.sum(axis=1).tolist()


@pytest.mark.parametrize(
    "name",
    [
        "all",
        "top50",
        "top5",
        "top1000",
        "log",
        "log:top50",
        "log:top5",
        "weighted90",
        "log:weighted40",
        "leading4",
        "log:leading99",
        "paired9",
        "log:paired9",
    ],
)
def test_z_is_the_transform_of_every_fold_padded_with_zeros(name: str) -> None:
    x, train = labelled(), TRAIN.copy()
    train[1, :12] = False  # a smaller fold, hence a smaller basis
    view = fit_one(name, x, CODES, train)
    for z, space in zip(view.z, view.spaces, strict=True):
        np.testing.assert_allclose(z[:, : space.rank], space.transform(x), atol=1e-5)
        assert not z[:, space.rank :].any()


@pytest.mark.parametrize("width", [P, 12])
def test_leading_components_are_those_of_the_training_rows_at_variance_1(width: int) -> None:
    x = labelled()[:, :width]
    view = fit_one("leading4", x, CODES, TRAIN)
    scaled = (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)
    for z, rows in zip(view.z, TRAIN, strict=True):
        _, _, directions = np.linalg.svd(scaled[rows], full_matrices=False)
        scores = scaled @ directions[:4].T
        scores /= np.sqrt(np.mean(scores[rows] ** 2, axis=0))
        np.testing.assert_allclose(np.abs(z), np.abs(scores), atol=2e-3)


def test_top_k_takes_the_k_best_features_of_each_fold() -> None:
    x = labelled()
    view = fit_one("top7", x, CODES, TRAIN)
    for space, rows in zip(view.spaces, TRAIN, strict=True):
        statistics, _ = f_classif(np.delete(x[rows], 20, axis=1).astype("float64"), CODES[rows])
        best = np.delete(np.arange(P), 20)[np.argsort(-statistics)[:7]]
        assert space.columns.tolist() == sorted(best.tolist())


@pytest.mark.parametrize(
    "name",
    [
        "top40",
        "top5",
        "log:top40",
        "log:top5",
        "rank:top40",
        "ratio:top5",
        "weighted90",
        "log:weighted40",
        "paired5",
    ],
)
def test_top_k_never_looks_at_held_out_rows(name: str) -> None:
    x = labelled()
    before = fit_one(name, x, CODES, TRAIN[:1]).spaces[0]
    changed, codes = x.copy(), CODES.copy()
    changed[~TRAIN[0]] = 100 * np.random.default_rng(5).standard_normal((6, P))
    codes[~TRAIN[0]] = 0
    after = fit_one(name, changed, codes, TRAIN[:1]).spaces[0]
    np.testing.assert_array_equal(after.columns, before.columns)
    assert key_of(after.rescaling) == key_of(before.rescaling)
    np.testing.assert_array_equal(after.basis, before.basis)  # None twice where the features stay themselves
    assert after.scale == before.scale


def test_views_that_would_take_every_feature_are_not_offered() -> None:
    weighted = ("weighted2000", "log:weighted2000")
    leading = ("all", "leading10", "log", "log:leading10", "paired4", "paired20")
    assert set(DEFAULT_VIEWS) - set(available_views(500)) == {"top1000", "log:top1000"}
    assert available_views(500, n_samples=100_001) == (
        "all",
        "leading10",
        "paired4",
        "paired20",
        "top100",
        "leading30",
        "top300",
    )
    assert set(available_views(100)) == {*leading, *weighted, "leading30", "log:leading30"}
    assert set(available_views(100, n_samples=59)) == {*leading, *weighted}
    assert set(available_views(10)) == {"all", "log", "paired4", *weighted}
    assert available_views(20_000, n_samples=2_200) == DEFAULT_VIEWS
    assert not set(weighted) & set(available_views(20_000, n_samples=2_300))


def test_views_are_left_out_where_time_is_short() -> None:
    x = np.random.default_rng(0).normal(size=(12, 40)).astype("float32")
    asked: list[float] = []

    def fits(seconds: float) -> bool:
        asked.append(seconds)
        return len(asked) < 3

    targets, train = np.arange(12) % 2, np.ones((1, 12), dtype=bool)
    assert list(fit_views(("all", "log", "leading3", "top5"), x, targets, train, fits=fits)) == [
        "all",
        "log",
        "leading3",
    ]
    assert asked[0] > 0 and asked == sorted(asked)
    assert list(fit_views(("all", "log"), x, targets, train, fits=lambda _: False)) == ["all"]


def test_the_first_views_differ_most() -> None:
    kinds = [name.removeprefix("log:").replace("log", "all") for name in DEFAULT_VIEWS]
    assert set(kinds[:10]) >= {
        "all",
        "leading10",
        "leading30",
        "paired20",
        "top100",
        "top300",
        "weighted2000",
    }


@pytest.mark.parametrize("matrix", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("n_targets", [1, 3])
def test_weights_are_the_coefficients_of_a_ridge_regression_in_every_fold(
    matrix: type, n_targets: int
) -> None:
    x, y = labelled(), np.random.default_rng(1).normal(3, 5, size=(N, n_targets))
    scaling = standardisation(x)
    found = ridge_weights(matrix(x), scaling, y, TRAIN)
    scaled = (x - scaling.mean) * scaling.inverse_sd
    for weights, rows in zip(found, TRAIN, strict=True):
        ridge = Ridge(0.3 * (scaling.inverse_sd > 0).sum()).fit(scaled[rows], y[rows])
        expected = np.sqrt((np.reshape(ridge.coef_, (n_targets, P)) ** 2).sum(axis=0))
        np.testing.assert_allclose(weights, expected / expected.max(), atol=1e-8)
    assert (found[:, 20] == 0).all()


def test_targets_that_never_vary_weigh_every_feature_alike() -> None:
    x = labelled()
    assert (ridge_weights(x, standardisation(x), np.full(N, 3.3), TRAIN) == 1).all()


@pytest.mark.parametrize("name", ["weighted90", "weighted20", "log:weighted40"])
def test_weighted_coordinates_have_the_inner_products_of_weighted_features(name: str) -> None:
    x, count = np.delete(np.abs(labelled()), 20, axis=1), int(name.rsplit("d", maxsplit=1)[-1])
    view = fit_one(name, x, CODES, TRAIN)
    rescaling = view.spaces[0].rescaling
    values = x if rescaling is None else rescaling.apply(x)
    scaling = standardisation(values)
    weights = ridge_weights(values, scaling, np.eye(3)[CODES], TRAIN)
    for fold, (space, rows) in enumerate(zip(view.spaces, TRAIN, strict=True)):
        assert set(space.columns) == set(np.argsort(-weights[fold])[:count])
        scaled = (values - scaling.mean) * scaling.inverse_sd * weights[fold]
        expected = scaled[:, space.columns] @ scaled[rows][:, space.columns].T
        z = view.z[fold].astype("float64") / space.scale
        np.testing.assert_allclose(z @ z[rows].T, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
        np.testing.assert_allclose(space.transform(x), view.z[fold][:, : space.rank], atol=1e-4)
        assert np.mean(view.z[fold][rows][:, : space.rank] ** 2) == pytest.approx(1, rel=0.3)


@pytest.mark.parametrize("name", ["top", "top0", "top-5", "log:all", "pca", ""])
def test_an_unknown_view_is_refused_by_name(name: str) -> None:
    x = labelled()
    with pytest.raises(
        ParameterError, match="a view is 'all', 'log', 'rank', 'ratio', 'arcsinh', 'top<k>' such"
    ):
        fit_one(name, x, CODES, TRAIN)


@pytest.mark.parametrize(("name", "most"), [("all", 120), ("top1000", 120), ("log", 200)])
def test_fifty_thousand_genes_are_fitted_in_blocks(name: str, most: int) -> None:
    x = np.random.default_rng(0).standard_normal((200, 50_000), dtype="float32")
    codes, train = np.arange(200) % 3, np.arange(200) % 5 != np.arange(5)[:, None]
    tracemalloc.start()
    try:
        fit_one(name, x, codes, train)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The matrix in float64 would be 76 MiB, the basis is 38; the logarithm is a matrix of its own.
    assert peak < most * 2**20


@pytest.mark.parametrize("name", ["log", "log:top30", "all", "top30", "weighted30", "paired30"])
def test_a_constant_gene_is_in_no_view(name: str) -> None:
    x = np.exp(labelled())
    x[:, 50:70] = 7.0
    # Behind the logarithm constant genes follow the mean of the others, and these make it one with the classes.
    x[:, :10] *= 1.0 + CODES[:, None]
    for space in fit_one(name, x, CODES, TRAIN).spaces:
        assert not np.isin(np.arange(50, 70), space.columns).any()


@pytest.mark.parametrize(("n_genes", "left"), [(1, ("all",)), (2, ("all", "log", "rank"))])
def test_a_view_in_which_all_samples_look_alike_is_left_out(n_genes: int, left: tuple[str, ...]) -> None:
    # A single gene less the mean of its sample is 0 everywhere, and its rank is always the first.
    x = np.random.default_rng(0).uniform(1, 9, (12, n_genes)).astype("float32")
    found = fit_views(("all", "log", "rank"), x, np.arange(12) % 2, np.ones((1, 12), dtype=bool))
    assert tuple(found) == left

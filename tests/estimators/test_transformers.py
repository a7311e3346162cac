"""Logarithm, row space and screening alone, as scikit-learn's transformers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.feature_selection import f_classif, r_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from genokeras import LogTransformer, RowSpaceTransformer, ScreeningTransformer
from genokeras.errors import DataError, ParameterError

RNG = np.random.default_rng(0)
WIDE = RNG.normal(3, 2, (12, 60))
TALL = RNG.normal(3, 2, (40, 5))


@parametrize_with_checks(
    [
        LogTransformer(),
        RowSpaceTransformer(),
        ScreeningTransformer(n_genes=2),
        ScreeningTransformer(by="ridge"),
    ]
)
def test_scikit_learn_finds_nothing_wrong(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("x", [WIDE, TALL])
def test_row_space_has_the_scores_of_principal_components_of_standardised_genes(x: np.ndarray) -> None:
    space, pca = RowSpaceTransformer().fit(x), PCA().fit(StandardScaler().fit_transform(x))
    count = space.n_components_
    assert count == min(len(x) - 1, x.shape[1]) and space.exact_
    np.testing.assert_allclose(space.singular_values_, pca.singular_values_[:count], rtol=1e-4)
    scores = pca.transform(StandardScaler().fit_transform(x))[:, :count]
    np.testing.assert_allclose(np.abs(space.transform(x)), np.abs(scores), atol=1e-3)
    np.testing.assert_allclose(space.components_ @ space.components_.T, np.eye(count), atol=1e-5)


def test_training_samples_come_back_from_the_row_space_and_sparse_ones_are_read_alike() -> None:
    x = WIDE * (WIDE > 3)
    space = RowSpaceTransformer().fit(x)
    np.testing.assert_allclose(space.inverse_transform(space.transform(x)), x, atol=1e-3)
    other = RowSpaceTransformer().fit(sparse.csr_matrix(x))
    np.testing.assert_allclose(
        np.abs(other.transform(sparse.csr_matrix(x))), np.abs(space.transform(x)), atol=1e-4
    )


def test_a_ridge_regression_on_the_row_space_is_one_on_all_genes() -> None:
    y = WIDE[:, 0] - WIDE[:, 1]
    space = RowSpaceTransformer().fit(WIDE)
    small = Ridge(3.0).fit(space.transform(WIDE), y)
    whole = Ridge(3.0).fit(StandardScaler().fit_transform(WIDE), y)
    coef, intercept = space.to_genes(small.coef_, small.intercept_)
    np.testing.assert_allclose(coef * WIDE.std(axis=0), whole.coef_, atol=1e-5)
    np.testing.assert_allclose(WIDE @ coef + intercept, small.predict(space.transform(WIDE)), atol=1e-4)


def test_a_constant_gene_takes_no_part_in_the_row_space() -> None:
    x = WIDE.copy()
    x[:, 4] = 7.0
    space = RowSpaceTransformer(n_components=3).fit(x)
    assert not space.components_[:, 4].any() and space.inverse_transform(space.transform(x))[0, 4] == 7
    assert space.get_feature_names_out().tolist() == [f"rowspacetransformer{i}" for i in range(3)]
    assert not space.exact_


def test_more_directions_than_there_are_is_an_error() -> None:
    with pytest.raises(ParameterError, match="at most 11, the number of directions"):
        RowSpaceTransformer(n_components=12).fit(WIDE)
    with pytest.raises(DataError, match="every gene has the same value in all 3 samples"):
        RowSpaceTransformer().fit(np.ones((3, 4)))
    with pytest.raises(DataError, match=r"shape \(n_samples, 11\), got \(12, 60\)"):
        RowSpaceTransformer().fit(WIDE).inverse_transform(WIDE)
    with pytest.raises(DataError, match="coef must have 11 columns"):
        RowSpaceTransformer().fit(WIDE).to_genes(np.ones(60))


def test_a_logarithm_brings_samples_of_other_depth_to_one_scale() -> None:
    counts = RNG.poisson(20, (6, 50)).astype(float)
    log = LogTransformer().fit(counts)
    deep = log.transform(100 * counts[:1])
    np.testing.assert_allclose(deep.std(), 1, atol=1e-2)
    assert np.corrcoef(deep, log.transform(counts[:1]))[0, 1] > 0.99
    names = pd.DataFrame(counts, columns=[f"G{i}" for i in range(50)])
    assert LogTransformer(kind="rank").fit(names).get_feature_names_out()[0] == "G0"
    with pytest.raises(ParameterError, match="kind must be one of arcsinh, log, ratio, rank"):
        LogTransformer(kind="log2").fit(counts)


def test_screening_ranks_as_analysis_of_variance_and_correlation_do() -> None:
    y = np.arange(40) % 3
    classes = ScreeningTransformer(n_genes=2).fit(TALL, y)
    np.testing.assert_allclose(classes.scores_, f_classif(TALL, y)[0], rtol=1e-3)
    assert set(np.flatnonzero(classes.get_support())) == set(np.argsort(-classes.scores_)[:2])
    numbers = ScreeningTransformer(target="numbers").fit(TALL, y)
    np.testing.assert_allclose(numbers.scores_ * len(TALL) / len(TALL), r_regression(TALL, y) ** 2, rtol=1e-3)
    np.testing.assert_allclose(classes.transform(TALL), TALL[:, classes.get_support()], rtol=1e-6)


def test_numbers_with_fractions_are_taken_as_numbers_unless_classes_are_asked() -> None:
    y = TALL[:, 1] * 2
    assert np.argmax(ScreeningTransformer(by="ridge").fit(TALL, y).scores_) == 1
    with pytest.raises(DataError, match="continuous"):
        ScreeningTransformer(target="classes").fit(TALL, y)


def test_all_three_in_a_pipeline_with_names() -> None:
    x, y = np.exp(RNG.normal(3, 1, (40, 60))), np.arange(40) % 2
    x[::2, :3] *= 9
    table = pd.DataFrame(x, columns=[f"G{i}" for i in range(60)])
    model = make_pipeline(
        LogTransformer(), ScreeningTransformer(n_genes=9), RowSpaceTransformer(), LogisticRegression()
    )
    assert cross_val_score(model, table, y, cv=3).mean() > 0.8
    chosen = model.fit(table, y)[:2].get_feature_names_out()
    assert {"G0", "G1", "G2"} <= set(chosen)

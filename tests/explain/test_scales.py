"""Which tables hold logarithms: a column of ages among the genes says nothing of them, and counts stay counts."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from genokeras.data.block import Block
from genokeras.engine.testing import table_problem
from genokeras.explain import class_changes, target_correlations
from genokeras.explain.pairs import pairs_of_problem
from genokeras.explain.replication import found_again
from genokeras.explain.scales import are_logarithms, loggish
from genokeras.tasks.classes import Classes

RNG = np.random.default_rng(9)
N = 80
CODE = RNG.integers(0, 2, N)
LOGS = RNG.normal(7, 1, size=(N, 5))
LOGS[:, 0] += 2 * CODE
AGE, DAYS = RNG.normal(60, 9, N), RNG.gamma(1.0, 900.0, (N, 2))
DEPTH = RNG.lognormal(0, 0.6, (N, 1))
# Of 400 genes four are markers of a type of cells, and the only large ones.
CELLS = np.where(np.arange(400) < 396, 1.0, np.arange(N)[:, None] % 3 == 0)
SPARSE = RNG.poisson(CELLS * DEPTH * np.r_[np.full(396, 0.2), 60.0, 80.0, 150.0, 300.0])
BULK = RNG.poisson(DEPTH * RNG.lognormal(5, 2, 40)).astype(float)


def test_a_column_of_ages_changes_no_fold_change_and_no_test_of_the_genes() -> None:
    alone, beside = (class_changes(x, CODE, [1]) for x in (LOGS, np.c_[LOGS, AGE]))
    assert alone.effect[0, 0] == pytest.approx(2.19, abs=0.01)
    np.testing.assert_array_equal(beside.effect[:5], alone.effect)
    np.testing.assert_array_equal(beside.p_value[:5], alone.p_value)
    np.testing.assert_allclose(beside.q_value[:, 0], stats.false_discovery_control(beside.p_value[:, 0]))


def test_a_column_of_ages_changes_no_correlation_with_a_number() -> None:
    number = LOGS[:, 0] + RNG.normal(size=N)
    alone, beside = (target_correlations(x, number, ["t"]) for x in (LOGS, np.c_[LOGS, AGE]))
    np.testing.assert_allclose(beside.effect[:5], alone.effect, rtol=1e-12)


def test_a_column_of_ages_changes_no_correlation_of_pairs_and_no_gene_that_is_found_again() -> None:
    both = np.ones((1, N), dtype=bool)
    x = np.exp(0.3 * LOGS)
    assert x.max() < 50
    alone, beside = (
        pairs_of_problem(
            table_problem(one.astype("float32"), CODE, Classes(2), both, both, ("all",)), ("a", "b"), 30, 0
        )
        for one in (x, np.c_[x, AGE])
    )
    found = {
        tuple(sorted(pair)): r for pair, r in zip(beside.genes.tolist(), beside.correlation, strict=True)
    }
    for pair, r in zip(alone.genes.tolist(), alone.correlation, strict=True):
        np.testing.assert_allclose(found[tuple(sorted(pair))], r, atol=1e-4)
    targets = np.stack([1.0 - CODE, CODE], axis=1)
    again, more = (found_again(one, targets, None, np.random.default_rng(0))[0] for one in (x, np.c_[x, AGE]))
    np.testing.assert_allclose(more[:5], again, atol=1e-6)


@pytest.mark.parametrize("x", [SPARSE, SPARSE / DEPTH, BULK, BULK + RNG.normal(0, 1e-4, BULK.shape)])
def test_counts_and_intensities_are_no_logarithms_with_ages_or_without(x: np.ndarray) -> None:
    assert not are_logarithms(x) and not are_logarithms(np.c_[x, AGE])


@pytest.mark.parametrize("genes", [LOGS, LOGS - 7, np.log1p(SPARSE)], ids=["logs", "centred", "sparse"])
@pytest.mark.parametrize("covariates", [AGE, DAYS[:, 0], np.c_[AGE, DAYS]], ids=["age", "days", "three"])
def test_covariates_do_not_make_genes_counts(genes: np.ndarray, covariates: np.ndarray) -> None:
    assert are_logarithms(np.c_[genes, covariates])


def test_ages_in_years_do_not_make_allele_counts_expression() -> None:
    assert are_logarithms(np.c_[SPARSE[:, :20] % 3, np.round(AGE)])


def test_counts_have_the_fold_changes_that_they_had() -> None:
    offset = 0.1 * np.median(SPARSE[SPARSE > 0])
    inside, outside = (SPARSE[part].mean(axis=0) + offset for part in (CODE == 1, CODE == 0))
    np.testing.assert_allclose(
        class_changes(SPARSE, CODE, [1]).effect[:, 0], np.log2(inside / outside), rtol=1e-6
    )
    np.testing.assert_allclose(loggish(SPARSE.astype(float)), np.arcsinh(SPARSE / offset))


def test_each_block_is_on_its_own_scale() -> None:
    x = np.c_[LOGS, BULK]
    blocks = (Block("array", 0, 5), Block("counts", 5, 45))
    found, logs, counts = (
        class_changes(*given)
        for given in ((x, CODE, [1], None, blocks), (LOGS, CODE, [1]), (BULK, CODE, [1]))
    )
    np.testing.assert_array_equal(found.effect, np.concatenate([logs.effect, counts.effect]))
    np.testing.assert_array_equal(found.p_value, np.concatenate([logs.p_value, counts.p_value]))
    correlated = target_correlations(x, AGE, ["age"], blocks=blocks).effect
    np.testing.assert_allclose(correlated[5:], target_correlations(BULK, AGE, ["age"]).effect, rtol=1e-12)


def test_missing_values_decide_nothing_and_stay() -> None:
    x = np.c_[LOGS, AGE]
    x[:30, 2], x[:, 3] = np.nan, np.nan
    assert are_logarithms(x)
    np.testing.assert_array_equal(loggish(x), x)
    counts = BULK.copy()
    counts[:30] = np.nan
    assert np.isnan(loggish(counts)[:30]).all() and np.isfinite(loggish(counts)[30:]).all()


def test_a_negative_mean_of_intensities_counts_as_none() -> None:
    x = np.array([[0.0, -30.0], [0.0, -10.0], [800.0, 220.0], [820.0, 60.0]])
    found = class_changes(x, [0, 0, 1, 1], [1])
    # The offset is a tenth of the median size, 140.
    np.testing.assert_allclose(found.effect[1, 0], np.log2((140 + 14) / 14))
    assert np.isfinite(found.p_value).all()

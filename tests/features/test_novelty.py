"""Samples unlike the training samples have small p-values; those like them have any."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from genokeras.features import NoveltySpace, fit_novelty


def tissue(n: int, seed: int, p: int = 300, of: int = 0) -> np.ndarray:
    """Expression of one tissue: a profile of its own, few modules, noise."""
    profile = np.random.default_rng(100 + of).gamma(2.0, 2.0, size=p)
    modules = np.random.default_rng(200 + of).normal(size=(4, p))
    rng = np.random.default_rng(seed)
    return np.exp(profile + 0.3 * rng.normal(size=(n, 4)) @ modules + 0.3 * rng.normal(size=(n, p)))


@pytest.fixture(scope="module")
def space() -> NoveltySpace:
    return fit_novelty(tissue(60, 0))


def test_another_tissue_is_novel_and_the_same_one_is_not(space: NoveltySpace) -> None:
    assert (space.of(tissue(50, 1, of=1)).p_value <= 0.05).all()
    same = space.of(tissue(400, 2)).p_value
    assert (same <= 0.05).mean() == pytest.approx(0.05, abs=0.04)
    assert same.mean() == pytest.approx(0.5, abs=0.1)


def test_arrays_at_another_scale_are_not_novel(space: NoveltySpace) -> None:
    x = tissue(20, 3)
    assert space.of(7.5 * x).p_value == pytest.approx(space.of(x).p_value)


def test_it_is_the_same_read_back_and_of_sparse_rows(space: NoveltySpace) -> None:
    x = tissue(5, 4)
    again = NoveltySpace.from_arrays(space.to_arrays())
    assert again.of(x).p_value == pytest.approx(space.of(x).p_value)
    assert space.of(sparse.csr_matrix(x)).distance == pytest.approx(space.of(x).distance)


def test_fewer_genes_than_samples_and_groups_serve_as_well() -> None:
    groups = np.repeat(np.arange(30), 2)
    space = fit_novelty(tissue(60, 0, p=40), groups)
    assert all(len(np.unique(space.fold[groups == group])) == 1 for group in range(30))
    assert space.smallest_p_value == pytest.approx(1 / 31)
    assert (space.of(tissue(20, 1, p=40, of=1)).p_value <= 0.05).mean() > 0.9


def test_standardised_genes_are_compared_by_value() -> None:
    rng = np.random.default_rng(0)
    space = fit_novelty(rng.normal(size=(50, 200)))
    assert not space.ranked
    other = rng.normal(size=(20, 200))
    assert (space.of(other).p_value <= 0.05).mean() < 0.3
    other[:, :20] += 4
    assert (space.of(other).p_value <= 0.05).all()


def test_one_gene_has_no_profile_and_is_compared_by_value() -> None:
    x = np.random.default_rng(0).normal(size=(40, 1))
    space = fit_novelty(x)
    assert space.of(np.array([[50.0]])).p_value[0] <= 0.05 and space.of(x[:1]).p_value[0] > 0.05

"""Agreement of gene lists: the index against other formulas for it, and what is said about it."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genokeras.errors import ParameterError
from genokeras.explain import Stability, marker_table, nogueira_index
from genokeras.explain.stability import top_lists
from tests.explain.functions import made_explanation


def drawn_lists(seed: int, m: int, p: int, k: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(p) < k for _ in range(m)])


def kuncheva(lists: np.ndarray) -> float:
    """Kuncheva 2007: ``(r - k^2 / p) / (k - k^2 / p)``, ``r`` the features that two lists share, averaged over pairs."""
    p, k = lists.shape[1], lists[0].sum()
    pairs = [((a & b).sum() - k**2 / p) / (k - k**2 / p) for a, b in combinations(lists, 2)]
    return float(np.mean(pairs))


@given(st.integers(0, 1000), st.integers(2, 7), st.integers(4, 30), st.integers(1, 3))
def test_the_index_of_lists_of_one_length_is_kunchevas(seed: int, m: int, p: int, k: int) -> None:
    lists = drawn_lists(seed, m, p, k)
    assert nogueira_index(lists) == pytest.approx(kuncheva(lists))


@given(st.integers(0, 1000), st.permutations(range(10)), st.permutations(range(5)))
def test_the_index_knows_no_order_of_lists_or_genes(seed: int, genes: list[int], order: list[int]) -> None:
    lists = drawn_lists(seed, 5, 10, 3)
    assert nogueira_index(lists[order][:, genes]) == pytest.approx(nogueira_index(lists))


@given(st.integers(0, 1000), st.integers(2, 6))
def test_the_index_is_between_its_bounds(seed: int, m: int) -> None:
    lists = np.random.default_rng(seed).random((m, 12)) < 0.4
    index = nogueira_index(lists)
    # Nogueira, Sechidis and Brown 2018, property 3: -1 / (M - 1) to 1.
    assert np.isnan(index) or -1.0 / (m - 1) - 1e-9 <= index <= 1.0 + 1e-9


def test_lists_without_a_common_gene_are_at_the_lower_bound() -> None:
    lists = np.array([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=bool)
    assert nogueira_index(lists) == pytest.approx(-1.0)


def test_lists_of_several_lengths_are_compared_too() -> None:
    lists = np.array([[1, 1, 1, 0], [1, 0, 0, 0]], dtype=bool)
    # s^2 = 2 (0, 1/4, 1/4, 0), mean 1/4; k = 2, so that the index is 1 - (1/4) / (1/4).
    assert nogueira_index(lists) == pytest.approx(0.0)


@pytest.mark.parametrize("value", [True, False])
def test_lists_of_everything_or_nothing_have_no_index(value: bool) -> None:
    assert np.isnan(nogueira_index(np.full((3, 4), value)))


def test_a_single_list_cannot_be_compared() -> None:
    with pytest.raises(ParameterError, match="expected at least 2, got 1"):
        nogueira_index(np.ones((1, 4), dtype=bool))


def test_lists_name_the_largest_of_each_row() -> None:
    lists = top_lists(np.array([[0.1, 3.0, 2.0, 0.0], [5.0, 0.0, 1.0, 4.0]]), 2)
    assert lists.astype(int).tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]


def test_of_equal_genes_the_first_are_named() -> None:
    assert top_lists(np.array([[1.0, 2.0, 1.0, 1.0]]), 2).astype(int).tolist() == [[1, 1, 0, 0]]


def test_a_list_as_long_as_the_genes_names_all() -> None:
    assert top_lists(np.random.default_rng(0).random((2, 3)), 3).all()


def stability(index: float, noise: float) -> Stability:
    return Stability(("low", "high"), 5, 12, np.zeros((8, 2)), np.array([index, 0.1]), np.array([noise, 0.3]))


@pytest.mark.parametrize(
    ("index", "noise", "is_noise", "start", "end"),
    [
        (0.8, 0.3, False, "More than noise", "stability index of 0.80; noise reaches 0.30."),
        (0.3, 0.3, True, "This list is noise", "stability index of 0.30; noise reaches 0.30."),
        (-0.1, 0.3, True, "This list is noise", "index of -0.10; noise reaches 0.30."),
        (0.8, np.nan, False, "It is not known", "noise reaches an unknown index."),
        (np.nan, 0.3, False, "It is not known", "noise reaches 0.30."),
    ],
)
def test_the_verdict_compares_the_index_with_noise(
    index: float, noise: float, is_noise: bool, start: str, end: str
) -> None:
    found = stability(index, noise)
    assert found.is_noise("low") is is_noise
    assert found.verdict("low").startswith(start)
    assert found.verdict("low").endswith(end)
    assert "the 12 lists of the top 5" in found.verdict("low")


def test_each_class_has_its_own_verdict() -> None:
    found = stability(0.8, 0.3)
    assert not found.is_noise("low") and found.is_noise("high")


def test_a_class_that_is_not_there_is_refused_with_a_hint() -> None:
    for ask in (stability(0.8, 0.3).verdict, stability(0.8, 0.3).is_noise):
        with pytest.raises(ParameterError, match=r"no output 'hgih'.*low, high.*Did you mean 'high'"):
            ask("hgih")


def test_a_marker_table_takes_the_column_of_its_class() -> None:
    frequency = np.stack([np.arange(8.0), 10 + np.arange(8.0)], axis=1)
    given = Stability(("low", "high"), 5, 12, frequency, np.array([0.8, 0.1]), np.array([0.2, 0.3]))
    values = np.tile(np.arange(8.0, 0.0, -1.0)[None, :, None], (3, 1, 2))
    explanation = made_explanation(values, output_names=("high", "low"))
    tables = marker_table(explanation, stability=given, top=3)
    assert tables["low"]["stability"].tolist() == [0.0, 1.0, 2.0]
    assert tables["high"]["stability"].tolist() == [10.0, 11.0, 12.0]
    assert tables["low"].attrs["stability_index"] == 0.8
    assert tables["high"].attrs["noise_index"] == 0.3
    assert tables["high"].attrs["verdict"] == given.verdict("high")


def test_stability_of_other_genes_is_refused() -> None:
    explanation = made_explanation(np.ones((2, 7, 2)), output_names=("low", "high"))
    with pytest.raises(ParameterError, match="stability must be of the features .* expected 7 .* got 8"):
        marker_table(explanation, stability=stability(0.8, 0.3))

"""Agreement of gene lists: the index against other formulas for it, genes that go together, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genokeras.errors import ParameterError
from genokeras.explain import GenePairs, Stability, marker_table, nogueira_index
from genokeras.explain.agreement import like_frequency, likeness_index, top_lists
from genokeras.explain.statistics import unit_columns
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


# ---- genes that go together


def a_block_and_noise(n: int = 60, p: int = 200, block: int = 9) -> np.ndarray:
    """``(n, p)``: the first genes are co-expressed."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, p))
    x[:, :block] = x[:, :1] + 0.2 * rng.normal(size=(n, block))
    return unit_columns(x)


def one_of_the_block_each(block: int = 9, m: int = 9) -> np.ndarray:
    lists = np.zeros((m, 200), dtype=bool)
    lists[np.arange(m), np.arange(m) % block] = True
    return lists


def test_lists_that_name_different_genes_of_a_block_agree() -> None:
    lists, unit = one_of_the_block_each(), a_block_and_noise()
    assert nogueira_index(lists) < 0.01
    assert likeness_index(lists, unit) > 0.9


def test_lists_that_name_different_genes_of_no_block_do_not() -> None:
    lists = np.roll(one_of_the_block_each(), 50, axis=1)
    assert abs(likeness_index(lists, a_block_and_noise())) < 0.15


@given(st.integers(0, 1000), st.integers(2, 7), st.integers(4, 30), st.integers(1, 3))
def test_without_likeness_it_is_nogueiras(seed: int, m: int, p: int, k: int) -> None:
    lists = drawn_lists(seed, m, p, k)
    apart = np.eye(p)  # as many samples as genes, and no two genes go together
    assert likeness_index(lists, apart) == pytest.approx(nogueira_index(lists))


def test_likeness_of_random_lists_is_about_0() -> None:
    lists = drawn_lists(1, 200, 200, 20)
    assert abs(likeness_index(lists, a_block_and_noise())) < 0.03


def test_equal_lists_agree_whatever_goes_together() -> None:
    lists = np.tile(drawn_lists(1, 1, 200, 20), (5, 1))
    assert likeness_index(lists, a_block_and_noise()) == pytest.approx(1.0)


def test_a_gene_is_listed_where_one_of_its_like_is() -> None:
    found = like_frequency(one_of_the_block_each(), a_block_and_noise(), 0.8)
    assert found[:9].tolist() == [1.0] * 9 and not found[9:].any()


# ---- lists


def test_lists_name_the_largest_of_each_row() -> None:
    lists = top_lists(np.array([[0.1, 3.0, 2.0, 0.0], [5.0, 0.0, 1.0, 4.0]]), 2)
    assert lists.astype(int).tolist() == [[0, 1, 1, 0], [1, 0, 0, 1]]


def test_of_equal_genes_the_first_are_named() -> None:
    assert top_lists(np.array([[1.0, 2.0, 1.0, 1.0]]), 2).astype(int).tolist() == [[1, 1, 0, 0]]


def test_a_list_as_long_as_the_genes_names_all() -> None:
    assert top_lists(np.random.default_rng(0).random((2, 3)), 3).all()


# ---- what is said


def stability(again: list[float], limit: float = 0.3, index: float = 0.8, like: float = 0.9) -> Stability:
    """Of eight genes, the most important first; the second output is found nowhere."""
    n = len(again)
    importance = np.tile(np.arange(n, 0.0, -1.0)[:, None], (1, 2))
    shares = np.full((n, 2), like)
    return Stability(
        ("low", "high"),
        4,
        12,
        shares,
        shares,
        importance,
        np.array([index, 0.1]),
        np.stack([again, np.zeros(n)], axis=1),
        np.array([limit, 0.3]),
    )


@pytest.mark.parametrize(
    ("again", "start", "said"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0, 0, 0, 0], "Stable: 4 of these 4 genes, with 100% of their weight", "again"),
        # 8 + 7 of 8 + 7 + 6 + 5.
        ([0.9, 0.8, 0, 0, 0.9, 0, 0, 0], "Stable: 2 of these 4 genes, with 58%", "the other 2 may be chance"),
        ([0, 0, 0, 0.6, 0, 0, 0, 0], "Partly stable: 1 of these 4 genes, with 19%", "the other 3 may be"),
        # What is found below the list that is shown does not help it.
        ([0.3, 0, 0, 0, 0.9, 0, 0, 0], "This list cannot be told from noise", "none of its 4 genes"),
    ],
)
def test_the_verdict_judges_the_genes_that_are_shown(again: list[float], start: str, said: str) -> None:
    found = stability(again)
    assert found.verdict("low").startswith(start) and said in found.verdict("low")
    assert found.is_noise("low") is start.startswith("This list")
    assert "The 12 lists of the top 4 agree with a stability index of 0.80" in found.verdict("low")


def test_genes_that_stand_on_few_lists_are_not_called_stable() -> None:
    words = stability([0.9, 0.8, 0.7, 0.6, 0, 0, 0, 0], like=0.3).verdict("low")
    assert words.startswith("More than noise, but not stable: 4 of these 4 genes")
    assert "stand on 30% of the 12 lists" in words and "which of them are named is chance" in words


def test_the_verdict_is_of_the_genes_that_are_asked_for() -> None:
    found = stability([0, 0, 0, 0, 0.9, 0.9, 0, 0])
    assert found.is_noise("low") and not found.is_noise("low", np.array([4, 5]))
    assert "2 of these 3 genes" in found.verdict("low", np.array([4, 5, 6]))


def test_where_chance_is_not_known_nothing_is_called_noise() -> None:
    found = stability([0.9] * 8, limit=np.nan, index=np.nan)
    assert found.verdict("low").startswith("It is not known") and "an unknown value" in found.verdict("low")
    assert not found.is_noise("low") and not found.is_found_again("low").any()


def test_a_pair_of_genes_of_which_neither_says_anything_alone_is_no_noise() -> None:
    def pairs(numbers: list[int]) -> GenePairs:
        empty, inside = np.empty((0, 2)), np.isin(np.arange(8), numbers)
        return GenePairs(empty.astype(int), np.empty(0), 0.2, inside, ("low", "high"), empty)

    found = replace(stability([0.0] * 8), pairs=pairs([0, 1]))
    words = found.verdict("low")
    assert words.startswith("Stable: 2 of these 4 genes, with 58% of their weight")
    assert "or go with the labels together with another gene, beyond what any gene or pair of genes" in words
    assert found.is_found_again("high").tolist() == [True, True, False, False]
    none = replace(stability([0.0] * 8), pairs=pairs([]))
    assert none.is_noise("low") and "any gene or pair of genes" in none.verdict("low")
    unknown = replace(stability([0.9] * 8, limit=np.nan), pairs=pairs([0]))
    assert not unknown.is_found_again("low").any()


def test_each_class_has_its_own_verdict() -> None:
    found = stability([0.9] * 8)
    assert not found.is_noise("low") and found.is_noise("high")


def test_a_class_that_is_not_there_is_refused_with_a_hint() -> None:
    found = stability([0.9] * 8)
    for ask in (found.verdict, found.is_noise, found.listed, found.is_found_again):
        with pytest.raises(ParameterError, match=r"no output 'hgih'.*low, high.*Did you mean 'high'"):
            ask("hgih")


def test_a_marker_table_takes_the_column_of_its_class() -> None:
    frequency = np.stack([np.arange(8.0), 10 + np.arange(8.0)], axis=1)
    given = replace(stability([0.9, 0, 0, 0, 0, 0, 0, 0]), frequency=frequency, like_frequency=frequency + 1)
    values = np.tile(np.arange(8.0, 0.0, -1.0)[None, :, None], (3, 1, 2))
    explanation = made_explanation(values, output_names=("high", "low"))
    tables = marker_table(explanation, stability=given, top=3)
    assert tables["low"]["stability"].tolist() == [0.0, 1.0, 2.0]
    assert tables["high"]["stability_with_like"].tolist() == [11.0, 12.0, 13.0]
    assert tables["low"]["found_again"].tolist() == [True, False, False]
    assert not tables["high"]["found_again"].any()
    assert tables["low"].attrs["stability_index"] == 0.8
    assert tables["high"].attrs["verdict"] == given.verdict("high", np.arange(3))


def test_stability_of_other_genes_is_refused() -> None:
    explanation = made_explanation(np.ones((2, 7, 2)), output_names=("low", "high"))
    with pytest.raises(ParameterError, match="stability must be of the features .* expected 7 .* got 8"):
        marker_table(explanation, stability=stability([0.9] * 8))

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.data import Folds, choose_folds, holdout_folds, make_folds
from genokeras.errors import DataError, ParameterError


def classes(*counts: int) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


def assert_sound(folds: Folds) -> None:
    assert not (folds.train & folds.held_out).any()
    assert (folds.held_out.sum(axis=0) <= 1).all()
    assert folds.held_out.any(axis=1).all()


def test_every_sample_is_held_out_once_and_classes_are_spread() -> None:
    codes = classes(20, 10)
    folds = make_folds(codes, 5, seed=0)
    assert_sound(folds)
    assert folds.train.shape == (5, 30) and folds.scored.all() and folds.notes == ()
    assert [np.bincount(codes[mask]).tolist() for mask in folds.held_out] == [[4, 2]] * 5


def test_the_same_seed_gives_the_same_folds() -> None:
    first, second, other = (make_folds(classes(20, 10), 5, seed=seed).held_out for seed in (1, 1, 2))
    assert (first == second).all() and not (first == other).all()


def test_a_class_with_one_sample_trains_everywhere_and_says_so() -> None:
    folds = make_folds(classes(10, 10, 1), 5, seed=0, strata_names=["class 'a'", "class 'b'", "class 'rare'"])
    assert_sound(folds)
    assert folds.train[:, -1].all() and not folds.scored[-1]
    assert folds.notes == ("Class 'rare' has 1 sample: it trains in every fold and is never scored.",)


def test_a_class_smaller_than_the_folds_is_held_out_where_it_can_be() -> None:
    folds = make_folds(classes(10, 3), 5, seed=0)
    assert_sound(folds)
    assert sorted(folds.held_out[:, 10:].sum(axis=1).tolist()) == [0, 0, 1, 1, 1]
    assert folds.notes == ("Class 1 has 3 samples: it is held out in 3 of 5 folds.",)


def test_fewer_samples_than_folds_says_what_to_do() -> None:
    with pytest.raises(DataError, match="fewer samples than folds: 5 folds .* got 4. Pass folds=4 or fewer"):
        make_folds(classes(2, 2), 5, seed=0)


def test_only_classes_of_one_sample_cannot_be_split() -> None:
    with pytest.raises(DataError, match="no class has 2 samples or more"):
        make_folds(np.arange(6), 3, seed=0)


def test_one_fold_is_refused() -> None:
    with pytest.raises(ParameterError, match="at least 2, got 1"):
        make_folds(classes(5, 5), 1, seed=0)


def test_a_group_is_never_on_both_sides() -> None:
    groups = np.array(["p", "q", "r", "s", "t", "u"]).repeat(4)
    folds = make_folds(np.tile([0, 1], 12), 3, groups=groups, seed=0)
    assert_sound(folds)
    for train, held_out in zip(folds.train, folds.held_out, strict=True):
        assert not set(groups[train]) & set(groups[held_out])


def test_more_folds_than_groups_says_what_to_do() -> None:
    with pytest.raises(DataError, match="fewer groups than folds: 5 folds .* got 2. Pass folds=2"):
        make_folds(np.tile([0, 1], 10), 5, groups=np.repeat([0, 1], 10), seed=0)


def test_the_usual_folds_are_as_many_as_groups_where_these_are_few() -> None:
    groups, codes = np.array(["p", "q", "r"]).repeat(8), np.tile([0, 1], 12)
    folds = choose_folds(24, codes, groups, None, seed=0)
    assert_sound(folds)
    assert [np.unique(groups[held_out]).size for held_out in folds.held_out] == [1, 1, 1]
    assert folds.notes == ("3 groups can be held out: 3 folds score the networks, one group each.",)
    with pytest.raises(DataError, match="fewer groups than folds: 5 folds .* got 3. Pass folds=3"):
        choose_folds(24, codes, groups, 5, seed=0)


def test_a_class_of_one_group_trains_everywhere_with_its_whole_group() -> None:
    groups = np.repeat(np.arange(7), 4)
    codes = np.tile([0, 1], 14)
    codes[0] = 2
    folds = make_folds(codes, 3, groups=groups, seed=0)
    assert_sound(folds)
    assert folds.train[:, :4].all()
    assert folds.notes == (
        "Class 2 (1 sample) occurs in one group: that group trains in every fold and is never scored.",
    )


def test_groups_of_the_wrong_length_are_an_error() -> None:
    with pytest.raises(DataError, match="groups must have one value per sample: expected 10, got 9"):
        make_folds(classes(5, 5), 2, groups=np.arange(9), seed=0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.integers(2, 5), st.integers(0, 99))
def test_every_fold_trains_on_every_class(counts: list[int], n_folds: int, seed: int) -> None:
    codes = classes(*counts)
    if sum(count for count in counts if count > 1) < n_folds:
        return
    folds = make_folds(codes, n_folds, seed=seed)
    assert_sound(folds)
    for train in folds.train:
        assert set(codes[train]) == set(codes)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=12, max_size=30), st.integers(3, 8), st.integers(0, 99))
def test_grouped_folds_never_split_a_group(labels: list[int], n_groups: int, seed: int) -> None:
    codes = np.array(labels)
    groups = np.random.default_rng(seed).integers(n_groups, size=len(codes))
    try:
        folds = make_folds(codes, 3, groups=groups, seed=seed)
    except DataError as error:
        assert "fewer groups than folds" in str(error)
        return
    assert_sound(folds)
    for train, held_out in zip(folds.train, folds.held_out, strict=True):
        assert not set(groups[train]) & set(groups[held_out])


def test_holdout_rows_come_after_the_training_rows() -> None:
    folds = holdout_folds(3, 2)
    assert folds.train.tolist() == [[True, True, True, False, False]]
    assert folds.held_out.tolist() == [[False, False, False, True, True]]


def test_an_empty_holdout_is_an_error() -> None:
    with pytest.raises(DataError, match="got 3 and 0"):
        holdout_folds(3, 0)

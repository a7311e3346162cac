"""Targets that are numbers."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from genokeras.data import as_numbers, check_varied, column_parts, target_name
from genokeras.data.folds import make_plain_folds
from genokeras.errors import DataError

IDS = ("a", "b", "c")


@pytest.mark.parametrize(
    "values",
    [
        np.array([1, 2, 3]),
        np.array(["1", " 2.0", "3e0"]),
        np.array([b"1", b"2", b"3"], dtype=object),
        np.array([1, Decimal(2), np.float32(3)], dtype=object),
    ],
)
def test_numbers_and_text_that_spells_them_are_read(values):
    found = as_numbers(values, IDS, "array")
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, [[1.0], [2.0], [3.0]])


def test_several_columns_stay_several():
    assert as_numbers(np.arange(6).reshape(3, 2), IDS, "array").shape == (3, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, np.nan, 2.0], r"y has no value for 1 of 3 samples \(x.csv\): b"),
        ([1.0, 2.0, np.inf], "y is infinite or beyond 1e[+]30 for 1 of 3 samples .*: c"),
        (["1", "high", "2"], "y is no number for 1 of 3 samples .*: b. The first is 'high'"),
        ([1.0, 2.0, 3j], "y is no number for 3 of 3"),
        (pd.to_datetime(["2020-01-01"] * 3), "y is no number for 3 of 3"),
        ([[1, 2], [3, "x"], [4, 5]], "column 1 of y is no number for 1 of 3 samples .*: b"),
    ],
)
def test_what_is_no_finite_number_is_refused_by_the_sample_s_name(values, message):
    given = values.to_numpy() if isinstance(values, pd.DatetimeIndex) else np.array(values)
    with pytest.raises(DataError, match=message):
        as_numbers(given, IDS, "x.csv")


def test_of_several_targets_the_name_is_given():
    with pytest.raises(DataError, match="column 'dose' of y is no number for 1 of 3 samples"):
        as_numbers(np.array([[1, 2], [3, "x"], [4, 5]]), IDS, "x.csv", ("age", "dose"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([2.0, 2.0, 2.0], "'dose' is 2 for all of 3 samples .*nothing to learn"),
        ([1e9, 1e9 + 1, 1e9 + 2], "'dose' varies only from 1000000000 to 1000000002 .*subtract a constant"),
    ],
)
def test_a_target_that_hardly_varies_is_refused(values, message):
    with pytest.raises(DataError, match=message):
        check_varied(np.array(values)[:, None], ("dose",), "x.csv")


def test_a_table_of_targets_is_taken_apart_and_put_together_by_row():
    frame = pd.DataFrame({"u": [1.0, 2.0], "v": [3.0, 4.0]}, index=["s1", "s0"])
    rows, values, names = column_parts(frame)
    assert list(rows.index) == ["s1", "s0"] and rows.tolist() == [0, 1]
    assert values.shape == (2, 2) and names == ("u", "v")
    assert column_parts([[1, 2], [3, 4]])[2] == ("y_0", "y_1")


@pytest.mark.parametrize(
    "y", [None, "dose", [1, 2], np.zeros((3, 1)), pd.Series([1.0]), pd.DataFrame({"u": [1.0]}), [[1], [2]]]
)
def test_one_column_is_no_table_of_targets(y):
    assert column_parts(y) is None


@pytest.mark.parametrize(
    ("y", "name"),
    [
        ([1.0], "y"),
        (None, "label"),
        ("dose", "dose"),
        ("folder/doses.csv.gz", "doses"),
        (pd.Series([1.0], name="u"), "u"),
        (pd.DataFrame({"v": [1.0]}), "v"),
    ],
)
def test_a_target_is_called_as_its_column(y, name):
    assert target_name(y) == name


def test_plain_folds_hold_each_sample_out_once():
    folds = make_plain_folds(11, 3, seed=0)
    assert (folds.held_out.sum(axis=0) == 1).all()
    assert sorted(folds.held_out.sum(axis=1)) == [3, 4, 4]
    assert not (folds.train & folds.held_out).any()
    np.testing.assert_array_equal(folds.held_out, make_plain_folds(11, 3, seed=0).held_out)
    assert folds.notes == ()


def test_plain_folds_keep_groups_whole_and_of_like_size():
    groups = np.repeat(np.arange(12), 5)
    folds = make_plain_folds(60, 3, groups=groups, seed=0)
    assert folds.held_out.sum(axis=1).tolist() == [20, 20, 20]
    for train, held in zip(folds.train, folds.held_out, strict=True):
        assert set(groups[held]).isdisjoint(groups[train])


@pytest.mark.parametrize(
    ("n", "groups", "message"),
    [
        (2, None, "3 folds need at least 3 samples, got 2"),
        (6, [0] * 6, "all 6 samples are of one group"),
        (6, [0, 0, 0, 1, 1, 1], "fewer groups than folds"),
    ],
)
def test_too_few_samples_or_groups_for_plain_folds_are_named(n, groups, message):
    with pytest.raises(DataError, match=message):
        make_plain_folds(n, 3, groups=None if groups is None else np.array(groups), seed=0)

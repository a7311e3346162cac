"""Samples of which little or nothing was measured."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import align_with_fill, load_dataset, warn_of_gaps
from genokeras.data.block import placed
from genokeras.data.gaps import missing_shares
from genokeras.errors import DataError

NAN = np.nan
HOLED = np.array([[1, NAN, 3, 4], [NAN, NAN, NAN, 8], [9, 8, 7, 6], [NAN] * 4], dtype="float32")


def test_shares_count_what_is_missing_of_each_sample() -> None:
    assert missing_shares(HOLED).tolist() == [0.25, 0.75, 0.0, 1.0]


def test_zeros_that_a_sparse_matrix_does_not_store_are_there() -> None:
    x = np.where(HOLED == 3, 0, HOLED)
    assert missing_shares(sparse.csr_matrix(x)).tolist() == [0.25, 0.75, 0.0, 1.0]


def test_a_block_that_a_sample_lacks_is_not_counted() -> None:
    present = np.array([[True, True], [False, True], [True, True], [False, False]])
    shares = missing_shares(HOLED, placed({"a": 2, "b": 2}), present)
    assert shares.tolist() == [0.25, 0.5, 0.0, 1.0]


@pytest.mark.parametrize("missing", ["error", "median"])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, pd.DataFrame])
def test_a_sample_without_any_value_is_refused(form: Any, missing: Any) -> None:
    with pytest.raises(DataError, match="1 sample has no value at all: .*3. .*leave this sample out"):
        load_dataset(form(HOLED), missing=missing)


def test_five_samples_without_any_value_are_named() -> None:
    x = pd.DataFrame(np.full((8, 3), NAN), index=list("abcdefgh"))
    x.loc["h"] = 1.0
    with pytest.raises(DataError, match="7 samples have no value at all: a, b, c, d, e, and 2 more. Nothing"):
        load_dataset(x, missing="median")


def test_samples_without_any_value_stay_where_all_gaps_are_to_stay() -> None:
    assert load_dataset(HOLED, missing="keep").n_samples == 4


def test_what_a_model_does_not_read_makes_no_sample_a_measured_one() -> None:
    x = pd.DataFrame({"g": [NAN, 1.0], "h": [NAN, 2.0], "age": [50.0, 60.0]}, index=["s1", "s2"])
    with pytest.raises(DataError, match="no value at all: s1"):
        load_dataset(x, missing="keep", genes=("g", "h"))
    lacking = load_dataset(x.drop(columns="h"), missing="keep", genes=("g", "h"))
    with pytest.raises(DataError, match="no value at all: s1"):
        align_with_fill(lacking, ("g", "h"), np.zeros(2))


def test_a_dataset_knows_the_largest_share_that_was_missing() -> None:
    data = load_dataset(HOLED[:3], missing="median")
    assert data.most_missing == 0.75
    assert load_dataset(data, missing="median").most_missing == 0.75


@pytest.mark.parametrize(("most", "warned"), [(0.1, True), (0.3, True), (0.4, False)])
def test_a_warning_names_samples_with_far_more_gaps_than_those_of_training(most: float, warned: bool) -> None:
    new = load_dataset(HOLED[:3], missing="keep")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_gaps(new, most)
    said = [str(one.message) for one in caught]
    assert len(said) == warned
    expected = f"1 sample has far more missing values than any in training, where at most {most:.0%} of a sample were missing: sample_1 (75%)"
    assert all(expected in text for text in said)

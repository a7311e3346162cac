from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from genokeras.data import encode_known_labels, encode_labels
from genokeras.errors import DataError


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([10, 9, 10], [9, 10]),
        ([True, False, True], [False, True]),
        ([2.0, 1.0, 2.0], [1.0, 2.0]),
        ([b"b", b"a", b"b"], ["a", "b"]),
        (np.array([10, 9, 10], dtype=object), [9, 10]),
        (np.array(["b", 1, "b"], dtype=object), ["1", "b"]),
        (pd.Categorical(["b", "a", "b"], categories=["b", "a"]), ["a", "b"]),
    ],
)
def test_classes_are_sorted_and_native(y: object, classes: list[object]) -> None:
    labels = encode_labels(y)
    assert labels.classes.tolist() == classes and labels.classes.dtype != object
    assert labels.codes.tolist() == [1, 0, 1] and labels.codes.dtype == np.int64
    assert labels.n_classes == 2 and labels.counts.tolist() == [1, 2]


def test_one_class_is_too_few() -> None:
    with pytest.raises(DataError, match=r"at least 2 classes \(d.csv\): got only 'ALL', 3 samples"):
        encode_labels(["ALL"] * 3, "d.csv")


def test_missing_labels_name_their_rows() -> None:
    with pytest.raises(DataError, match="no label for 2 of 4 samples .*row 1, row 3"):
        encode_labels(["a", None, "b", np.nan])


@pytest.mark.parametrize("y", [np.linspace(0, 1, 12), np.arange(30.0), [0.1, 0.7, 1.3]])
def test_a_float_target_with_many_values_looks_like_regression(y: object) -> None:
    with pytest.raises(
        DataError, match="continuous, which looks like regression. A classifier needs classes"
    ):
        encode_labels(y)


def test_no_labels_is_a_clear_error() -> None:
    with pytest.raises(DataError, match="came without labels"):
        encode_labels(None, "d.csv")


def test_known_classes_are_encoded_whatever_their_type() -> None:
    assert encode_known_labels(["2", "1"], np.array([1, 2])).tolist() == [1, 0]
    assert encode_known_labels([2.0, 1.0], np.array([1, 2])).tolist() == [1, 0]


def test_labels_the_model_does_not_know_are_listed() -> None:
    with pytest.raises(DataError, match="does not know: c. Known are a, b"):
        encode_known_labels(["a", "c"], np.array(["a", "b"]))


@pytest.mark.parametrize(
    ("y", "classes", "said"),
    [
        ([1, "1", "b"], ["1", "b"], "'1' and 1 count as one class"),
        (["a", "a ", "b"], ["a", "b"], "'a ' and 'a' count as one class: blanks at the ends"),
        ([True, "True", "b"], ["True", "b"], "'True' and True count as one class"),
        (np.array([np.str_("a"), b"a", "b"], dtype=object), ["a", "b"], "'a' and b'a' count as one class"),
        ([1, 1.0, "b"], ["1", "b"], ""),
        ([1.5, 2.0, "b"], ["1.5", "2", "b"], ""),
        ([1, 1.0, 2], [1.0, 2.0], ""),
        (["a", "b", "b"], ["a", "b"], ""),
    ],
)
def test_labels_that_become_one_class_are_said_and_whole_floats_are_written_as_integers(
    y: object, classes: list[object], said: str
) -> None:
    labels = encode_labels(y)
    assert labels.classes.tolist() == classes
    merged = [note for note in labels.notes if "count as one class" in note]
    assert len(merged) == bool(said) and all(said in note for note in merged)


def test_floats_are_known_as_the_classes_are_written() -> None:
    for classes in (["1", "b"], ["1.0", "b"]):
        assert encode_known_labels([1.0, "b"], np.array(classes)).tolist() == [0, 1]
        assert encode_known_labels(np.array([1.0]), np.array(classes)).tolist() == [0]
    assert encode_known_labels([1, "b"], np.array(["1", "b"])).tolist() == [0, 1]

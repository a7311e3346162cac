"""Tables that are not of pandas keep their names, and masked values are missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from genokeras.data import load_dataset, load_sequences, load_texts, target_names
from genokeras.errors import DataError

TABLE = pa.table(
    {
        "sample": ["a", "b", "c"],
        "TP53": [1.5, 2.5, 4.5],
        "MYC": pa.array([3, None, 5]),
        "state": ["x", "y", "x"],
    }
)


def test_names_ids_labels_and_gaps_of_an_arrow_table_are_read() -> None:
    data = load_dataset(TABLE, "state", missing="keep")
    assert data.feature_names == ("TP53", "MYC") and data.sample_ids == ("a", "b", "c")
    assert list(data.y) == ["x", "y", "x"] and np.isnan(data.x[1, 1]) and np.isnan(data.x).sum() == 1
    with pytest.raises(DataError, match="sample 'b', gene 'MYC'"):
        load_dataset(TABLE, "state")


def test_labels_and_targets_may_be_arrow() -> None:
    x = np.eye(3) * 2.5
    assert list(load_dataset(x, TABLE.column("state"), groups=TABLE.column("sample")).y) == ["x", "y", "x"]
    y = TABLE.select(["TP53", "MYC"])
    assert target_names(y) == ("TP53", "MYC")
    with pytest.raises(DataError, match="no label for 1 of 3"):
        load_dataset(x, TABLE.column("MYC"))


def test_sequences_and_texts_may_be_arrow() -> None:
    table = pa.table({"sequence": ["ACG", "TTA"], "text": ["so", "no"], "label": ["p", "q"]})
    assert load_sequences(table).labels.tolist() == load_texts(table).labels.tolist() == ["p", "q"]


def test_masked_values_are_missing() -> None:
    x = np.ma.masked_array(np.arange(6.0).reshape(3, 2) + 0.5, mask=[[0, 0], [0, 1], [0, 0]])
    for masked in (x, x.astype(int)):
        data = load_dataset(masked, missing="keep")
        assert np.isnan(data.x[1, 1]) and np.isnan(data.x).sum() == 1


def test_a_table_of_an_unknown_library_is_refused() -> None:
    class Frame:
        columns = ("a", "b")

        def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
            return np.eye(2)

    with pytest.raises(
        DataError, match="Frame is no table that can be read with its names: convert it to a pandas"
    ):
        load_dataset(Frame())

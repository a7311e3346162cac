from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import Dataset, align_features, load_dataset
from genokeras.errors import DataError

NAMES = ("TP53", "MYC", "KIT")


def dataset(*names: str, as_sparse: bool = False) -> Dataset:
    x = np.arange(2 * len(names), dtype=np.float32).reshape(2, len(names))
    data = load_dataset(pd.DataFrame(x, columns=list(names)))
    if not as_sparse:
        return data
    return Dataset(sparse.csr_matrix(x), data.feature_names, data.sample_ids)


def test_the_same_genes_are_left_alone() -> None:
    data = dataset(*NAMES)
    assert align_features(data, NAMES) is data


@pytest.mark.parametrize("as_sparse", [False, True])
def test_another_order_is_reordered(as_sparse: bool) -> None:
    data = align_features(dataset("KIT", "TP53", "MYC", as_sparse=as_sparse), NAMES)
    x = data.x.toarray() if as_sparse else data.x
    assert x.tolist() == [[1, 2, 0], [4, 5, 3]] and data.feature_names == NAMES
    assert sparse.issparse(data.x) == as_sparse and (as_sparse or data.x.flags.c_contiguous)


def test_surplus_genes_are_dropped_and_said() -> None:
    data = align_features(dataset("EGFR", *NAMES), NAMES)
    assert data.x.tolist() == [[1, 2, 3], [5, 6, 7]]
    assert "1 gene unknown to the model dropped: EGFR." in data.notes


def test_missing_genes_are_listed_and_counted() -> None:
    wanted = [f"gene{i}" for i in range(15)]
    with pytest.raises(
        DataError, match="14 of the 15 genes .* are missing in DataFrame: gene1, .*gene10, and 4 more"
    ):
        align_features(dataset("gene0", "other"), wanted)


def test_case_and_version_differences_are_suggested() -> None:
    with pytest.raises(DataError, match="Did you mean 'tp53' for 'TP53'; 'MYC.3' for 'MYC'"):
        align_features(dataset("tp53", "MYC.3", "KIT"), NAMES)


def test_without_names_only_the_count_is_checked() -> None:
    data = align_features(load_dataset(np.eye(3)), NAMES)
    assert data.feature_names == NAMES
    with pytest.raises(
        DataError, match="wrong gene count: X has 4 features, but GenoKeras is expecting 3 features"
    ):
        align_features(load_dataset(np.eye(4)), NAMES)


def test_a_model_trained_without_names_takes_genes_by_position() -> None:
    data = align_features(dataset(*NAMES), ("feature_0", "feature_1", "feature_2"))
    assert data.n_features == 3 and any("by position" in note for note in data.notes)


def test_medians_are_reordered_with_their_genes() -> None:
    data = load_dataset(pd.DataFrame([[1.0, 5], [3, 7]], columns=["b", "a"]), missing="median")
    aligned = align_features(data, ("a", "b"))
    assert aligned.medians is not None and aligned.medians.tolist() == [6, 2]

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import Dataset, impute_median, load_dataset
from genokeras.errors import DataError, ParameterError


def frame(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=["s1", "s2", "s3"])


def test_an_array_gets_made_up_names() -> None:
    data = load_dataset(np.eye(3))
    assert data.feature_names == ("feature_0", "feature_1", "feature_2") and not data.names_given
    assert data.sample_ids == ("sample_0", "sample_1", "sample_2") and not data.ids_given


def test_a_float32_array_is_not_copied() -> None:
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert load_dataset(x).x is x


def test_an_array_can_hold_genes_in_rows() -> None:
    data = load_dataset(np.arange(6).reshape(2, 3), transposed=True)
    assert data.x.tolist() == [[0, 3], [1, 4], [2, 5]] and data.x.flags.c_contiguous


def test_a_frame_gives_names_and_ids() -> None:
    data = load_dataset(frame(TP53=[1, 2, 3], MYC=[4.0, 5.0, 7.0]))
    assert data.feature_names == ("TP53", "MYC") and data.sample_ids == ("s1", "s2", "s3")


def test_a_frame_with_nullable_and_bool_columns_is_numbers() -> None:
    x = frame(a=pd.array([1, 2, 3], dtype="Int64"), b=[True, False, True], c=["1", "2.5", "3"])
    assert load_dataset(x).x.tolist() == [[1, 1, 1], [2, 0, 2.5], [3, 1, 3]]


def test_a_nullable_gap_is_a_missing_value() -> None:
    x = frame(a=pd.array([1, None, 3], dtype="Int64"), b=[1, 2, 3])
    with pytest.raises(DataError, match="1 missing value .*sample 's2', gene 'a'"):
        load_dataset(x)


def test_a_sparse_frame_stays_sparse() -> None:
    x = pd.DataFrame.sparse.from_spmatrix(sparse.eye(3, format="csc"), columns=["a", "b", "c"])
    data = load_dataset(x)
    assert isinstance(data.x, sparse.csr_matrix) and data.feature_names == ("a", "b", "c")


def test_a_sparse_matrix_becomes_float32_csr() -> None:
    data = load_dataset(sparse.coo_array(np.eye(3)))
    assert isinstance(data.x, sparse.csr_matrix) and data.x.dtype == np.float32


def test_a_dataset_passes_through_and_can_be_given_labels() -> None:
    first = load_dataset(frame(a=[1, 2, 3], b=[1, 1, 1]))
    second = load_dataset(first, ["x", "y", "x"])
    assert second.x is first.x and second.notes == first.notes
    assert second.y is not None and second.y.tolist() == ["x", "y", "x"]


def test_a_selection_keeps_ids_labels_and_groups() -> None:
    whole = load_dataset(frame(a=[1, 2, 3]), ["x", "y", "x"], groups=[1, 1, 2])
    data = whole.select(np.array([True, False, True]))
    assert data.sample_ids == ("s1", "s3") and data.y is not None and data.y.tolist() == ["x", "x"]
    assert data.groups is not None and data.groups.tolist() == [1, 2]


def test_missing_values_name_their_first_cells_and_their_number() -> None:
    x = frame(ABL1=[1, 2, 3], TP53=[1, np.nan, 3], MYC=[np.nan] * 3, KIT=[np.nan] * 3)
    message = "7 missing values .*sample 's1', gene 'MYC'.*and 3 more.*missing='median'"
    with pytest.raises(DataError, match=message):
        load_dataset(x)


def test_missing_values_of_a_sparse_matrix_are_named() -> None:
    x = sparse.csr_matrix([[0, 1], [np.nan, 2]])
    with pytest.raises(DataError, match="sample 'sample_1', gene 'feature_0'"):
        load_dataset(x)


def test_missing_values_can_be_kept() -> None:
    assert np.isnan(load_dataset([[1, np.nan], [2, 3]], missing="keep").x).sum() == 1


def test_missing_values_are_filled_with_the_median_of_their_gene() -> None:
    data = load_dataset([[1, np.nan], [2, 3], [9, 5]], missing="median")
    assert data.x[0, 1] == 4 and data.medians is not None and data.medians.tolist() == [2, 4]
    assert "1 missing value was filled with the gene's median." in data.notes


def test_filling_does_not_change_what_was_given() -> None:
    x = np.array([[1, np.nan], [2, 3]], dtype=np.float32)
    load_dataset(x, missing="median")
    assert np.isnan(x[0, 1])


def test_new_rows_are_filled_with_the_medians_of_the_training_rows() -> None:
    new, _ = impute_median(np.array([[np.nan, 1]], dtype=np.float32), np.array([7, 8], dtype=np.float32))
    assert new.tolist() == [[7, 1]]


def test_a_gene_without_any_value_is_filled_with_zero() -> None:
    filled, medians = impute_median(np.array([[np.nan, 1], [np.nan, 3]], dtype=np.float32))
    assert filled.tolist() == [[0, 1], [0, 3]] and medians.tolist() == [0, 2]


def test_sparse_gaps_are_filled_with_medians_that_count_zeros() -> None:
    x = sparse.csr_matrix(np.array([[np.nan, 1], [0, 2], [0, 3], [4, 0]], dtype=np.float32))
    filled, medians = impute_median(x)
    assert medians.tolist() == [0, 1.5] and filled.toarray()[0].tolist() == [0, 1]


@pytest.mark.parametrize("missing", ["error", "median", "keep"])
def test_infinite_values_are_an_error_in_every_mode(missing: str) -> None:
    with pytest.raises(DataError, match="1 infinite value .*sample 's2', gene 'a'"):
        load_dataset(frame(a=[1, np.inf, 3], b=[1, 2, np.nan]), missing=missing)  # type: ignore[arg-type]


def test_a_value_too_large_for_float32_counts_as_infinite() -> None:
    with pytest.raises(DataError, match="too large for float32"):
        load_dataset([[1e300, 1.0], [2.0, 3.0]])


def test_an_unknown_way_with_missing_values_is_an_error() -> None:
    with pytest.raises(ParameterError, match="missing must be .*got 'medain'. Did you mean 'median'"):
        load_dataset(np.eye(2), missing="medain")  # type: ignore[arg-type]


def test_duplicated_gene_names_are_listed() -> None:
    x = pd.DataFrame(np.eye(3), columns=["TP53", "MYC", "TP53"])
    with pytest.raises(DataError, match="1 gene name occurs more than once: TP53"):
        load_dataset(x)


def test_duplicated_gene_names_of_a_file_are_listed(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("id,TP53,MYC,TP53\na,1,2,3\nb,4,5,6\n")
    with pytest.raises(DataError, match="d.csv: 1 gene name occurs more than once: TP53"):
        load_dataset(tmp_path / "d.csv")


def test_duplicated_sample_ids_are_listed() -> None:
    x = pd.DataFrame(np.eye(3), index=["s1", "s2", "s1"])
    with pytest.raises(DataError, match="1 sample id occurs more than once: s1.*as groups"):
        load_dataset(x)


def test_duplicated_sample_ids_of_a_file_are_listed(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("id,TP53,MYC\na,1,2\na,4,5\n")
    with pytest.raises(DataError, match="1 sample id occurs more than once: a"):
        load_dataset(tmp_path / "d.csv")


def test_strings_among_the_numbers_are_collected_in_one_message() -> None:
    x = frame(TP53=[1, "high", 3], MYC=[1, 2, 3], KIT=["?", 1, "n.d."])
    with pytest.raises(DataError) as caught:
        load_dataset(x)
    message = str(caught.value)
    assert "column 'TP53', sample 's2': 'high'" in message
    assert "column 'KIT', sample 's1': '?' (and 1 more in this column)" in message


def test_strings_among_the_numbers_of_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("id,TP53,MYC\na,1,2\nb,low,5\n")
    message = "d.csv: expected numbers, found text in 1 column: .*'TP53', sample 'b': 'low'"
    with pytest.raises(DataError, match=message):
        load_dataset(tmp_path / "d.csv")


def test_decimal_commas_are_recognised(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text("id\tTP53\tMYC\na\t1,5\t2,5\nb\t3,5\t4,5\n")
    with pytest.raises(DataError, match="decimal commas: read the file with decimal=','"):
        load_dataset(tmp_path / "d.tsv")


def test_strings_in_an_array_are_an_error() -> None:
    with pytest.raises(DataError, match="column 'feature_1', sample 'sample_0': 'x'"):
        load_dataset([[1, "x"], [2, "y"]])


def test_a_table_of_text_only_has_no_numbers() -> None:
    with pytest.raises(DataError, match="no column of numbers"):
        load_dataset(frame(a=["x", "y", "z"]))


def test_one_dimension_says_how_to_pass_one_sample() -> None:
    with pytest.raises(
        DataError, match=r"x must be 2-d .*got 1-d of shape \(3,\).*Reshape your data.*np.newaxis"
    ):
        load_dataset(np.arange(3))


def test_rows_of_different_length_are_an_error() -> None:
    with pytest.raises(DataError, match="rows differ in length"):
        load_dataset([[1, 2], [3]])


@pytest.mark.parametrize(("shape", "message"), [((0, 3), "zero rows"), ((3, 0), "zero columns")])
def test_nothing_is_an_error(shape: tuple[int, int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_dataset(np.empty(shape))


def test_constant_genes_are_kept_and_counted() -> None:
    data = load_dataset(frame(a=[1, 1, 1], b=[1, 2, 3], c=[0, 0, 0]))
    assert data.n_features == 3
    assert data.notes == ("2 constant genes carry no information and get no weight: a, c.",)


def test_constant_genes_of_a_sparse_matrix_are_counted() -> None:
    data = load_dataset(sparse.csr_matrix([[1, 0, 2], [1, 0, 0]]))
    assert data.notes == ("2 constant genes carry no information and get no weight: feature_0, feature_1.",)


def test_a_dataset_prints_its_size_not_its_values() -> None:
    data = Dataset(np.zeros((2, 3), np.float32), ("a", "b", "c"), ("s", "t"))
    assert repr(data) == "Dataset(2 samples x 3 features, dense, without labels, array)"

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data import load_dataset, require_labels
from genokeras.errors import DataError, DataFileError

IDS = ["s1", "s2", "s3"]
FRAME = pd.DataFrame({"TP53": [1.0, 2, 3], "MYC": [3.0, 5, 7]}, index=IDS)


def labels(y: object, x: object = FRAME) -> list[object]:
    return require_labels(load_dataset(x, y)).tolist()


@pytest.mark.parametrize(
    "y", [["a", "b", "a"], ("a", "b", "a"), np.array(["a", "b", "a"]), pd.Categorical(["a", "b", "a"])]
)
def test_labels_by_row(y: object) -> None:
    assert labels(y) == ["a", "b", "a"]


def test_labels_of_one_column_are_flattened() -> None:
    assert labels(np.array([[1], [2], [1]])) == [1, 2, 1]
    assert labels(pd.DataFrame({"y": [1, 2, 1]})) == [1, 2, 1]


def test_a_series_goes_by_index_where_it_holds_the_sample_ids() -> None:
    assert labels(pd.Series([1, 2, 3], index=["s3", "s1", "s2"])) == [2, 3, 1]


def test_a_series_may_hold_more_samples_than_the_data() -> None:
    assert labels(pd.Series([1, 2, 3, 4], index=["s9", "s3", "s1", "s2"])) == [3, 4, 2]


def test_a_series_that_lacks_some_samples_names_them() -> None:
    with pytest.raises(DataError, match="no value for 1 of 3 samples .*: s2"):
        labels(pd.Series([1, 2, 3], index=["s3", "s1", "s9"]))


def test_a_series_without_ids_goes_by_row() -> None:
    assert labels(pd.Series([1, 2, 3])) == [1, 2, 3]


def test_a_series_in_another_order_of_made_up_ids_is_ambiguous() -> None:
    with pytest.raises(DataError, match="by index or by row"):
        labels(pd.Series([1, 2, 3], index=[2, 0, 1]), FRAME.to_numpy())


def test_integer_ids_of_a_shuffled_frame_match_its_series() -> None:
    x = FRAME.set_axis([5, 2, 9])
    assert labels(pd.Series([1, 2, 3], index=[9, 5, 2]), x) == [2, 3, 1]


def test_a_column_can_be_the_target_and_another_the_groups() -> None:
    x = FRAME.assign(status=[1, 0, 1], donor=[7, 7, 8])
    data = load_dataset(x, "status", groups="donor")
    assert data.feature_names == ("TP53", "MYC")
    assert data.y is not None and data.y.tolist() == [1, 0, 1]
    assert data.groups is not None and data.groups.tolist() == [7, 7, 8]


def test_an_unknown_target_suggests_columns() -> None:
    with pytest.raises(
        DataError, match="y='statsu' is neither a column of DataFrame nor a file.*Did you mean 'status'"
    ):
        load_dataset(FRAME.assign(status=["a", "b", "a"]), "statsu")


def test_a_gene_of_cells_is_no_target_by_its_name() -> None:
    cells = pytest.importorskip("anndata").AnnData(
        FRAME.to_numpy("float32"), var=pd.DataFrame(index=FRAME.columns)
    )
    with pytest.raises(
        DataError, match="y='TP53' is a gene of AnnData, and no column .* leave it out of the genes"
    ):
        load_dataset(cells, "TP53")


def test_an_unknown_label_file_suggests_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_text("s1\ta\n")
    with pytest.raises(DataFileError, match="does not exist. Did you mean 'labels.tsv'"):
        load_dataset(FRAME, str(tmp_path / "label.tsv"))


@pytest.mark.parametrize("n", [2, 4])
def test_labels_and_rows_that_do_not_match_are_counted(n: int) -> None:
    with pytest.raises(DataError, match=f"one label per sample: expected 3, got {n}"):
        load_dataset(FRAME, np.zeros(n))


def test_as_many_labels_as_columns_suggests_transposing() -> None:
    with pytest.raises(DataError, match="pass transposed=True"):
        load_dataset(np.zeros((2, 5)), np.zeros(5))


def test_one_hot_labels_are_refused_with_advice() -> None:
    with pytest.raises(DataError, match=r"one-hot, pass y.argmax\(axis=1\)"):
        load_dataset(FRAME, np.eye(3))


@pytest.mark.parametrize("gap", [None, np.nan, "", " "])
def test_missing_labels_name_the_samples(gap: object) -> None:
    with pytest.raises(DataError, match="no label for 1 of 3 samples .*: s2"):
        load_dataset(FRAME, ["a", gap, "b"])


def test_missing_groups_name_the_samples() -> None:
    with pytest.raises(DataError, match="groups has no group for 1 of 3 samples .*: s3"):
        load_dataset(FRAME, groups=["a", "b", None])


@pytest.mark.parametrize("header", ["", "sample,label\n"])
def test_a_second_file_is_joined_by_sample_id(tmp_path: Path, header: str) -> None:
    (tmp_path / "y.csv").write_text(f"{header}s3,c\ns1,a\ns2,b\n")
    assert labels(tmp_path / "y.csv") == ["a", "b", "c"]
    assert labels(str(tmp_path / "y.csv")) == ["a", "b", "c"]


def test_the_ids_may_stand_in_the_second_column(tmp_path: Path) -> None:
    (tmp_path / "y.tsv").write_text("1\ts3\n2\ts1\n3\ts2\n")
    assert labels(tmp_path / "y.tsv") == [2, 3, 1]


def test_a_file_of_labels_alone_goes_by_row(tmp_path: Path) -> None:
    (tmp_path / "y.txt").write_text("label\n0\n1\n0\n")
    assert labels(tmp_path / "y.txt") == [0, 1, 0]


def test_ids_that_do_not_match_are_listed_from_both_sides(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("s1,a\ns2,b\ns8,b\n")
    with pytest.raises(
        DataError, match="1 id of y.csv not in DataFrame: s8; 1 sample of DataFrame not in y.csv: s3"
    ):
        labels(tmp_path / "y.csv")


def test_a_sample_named_twice_in_the_label_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("s1,a\ns2,b\ns3,b\ns1,b\n")
    with pytest.raises(DataError, match="names 1 sample more than once: s1"):
        labels(tmp_path / "y.csv")


def test_joining_needs_sample_ids(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("s1,a\ns2,b\ns3,b\n")
    with pytest.raises(DataError, match="array has no sample ids to join y.csv by"):
        labels(tmp_path / "y.csv", FRAME.to_numpy())


def test_a_label_file_of_many_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("s1,a,1\ns2,b,2\n")
    with pytest.raises(DataFileError, match="expected one column .* or two .* got 3"):
        labels(tmp_path / "y.csv")


def test_asking_for_labels_that_are_not_there_is_an_error() -> None:
    with pytest.raises(DataError, match="came without labels"):
        require_labels(load_dataset(FRAME))

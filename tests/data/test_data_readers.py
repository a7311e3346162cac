from __future__ import annotations

import gzip
import os
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import ReadOptions, Table, encode_labels, load_dataset, register_reader
from genokeras.data.readers import registry
from genokeras.errors import DataError, DataFileError, ParameterError

GOLUB = Path(__file__).parents[2] / "examples" / "data" / "golub_leukemia.tsv.gz"
TEXT = "sample\tlabel\tTP53\tMYC\ns1\ta\t1\t2.5\ns2\tb\t3\t4.5\ns3\ta\t5\t6.5\n"
X = np.array([[1, 2.5], [3, 4.5], [5, 6.5]], dtype=np.float32)


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["d.tsv", "d.csv", "d.txt", "d.tsv.gz", "d.csv.gz", "d.txt.gz"])
def test_delimited_text_is_read_by_its_suffix(tmp_path: Path, name: str) -> None:
    text = TEXT.replace("\t", ",") if "csv" in name else TEXT
    data = load_dataset(write(tmp_path / name, text), "label")
    np.testing.assert_array_equal(data.x, X)
    assert data.feature_names == ("TP53", "MYC")
    assert data.sample_ids == ("s1", "s2", "s3")
    assert data.y is not None and list(data.y) == ["a", "b", "a"]
    assert data.x.dtype == np.float32 and data.source == name


def test_the_bundled_leukemia_data_load() -> None:
    data = load_dataset(GOLUB, "label")
    assert data.x.shape == (72, 7129) and data.sample_ids[0] == "39"
    assert encode_labels(data.y).counts.tolist() == [47, 25]


def test_text_columns_are_left_out_and_said_so() -> None:
    data = load_dataset(GOLUB)
    assert data.n_features == 7129 and data.y is None
    assert any("1 column holds text only" in note and "label" in note for note in data.notes)


def test_the_column_of_sample_ids_is_said(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.tsv", TEXT), "label")
    assert "The sample ids were taken from the column 'sample'." in data.notes


def test_ids_with_leading_zeros_stay_as_they_are(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.csv", "id,a,b\n007,1,2\n008,3,4\n"))
    assert data.sample_ids == ("007", "008")


def test_an_r_table_without_a_name_for_the_ids_is_read(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.txt", '"g1" "g2"\n"s1" 1 2\n"s2" 3 4\n'.replace('"', "")))
    assert data.sample_ids == ("s1", "s2") and data.feature_names == ("g1", "g2")


def test_a_table_of_numbers_without_header_has_made_up_names(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.csv", "0.5,1.5\n2.5,3.5\n"))
    assert data.x.shape == (2, 2) and not data.names_given and data.feature_names[0] == "feature_0"


def test_genes_in_rows_are_transposed(tmp_path: Path) -> None:
    text = "gene,s1,s2,s3\nTP53,1,3,5\nMYC,2.5,4.5,6.5\n"
    data = load_dataset(write(tmp_path / "d.csv", text), ["a", "b", "a"], transposed=True)
    np.testing.assert_array_equal(data.x, X)
    assert data.feature_names == ("TP53", "MYC") and data.sample_ids == ("s1", "s2", "s3")


def test_the_target_can_be_a_row_of_a_transposed_table(tmp_path: Path) -> None:
    text = "gene,about,s1,s2,s3\nlabel,-,a,b,a\nTP53,tumour,1,3,5\nMYC,growth,2.5,4.5,6.5\n"
    data = load_dataset(write(tmp_path / "d.csv", text), "label", transposed=True)
    np.testing.assert_array_equal(data.x, X)
    assert data.y is not None and list(data.y) == ["a", "b", "a"]
    assert any("about" in note for note in data.notes)


def test_quoted_gene_names_may_hold_the_delimiter(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.csv", '"a, b",c\n1,2\n3,4\n'))
    assert data.feature_names == ("a, b", "c")


def test_the_sample_column_can_be_chosen(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.csv", "a,b,nr\n1,2,x\n3,4,y\n"), sample_column="nr")
    assert data.sample_ids == ("x", "y") and data.feature_names == ("a", "b")


def test_an_unknown_sample_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column 'smaple'.*Did you mean 'sample'"):
        load_dataset(write(tmp_path / "d.tsv", TEXT), sample_column="smaple")


def test_parquet_keeps_its_index_as_sample_ids(tmp_path: Path) -> None:
    frame = pd.DataFrame(X, index=["s1", "s2", "s3"], columns=["TP53", "MYC"]).assign(label=[1, 0, 1])
    frame.to_parquet(tmp_path / "d.parquet")
    data = load_dataset(tmp_path / "d.parquet", "label")
    np.testing.assert_array_equal(data.x, X)
    assert data.sample_ids == ("s1", "s2", "s3") and data.y is not None and data.y.tolist() == [1, 0, 1]


def test_an_npz_brings_its_own_labels_and_groups(tmp_path: Path) -> None:
    ids = np.array(["s1", "s2", "s3"])
    names = {"feature_names": ["TP53", "MYC"], "sample_ids": ids}
    np.savez(tmp_path / "d.npz", X=X, y=[1, 0, 1], groups=ids, er=ids, **names)
    data = load_dataset(tmp_path / "d.npz")
    assert data.y is not None and data.groups is not None
    assert data.y.tolist() == [1, 0, 1] and data.groups.tolist() == ids.tolist()
    other = load_dataset(tmp_path / "d.npz", "er")
    assert other.y is not None and other.y.tolist() == ids.tolist()


def test_a_sparse_npz_stays_sparse(tmp_path: Path) -> None:
    sparse.save_npz(tmp_path / "d.npz", sparse.csc_matrix(X))
    data = load_dataset(tmp_path / "d.npz")
    assert isinstance(data.x, sparse.csr_matrix)
    np.testing.assert_array_equal(data.x.toarray(), X)


def test_pickled_objects_in_an_npz_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", X=X, feature_names=np.array(["a", "b"], dtype=object))
    with pytest.raises(DataFileError, match="pickled Python objects"):
        load_dataset(tmp_path / "d.npz")


def test_an_npz_without_x_lists_what_it_holds(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", data=X)
    with pytest.raises(DataFileError, match="no array 'X'.*it holds data"):
        load_dataset(tmp_path / "d.npz")


def test_a_single_array_is_no_npz_archive(tmp_path: Path) -> None:
    with open(tmp_path / "d.npz", "wb") as handle:
        np.save(handle, X)
    with pytest.raises(DataFileError, match="holds a single array"):
        load_dataset(tmp_path / "d.npz")


GCT_12 = "#1.2\n2\t3\nName\tDescription\ts1\ts2\ts3\nTP53\ttumour\t1\t3\t5\nMYC\tna\t2.5\t4.5\t6.5\n"
GCT_13 = (
    "#1.3\n2\t3\t1\t2\nid\tabout\ts1\ts2\ts3\nstatus\tna\ta\tb\ta\nage\tna\t40\t50\t60\n"
    "TP53\tx\t1\t3\t5\nMYC\ty\t2.5\t4.5\t6.5\n"
)


@pytest.mark.parametrize("name", ["d.gct", "d.gct.gz"])
def test_gct_samples_become_rows(tmp_path: Path, name: str) -> None:
    data = load_dataset(write(tmp_path / name, GCT_12))
    np.testing.assert_array_equal(data.x, X)
    assert data.feature_names == ("TP53", "MYC") and data.sample_ids == ("s1", "s2", "s3")


def test_gct_column_metadata_can_hold_the_target(tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "d.gct", GCT_13), "status", groups="age")
    np.testing.assert_array_equal(data.x, X)
    assert data.y is not None and list(data.y) == ["a", "b", "a"]
    assert data.groups is not None and data.groups.tolist() == [40, 50, 60]


def test_a_gct_shorter_than_announced_is_truncated(tmp_path: Path) -> None:
    text = GCT_12[: GCT_12.index("MYC")]
    with pytest.raises(DataFileError, match="announces 2 genes x 3 samples and holds 1 x 3"):
        load_dataset(write(tmp_path / "d.gct", text))


def test_a_file_that_is_no_gct_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="expected '#1.2' or '#1.3' on line 1"):
        load_dataset(write(tmp_path / "d.gct", TEXT))


def adata(x: object) -> anndata.AnnData:
    obs = pd.DataFrame({"cell_type": pd.Categorical(["a", "b", "a"])}, index=["s1", "s2", "s3"])
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=["TP53", "MYC"]))


def test_h5ad_stays_sparse_and_takes_its_target_from_obs(tmp_path: Path) -> None:
    adata(sparse.csr_matrix(X)).write_h5ad(tmp_path / "d.h5ad")
    data = load_dataset(tmp_path / "d.h5ad", "cell_type")
    assert isinstance(data.x, sparse.csr_matrix)
    np.testing.assert_array_equal(data.x.toarray(), X)
    assert data.feature_names == ("TP53", "MYC") and data.y is not None and list(data.y) == ["a", "b", "a"]


def test_transposing_an_anndata_is_refused() -> None:
    with pytest.raises(ParameterError, match="always holds cells in rows"):
        load_dataset(adata(X), transposed=True)


def test_anndata_from_memory_is_taken() -> None:
    data = load_dataset(adata(X), "cell_type")
    np.testing.assert_array_equal(data.x, X)
    assert data.source == "AnnData" and data.sample_ids == ("s1", "s2", "s3")


@pytest.mark.parametrize("suffix", ["tsv.gz", "gct.gz", "npz", "parquet", "h5ad"])
def test_a_truncated_file_is_a_clear_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"d.{suffix}"
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 50))
    if suffix == "tsv.gz":
        write(path, pd.DataFrame(values).to_csv(sep="\t"))
    elif suffix == "gct.gz":
        write(path, GCT_12 + "\n".join(map(str, values.ravel())))
    elif suffix == "npz":
        np.savez(path, X=values)
    elif suffix == "parquet":
        pd.DataFrame(values, columns=[f"g{i}" for i in range(50)]).to_parquet(path)
    else:
        anndata.AnnData(values).write_h5ad(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataFileError, match="truncated"):
        load_dataset(path)


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.npz", "d.parquet", "d.h5ad", "d.gct"])
def test_an_empty_file_is_a_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataFileError, match=f"{name} is empty"):
        load_dataset(tmp_path / name)


def test_a_gz_of_nothing_is_empty(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="is empty"):
        load_dataset(write(tmp_path / "d.tsv.gz", ""))


def test_a_header_without_samples_has_zero_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="zero rows"):
        load_dataset(write(tmp_path / "d.csv", "a,b,c\n"))


def test_text_that_is_only_named_gz_is_read(tmp_path: Path) -> None:
    # as browsers leave it, which unpack and keep the name
    (tmp_path / "d.csv.gz").write_text("a,b\n1,2\n3,4\n")
    assert load_dataset(tmp_path / "d.csv.gz").feature_names == ("a", "b")


@pytest.mark.parametrize(
    ("name", "delimiter", "advice"),
    [("d.csv", ";", "delimiter=';'"), ("d.tsv", ",", "delimiter=','"), ("d.csv", "\t", r"delimiter='\\t'")],
)
def test_a_wrong_delimiter_says_which_seems_right(
    tmp_path: Path, name: str, delimiter: str, advice: str
) -> None:
    path = write(tmp_path / name, TEXT.replace("\t", delimiter))
    with pytest.raises(DataFileError, match=f"comes out as one column.*4 columns.*{advice}"):
        load_dataset(path)
    assert load_dataset(path, "label", delimiter=delimiter).n_features == 2


def test_bytes_that_are_no_text_are_said(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"a,b\n\xff\0\1\2,2\n")
    with pytest.raises(DataFileError, match="not text in UTF-8"):
        load_dataset(tmp_path / "d.csv")


def test_a_line_with_too_many_fields_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="same number of fields.*line 4"):
        load_dataset(write(tmp_path / "d.csv", "a,b\n1,2\n3,4\n5,6,7\n"))


def test_a_missing_file_suggests_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path / "patients.tsv", TEXT)
    with pytest.raises(DataFileError, match="does not exist. Did you mean 'patients.tsv'"):
        load_dataset(tmp_path / "patient.tsv")


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"no reader for this suffix; known are .*\.csv, .*\.h5ad"):
        load_dataset(write(tmp_path / "d.xyz", TEXT))


def test_a_folder_of_other_things_is_no_data_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="is a folder without matrix.mtx and without counts"):
        load_dataset(tmp_path)


def test_ones_own_reader_can_be_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_READERS", dict(registry._READERS))

    def read(path: Path, options: ReadOptions) -> Table:
        return Table(X, ("TP53", "MYC"), ("s1", "s2", "s3"), path.name)

    register_reader(".mine", read)
    assert load_dataset(write(tmp_path / "d.mine", "x")).feature_names == ("TP53", "MYC")


def test_a_suffix_without_dot_cannot_be_registered() -> None:
    with pytest.raises(ParameterError, match="must start with a dot"):
        register_reader("mine", lambda path, options: Table(X, None, None, "mine"))


def test_a_quoted_name_with_a_line_break_costs_no_sample(tmp_path: Path) -> None:
    text = '\nid,"TP53\n(batch 1)","MY\n\nC"\na,1,2\nb,3,4\nc,6,7\n'
    data = load_dataset(write(tmp_path / "d.csv", text))
    assert data.sample_ids == ("a", "b", "c")
    assert data.feature_names == ("TP53\n(batch 1)", "MY\n\nC")
    np.testing.assert_array_equal(data.x[0], [1, 2])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_called_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "piped.tsv")
    with pytest.raises(DataFileError, match=r"piped\.tsv is a pipe or a device.*Write it to a file first"):
        load_dataset(tmp_path / "piped.tsv", "label")

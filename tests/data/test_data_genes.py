"""Names of genes as files have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from genokeras.data import align_features, load_dataset
from genokeras.errors import DataError, ParameterError

TEXT = "id,TP53,MYC,TP53\ns1,1,5,3\ns2,2,6,6\n"


@pytest.fixture
def repeated(tmp_path: Path) -> Path:
    path = tmp_path / "d.csv"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("policy", "names", "values"),
    [
        ("sum", ("TP53", "MYC"), [[4, 5], [8, 6]]),
        ("mean", ("TP53", "MYC"), [[2, 5], [4, 6]]),
        ("first", ("TP53", "MYC"), [[1, 5], [2, 6]]),
        ("unique", ("TP53", "MYC", "TP53-1"), [[1, 5, 3], [2, 6, 6]]),
    ],
)
def test_repeated_symbols_as_asked(
    repeated: Path, policy: str, names: tuple[str, ...], values: list[list[float]]
) -> None:
    data = load_dataset(repeated, duplicates=policy)  # type: ignore[arg-type]
    np.testing.assert_array_equal(data.x, values)
    assert data.feature_names == names
    assert any("1 gene name occurs more than once (TP53)" in note for note in data.notes)
    frame = pd.DataFrame.sparse.from_spmatrix(sparse.csr_matrix([[1.0, 5, 3], [2, 6, 6]]))
    thin = load_dataset(frame.set_axis(["TP53", "MYC", "TP53"], axis=1), duplicates=policy)  # type: ignore[arg-type]
    assert isinstance(thin.x, sparse.csr_matrix)
    np.testing.assert_array_equal(thin.x.toarray(), values)


def test_repeated_symbols_are_an_error_whose_advice_works(repeated: Path) -> None:
    with pytest.raises(DataError, match="TP53. Rename them, or load the data with duplicates='sum'"):
        load_dataset(repeated)
    with pytest.raises(ParameterError, match="duplicates must be"):
        load_dataset(repeated, duplicates="drop")  # type: ignore[arg-type]


def test_a_missing_value_stays_one_in_a_sum(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("id,TP53,MYC,TP53\ns1,1,5,\ns2,2,6,6\n")
    data = load_dataset(tmp_path / "d.csv", duplicates="sum", missing="keep")
    np.testing.assert_array_equal(data.x, [[np.nan, 5], [8, 6]])


def ensembl(*names: str) -> pd.DataFrame:
    return pd.DataFrame(np.arange(2.0 * len(names)).reshape(2, -1), columns=names)


def test_versions_of_ensembl_ids_are_ignored_on_request() -> None:
    names = ("ENSG00000000003.15", "ENSMUSG00000000001.4", "ENSG00000002586.20_PAR_Y", "AC1.2")
    data = load_dataset(ensembl(*names), ignore_versions=True)
    assert data.feature_names == (
        "ENSG00000000003",
        "ENSMUSG00000000001",
        "ENSG00000002586_PAR_Y",
        "AC1.2",
    )
    assert load_dataset(ensembl(*names)).feature_names == names


def test_versions_do_not_matter_to_a_model_trained_with_others() -> None:
    trained = ("ENSG00000000003.15", "ENSG00000000005.6")
    new = ensembl("ENSG00000000005.9", "ENSG00000000003.1", "TP53")
    with pytest.raises(DataError, match="missing.*ignore_versions=True"):
        align_features(load_dataset(new), trained)
    aligned = align_features(load_dataset(new, ignore_versions=True), trained)
    np.testing.assert_array_equal(aligned.x, [[1, 0], [4, 3]])
    assert aligned.feature_names == trained
    assert any("1 gene unknown to the model dropped: TP53" in note for note in aligned.notes)


@pytest.mark.parametrize("transposed", [False, True])
def test_rows_that_count_no_gene_are_left_out(transposed: bool) -> None:
    frame = pd.DataFrame({"g1": [1, 2], "__no_feature": [9, 9], "N_unmapped": [9, 9]}, index=["s1", "s2"])
    data = load_dataset(frame.T if transposed else frame, transposed=transposed)
    assert data.feature_names == ("g1",) and any("__no_feature, N_unmapped" in note for note in data.notes)


@pytest.mark.parametrize("name", ["1-Mar", "Sep-02", "2001-03-01", "2-Sept"])
def test_gene_names_that_a_spreadsheet_made_dates_are_said(name: str) -> None:
    notes = load_dataset(pd.DataFrame(np.eye(3), columns=[name, "TP53", "MARCHF1"])).notes
    assert any(f"1 gene name is a date, such as '{name}': a spreadsheet" in note for note in notes)

"""Labels in a file of their own, as clinical tables are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data import load_dataset
from genokeras.errors import DataError, DataFileError

FRAME = pd.DataFrame({"TP53": [1.0, 2, 3], "MYC": [3.0, 5, 7]}, index=["s1", "s2", "s3"])
CLINICAL = "#about\tthe\tcolumns\tbelow\npatient\tsample\ter_status\tage\np3\ts3\t+\t50\np1\ts1\t-\t60\np9\ts9\t+\t10\np2\ts2\t+\t70\n"


@pytest.fixture
def clinical(tmp_path: Path) -> str:
    (tmp_path / "clinical.tsv").write_text(CLINICAL)
    return str(tmp_path / "clinical.tsv")


def test_a_column_of_a_clinical_table_is_named_behind_a_colon(clinical: str) -> None:
    data = load_dataset(FRAME, f"{clinical}:er_status", groups=f"{clinical}:age")
    assert data.y is not None and data.y.tolist() == ["-", "+", "+"]
    assert data.groups is not None and data.groups.tolist() == [60, 70, 50]
    assert "clinical.tsv names 1 further sample, not in DataFrame: s9." in data.notes


def test_several_columns_are_listed_and_the_advice_works(clinical: str) -> None:
    with pytest.raises(DataFileError, match="patient, sample, er_status, age.*such as 'clinical.tsv:age'"):
        load_dataset(FRAME, clinical)
    with pytest.raises(DataError, match="must be one of patient, sample, er_status, age, got 'er'"):
        load_dataset(FRAME, f"{clinical}:er")
    assert load_dataset(FRAME, f"{clinical}:age").y is not None


def test_the_column_of_ids_can_be_named(clinical: str) -> None:
    x = FRAME.set_axis(["p1", "p2", "p3"])
    assert load_dataset(x, f"{clinical}:er_status").sample_ids == ("p1", "p2", "p3")
    assert load_dataset(x, f"{clinical}:er_status", sample_column="patient").y is not None
    with pytest.raises(DataError, match="3 samples of DataFrame not in clinical.tsv.*sample_column="):
        load_dataset(x, f"{clinical}:er_status", sample_column="sample")


def test_a_sample_of_two_labels_is_an_error(clinical: str) -> None:
    Path(clinical).write_text(CLINICAL + "p2\ts2\t-\t70\n")
    with pytest.raises(DataError, match="names 1 sample more than once: s2, with different labels"):
        load_dataset(FRAME, f"{clinical}:er_status")
    assert load_dataset(FRAME, f"{clinical}:age").y is not None


def test_two_columns_may_name_more_samples_than_the_data(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text("sample,label\ns3,c\ns1,a\ns2,b\ns4,c\n")
    data = load_dataset(FRAME, tmp_path / "y.csv")
    assert data.y is not None and data.y.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("word", ["NA", "None", "null"])
def test_words_for_missing_are_read_as_missing_everywhere_and_said(tmp_path: Path, word: str) -> None:
    (tmp_path / "y.csv").write_text(f"sample,label\ns3,{word}\ns1,a\ns2,b\n")
    (tmp_path / "x.csv").write_text(f"sample,label,TP53,MYC\ns1,a,1,2\ns2,b,3,4\ns3,{word},5,6\n")
    (tmp_path / "one.csv").write_text(f"label\na\nb\n{word}\n")
    for given in ((FRAME, tmp_path / "y.csv"), (tmp_path / "x.csv", "label"), (FRAME, tmp_path / "one.csv")):
        with pytest.raises(DataError, match="no label for 1 of 3 samples.*s3.*are read as missing"):
            load_dataset(*given)


def test_a_sheet_can_hold_labels_and_another_the_values(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    with pd.ExcelWriter(tmp_path / "d.xlsx", engine="openpyxl") as book:
        FRAME.rename_axis("sample").to_excel(book, sheet_name="values")
        FRAME.assign(TP53=0).rename_axis("sample").to_excel(book, sheet_name="zeros")
    pd.DataFrame({"sample": ["s2", "s1", "s3"], "er": list("aba"), "age": [1, 2, 3]}).to_excel(
        tmp_path / "y.xlsx", index=False
    )
    data = load_dataset(tmp_path / "d.xlsx", f"{tmp_path / 'y.xlsx'}:er")
    np.testing.assert_array_equal(data.x, FRAME.to_numpy())
    assert data.sample_ids == ("s1", "s2", "s3") and data.y is not None and data.y.tolist() == ["b", "a", "a"]
    assert any("The sheet 'values' was read; others are 'zeros'" in note for note in data.notes)
    assert not load_dataset(tmp_path / "d.xlsx", sheet="zeros").x[:, 0].any()
    (tmp_path / "d.xlsx").write_bytes((tmp_path / "d.xlsx").read_bytes()[:2000])
    with pytest.raises(DataFileError, match="damaged or no xlsx"):
        load_dataset(tmp_path / "d.xlsx")


def test_genes_that_a_sheet_holds_as_dates_are_said(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    genes = [pd.Timestamp("2024-03-01"), "TP53", "MYC"]
    pd.DataFrame({"gene": genes, "s1": [1, 2, 3], "s2": [4, 5, 7]}).to_excel(tmp_path / "d.xlsx", index=False)
    data = load_dataset(tmp_path / "d.xlsx", transposed=True)
    assert data.feature_names == ("2024-03-01", "TP53", "MYC")
    assert any("1 gene name is a date" in note for note in data.notes)


FOUR = FRAME.reindex(["s1", "s2", "s3", "s1"]).fillna(0).set_axis(["a", "b", "c", "d"])


@pytest.mark.parametrize("what", ["y", "groups"])
@pytest.mark.parametrize("text", ["label\nx\ny\n\nx\n", "x\ny\n \nx\n\n\n", "# made\n\nlabel\n1\n2\n\n1\n"])
def test_a_blank_line_among_labels_alone_is_a_missing_label(tmp_path: Path, what: str, text: str) -> None:
    (tmp_path / "l.txt").write_text(text)
    one = "label" if what == "y" else "group"
    with pytest.raises(DataError, match=rf"{what} has no {one} for 1 of 4 samples \(DataFrame, l.txt\): c"):
        load_dataset(FOUR, **{what: tmp_path / "l.txt"})


def test_a_blank_cell_among_labels_alone_of_a_sheet_is_a_missing_label(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    pd.DataFrame({"label": ["x", "y", None, "x"]}).to_excel(tmp_path / "l.xlsx", index=False)
    with pytest.raises(DataError, match=r"no label for 1 of 4 samples .*l.xlsx.*: c"):
        load_dataset(FOUR, tmp_path / "l.xlsx")


def test_blank_lines_at_the_end_of_labels_alone_are_none(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("label\nx\ny\nx\ny\n\n\n")
    data = load_dataset(FOUR, tmp_path / "l.txt")
    assert data.y is not None and data.y.tolist() == ["x", "y", "x", "y"]


def test_a_header_above_too_few_labels_alone_is_no_label(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("Label\nx\ny\nx\n\n")
    with pytest.raises(DataError, match=r"expected 4, got 3 below the header 'Label' \(l.txt\)"):
        load_dataset(FOUR, tmp_path / "l.txt")


@pytest.mark.parametrize(
    "text",
    [
        "T cell\nB cell\nT cell\nB cell\n",
        "cell type\nT cell\nB cell\nT cell\nB cell\n",
        "label\nT cell\nB cell\nT cell\nB cell\n",
        '"T cell"\n"B cell"\n"T cell"\n"B cell"\n',
        '# made\nlabel\n"T cell"\nB cell\n"T cell"\nB cell\n\n',
    ],
)
def test_labels_alone_may_be_of_several_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "l.txt").write_text(text)
    for x in (FOUR, FOUR.to_numpy()):
        data = load_dataset(x, tmp_path / "l.txt")
        assert data.y is not None and data.y.tolist() == ["T cell", "B cell", "T cell", "B cell"]


@pytest.mark.parametrize("form", ['"{}"', "{}"])
def test_labels_alone_may_hold_commas(tmp_path: Path, form: str) -> None:
    labels = ["T cell, CD4", "B cell", "T cell, CD4", "B cell"]
    (tmp_path / "l.txt").write_text("\n".join(map(form.format, labels)))
    data = load_dataset(FOUR, tmp_path / "l.txt")
    assert data.y is not None and data.y.tolist() == labels


def test_labels_of_several_words_have_gaps_too(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("T cell\nB cell\n\nT cell\n")
    with pytest.raises(DataError, match="no label for 1 of 4 samples .*: c"):
        load_dataset(FOUR, tmp_path / "l.txt")


def test_ids_between_blanks_that_do_not_match_are_no_labels(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("e x\nf y\ng x\nh y\n")
    with pytest.raises(DataError, match="4 ids of l.txt not in DataFrame: e, f, g, h"):
        load_dataset(FOUR, tmp_path / "l.txt")


def test_quoted_labels_beside_ids_may_hold_blanks(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text('"d" "B cell"\n"a" "T cell"\n"b" "B cell"\n"c" "T cell"\n')
    data = load_dataset(FOUR, tmp_path / "l.txt")
    assert data.y is not None and data.y.tolist() == ["T cell", "B cell", "T cell", "B cell"]

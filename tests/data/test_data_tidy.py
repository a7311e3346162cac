"""Labels and groups as they were meant: blanks, dates, masks, words for nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data import encode_known_labels, encode_labels, load_dataset, load_sequences, load_texts
from genokeras.errors import DataError

X = pd.DataFrame(
    np.random.default_rng(0).normal(size=(6, 3)),
    index=[f"p{i}" for i in range(6)],
    columns=["A1", "B2", "C3"],
)
MESSY = ["relapse", "relapse ", "\tcured", "cured", "cured ", " relapse"]
CLEAN = ["relapse", "relapse", "cured", "cured", "cured", "relapse"]


def in_a_table(folder: Path) -> np.ndarray | None:
    X.assign(outcome=MESSY).to_csv(folder / "t.csv", index_label="id")
    return load_dataset(folder / "t.csv", "outcome").y


def in_a_file_of_labels(folder: Path) -> np.ndarray | None:
    pd.Series(MESSY, index=X.index).to_csv(folder / "y.csv", header=False)
    return load_dataset(X, folder / "y.csv").y


WAYS = {
    "table": in_a_table,
    "file": in_a_file_of_labels,
    "series": lambda _: load_dataset(X, pd.Series(MESSY, index=X.index)).y,
    "array": lambda _: load_dataset(X, np.array(MESSY)).y,
    "column": lambda _: load_dataset(X.assign(**{"outcome ": MESSY}), "outcome ").y,
    "groups": lambda _: load_dataset(X, groups=MESSY).groups,
    "texts": lambda _: load_texts(pd.DataFrame({"text": list("abcdef"), "label": MESSY})).labels,
    "known": lambda _: np.array(["cured", "relapse"])[
        encode_known_labels(MESSY, np.array(["cured", "relapse"]))
    ],
}


@pytest.mark.parametrize("way", WAYS)
def test_blanks_around_labels_make_no_class(tmp_path: Path, way: str) -> None:
    assert list(WAYS[way](tmp_path)) == CLEAN


def test_blanks_that_make_several_labels_one_are_said() -> None:
    said = "' relapse' and 'relapse ' and 'relapse' count as one "
    for notes in (
        load_dataset(X, MESSY).notes,
        load_dataset(X, groups=np.array(MESSY)).notes,
        load_texts(list("abcdef"), MESSY).notes,
        load_sequences(["ACGT"] * 6, MESSY).notes,
    ):
        assert sum(said in note for note in notes) == 1, notes
    assert not any("count as one" in note for note in load_dataset(X, CLEAN).notes)


def test_names_of_samples_are_joined_without_their_blanks() -> None:
    spaced = X.set_axis([f"{name} " for name in X.index])
    y = pd.Series(CLEAN, index=[f" {name}" for name in X.index])[::-1]
    data = load_dataset(spaced, y)
    assert data.sample_ids == tuple(X.index) and list(data.y) == CLEAN


def test_classes_that_differ_in_case_alone_are_said() -> None:
    labels = encode_labels(["Cured", "cured", "relapse"])
    assert labels.n_classes == 3
    assert any("'Cured' and 'cured' differ in upper and lower case alone" in note for note in labels.notes)


def test_a_class_called_na_is_said() -> None:
    assert "'NA' is a class" in encode_labels(["NA", "drug", "drug"]).notes[0]


@pytest.mark.parametrize("word", ["None", "NA", "null"])
def test_words_read_as_missing_are_told_and_another_word_works(tmp_path: Path, word: str) -> None:
    table = X.assign(drug=[word, "x", "y"] * 2)
    table.to_csv(tmp_path / "t.csv", index_label="id")
    with pytest.raises(DataError, match=r"None and null are read as missing.*write it in another way"):
        load_dataset(tmp_path / "t.csv", "drug")
    table.replace(word, "untreated").to_csv(tmp_path / "t.csv", index_label="id")
    assert set(load_dataset(tmp_path / "t.csv", "drug").y) == {"untreated", "x", "y"}


def test_dates_stay_dates() -> None:
    days = pd.to_datetime(["2021-03-01", "2021-04-01"] * 3)
    for y in (
        days,
        pd.Series(days),
        days.to_numpy(),
        list(days),
        pd.Series(days, index=X.index).astype(object),
    ):
        labels = encode_labels(load_dataset(X, y).y)
        assert labels.classes.tolist() == ["2021-03-01", "2021-04-01"]
    assert encode_known_labels(days, labels.classes).tolist() == [0, 1] * 3


def test_a_missing_date_is_missing() -> None:
    with pytest.raises(DataError, match="no label for 1 of 6 samples"):
        load_dataset(X, pd.to_datetime(["2021-03-01", None] + ["2021-04-01"] * 4))


@pytest.mark.parametrize("dtype", [float, int, object])
def test_masked_labels_are_missing(dtype: type) -> None:
    y = np.ma.masked_array(np.arange(6).astype(dtype), mask=[0, 0, 1, 0, 0, 0])
    with pytest.raises(DataError, match="no label for 1 of 6 samples.*p2"):
        load_dataset(X, y)


@pytest.mark.parametrize("separator", [";", ",", "|", "; ", " "])
def test_pairs_of_a_fasta_header_end_where_the_next_begins(tmp_path: Path, separator: str) -> None:
    records = [f">s{i} label={i % 2}{separator}part=train{separator}go=GO:1;GO:2\nACGT\n" for i in range(4)]
    (tmp_path / "s.fa").write_text("".join(records))
    assert list(load_sequences(tmp_path / "s.fa", "label").labels) == [0, 1, 0, 1]
    assert set(load_sequences(tmp_path / "s.fa", "go").labels) == {"GO:1;GO:2"}
    with pytest.raises(DataError, match=re.escape("neither a column")):
        load_sequences(tmp_path / "s.fa", "description")

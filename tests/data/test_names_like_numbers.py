"""Classes and groups whose names look like numbers are told apart as they are written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data import (
    as_numbers,
    encode_known_labels,
    encode_labels,
    load_dataset,
    load_sequences,
    load_texts,
)
from genokeras.data.readers import large_text
from genokeras.errors import DataError

ALIKE = [["1.1", "1.10", "1.2"], ["007", "07", "7"], ["01", "1", "2"], ["1E5", "100000", "3"]]


def table(path: Path, labels: list[str], name: str = "label", mark: str = ",") -> Path:
    rows = [f"s{i}{mark}{label}{mark}{i}{mark}{i % 2}" for i, label in enumerate(labels)]
    path.write_text("\n".join([mark.join(["id", name, "g1", "g2"]), *rows]) + "\n")
    return path


@pytest.fixture(params=["pandas", "polars"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "polars":
        monkeypatch.setattr(large_text, "_LARGE", 0)
    return str(request.param)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("labels", ALIKE)
def test_a_column_keeps_names_that_are_the_same_number(tmp_path: Path, labels: list[str]) -> None:
    path = table(tmp_path / "d.csv", labels)
    data = load_dataset(path, "label", groups="label")
    assert data.y is not None and data.y.tolist() == labels
    assert data.groups is not None and data.groups.tolist() == labels


@pytest.mark.parametrize("labels", ALIKE)
def test_a_file_of_labels_keeps_them(tmp_path: Path, labels: list[str]) -> None:
    frame = pd.DataFrame({"g1": [1.0, 2, 3], "g2": [0.0, 1, 0]}, index=["a", "b", "c"])
    (tmp_path / "one.txt").write_text("\n".join(labels))
    pairs = "".join(f"{name},{label}\n" for name, label in zip("abc", labels, strict=True))
    (tmp_path / "two.csv").write_text(pairs)
    for file in ("one.txt", "two.csv"):
        data = load_dataset(frame, tmp_path / file)
        assert data.y is not None and data.y.tolist() == labels
    memory = load_dataset(frame.assign(label=labels), "label")
    assert memory.y is not None and memory.y.tolist() == labels


@pytest.mark.parametrize("labels", ALIKE)
def test_tables_of_texts_and_headers_of_fasta_keep_them(tmp_path: Path, labels: list[str]) -> None:
    (tmp_path / "t.csv").write_text("text,label\n" + "".join(f"so,{label}\n" for label in labels))
    (tmp_path / "d.fa").write_text("".join(f">n{i} label={name}\nAC\n" for i, name in enumerate(labels)))
    for data in (load_texts(tmp_path / "t.csv"), load_sequences(tmp_path / "d.fa")):
        assert data.labels is not None and data.labels.tolist() == labels


@pytest.mark.parametrize("labels", [["007", "7"], ["1", "2"], [1, 2], [1.5, 2.5]])
def test_json_tells_text_from_numbers(tmp_path: Path, labels: list[object]) -> None:
    lines = [json.dumps({"text": "so", "label": label}) for label in labels]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    data = load_texts(tmp_path / "t.jsonl")
    assert data.labels is not None and data.labels.tolist() == labels


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (["1.50", "0.5", "-2"], [1.5, 0.5, -2.0]),
        (["1", "0", "1"], [1, 0, 1]),
        (["1e-3", "NA", "inf"], [0.001, None, float("inf")]),
        (["True", "False", "True"], [True, False, True]),
        (["0", "0", "10"], [0, 0, 10]),
    ],
)
def test_numbers_that_lose_nothing_stay_numbers(
    tmp_path: Path, labels: list[str], values: list[object]
) -> None:
    path = table(tmp_path / "d.csv", labels)
    if None in values:
        with pytest.raises(DataError, match="y has no label for 1 of 3 samples .*: s1"):
            load_dataset(path, "label")
        return
    data = load_dataset(path, "label")
    assert data.y is not None and data.y.tolist() == values and data.y.dtype == np.array(values).dtype


def test_decimal_commas_are_points_in_what_stays_text(tmp_path: Path) -> None:
    path = table(tmp_path / "d.csv", ["1,5", "1,50", "2,5"], mark=";")
    data = load_dataset(path, "label", decimal=",", delimiter=";")
    assert data.y is not None and data.y.tolist() == ["1.5", "1.50", "2.5"]
    data = load_dataset(table(path, ["1,5", "3", "2,5"], mark=";"), "label", decimal=",", delimiter=";")
    assert data.y is not None and data.y.tolist() == [1.5, 3, 2.5]


def test_a_target_of_numbers_is_one_in_any_spelling(tmp_path: Path) -> None:
    data = load_dataset(table(tmp_path / "d.csv", ["1.1", "1.10", "01.2"]), "label")
    assert data.y is not None
    assert as_numbers(data.y, data.sample_ids, "d.csv")[:, 0].tolist() == [1.1, 1.1, 1.2]


def test_numbers_beside_sequences_are_numbers_in_any_spelling(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("sequence,gc,n\nAC,0.5,1\nAC,0.50,\nGT,.5,2\n")
    data = load_sequences(tmp_path / "d.csv", extra=["gc"])
    assert data.extra is not None and data.extra.tolist() == [[0.5], [0.5], [0.5]]
    with pytest.raises(DataError, match="'n' has no finite value.*1 of 3 samples"):
        load_sequences(tmp_path / "d.csv", extra=["gc", "n"])


def test_classes_that_are_the_same_number_are_said() -> None:
    assert encode_labels(np.array(["1.1", "1.10", "2"] * 2)).notes == (
        "'1.1' and '1.10' are the same number in different spellings and count as 2 classes. If they are one, write them alike.",
    )


def test_runs_whose_classes_are_numbers_read_text_as_numbers() -> None:
    for classes, labels in ((np.array([1, 2]), ["02", "01"]), (np.array([1.0, 2.5]), ["2.50", "1"])):
        assert encode_known_labels(np.array(labels), classes).tolist() == [1, 0]
    assert encode_known_labels(np.array([2, 1]), np.array(["1", "2"])).tolist() == [1, 0]


def test_a_number_that_several_classes_spell_is_refused() -> None:
    classes = np.array(["1.1", "1.10", "2.0"])
    assert encode_known_labels(np.array(["1.10", "1.1"]), classes).tolist() == [1, 0]
    with pytest.raises(
        DataError, match=r"the number 1.1 as a label, and the model knows '1.1', '1.10'.*text"
    ):
        encode_known_labels(np.array([1.1, 2.0]), classes, "new.csv")


@pytest.mark.parametrize(("name", "given"), [("id", None), ("Name", None), ("number", "number")])
def test_ids_of_texts_keep_their_zeros_and_join_labels(tmp_path: Path, name: str, given: str | None) -> None:
    (tmp_path / "t.csv").write_text(f"{name},text,patient\n007,so,1\n008,oh,2\n")
    (tmp_path / "l.csv").write_text("id,label\n008,b\n007,a\n")
    data = load_texts(tmp_path / "t.csv", tmp_path / "l.csv", groups="patient", name_column=given)
    assert data.names == ("007", "008") and data.labels is not None and data.labels.tolist() == ["a", "b"]
    assert data.groups is not None and data.groups.tolist() == [1, 2]
    (tmp_path / "s.csv").write_text(f"{name},sequence\n007,AC\n7.0,GT\n")
    assert load_sequences(tmp_path / "s.csv", name_column=given).names == ("007", "7.0")


def test_samples_of_which_one_has_no_id_have_no_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,text\n7,so\n,oh\n")
    data = load_texts(tmp_path / "t.csv")
    assert data.names == ("sample_0", "sample_1")
    assert "The column 'id' has repeated or empty values: the samples have no names." in data.notes

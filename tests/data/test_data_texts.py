from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data import load_texts
from genokeras.errors import DataError, DataFileError, ParameterError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.tsv", "d.txt"])
def test_a_table_is_read_with_its_labels(tmp_path: Path, name: str) -> None:
    text = 'text,label\n"well, done",good\noh no,bad\n'
    if "csv" not in name:
        text = "text\tlabel\nwell, done\tgood\noh no\tbad\n"
    data = load_texts(write(tmp_path / name, text))
    assert data.texts == ("well, done", "oh no")
    assert data.labels is not None and data.labels.tolist() == ["good", "bad"]


@pytest.mark.parametrize("name", ["d.jsonl", "d.ndjson.gz", "d.json"])
def test_json_is_read(tmp_path: Path, name: str) -> None:
    rows = [{"id": "a", "text": "so\ngood", "label": 1}, {"id": "b", "text": "bad", "label": 0}]
    text = json.dumps(rows) if name == "d.json" else "\n".join(json.dumps(row) for row in rows)
    data = load_texts(write(tmp_path / name, text), "label")
    assert data.texts == ("so\ngood", "bad") and data.names == ("a", "b")
    assert data.labels is not None and data.labels.tolist() == [1, 0]


def test_class_folders_are_labels(tmp_path: Path) -> None:
    write(tmp_path / "d" / "neg" / "1.txt", "oh no")
    write(tmp_path / "d" / "pos" / "1.txt", "well done")
    write(tmp_path / "d" / "README.md", "left out")
    data = load_texts(tmp_path / "d")
    assert data.texts == ("oh no", "well done") and data.names == ("neg/1.txt", "pos/1.txt")
    assert data.labels is not None and data.labels.tolist() == ["neg", "pos"]
    assert data.notes == ("1 file of another kind left out: README.md.",)


def test_files_beside_class_folders_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "d" / "neg" / "1.txt", "oh no")
    write(tmp_path / "d" / "2.txt", "well done")
    with pytest.raises(DataFileError, match=r"2.txt lies beside the class folders"):
        load_texts(tmp_path / "d")


def test_texts_that_look_like_numbers_or_gaps_stay_texts(tmp_path: Path) -> None:
    data = load_texts(write(tmp_path / "d.csv", "text,label\nNA,1\n645,0\nnull,1\n"))
    assert data.texts == ("NA", "645", "null")


def test_loose_quotes_in_tab_separated_text_swallow_no_line(tmp_path: Path) -> None:
    data = load_texts(write(tmp_path / "d.tsv", 'text\tlabel\n"so it goes\t1\nfine\t0\nthe "end"\t1\n'))
    assert data.texts == ('"so it goes', "fine", 'the "end"')


@pytest.mark.parametrize("make", [list, tuple, np.array, pd.Series])
def test_texts_in_memory_are_taken(make: type) -> None:
    data = load_texts(make(["one", "two"]), [0, 1])
    assert data.texts == ("one", "two") and data.names == ("sample_0", "sample_1")


def test_taken_rows_carry_everything_along() -> None:
    part = load_texts(["a", "b", "c"], [1, 2, 3], groups=["x", "y", "z"]).take(np.array([2, 0]))
    assert part.texts == ("c", "a") and part.names == ("sample_2", "sample_0")
    assert part.labels is not None and part.labels.tolist() == [3, 1]
    assert part.groups is not None and part.groups.tolist() == ["z", "x"]


def test_empty_texts_are_named_or_kept() -> None:
    with pytest.raises(
        DataError, match=r"list: 2 texts are empty: sample_1, sample_2. Drop them, or pass empty='keep'"
    ):
        load_texts(["a", "", " \n"])
    assert load_texts(["a", "", " \n"], empty="keep").texts == ("a", "", " \n")
    with pytest.raises(ParameterError, match="empty must be"):
        load_texts(["a"], empty="kep")  # type: ignore[arg-type]


@pytest.mark.parametrize(("odd", "what"), [(None, "missing"), (float("nan"), "missing"), (3, "a int")])
def test_what_is_no_text_is_named(odd: object, what: str) -> None:
    with pytest.raises(DataError, match=rf"1 of 2 is not: sample_1 \(the first is {what}\)"):
        load_texts(["a", odd])


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sample_1 is not text in UTF-8 \(byte 1\)"):
        load_texts([b"a", "né".encode("latin-1")])
    path = tmp_path / "d.csv"
    path.write_bytes(b"text,label\nn\0\1\xe9,1\n")
    with pytest.raises(DataFileError, match=r"d.csv is not text in UTF-8"):
        load_texts(path)
    (tmp_path / "f" / "a").mkdir(parents=True)
    (tmp_path / "f" / "a" / "1.txt").write_bytes(b"\0\1\2")
    with pytest.raises(DataFileError, match=r"1.txt is not text in UTF-8"):
        load_texts(tmp_path / "f")


def test_broken_json_is_met_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"d.jsonl, line 2 is no JSON"):
        load_texts(write(tmp_path / "d.jsonl", '{"text": "a"}\n{"text": \n'))
    with pytest.raises(DataFileError, match=r"sample 1 is no JSON object"):
        load_texts(write(tmp_path / "e.jsonl", '"a"\n'))


def test_ragged_and_truncated_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="same number of fields"):
        load_texts(write(tmp_path / "d.csv", "text,label\na,1\nb,c,2\n"))
    with pytest.raises(DataFileError, match="more fields than the header. Put quotes"):
        load_texts(write(tmp_path / "f.csv", "text,label\nwell, done,1\noh, no,0\n"))
    path = tmp_path / "e.csv.gz"
    path.write_bytes(gzip.compress(b"text,label\n" + b"well done,1\n" * 99)[:40])
    with pytest.raises(DataFileError, match="truncated"):
        load_texts(path)


def test_a_single_text_is_no_path_that_exists() -> None:
    with pytest.raises(DataFileError, match="does not exist"):
        load_texts("well done")


@pytest.mark.parametrize("name", ["d.csv", "d.csv.gz", "d.jsonl"])
def test_an_older_encoding_of_a_table_is_said(tmp_path: Path, name: str) -> None:
    text = '{"text": "café", "label": 1}\n' if name == "d.jsonl" else "text,label\ncafé,1\n"
    content = text.encode("latin-1")
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    data = load_texts(tmp_path / name)
    assert data.texts == ("café",)
    assert any("is not UTF-8; it was read as cp1252" in note for note in data.notes)
    assert not any("UTF-8" in note for note in load_texts(write(tmp_path / name, text)).notes)


def test_files_in_an_older_encoding_are_named(tmp_path: Path) -> None:
    for name, content in (("a/1.txt", "café".encode("latin-1")), ("b/1.txt", "café".encode())):
        (tmp_path / "d" / name).parent.mkdir(parents=True)
        (tmp_path / "d" / name).write_bytes(content)
    data = load_texts(tmp_path / "d")
    assert data.texts == ("café", "café")
    assert data.notes == (
        "1 text is not UTF-8 and read as cp1252: a/1.txt. If letters look wrong, save it as UTF-8.",
    )


@pytest.mark.parametrize(
    "above",
    [
        "# made by x\n",
        '# made, by "x\n\n#y\n',
        "#\n",
        "# text: what they said, label: what it is\n",
        "\n#a\tb\n",
    ],
)
def test_comments_above_the_header_are_skipped(tmp_path: Path, above: str) -> None:
    for name, mark in (("d.csv", ","), ("d.tsv", "\t"), ("d.txt", "\t")):
        text = f'{above}text{mark}label\n#1 song{mark}good\n"so{mark}so"{mark}bad\n'
        data = load_texts(write(tmp_path / name, text))
        assert data.texts == ("#1 song", f"so{mark}so")
        assert data.labels is not None and data.labels.tolist() == ["good", "bad"]


@pytest.mark.parametrize("header", ["#text,label\n", "# made\n# text,label\n", "# text\n#id,text,label\n"])
def test_a_header_may_be_a_comment_itself(tmp_path: Path, header: str) -> None:
    row = "n1,so,good\n" if "id" in header else "so,good\n"
    data = load_texts(write(tmp_path / "d.csv", header + row))
    assert data.texts == ("so",) and data.names == (("n1",) if "id" in header else ("sample_0",))


def test_where_every_line_is_marked_none_is_a_comment(tmp_path: Path) -> None:
    assert load_texts(write(tmp_path / "d.csv", "#id,text\n#a,so\n#b,oh\n")).names == ("#a", "#b")


def test_an_error_below_comments_names_the_line_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="line 4"):
        load_texts(write(tmp_path / "d.csv", "# made\ntext,label\na,1\nb,c,2\n"))

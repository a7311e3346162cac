"""The name and first lines of DATA say what it holds; where it may be several, the user is asked."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.cli import kinds
from genokeras.cli.group import Failure
from genokeras.cli.kinds import find_kind
from genokeras.data import images, sequences, texts
from genokeras.data.readers import columns, opening


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def genes(n: int, **first: str) -> str:
    names, values = [*first, *(f"g{i}" for i in range(n))], [*first.values(), *["1.5"] * n]
    return f"{','.join(names)}\n{','.join(values)}\n"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.fasta.gz", ">p\nACGT\n", "sequences"),
        ("a.FA", ">p\nACGT\n", "sequences"),
        ("a.csv", "name,Sequence,label\np,ACGT,1\n", "sequences"),
        ("a.csv", "seq,gc,label\nACGT,0.5,1\n", "sequences"),
        ("a.tsv.gz", "text\tlabel\nwin now\tspam\n", "texts"),
        ("a.csv", 'label,message\nham,"hi, you"\n', "texts"),
        ("a.txt", "text;label\nwin;1\n", "texts"),
        ("a.jsonl", '{"text": "win", "label": 1}\n', "texts"),
        ("a.json", '[{"dna": "ACGT", "label": 1}]', "sequences"),
        ("train-images-idx3-ubyte.gz", "", "images"),
        ("a.csv", genes(30), "genes"),
        ("a.csv", genes(30, sample="S1", label="ill"), "genes"),
        ("a.csv", genes(30, text="", dna="0.4"), "genes"),
        ("a.csv", "# made by x\n\nlabel,text\nham,hi\n", "texts"),
        ("a.tsv", "#name\tseq\np\tACGT\n", "sequences"),
        ("a.csv", f"# text\n{genes(30)}", "genes"),
        ("a.gct", "#1.2\n", "genes"),
        ("a.csv", "", "genes"),
        ("a.csv", '"text', "genes"),
    ],
)
def test_names_and_columns_say_what_a_file_holds(tmp_path: Path, name: str, text: str, kind: str) -> None:
    assert find_kind(written(tmp_path / name, text)) == kind


def test_a_parquet_table_is_told_by_its_columns(tmp_path: Path) -> None:
    pd.DataFrame({"text": ["win", "hi"], "year": [1, 2]}).to_parquet(tmp_path / "t.parquet")
    pd.DataFrame(np.eye(3), columns=list("abc")).to_parquet(tmp_path / "g.parquet")
    found = [find_kind(tmp_path / name) for name in ("t.parquet", "g.parquet")]
    assert found == ["texts", "genes"]


def test_what_is_missing_or_damaged_is_left_to_the_reader(tmp_path: Path) -> None:
    (tmp_path / "damaged.csv.gz").write_bytes(gzip.compress(b"text,label\nwin,1\n" * 99)[:30])
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    names = ("nowhere.csv", "damaged.csv.gz", "damaged.parquet")
    assert {find_kind(tmp_path / name) for name in names} == {"genes"}


@pytest.mark.parametrize(("suffix", "kind"), [("png", "images"), ("txt", "texts")])
def test_a_folder_is_told_by_its_files(tmp_path: Path, suffix: str, kind: str) -> None:
    written(tmp_path / "cats" / f"1.{suffix}", "")
    written(tmp_path / ".hidden" / "1.txt", "")
    assert find_kind(tmp_path) == kind


def test_target_and_groups_are_no_columns_of_numbers(tmp_path: Path) -> None:
    data = written(tmp_path / "a.csv", genes(kinds.MOST_NUMBERS + 2, sequence="ACGT"))
    assert find_kind(data, known=("g0", "g1")) == "sequences"
    with pytest.raises(Failure):
        find_kind(data)


def test_a_delimiter_of_ones_own_is_heeded(tmp_path: Path) -> None:
    assert find_kind(written(tmp_path / "a.csv", "text|label\na, b|1\n"), delimiter="|") == "texts"


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.csv", genes(30, text="win"), "--kind texts or --kind genes"),
        ("a.csv", genes(30, seq="ACGT"), "--kind sequences or --kind genes"),
        ("a.csv", "text,seq\nwin,ACGT\n", "--kind sequences or --kind texts"),
        ("a.jsonl", json.dumps({"words": "win"}), "--kind"),
    ],
)
def test_what_may_be_several_is_asked_for(tmp_path: Path, name: str, text: str, options: str) -> None:
    with pytest.raises(Failure, match=options):
        find_kind(written(tmp_path / name, text))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("matrix.mtx.gz", "x"),
        ("S1/quant.sf", "x"),
        ("S1ReadsPerGene.out.tab", "x"),
        ("S1.txt", "g1\t1\n__no_feature\t2\n"),
    ],
)
def test_a_folder_of_counts_or_of_a_matrix_holds_genes(tmp_path: Path, name: str, text: str) -> None:
    written(tmp_path / name, text)
    assert find_kind(tmp_path) == "genes"


def test_a_folder_of_both_or_neither_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="without images, .txt files, matrix.mtx or counts"):
        find_kind(tmp_path)
    written(tmp_path / "a" / "1.txt", "")
    written(tmp_path / "b" / "1.jpg", "")
    with pytest.raises(Failure, match="--kind images or --kind texts"):
        find_kind(tmp_path)


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere" / "1.jpg", "")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "cats").symlink_to(tmp_path / "elsewhere")
    assert find_kind(tmp_path / "d") == "images"


def test_names_and_columns_are_those_of_the_readers() -> None:
    assert kinds.FASTA_SUFFIXES == sequences.FASTA_SUFFIXES
    assert kinds.IMAGE_SUFFIXES == images.IMAGE_SUFFIXES
    assert kinds.SEQUENCE_COLUMNS == sequences.COLUMN_NAMES
    assert kinds.TEXT_COLUMNS == texts.COLUMN_NAMES
    assert kinds.JSON_SUFFIXES == columns.JSON_SUFFIXES
    assert kinds.PACKED_SUFFIXES == opening.PACKED_SUFFIXES

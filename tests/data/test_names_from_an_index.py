"""Sequences and texts whose index, or whose numbers beside them, say which sample is which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from genokeras.data import load_sequences, load_texts
from genokeras.errors import DataError, DataFileError

IDS = ["s0", "s1", "s2", "s3"]
CONTENT = pd.Series(["ACGT", "CCGT", "GCGT", "TCGT"], index=IDS)
LABELS = pd.Series(["a", "b", "c", "d"], index=IDS)


@pytest.mark.parametrize("load", [load_sequences, load_texts])
@pytest.mark.parametrize("kind", ["Series", "DataFrame"])
def test_labels_and_groups_are_joined_by_the_index(load: Any, kind: str) -> None:
    column = "sequence" if load is load_sequences else "text"
    x = CONTENT if kind == "Series" else CONTENT.to_frame(column)
    data = load(x, LABELS[::-1], groups=LABELS.iloc[[2, 0, 3, 1]])
    assert data.names == tuple(IDS) and data.names_given
    assert data.labels.tolist() == data.groups.tolist() == ["a", "b", "c", "d"]
    by_row = load(x, LABELS[::-1].to_numpy())
    assert by_row.labels.tolist() == ["d", "c", "b", "a"]


@pytest.mark.parametrize("load", [load_sequences, load_texts])
def test_an_index_that_repeats_or_counts_names_nothing(load: Any) -> None:
    for index in (None, ["s0", "s0", "s1", "s2"]):
        data = load(CONTENT.set_axis(range(4) if index is None else index))
        assert not data.names_given and data.names[0] == "sample_0"


@pytest.mark.parametrize("load", [load_sequences, load_texts])
@pytest.mark.parametrize("what", ["y", "groups"])
def test_an_index_that_repeats_joins_nothing_in_another_order(load: Any, what: str) -> None:
    x = CONTENT.set_axis(["s0", "s0", "s1", "s2"])
    column = "sequence" if load is load_sequences else "text"
    for values in (LABELS.set_axis(["s2", "s1", "s0", "s0"]), LABELS, LABELS.set_axis([3, 1, 2, 0])):
        with pytest.raises(
            DataError,
            match=rf"{what} cannot be joined to Series by the index: that of Series has repeated values \(s0\).*{what}.to_numpy",
        ):
            load(x, **{what: values})
        with pytest.raises(DataError, match="to DataFrame by the index"):
            load(x.to_frame(column), **{what: values})
    for right in (LABELS.set_axis(x.index), LABELS.reset_index(drop=True), LABELS.to_numpy()):
        data = load(x, **{what: right})
        assert (data.labels if what == "y" else data.groups).tolist() == ["a", "b", "c", "d"]
    named = x.to_frame(column).assign(id=IDS)
    assert load(named, **{what: LABELS[::-1]}).names == tuple(IDS)


def test_numbers_beside_sequences_are_joined_by_the_index(tmp_path: Path) -> None:
    (tmp_path / "x.fa").write_text("".join(f">{id}\n{text}\n" for id, text in CONTENT.items()))
    extra = pd.DataFrame({"age": [1.0, 2.0, 3.0, 4.0]}, index=IDS)
    for given in (extra, extra[::-1], extra["age"].iloc[[2, 0, 3, 1]]):
        data = load_sequences(tmp_path / "x.fa", extra=given)
        assert data.extra_names == ("age",)
        assert data.extra is not None and data.extra[:, 0].tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError, match="extra has no value for 1 of 4 samples .*s0"):
        load_sequences(tmp_path / "x.fa", extra=extra.iloc[1:])


def test_quoted_line_breaks_in_tab_separated_tables_are_kept(tmp_path: Path) -> None:
    texts = [f"note {i} begins\nand ends" for i in range(4)]
    frame = pd.DataFrame({"text": texts, "label": list("abab")})
    frame.to_csv(tmp_path / "t.tsv", sep="\t", index=False)
    data = load_texts(tmp_path / "t.tsv")
    assert list(data.texts) == texts and data.labels is not None


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (['he said "hi\ta', "plain\tb"], ['he said "hi', "plain"]),
        (['"note a\tx', '"note b\ty', "plain\tx"], ['"note a', '"note b', "plain"]),
    ],
)
def test_loose_quotes_in_tab_separated_tables_are_written_so(
    tmp_path: Path, lines: list[str], texts: list[str]
) -> None:
    (tmp_path / "t.tsv").write_text("\n".join(["text\tlabel", *lines, ""]))
    assert list(load_texts(tmp_path / "t.tsv").texts) == texts


def test_another_delimiter_is_advised_for_texts_and_sequences(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("text;sequence;label\nACGT;ACGT;a\n")
    for load in (load_texts, load_sequences):
        with pytest.raises(
            DataFileError,
            match="one column when split at ','; ';' seems right .3 columns.: pass delimiter=';'",
        ):
            load(tmp_path / "t.csv")
        assert len(load(tmp_path / "t.csv", delimiter=";")) == 1


def test_json_lines_hold_any_character(tmp_path: Path) -> None:
    text = "first\u2028second\x85third"
    (tmp_path / "t.jsonl").write_text(json.dumps({"text": text}, ensure_ascii=False) + "\n", encoding="utf-8")
    assert load_texts(tmp_path / "t.jsonl").texts == (text,)
    assert load_texts(["day \ud83d."]).texts == ("day ?.",)  # half a pair of surrogates


@pytest.mark.parametrize("x", [{"a b", "c d"}, {"a b": 1}, frozenset(["a b"])])
def test_texts_without_an_order_are_refused(x: Any) -> None:
    with pytest.raises(
        DataError, match="texts in an order, one per sample: got a (set|dict|frozenset). Pass a list"
    ):
        load_texts(x)


def test_labels_with_gaps_are_named_where_labels_are_missed(tmp_path: Path) -> None:
    (tmp_path / "p.fa").write_text(">a label=x\nACGT\n>b label=y\nACGT\n>c\nACGA\n")
    assert (
        "'label' was not taken as the labels: 1 of 3 samples have none (c)."
        in load_sequences(tmp_path / "p.fa").notes
    )


def test_rows_of_numbers_keep_their_order_without_ids() -> None:
    extra = pd.DataFrame({"age": [4.0, 3.0]}, index=["u", "v"])
    data = load_sequences(["ACGT", "ACGA"], extra=extra)
    assert data.extra is not None
    np.testing.assert_array_equal(data.extra[:, 0], [4, 3])

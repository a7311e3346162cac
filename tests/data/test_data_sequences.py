from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.data import SequenceData, load_sequences
from genokeras.errors import DataError, DataFileError, ParameterError

FASTA = ">p1 label=1 group=chr1\nACGT\nAC\n>p2 label=0 group=chr2\nTTNRA\n"
TABLE = "name\tsequence\tlabel\tgc\np1\tACGTAC\tyes\t0.5\np2\tTTNRA\tno\t0.25\n"


def write(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["d.fa", "d.fasta", "d.fna.gz", "d.fasta.gz"])
def test_fasta_is_read_with_the_labels_of_its_headers(tmp_path: Path, name: str) -> None:
    data = load_sequences(write(tmp_path / name, FASTA), groups="group")
    assert data.sequences == ["ACGTAC", "TTNRA"] and data.names == ("p1", "p2")
    assert data.labels is not None and data.labels.tolist() == [1, 0]
    assert data.groups is not None and data.groups.tolist() == ["chr1", "chr2"]
    assert "The labels were taken from 'label'." in data.notes


def test_fasta_with_windows_line_ends_is_the_same(tmp_path: Path) -> None:
    data = load_sequences(write(tmp_path / "d.fa", FASTA.replace("\n", "\r\n")))
    assert data.sequences == ["ACGTAC", "TTNRA"]


def test_what_a_header_says_beside_its_pairs_can_be_the_label(tmp_path: Path) -> None:
    data = load_sequences(write(tmp_path / "d.fa", ">a promoter\nAC\n>b other\nGT\n"), "description")
    assert data.labels is not None and data.labels.tolist() == ["promoter", "other"]


def test_names_that_are_places_give_the_chromosome(tmp_path: Path) -> None:
    text = ">chr1:100-200(+)\nAC\n>peak::chrX:5-9\nGT\n"
    data = load_sequences(write(tmp_path / "d.fa", text), groups="chromosome")
    assert data.groups is not None and data.groups.tolist() == ["chr1", "chrX"]


def test_labels_of_a_second_file_are_joined_by_name(tmp_path: Path) -> None:
    labels = write(tmp_path / "labels.csv", "name,class\np2,b\np1,a\n")
    data = load_sequences(write(tmp_path / "d.fa", FASTA), labels)
    assert data.labels is not None and data.labels.tolist() == ["a", "b"]


@pytest.mark.parametrize("name", ["d.tsv", "d.csv", "d.txt", "d.csv.gz"])
def test_a_table_is_read_with_numbers_beside_its_sequences(tmp_path: Path, name: str) -> None:
    text = TABLE.replace("\t", ",") if "csv" in name else TABLE
    data = load_sequences(write(tmp_path / name, text), "label", extra=["gc"])
    assert data.sequences == ["ACGTAC", "TTNRA"] and data.names == ("p1", "p2")
    assert data.labels is not None and data.labels.tolist() == ["yes", "no"]
    assert data.extra is not None and data.extra.tolist() == [[0.5], [0.25]] and data.extra_names == ("gc",)


def test_a_frame_and_strings_are_taken_as_they_are() -> None:
    frame = pd.DataFrame({"seq": ["ACG", "TT"], "y": [1.5, 2.5]})
    from_frame = load_sequences(frame, "y")
    from_list = load_sequences(["ACG", "TT"], [1.5, 2.5])
    assert from_frame.sequences == from_list.sequences == ["ACG", "TT"]
    assert from_frame.labels is not None and from_frame.labels.tolist() == [1.5, 2.5]


def test_one_hot_arrays_become_letters() -> None:
    x = np.zeros((1, 4, 4), dtype="float32")
    x[0, 0, 0] = x[0, 1, 3] = 1
    x[0, 2] = [0.5, 0, 0.5, 0]
    data = load_sequences(x)
    assert data.sequences == ["ATR-"] and data.codes.tolist() == [1, 8, 5, 0]


def test_lower_case_and_rna_are_read_and_said() -> None:
    data = load_sequences(["acGU", "ACGT"])
    assert data.sequences == ["ACGT", "ACGT"]
    assert data.notes == (
        "1 of 2 sequences is RNA: U counts as T.",
        "2 lower-case letters count as upper case.",
    )


def test_taken_rows_carry_everything_along() -> None:
    data = load_sequences(["A", "CC", "GGG"], ["x", "y", "z"], groups=[1, 2, 3], extra=[[1], [2], [3]])
    part = data.take(np.array([2, 0]))
    assert part.sequences == ["GGG", "A"] and part.names == ("sample_2", "sample_0")
    assert part.labels is not None and part.labels.tolist() == ["z", "x"]
    assert part.groups is not None and part.groups.tolist() == [3, 1]
    assert part.extra is not None and part.extra.ravel().tolist() == [3, 1]
    assert data.take(np.array([False, True, False])).sequences == ["CC"]


def test_loaded_data_can_be_loaded_again_with_other_labels() -> None:
    data = load_sequences(load_sequences(["AC", "GT"], [0, 1], groups=[5, 6]), ["a", "b"])
    assert isinstance(data, SequenceData) and data.labels is not None
    assert data.labels.tolist() == ["a", "b"] and data.groups is not None


def test_a_label_column_with_gaps_is_left_alone(tmp_path: Path) -> None:
    data = load_sequences(write(tmp_path / "d.csv", "sequence,label\nAC,1\nGT,\n"))
    assert data.labels is None and any("1 of 2 samples have none" in note for note in data.notes)


def test_letters_that_are_no_bases_are_named_with_their_place() -> None:
    with pytest.raises(
        DataError, match=r"2 letters are no base: 'X' in 'sample_0' at position 3; 'é' in 'sample_1'"
    ):
        load_sequences(["ACXT", "ACGé"])


def test_letters_that_are_no_bases_can_count_as_any() -> None:
    data = load_sequences(["AC-T", "ACGX"], unknown="n")
    assert data.sequences == ["ACNT", "ACGN"] and data.notes == ("2 letters that are no bases count as N.",)


@pytest.mark.parametrize(
    ("sequence", "hint"),
    [("AC-T", "Gaps of an alignment"), ("MEFLIPQ", "looks like protein: E, F, I, L, P, Q")],
)
def test_gaps_and_protein_are_recognised(sequence: str, hint: str) -> None:
    with pytest.raises(DataError, match=hint):
        load_sequences([sequence])


def test_protein_is_refused_even_where_other_letters_count_as_any() -> None:
    with pytest.raises(DataError, match="pass the coding sequences"):
        load_sequences(["MKVLAWFEEQLISP", "MEEPQSDPSVEPPLSQ"], unknown="n")


def test_fastq_is_read_by_name_or_content(tmp_path: Path) -> None:
    text = "@p1 label=1\nACGT\n+\nIIII\n@p2 label=0\nTTNA\n+p2\n@@@@\n"
    for name in ("d.fastq.bz2", "d.fq", "d.fa"):
        path = tmp_path / name
        path.write_bytes(bz2.compress(text.encode()) if name.endswith("bz2") else text.encode())
        data = load_sequences(path)
        assert data.sequences == ["ACGT", "TTNA"] and data.names == ("p1", "p2")
        assert data.labels is not None and data.labels.tolist() == [1, 0]
    for cut in (text[:-3], text[:30], text.replace("+p2", "ACGT")):
        (tmp_path / "d.fq").write_text(cut)
        with pytest.raises(DataFileError, match="read 2 .p2.* is cut short or spans several lines"):
            load_sequences(tmp_path / "d.fq")


@pytest.mark.parametrize("blank", [1, 2, 3, 4, 5, 9])
def test_blank_lines_between_the_reads_of_fastq_lose_no_read(tmp_path: Path, blank: int) -> None:
    between = "\n" * blank
    reads = "@p1\nACGT\n+\nIIII\n", "@p2\nTTNA\n+\nIIII\n", "@p3\nGG\n+\nII\n \n"
    (tmp_path / "d.fq").write_text(between.join(reads))
    assert load_sequences(tmp_path / "d.fq").names == ("p1", "p2", "p3")


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n\n"])
def test_a_blank_line_within_a_read_of_fastq_is_an_error(tmp_path: Path, end: str) -> None:
    lines = ["@p1", "ACGT", "+", "IIII"]
    for place in (1, 2, 3):
        (tmp_path / "d.fq").write_text("\n".join([*lines, *lines[:place], "", *lines[place:]]) + end)
        with pytest.raises(DataFileError, match="read 2 .p1.* is cut short or spans several lines"):
            load_sequences(tmp_path / "d.fq")


@pytest.mark.parametrize("start", ["LOCUS       X", "ID   X; SV 1"])
def test_flat_files_are_named(tmp_path: Path, start: str) -> None:
    (tmp_path / "d.fa").write_text(f"{start}\n")
    with pytest.raises(DataFileError, match="flat file of GenBank or EMBL: export its sequences as FASTA"):
        load_sequences(tmp_path / "d.fa")


def test_a_sequence_with_u_and_t_is_an_error() -> None:
    with pytest.raises(DataError, match=r"1 sequence holds both U and T: sample_1"):
        load_sequences(["ACGT", "ACUT"])


@pytest.mark.parametrize("text", [">a\n\n>b\nAC\n", ">a\n>b\nAC\n", ">b\nAC\n>a\n"])
def test_empty_sequences_are_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"d.fa: 1 sequence is empty: a. Drop it."):
        load_sequences(write(tmp_path / "d.fa", text))


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_missing_sequences_are_named(missing: object) -> None:
    with pytest.raises(DataError, match=r"1 of 2 is not, sample_1 \(the first is missing\)"):
        load_sequences(["AC", missing])


def test_names_that_repeat_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1 name occurs more than once: a"):
        load_sequences(write(tmp_path / "d.fa", ">a\nAC\n>a\nGT\n"))


def test_another_number_of_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"one label per sample: expected 2, got 3"):
        load_sequences(write(tmp_path / "d.fa", FASTA), [1, 0, 1])


def test_a_header_without_the_label_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no label for 1 of 2 samples \(d.fa\): b"):
        load_sequences(write(tmp_path / "d.fa", ">a label=1\nAC\n>b\nGT\n"), "label")


def test_a_missing_column_is_met_with_a_guess(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "sequenze,label\nAC,1\n")
    with pytest.raises(DataError, match=r"no column 'sequence'.*Did you mean 'sequenze'"):
        load_sequences(path)
    assert load_sequences(path, sequence_column="sequenze").sequences == ["AC"]


def test_text_in_an_extra_column_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "sequence,strand,gc\nAC,plus,1\nGT,minus,\n")
    with pytest.raises(DataError, match="extra must hold numbers"):
        load_sequences(path, extra=["strand"])
    with pytest.raises(
        DataError,
        match=r"'gc' has no finite value, or one beyond 1e\+15, for 1 of 2 samples \(d.csv\): sample_1",
    ):
        load_sequences(path, extra=["gc"])
    with pytest.raises(DataError, match=r"a name in extra .* must be one of .*got 'gcc'.*Did you mean 'gc'"):
        load_sequences(path, extra=["gcc"])


@pytest.mark.parametrize(
    ("shape", "hint"),
    [((2, 4, 9), r"transpose\(0, 2, 1\)"), ((9, 4), "newaxis"), ((2, 9, 5), "got shape")],
)
def test_arrays_of_another_shape_are_an_error(shape: tuple[int, ...], hint: str) -> None:
    with pytest.raises(DataError, match=hint):
        load_sequences(np.zeros(shape))


@pytest.mark.parametrize("row", [[0.7, 0.3, 0, 0], [1, 1, 0, 0], [-1, 0, 0, 0], [np.nan, 0, 0, 0]])
def test_a_place_that_is_not_one_hot_is_named(row: list[float]) -> None:
    x = np.tile(np.eye(4, dtype="float32"), (3, 1, 1))
    x[1, 2] = row
    with pytest.raises(DataError, match="sequence 1 is not one-hot at place 2"):
        load_sequences(x)


def test_one_hot_arrays_of_zeros_alone_are_empty_sequences() -> None:
    with pytest.raises(DataError, match=r"1 sequence without any base \(all zeros\): 1"):
        load_sequences(np.stack([np.eye(4), np.zeros((4, 4))]))


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"not FASTA: expected a line that starts with '>', got 'ACGT'"):
        load_sequences(write(tmp_path / "a.fa", "ACGT\n"))
    with pytest.raises(DataFileError, match="sequence 2 has no name"):
        load_sequences(write(tmp_path / "b.fa", ">a\nAC\n>\nAC\n"))
    short = tmp_path / "c.fa.gz"
    short.write_bytes(gzip.compress(FASTA.encode() * 50)[:40])
    with pytest.raises(DataFileError, match="truncated"):
        load_sequences(short)
    with pytest.raises(DataFileError, match="no reader for this suffix"):
        load_sequences(write(tmp_path / "d.bam", "x"))


def test_an_unknown_treatment_is_an_error() -> None:
    with pytest.raises(ParameterError, match="unknown must be one of error, n, got 'N'"):
        load_sequences(["AC"], unknown="N")  # type: ignore[arg-type]


def test_no_sequences_are_an_error() -> None:
    with pytest.raises(DataError, match="no samples"):
        load_sequences([])


@pytest.mark.parametrize("name", ["d.fa", "d.csv"])
def test_an_older_encoding_is_said(tmp_path: Path, name: str) -> None:
    text = ">a label=café\nAC\n" if name == "d.fa" else "id,sequence,label\na,AC,café\n"
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    data = load_sequences(tmp_path / name)
    assert data.labels is not None and data.labels.tolist() == ["café"]
    assert any("is not UTF-8; it was read as cp1252" in note for note in data.notes)

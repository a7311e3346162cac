from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genokeras.data import SequenceData, load_sequences
from genokeras.errors import ParameterError
from genokeras.features import (
    kmer_counts,
    kmer_names,
    mask,
    one_hot,
    padded_codes,
    reverse_complement,
)

LETTERS = "ACGTRYSWKMBDHVN"
OTHER = dict(zip(LETTERS, "TGCAYRSWMKVHDBN", strict=True))
SOME = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=6)


def spelled(codes: np.ndarray) -> list[str]:
    return ["".join("-ACMGRSVTWYHKDBN"[code] for code in row) for row in codes]


def other_strand(sequence: str) -> str:
    return "".join(OTHER[letter] for letter in reversed(sequence))


def data_of(*sequences: str) -> SequenceData:
    return load_sequences(list(sequences))


def test_ambiguity_codes_are_equal_shares_of_their_bases() -> None:
    x = one_hot(padded_codes(data_of("ACGT", "RYSW", "KMNB")))
    np.testing.assert_array_equal(x[0], np.eye(4))
    np.testing.assert_array_equal(
        x[1], [[0.5, 0, 0.5, 0], [0, 0.5, 0, 0.5], [0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5]]
    )
    third = np.float32(1 / 3)
    np.testing.assert_array_equal(
        x[2], [[0, 0, 0.5, 0.5], [0.5, 0.5, 0, 0], [0.25] * 4, [0, third, third, third]]
    )
    assert x.dtype == np.float32


@pytest.mark.parametrize(
    ("align", "length", "expected"),
    [
        ("left", None, ["AC---", "ACGTA"]),
        ("right", None, ["---AC", "ACGTA"]),
        ("centre", None, ["-AC--", "ACGTA"]),
        ("left", 3, ["AC-", "ACG"]),
        ("right", 3, ["-AC", "GTA"]),
        ("centre", 3, ["AC-", "CGT"]),
        ("left", 7, ["AC-----", "ACGTA--"]),
    ],
)
def test_rows_are_padded_and_cut_where_the_alignment_says(
    align: str, length: int | None, expected: list[str]
) -> None:
    codes = padded_codes(data_of("AC", "ACGTA"), length, align)  # type: ignore[arg-type]
    assert spelled(codes) == expected
    np.testing.assert_array_equal(mask(codes), [[letter != "-" for letter in row] for row in expected])


def test_rows_of_one_length_do_not_share_memory_with_the_data() -> None:
    data = data_of("ACG", "TTT")
    padded_codes(data)[:] = 0
    assert data.sequences == ["ACG", "TTT"]


@given(SOME)
def test_encoding_keeps_the_letters(sequences: list[str]) -> None:
    data = load_sequences(sequences)
    assert [row.rstrip("-") for row in spelled(padded_codes(data))] == sequences == data.sequences


@given(SOME)
def test_one_hot_arrays_are_read_back(sequences: list[str]) -> None:
    codes = padded_codes(load_sequences(sequences))
    np.testing.assert_array_equal(padded_codes(load_sequences(one_hot(codes))), codes)


@given(SOME, st.sampled_from(["left", "right", "centre"]))
def test_the_other_strand_is_spelled_backwards_with_padding_where_it_was(
    sequences: list[str], align: str
) -> None:
    codes = padded_codes(load_sequences(sequences), None, align)  # type: ignore[arg-type]
    expected = padded_codes(load_sequences([other_strand(s) for s in sequences]), None, align)  # type: ignore[arg-type]
    np.testing.assert_array_equal(reverse_complement(codes), expected)
    np.testing.assert_array_equal(reverse_complement(reverse_complement(codes)), codes)


@given(SOME)
def test_the_other_strand_of_one_hot_arrays_is_that_of_codes(sequences: list[str]) -> None:
    codes = padded_codes(load_sequences(sequences))
    np.testing.assert_array_equal(
        one_hot(codes)[:, ::-1, ::-1], one_hot(reverse_complement(codes, keep_padding=False))
    )


def test_words_are_counted_within_sequences_and_without_ambiguous_letters() -> None:
    counts = kmer_counts(data_of("ACAC", "G", "ANAC"), 2).toarray()
    named = [{n: int(c) for n, c in zip(kmer_names(2), row, strict=True) if c} for row in counts]
    assert named == [{"AC": 2, "CA": 1}, {}, {"AC": 1}]


@given(SOME, st.integers(1, 3))
def test_counts_are_those_of_a_plain_count(sequences: list[str], k: int) -> None:
    counts = kmer_counts(load_sequences(sequences), k).toarray()
    for sequence, row in zip(sequences, counts, strict=True):
        words = [sequence[i : i + k] for i in range(len(sequence) - k + 1)]
        assert row.tolist() == [words.count(name) for name in kmer_names(k)]


@pytest.mark.parametrize("k", [3, 7])
def test_counts_over_both_strands_are_the_same_for_both_strands(k: int) -> None:
    sequence = "ACGTTGCATTGACCAT"
    counts = kmer_counts(data_of(sequence, other_strand(sequence)), k, both_strands=True)
    one_way = kmer_counts(data_of(sequence, other_strand(sequence)), k).toarray()
    np.testing.assert_array_equal(counts[0].toarray(), counts[1].toarray())
    np.testing.assert_array_equal(counts[0].toarray()[0], one_way.sum(axis=0))


def test_unusable_parameters_are_errors() -> None:
    data = data_of("ACGT")
    with pytest.raises(ParameterError, match=r"align must be .* Did you mean 'centre'"):
        padded_codes(data, align="center")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="length must be a whole number of at least 1"):
        padded_codes(data, 0)
    with pytest.raises(ParameterError, match="k must be a whole number from 1 to 12, got 13"):
        kmer_counts(data, 13)

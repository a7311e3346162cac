"""FASTA: ``>name key=value key=value`` above the lines of each sequence; also gzipped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genokeras.data.readers.columns import typed_column
from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.opening import check_file, open_text
from genokeras.errors import DataFileError

# A value ends at a blank, or at ; , or | before the next key: "label=1;split=train" holds two pairs, "go=GO:1;GO:2" one. The
# look behind keeps the search linear: no key begins within a word.
_PAIR = re.compile(
    r"(?<![\w.-])([A-Za-z_][\w.-]*)=(\"[^\"]*\"|[^\s;,|]+(?:[;,|]+(?![A-Za-z_][\w.-]*=)[^\s;,|]+)*)"
)
# As bedtools getfasta writes them: chr1:100-200, chr1:100-200(+), name::chr1:100-200.
_PLACE = re.compile(r"(?:.*::)?([^\s:]+):\d+-\d+(?:\([+-]\))?$")


@dataclass(frozen=True, eq=False)
class FastaRecords:
    """Sequences as written, without line breaks, and what their headers say.

    Attributes
    ----------
    names : list of str
        The first word of each header.
    sequences : list of str
    annotations : mapping of str to ndarray of shape (n_sequences,)
        ``key=value`` pairs by key, None where a header lacks one; ``description``, what is left of the header
        where any has more than its name and its pairs; ``chromosome``, where all names are places such as ``chr1:100-200``.
    """

    names: list[str]
    sequences: list[str]
    annotations: Mapping[str, np.ndarray]


def read_fasta(path: str | Path) -> FastaRecords:
    """Read a FASTA file as a whole.

    Raises
    ------
    DataFileError
        Where it is missing, empty, truncated, not text, or does not start with ``>``.
    """
    file = check_file(path)
    with text_errors(file), open_text(file) as handle:
        text = handle.read()
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip()
    if not text.startswith(">"):
        raise DataFileError(_no_fasta(text, file.name))
    headers, sequences = [], []
    for record in text[1:].split("\n>"):
        header, _, body = record.partition("\n")
        headers.append(header.strip())
        sequences.append("".join(body.split()))
    return records_of(headers, sequences, file.name)


def _no_fasta(text: str, source: str) -> str:
    if text.startswith(("LOCUS ", "ID   ")):
        return (
            f"{source} is a flat file of GenBank or EMBL: export its sequences as FASTA, such as with seqret."
        )
    start = text[:20].split("\n", 1)[0]
    return f"{source} is not FASTA: expected a line that starts with '>', got {start!r}."


def records_of(headers: list[str], sequences: list[str], source: str) -> FastaRecords:
    """Return sequences with what their headers say.

    Raises
    ------
    DataFileError
        Where a header is empty.
    """
    words = [header.split(None, 1) for header in headers]
    names = [word[0] if word else "" for word in words]
    unnamed = names.index("") + 1 if "" in names else 0
    if unnamed:
        raise DataFileError(f"{source}: sequence {unnamed} has no name: expected one right behind '>'.")
    return FastaRecords(names, sequences, _annotations(words, names))


def _annotations(words: list[list[str]], names: list[str]) -> dict[str, np.ndarray]:
    rests = [word[1] if len(word) > 1 else "" for word in words]
    pairs = [{key: value.strip('"') for key, value in _PAIR.findall(rest)} for rest in rests]
    keys = dict.fromkeys(key for found in pairs for key in found)
    annotations = {key: typed_column([found.get(key) for found in pairs]) for key in keys}
    left = [_PAIR.sub("", rest).strip(" \t;,|") for rest in rests]
    if any(left):
        annotations.setdefault("description", np.array([text or None for text in left], dtype=object))
    places = [_PLACE.match(name) for name in names]
    if all(places):
        chromosomes = np.array([place.group(1) for place in places if place], dtype=object)
        annotations.setdefault("chromosome", chromosomes)
    return annotations

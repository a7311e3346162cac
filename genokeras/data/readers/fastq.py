"""FASTQ: four lines a read, of which the qualities are not read; also packed."""

from __future__ import annotations

import itertools
from pathlib import Path

from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.fasta import FastaRecords, read_fasta, records_of
from genokeras.data.readers.opening import check_file, open_text
from genokeras.errors import DataFileError

FASTQ_SUFFIXES = (".fastq", ".fq")


def read_records(path: str | Path) -> FastaRecords:
    """Read FASTA or FASTQ, as the first letter says."""
    file = check_file(path)
    with text_errors(file), open_text(file) as handle:
        first = handle.read(1)
    return read_fastq(file) if first == "@" else read_fasta(file)


def read_fastq(path: str | Path) -> FastaRecords:
    """Read a FASTQ file as a whole; ``key=value`` pairs in the names are annotations, as in FASTA.

    Raises
    ------
    DataFileError
        Where a read has not four lines, or its qualities are more or fewer than its letters.
    """
    file = check_file(path)
    headers: list[str] = []
    sequences: list[str] = []
    with text_errors(file), open_text(file) as handle:
        lines = (line.rstrip("\r\n") for line in handle)
        # Lines that are blank may stand between reads.
        for header in filter(str.strip, lines):
            read = [header, *itertools.islice(lines, 3)]
            _check(read, len(headers) + 1, file.name)
            headers.append(read[0][1:].strip())
            sequences.append(read[1].strip())
    return records_of(headers, sequences, file.name)


def _check(read: list[str], number: int, source: str) -> None:
    if not read[0].startswith("@"):
        raise DataFileError(f"{source}: expected '@' at the start of read {number}, got {read[0][:20]!r}.")
    if len(read) < 4 or not read[2].startswith("+") or len(read[1]) != len(read[3]):
        raise DataFileError(
            f"{source}: read {number} ({read[0][1:41]}) is cut short or spans several lines: expected a name, the letters, "
            "'+', and one quality a letter. Copy the file again, or convert it with seqtk seq."
        )

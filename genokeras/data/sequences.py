"""DNA and RNA with labels: FASTA, tables, strings and one-hot arrays become a checked `SequenceData` here."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.bases import LETTERS
from genokeras.data.foreign import as_pandas
from genokeras.data.readers.fastq import FASTQ_SUFFIXES, read_records
from genokeras.data.readers.opening import bare_name, encoding_note
from genokeras.data.sample_files import split_file
from genokeras.data.samples import (
    check_same_index,
    described,
    extra_numbers,
    labels_and_note,
    per_sample,
    split_frame,
    unique_names,
)
from genokeras.data.spelling import Spelled, Unknown, check_unknown, spell, spell_one_hot
from genokeras.data.table import Table
from genokeras.visible import visible

_logger = logging.getLogger(__name__)

FASTA_SUFFIXES = (".fa", ".fasta", ".fna", ".ffn", ".fas", *FASTQ_SUFFIXES)
COLUMN_NAMES = ("sequence", "sequences", "seq", "dna", "rna")


@dataclass(frozen=True, eq=False)
class SequenceData:
    """Sequences of bases, of one or of many lengths, laid end to end.

    Attributes
    ----------
    codes : ndarray of uint8, shape (n_letters,)
        All letters, one after the other, as sets of bases: A = 1, C = 2, G = 4, T = 8 and their sums
        (see `genokeras.data.bases`).
    offsets : ndarray of int64, shape (n_sequences + 1,)
        Sequence ``i`` is ``codes[offsets[i]:offsets[i + 1]]``; none is empty.
    names : tuple of str
        One per sequence.
    labels : ndarray of shape (n_sequences,), optional
        As they came, not encoded.
    groups : ndarray of shape (n_sequences,), optional
        Sequences of one group (one chromosome, say) must not be split between training and scoring.
    extra : ndarray of float32, shape (n_sequences, n_extra), optional
        Numbers beside each sequence.
    extra_names : tuple of str
        One per column of `extra`.
    source : str
        Where the data came from, for messages.
    names_given : bool
        False where `names` were made up as ``"sample_0"``, ``"sample_1"``...
    notes : tuple of str
        What was detected or replaced, in plain sentences.
    """

    codes: np.ndarray
    offsets: np.ndarray
    names: tuple[str, ...]
    labels: np.ndarray | None = None
    groups: np.ndarray | None = None
    extra: np.ndarray | None = None
    extra_names: tuple[str, ...] = ()
    source: str = "list"
    names_given: bool = True
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Letters of each sequence, shape (n_sequences,)."""
        return np.diff(self.offsets)

    @property
    def sequences(self) -> list[str]:
        """The sequences as upper-case text; U came in as T."""
        text = np.frombuffer(LETTERS.encode(), np.uint8)[self.codes].tobytes().decode()
        bounds = self.offsets.tolist()
        return [text[start:end] for start, end in itertools.pairwise(bounds)]

    def take(self, rows: np.ndarray) -> SequenceData:
        """Return the sequences that `rows` (a mask or positions) picks, in that order."""
        picked = np.arange(len(self))[rows]
        lengths = self.lengths[picked]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        letters = np.arange(offsets[-1]) + np.repeat(self.offsets[picked] - offsets[:-1], lengths)
        return dataclasses.replace(
            self,
            codes=self.codes[letters],
            offsets=offsets,
            names=tuple(self.names[i] for i in picked),
            labels=None if self.labels is None else self.labels[picked],
            groups=None if self.groups is None else self.groups[picked],
            extra=None if self.extra is None else self.extra[picked],
        )

    def __repr__(self) -> str:
        low, high = (int(self.lengths.min()), int(self.lengths.max())) if len(self) else (0, 0)
        span = f"{low}" if low == high else f"{low} to {high}"
        labels = "without labels" if self.labels is None else "with labels"
        return f"SequenceData({len(self)} sequences of {span} letters, {labels}, {self.source})"


def load_sequences(
    x: Any,
    y: Any = None,
    *,
    groups: Any = None,
    extra: Any = None,
    sequence_column: str | None = None,
    name_column: str | None = None,
    unknown: Unknown = "error",
    delimiter: str | None = None,
) -> SequenceData:
    """Read and check sequences and, where given, their labels.

    Lower case (soft-masked) counts as upper case, and U as T; both are said in ``notes``. A sequence that holds both U and T
    raises. Letters beyond A, C, G, T and U are the ambiguity codes of IUPAC.

    Parameters
    ----------
    x : path, SequenceData, DataFrame, sequence of str, or array-like of shape (n_sequences, length, 4)
        Paths: FASTA (fa, fasta, fna, ffn, fas), FASTQ (fastq, fq) or a table with a column of sequences (csv, tsv, txt, jsonl,
        parquet); each text also packed. Proteins are refused. One-hot arrays have the channels A, C, G, T; equal shares mean an ambiguity code, zeros a place
        without any base.
    y : array-like of shape (n_sequences,), str or path, optional
        Labels by row; a column of the table or a key of FASTA headers (``>p1 label=1``, or ``description`` for what is not
        ``key=value``); or a file of names and labels. Without it, a column or key ``label`` is taken.
    groups : array-like of shape (n_sequences,), str or path, optional
        As `y`. FASTA whose names are places (``chr1:100-200``) has a column ``chromosome``.
    extra : sequence of str, DataFrame or array-like of shape (n_sequences, n_extra), optional
        Numeric columns, by name or as numbers.
    sequence_column, name_column : str, optional
        Columns of a table; without them ``sequence``, ``seq``, ``dna`` or ``rna``, and ``id`` or ``name``.
    unknown : {"error", "n"}
        Letters that are no bases raise, or count as N, which may be any base.
    delimiter : str, optional
        What separates the columns of a text; without it the suffix says.

    Raises
    ------
    DataFileError
        Where a file is missing, empty, truncated, or not what its suffix says.
    DataError
        Where sequences, names or labels cannot be used; the message says which and where.

    Examples
    --------
    >>> load_sequences(["ACGT", "TTRA"], y=["promoter", "other"]).sequences
    ['ACGT', 'TTRA']
    """
    check_unknown(unknown)
    if isinstance(x, SequenceData):
        return _again(x, y, groups, extra)
    content, table = _content(x, sequence_column, name_column, delimiter)
    check_same_index(x, table, y=y, groups=groups, extra=extra)
    spelled = content if isinstance(content, Spelled) else spell(content, table.ids, table.source, unknown)
    labels, label_notes = labels_and_note(y, table)
    numbers, extra_names = extra_numbers(extra, table)
    data = SequenceData(
        codes=spelled.codes,
        offsets=spelled.offsets,
        names=table.ids,
        labels=labels,
        groups=per_sample(groups, table, "groups"),
        extra=numbers,
        extra_names=extra_names,
        source=table.source,
        names_given=table.sample_ids is not None,
        notes=(*table.notes, *label_notes, *spelled.notes),
    )
    for note in data.notes:
        _logger.info("%s: %s", visible(data.source), visible(note))
    return data


def _content(
    x: Any, sequence_column: str | None, name_column: str | None, delimiter: str | None
) -> tuple[Sequence[Any] | Spelled, Table]:
    if isinstance(x, str | os.PathLike):
        path = Path(x).expanduser()
        if bare_name(path).endswith(FASTA_SUFFIXES):
            records = read_records(path)
            names, annotations = records.names, records.annotations
            notes = encoding_note(path)
            return records.sequences, described(
                len(names), path.name, names=names, annotations=annotations, notes=notes
            )
        return split_file(
            path, content=sequence_column, usual=COLUMN_NAMES, name_column=name_column, delimiter=delimiter
        )
    x = as_pandas(x)
    if isinstance(x, pd.DataFrame):
        return split_frame(
            x, "DataFrame", content=sequence_column, usual=COLUMN_NAMES, name_column=name_column
        )
    if isinstance(x, pd.Series):
        return x.tolist(), described(len(x), "Series", names=unique_names(x.index))
    if isinstance(x, np.ndarray) and x.dtype.kind in "OUST" and x.ndim <= 2:
        rows = x.tolist() if x.ndim == 1 else ["".join(map(str, row)) for row in np.atleast_2d(x).tolist()]
        return rows, described(len(rows), "array")
    if isinstance(x, list | tuple) and not (len(x) and isinstance(x[0], list | tuple | np.ndarray)):
        return x, described(len(x), "list")
    spelled = spell_one_hot(x)
    return spelled, described(len(spelled.offsets) - 1, "array")


def _again(data: SequenceData, y: Any, groups: Any, extra: Any) -> SequenceData:
    """Return data that were loaded before, with what is given now in the place of what they had."""
    names = data.names if data.names_given else None
    table = described(len(data), data.source, names=names, y=data.labels, groups=data.groups)
    numbers, extra_names = (data.extra, data.extra_names) if extra is None else extra_numbers(extra, table)
    return dataclasses.replace(
        data,
        labels=per_sample(y, table, "y"),
        groups=per_sample(groups, table, "groups"),
        extra=numbers,
        extra_names=extra_names,
    )

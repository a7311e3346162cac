"""Series matrices of the Gene Expression Omnibus: ``!`` lines that describe the samples, and a table of genes in rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from genokeras.data.numerals import ROUND_TRIP, to_numbers
from genokeras.data.readers.columns import typed_column
from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.opening import open_text
from genokeras.data.readers.rows import genes_in_rows
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError
from genokeras.support.wording import counted, listed

_BEGIN, _END = "!series_matrix_table_begin", "!series_matrix_table_end"
_SAMPLE, _TRAIT = "!Sample_", "characteristics_ch"


def is_series_matrix(start: Sequence[str]) -> bool:
    """Return whether the first lines of a text are those of a series matrix."""
    return bool(start) and start[0].lstrip('"').startswith(("!Series_", "!Sample_", _BEGIN))


def read_series_matrix(path: Path, options: ReadOptions) -> Table:
    """Read a series matrix; what its ``!Sample_`` lines say can be the target: ``"tissue"`` of ``tissue: liver``.

    Raises
    ------
    DataFileError
        Where the table is missing, empty or cut short.
    """
    with text_errors(path), open_text(path) as handle:
        described = _sample_lines(path, handle)
        samples = next(csv.reader([handle.readline()], delimiter="\t"), [])[1:]
        try:
            genes = pd.read_csv(
                handle,
                sep="\t",
                header=None,
                dtype={0: str},
                low_memory=False,
                na_values=["null"],
                float_precision=ROUND_TRIP,
            )
        except pd.errors.ParserError as error:
            if "EOF inside string" in str(error):
                raise _truncated(path) from error
            raise
    ends = genes.iloc[:, 0].str.startswith(_END).fillna(False).to_numpy(dtype=bool)
    if not ends.any():
        raise _truncated(path)
    genes = genes.iloc[: int(ends.argmax())]
    if not len(genes) or not samples:
        raise DataFileError(
            f"{path.name} describes {counted(len(samples), 'sample')} and holds no values: GEO keeps the counts of "
            "sequencing in supplementary files. Pass such a file, and this one's traits as a table of labels."
        )
    if genes.shape[1] != len(samples) + 1:
        raise DataFileError(
            f"{path.name} names {counted(len(samples), 'sample')} and holds {genes.shape[1] - 1} columns of values: "
            "the file is damaged. Download it again."
        )
    annotations = _annotations(described, len(samples))
    traits = [name for name, values in annotations.items() if len(set(values.tolist())) > 1]
    notes = (f"Traits of the samples that can be the target: {listed(traits, 12)}.",) if traits else ()
    values = genes.iloc[:, 1:].apply(_numeric)
    return genes_in_rows(
        values, genes.iloc[:, 0].str.strip('"'), samples, path.name, annotations=annotations, notes=notes
    )


def _truncated(path: Path) -> DataFileError:
    return DataFileError(f"{path.name} has no line {_END}: the file is truncated. Download it again.")


def _numeric(column: pd.Series) -> pd.Series:
    """The end line left text in the column where pandas saw it."""
    if column.dtype.kind in "biuf":
        return column
    numbers = pd.Series(to_numbers(column), column.index)
    return column if (numbers.isna() & column.notna()).any() else numbers


def _sample_lines(path: Path, handle: TextIO) -> list[tuple[str, list[str]]]:
    """Return the key and values of each ``!Sample_`` line, and leave the handle at the table's header."""
    found: list[tuple[str, list[str]]] = []
    for line in handle:
        plain = line.strip().strip('"')
        if plain.startswith(_BEGIN):
            return found
        if plain.startswith(_SAMPLE):
            key, *values = next(csv.reader([line.rstrip("\r\n")], delimiter="\t"))
            found.append((key.removeprefix(_SAMPLE), values))
    raise DataFileError(
        f"{path.name} has no line {_BEGIN}: expected a series matrix of GEO (GSE..._series_matrix.txt.gz), whole."
    )


def _annotations(described: Iterable[tuple[str, list[str]]], n: int) -> dict[str, np.ndarray]:
    plain: dict[str, list[str | None]] = {}
    traits: dict[str, list[str | None]] = {}
    for key, values in described:
        if len(values) != n:
            continue
        if not key.startswith(_TRAIT):
            plain.setdefault(key, [value.strip() or None for value in values])
            continue
        for i, value in enumerate(values):
            # a trait may stand in another line for another sample
            name, colon, rest = value.partition(":")
            if colon and rest.strip():
                traits.setdefault(name.strip(), [None] * n)[i] = rest.strip()
            elif value.strip():
                traits.setdefault(key, [None] * n)[i] = value.strip()
    columns = {**plain, **traits}
    return {name: typed_column(values) for name, values in columns.items()}

"""The rows of a file of labels, text or xlsx, before anything is joined."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genokeras.data.readers.delimited import (
    WHITESPACE,
    best_delimiter,
    first_line,
    split_line,
    text_errors,
    without_comments,
)
from genokeras.data.readers.opening import bare_name, open_text
from genokeras.data.readers.spreadsheet import cell_text, read_sheet
from genokeras.errors import DataFileError


@dataclass(frozen=True)
class LabelRows:
    """What a file of labels holds.

    Attributes
    ----------
    fields : list of list of str
        Those of each row that is not blank, without blanks at their ends.
    lines : list of str
        Each line as one field, without quotes around it; those that are blank between others are ``""``. Of a sheet, its first column.
    sure : bool
        Whether something other than blanks separates the fields, and every row has as many.
    """

    fields: list[list[str]]
    lines: list[str]
    sure: bool

    @property
    def width(self) -> int:
        """The fields of the longest row."""
        return max(map(len, self.fields))


def read_label_rows(path: Path) -> LabelRows:
    """Read a text, less the ``#`` lines above it, or the first sheet of an xlsx file.

    Raises
    ------
    DataFileError
        Where it holds nothing, or cannot be read.
    """
    found = _sheet(path) if bare_name(path).endswith(".xlsx") else _text(path)
    if not found.fields:
        raise DataFileError(f"{path.name} is empty: expected labels, one per line.")
    return found


def _sheet(path: Path) -> LabelRows:
    cells, _ = read_sheet(path, None)
    # blank rows were left out: the index counts them
    whole = cells.reindex(range(cells.index[0], cells.index[-1] + 1)) if len(cells) else cells
    rows = [["" if pd.isna(cell) else cell_text(cell) for cell in row] for row in whole.to_numpy().tolist()]
    return LabelRows(_not_blank(rows), [row[0] for row in rows], sure=True)


def _text(path: Path) -> LabelRows:
    with text_errors(path):
        delimiter = best_delimiter(first_line(path))
        with open_text(path) as handle:
            if delimiter == WHITESPACE:
                rows = [_between_blanks(line) for line in without_comments(handle)]
            else:
                rows = list(csv.reader(without_comments(handle), delimiter=delimiter))
        with open_text(path) as handle:
            lines = [_unquoted(line) for line in without_comments(handle)]
    fields = _not_blank([[field.strip() for field in row] for row in rows])
    return LabelRows(fields, _trimmed(lines), delimiter != WHITESPACE and len(set(map(len, fields))) == 1)


def _between_blanks(line: str) -> list[str]:
    """The fields of a line between blanks; those within quotes separate nothing."""
    if '"' not in line:
        return split_line(line, WHITESPACE)
    fields = csv.reader([line.replace("\t", " ").strip()], delimiter=" ", skipinitialspace=True)
    return [field for field in next(fields, []) if field]


def _unquoted(line: str) -> str:
    plain = line.strip()
    if not plain.startswith('"'):
        return plain
    fields = next(csv.reader([plain]), [])
    return fields[0].strip() if len(fields) == 1 else plain


def _not_blank(rows: Sequence[list[str]]) -> list[list[str]]:
    return [row for row in rows if any(row)]


def _trimmed(lines: list[str]) -> list[str]:
    """Lines less the blank ones at either end."""
    there = [i for i, line in enumerate(lines) if line]
    return lines[there[0] : there[-1] + 1] if there else []

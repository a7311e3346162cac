"""Delimited text: csv, tsv and txt, also packed."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd

from genokeras.data.frames import NamedFrame, table_from_frame
from genokeras.data.numerals import ROUND_TRIP, lose_text
from genokeras.data.readers.large_text import MISSING, parse_large
from genokeras.data.readers.opening import bare_name, encoding_note, open_text, unpacking_errors
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError
from genokeras.support.wording import counted, listed
from genokeras.visible import is_number

WHITESPACE = r"\s+"
_CANDIDATES = ("\t", ",", ";", "|")
_SPOKEN = {"\t": "'\\t' (tab)", ",": "','", ";": "';'", "|": "'|'", WHITESPACE: "' ' (blanks)"}


@dataclass(frozen=True)
class _Header:
    """The line of column names, and where the text below it starts."""

    names: tuple[str, ...]
    width: int
    given: bool = True


def read_delimited(path: Path, options: ReadOptions) -> Table:
    """Read a table of samples in rows (genes in rows where ``options.transposed``); ``#`` lines above it are comments.

    Raises
    ------
    DataFileError
        Where the text is empty, truncated, ragged, or comes out as a single column.
    DataError
        Where text stands among the numbers.
    """
    named, given = read_named(path, options)
    return table_from_frame(named, options, path.name, names_given=given)


def read_named(path: Path, options: ReadOptions) -> tuple[NamedFrame, bool]:
    """Return the columns of a delimited text, and whether it names them."""
    with text_errors(path):
        delimiter = _delimiter(path, options)
        with open_text(path) as handle:
            lines = _Lines(handle)
            header, n_lines = _header(path, lines, delimiter)
            _check_delimiter(path, delimiter, header)
            _check_width(path, header.names, header.width)
            frame = _frame(path, lines, n_lines, delimiter, header, options)
    names = list(header.names)
    notes = [*encoding_note(path), *([] if header.given else [_NO_HEADER])]
    names += [""] * (frame.shape[1] - len(names))
    while len(names) > 1 and not names[-1] and frame.iloc[:, -1].isna().all():
        # a delimiter at the end of every line
        frame, names = frame.iloc[:, :-1], names[:-1]
    return NamedFrame(frame, tuple(names), notes=tuple(notes)), header.given


_NO_HEADER = "The first line holds numbers only: it was read as a sample, and the genes have no names."


@contextmanager
def text_errors(path: Path) -> Iterator[None]:
    """Turn what can go wrong in reading text into a `DataFileError` that says what to do."""
    with unpacking_errors(path):
        try:
            yield
        except pd.errors.EmptyDataError as error:
            raise DataFileError(
                f"{path.name} is empty: expected a header line and one line per sample."
            ) from error
        except (pd.errors.ParserError, csv.Error) as error:
            reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
            raise DataFileError(
                f"{path.name}: the lines do not have the same number of fields ({reason})."
            ) from error


def first_lines(path: Path, limit: int = 20) -> list[str]:
    """Return the first lines of a text, blank ones left out."""
    with text_errors(path), open_text(path) as handle:
        return [line for line in itertools.islice(handle, limit) if line.strip()]


def first_line(path: Path) -> str:
    """Return the first line that is neither blank nor a comment."""
    with open_text(path) as handle:
        for line in without_comments(handle):
            if line.strip():
                return line.rstrip("\r\n")
    raise DataFileError(f"{path.name} is empty: expected a header line and one line per sample.")


def best_delimiter(line: str, decimal: str = ".") -> str:
    """Return the delimiter that splits a line into most fields; blanks where nothing else does."""
    counts = {candidate: _n_fields(line, candidate) for candidate in _CANDIDATES if candidate != decimal}
    best = max(counts, key=lambda candidate: counts[candidate])
    return best if counts[best] > 1 else WHITESPACE


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line."""
    return line.split() if delimiter == WHITESPACE else next(csv.reader([line], delimiter=delimiter), [])


def _n_fields(line: str, delimiter: str) -> int:
    return len(split_line(line, delimiter))


def without_comments(handle: TextIO) -> Iterator[str]:
    """Yield the lines of a text less the ``#`` lines at its start; one that names the columns counts as their header."""
    return iter(_Lines(handle))


class _Lines:
    """Lines of a text, which can be given back: pandas reads what is below the header from the same handle."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._start, self._skipped = _below_comments(handle)
        self._read: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in itertools.chain(self._start, self._handle):
            self._read.append(line)
            yield line

    def rest(self, n_header: int) -> LinesGivenBack:
        """The text below `n_header` lines, with as many empty ones above as make the parser count them right."""
        n_waiting = max(0, len(self._start) - len(self._read))
        waiting = self._read[n_header:] + self._start[len(self._start) - n_waiting :]
        return LinesGivenBack("\n" * (len(self._skipped) + n_header) + "".join(waiting), self._handle)

    def above(self, n_header: int) -> list[str]:
        """The lines above the data as they stand in the file."""
        return [*self._skipped, *self._read[:n_header]]


class LinesGivenBack(io.TextIOBase):
    """The rest of a text, with lines that were read already above it."""

    def __init__(self, waiting: str, handle: TextIO) -> None:
        self._waiting, self._handle = waiting, handle

    def read(self, size: int | None = -1, /) -> str:
        waiting, self._waiting = self._waiting, ""
        if size is None or size < 0:
            return waiting + self._handle.read()
        return waiting or self._handle.read(size)

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        line, end, self._waiting = self._waiting.partition("\n")
        return line + end if end else line + self._handle.readline(size)


def _below_comments(handle: TextIO) -> tuple[list[str], list[str]]:
    """Read up to the first line that is no comment; return the lines that count so far, and those left out."""
    skipped: list[str] = []
    for line in handle:
        if not line.startswith("#") and line.strip():
            last = next((text for text in reversed(skipped) if text.strip()), "")
            if last and _names_columns_of(last, line):
                return [last.lstrip("#").lstrip(), line], skipped[:-1]
            return [line], skipped
        skipped.append(line)
    return [], skipped


def _names_columns_of(comment: str, line: str) -> bool:
    """Whether a ``#`` line has as many fields as the data below it, and no numbers where these have some."""
    delimiter = best_delimiter(line)
    names, values = (split_line(text.strip("\r\n"), delimiter) for text in (comment.lstrip("#"), line))
    same = len(names) == len(values) > 1
    return same and any(map(is_number, values)) and not any(map(is_number, names))


def _delimiter(path: Path, options: ReadOptions) -> str:
    if options.delimiter is not None:
        return WHITESPACE if options.delimiter == " " else options.delimiter
    by_suffix = {".csv": ",", ".tsv": "\t"}.get(Path(bare_name(path)).suffix)
    if by_suffix == options.decimal:
        by_suffix = None
    return by_suffix or best_delimiter(first_line(path), options.decimal)


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[list[str], int]]:
    if delimiter == WHITESPACE:
        for number, line in enumerate(lines, start=1):
            yield line.split(), number
        return
    reader = csv.reader(lines, delimiter=delimiter)
    for row in reader:
        yield row, reader.line_num


def _header(path: Path, lines: Iterable[str], delimiter: str) -> tuple[_Header, int]:
    """Return the names of the columns and how many lines they take."""
    rows = ((row, number) for row, number in _rows(lines, delimiter) if any(field.strip() for field in row))
    names, n_lines = next(rows, (None, 0))
    if names is None:
        raise DataFileError(f"{path.name} is empty: expected a header line and one line per sample.")
    first, _ = next(rows, ([], 0))
    names = [name.strip() for name in names]
    if _all_numbers(names):
        return _Header(tuple(f"feature_{i}" for i in range(len(names))), len(names), given=False), 0
    if not first:
        raise DataFileError(f"{path.name} holds a header line and no samples (zero rows).")
    if len(first) == len(names) + 1:
        # R's write.table leaves the name of the id column out
        names = ["", *names]
    return _Header(tuple(names), len(first)), n_lines


def _all_numbers(names: list[str]) -> bool:
    """Return whether a line is data: numbers only, at least one with a fraction (gene ids may be "
    "integers)."""
    try:
        return any(not float(name).is_integer() for name in names)
    except (ValueError, OverflowError):
        return False


def _check_delimiter(path: Path, delimiter: str, header: _Header) -> None:
    if len(header.names) > 2 or (all(header.names[:2]) and len(header.names) > 1):
        return
    line = first_line(path)
    better = best_delimiter(line)
    fields = _n_fields(line, better)
    if fields > 1 and better != delimiter:
        spoken = _SPOKEN.get(delimiter, repr(delimiter))
        argument = repr(" " if better == WHITESPACE else better)
        raise DataFileError(
            f"{path.name} comes out as one column when split at {spoken}; {_SPOKEN[better]} seems right "
            f"({counted(fields, 'column')}): pass delimiter={argument}."
        )


def _check_width(path: Path, names: Sequence[str], width: int) -> None:
    if width == len(names):
        return
    sizes = f"{path.name}: the header has {len(names)} columns, the lines below it {width}"
    if width < len(names):
        raise DataFileError(f"{sizes}; without values are {listed(names[width:], 5)}.")
    raise DataFileError(f"{sizes}: expected a name for every column.")


def _frame(
    path: Path, lines: _Lines, n_lines: int, delimiter: str, header: _Header, options: ReadOptions
) -> pd.DataFrame:
    names = header.names[: header.width]
    # the first columns may be ids such as "007": as text they keep their zeros
    ids = [i for i, name in enumerate(names[:3]) if _may_be_id(name)]
    wanted = () if options.transposed else options.columns
    labels = [i for i, name in enumerate(names) if name in wanted and i not in ids]
    as_text, decimal = [*ids, *labels], options.decimal
    frame = parse_large(path, lines.above(n_lines), delimiter, as_text, labels) if decimal == "." else None
    if frame is None:
        frame = _parsed(lines.rest(n_lines), delimiter, as_text, decimal)
    _check_width(path, header.names, frame.shape[1])
    for i in as_text:
        frame[i] = frame[i].where(~frame[i].isin(MISSING), np.nan)
    for i in labels:
        frame[i] = _typed(frame[i], decimal)
    return frame


def _typed(column: pd.Series, decimal: str) -> pd.Series:
    """Text as the type that pandas gives it, unless these are numbers that say less."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows([value] for value in column.fillna(""))
    text.seek(0)
    typed = pd.read_csv(
        text,
        sep="\t",
        header=None,
        skip_blank_lines=False,
        low_memory=False,
        decimal=decimal,
        float_precision=ROUND_TRIP,
    )[0]
    known = column.notna()
    if typed.dtype.kind in "iuf" and lose_text(column[known].tolist(), typed[known].to_numpy()):
        return column.str.replace(decimal, ".", regex=False)
    return typed


def _parsed(text: Any, delimiter: str, as_text: Sequence[int], decimal: str) -> pd.DataFrame:
    return pd.read_csv(
        text,
        sep=delimiter,
        header=None,
        index_col=False,
        # a type for a column makes pandas spend 40 microseconds on every other one
        converters=dict.fromkeys(as_text, str),
        low_memory=False,
        decimal=decimal,
        float_precision=ROUND_TRIP,
    )


def _may_be_id(name: str) -> bool:
    return not name or any(
        word in name.lower() for word in ("sample", "id", "cell", "barcode", "name", "index")
    )

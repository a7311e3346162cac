"""Delimited text: csv, tsv and txt, also gzipped."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from genokeras.data.frames import NamedFrame, table_from_frame
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataFileError
from genokeras.support.wording import counted, listed

WHITESPACE = r"\s+"
_CANDIDATES = ("\t", ",", ";", "|")
_SPOKEN = {"\t": "'\\t' (tab)", ",": "','", ";": "';'", "|": "'|'", WHITESPACE: "' ' (blanks)"}


@dataclass(frozen=True)
class _Header:
    names: tuple[str, ...]
    records: int
    width: int
    given: bool = True


def read_delimited(path: Path, options: ReadOptions) -> Table:
    """Read a table of samples in rows (genes in rows where ``options.transposed``).

    Raises
    ------
    DataFileError
        Where the text is empty, truncated, not UTF-8, ragged, or comes out as a single column.
    DataError
        Where text stands among the numbers.
    """
    with text_errors(path):
        delimiter = _delimiter(path, options)
        header = _header(path, delimiter)
        _check_delimiter(path, delimiter, header)
        frame = _frame(path, delimiter, header)
    names, notes = list(header.names), [] if header.given else [_NO_HEADER]
    names += [""] * (frame.shape[1] - len(names))
    while len(names) > 1 and not names[-1] and frame.iloc[:, -1].isna().all():
        # a delimiter at the end of every line
        frame, names = frame.iloc[:, :-1], names[:-1]
    named = NamedFrame(frame, tuple(names), notes=tuple(notes))
    return table_from_frame(named, options, path.name, names_given=header.given)


_NO_HEADER = "The first line holds numbers only: it was read as a sample, and the genes have no names."


@contextmanager
def text_errors(path: Path) -> Iterator[None]:
    """Turn what can go wrong in reading text into a `DataFileError` that says what to do."""
    try:
        yield
    except DataFileError:
        raise
    except (EOFError, zlib.error) as error:
        raise DataFileError(
            f"{path.name}: the gzip data end too early or are damaged ({error}). The file is truncated: "
            "copy or download it again."
        ) from error
    except gzip.BadGzipFile as error:
        raise DataFileError(
            f"{path.name} is not gzip data although its name ends in .gz ({error})."
        ) from error
    except UnicodeDecodeError as error:
        raise DataFileError(
            f"{path.name} is not text in UTF-8 (byte {error.start}): save it as 'CSV UTF-8', or check that "
            "it is a table."
        ) from error
    except pd.errors.EmptyDataError as error:
        raise DataFileError(
            f"{path.name} is empty: expected a header line and one line per sample."
        ) from error
    except (pd.errors.ParserError, csv.Error) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataFileError(
            f"{path.name}: the lines do not have the same number of fields ({reason})."
        ) from error
    except OSError as error:
        raise DataFileError(f"{path.name} cannot be read: {error}.") from error


def open_text(path: Path) -> TextIO:
    """Open a text file, gzipped or not; a byte order mark is skipped."""
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def first_line(path: Path) -> str:
    """Return the first line that is not blank."""
    with open_text(path) as handle:
        for line in handle:
            if line.strip():
                return line.rstrip("\r\n")
    raise DataFileError(f"{path.name} is empty: expected a header line and one line per sample.")


def best_delimiter(line: str) -> str:
    """Return the delimiter that splits a line into most fields; blanks where nothing else does."""
    counts = {candidate: _n_fields(line, candidate) for candidate in _CANDIDATES}
    best = max(counts, key=lambda candidate: counts[candidate])
    return best if counts[best] > 1 else WHITESPACE


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the fields of one line."""
    return line.split() if delimiter == WHITESPACE else next(csv.reader([line], delimiter=delimiter), [])


def _n_fields(line: str, delimiter: str) -> int:
    return len(split_line(line, delimiter))


def _delimiter(path: Path, options: ReadOptions) -> str:
    if options.delimiter is not None:
        return WHITESPACE if options.delimiter == " " else options.delimiter
    stem = path.name.lower().removesuffix(".gz")
    by_suffix = {".csv": ",", ".tsv": "\t"}.get(Path(stem).suffix)
    return by_suffix or best_delimiter(first_line(path))


def _rows(handle: TextIO, delimiter: str) -> Iterator[tuple[list[str], int]]:
    if delimiter == WHITESPACE:
        for number, line in enumerate(handle, start=1):
            yield line.split(), number
        return
    # Records, not lines: a name in quotes may hold a line break, and the parser skips records.
    for number, row in enumerate(csv.reader(handle, delimiter=delimiter), start=1):
        yield row, number


def _header(path: Path, delimiter: str) -> _Header:
    """Return the names of the columns and how many records they take, blank ones before them among these."""
    with open_text(path) as handle:
        rows = (
            (row, number) for row, number in _rows(handle, delimiter) if any(field.strip() for field in row)
        )
        names, records = next(rows, (None, 0))
        if names is None:
            raise DataFileError(f"{path.name} is empty: expected a header line and one line per sample.")
        first, _ = next(rows, ([], 0))
    names = [name.strip() for name in names]
    if _all_numbers(names):
        return _Header(tuple(f"feature_{i}" for i in range(len(names))), 0, len(names), given=False)
    if not first:
        raise DataFileError(f"{path.name} holds a header line and no samples (zero rows).")
    if len(first) == len(names) + 1:
        # R's write.table leaves the name of the id column out
        names = ["", *names]
    return _Header(tuple(names), records, len(first))


def _all_numbers(names: list[str]) -> bool:
    """Return whether a line is data: numbers only, at least one with a fraction (gene ids may be "
    "integers)."""
    try:
        return any(not float(name).is_integer() for name in names)
    except (ValueError, OverflowError):
        return False


def _check_delimiter(path: Path, delimiter: str, header: _Header) -> None:
    if len(header.names) > 1:
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


def _frame(path: Path, delimiter: str, header: _Header) -> pd.DataFrame:
    # the first columns may be ids such as "007": as text they keep their zeros
    as_text = {
        i: str for i in range(min(3, header.width)) if i < len(header.names) and _may_be_id(header.names[i])
    }
    frame = pd.read_csv(
        path,
        sep=delimiter,
        header=None,
        skiprows=header.records,
        index_col=False,
        dtype=as_text or None,
        low_memory=False,
        encoding="utf-8-sig",
        compression="gzip" if path.name.lower().endswith(".gz") else None,
    )
    if frame.shape[1] < len(header.names):
        missing = header.names[frame.shape[1] :]
        raise DataFileError(
            f"{path.name}: the header has {len(header.names)} columns, the lines below it {frame.shape[1]}; "
            f"without values are {listed(missing, 5)}."
        )
    if frame.shape[1] > len(header.names):
        raise DataFileError(
            f"{path.name}: the header has {len(header.names)} columns, the lines below it {frame.shape[1]}: "
            "expected a name for every column."
        )
    return frame


def _may_be_id(name: str) -> bool:
    return not name or any(
        word in name.lower() for word in ("sample", "id", "cell", "barcode", "name", "index")
    )

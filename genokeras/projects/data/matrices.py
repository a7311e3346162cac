"""Features as projects keep them: numbers in rows, as a rule without header and without sample ids.

`genokeras.data` takes a first line of whole numbers for gene ids; here the rule is no header, so that a first
line is one only if it holds text, or counts the columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.dataset import Matrix
from genokeras.data.id_columns import FEWEST_ROWS, counts_rows, find_ids, is_usual_id_name, whole_numbers
from genokeras.data.numerals import ROUND_TRIP
from genokeras.data.readers import known_suffixes, read_table
from genokeras.data.readers.delimited import (
    WHITESPACE,
    best_delimiter,
    split_line,
    text_errors,
)
from genokeras.data.readers.opening import bare_name, open_text
from genokeras.data.table import Table, to_float32
from genokeras.errors import DataError, DataFileError
from genokeras.support.files import DAMAGED
from genokeras.support.wording import counted

_TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_FEWEST_COUNTED = 5
# csv refuses fields of more than 131,072 characters, which a whole line is to the wrong delimiter.
_ENOUGH = 100_000
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-nan", "#n/a"})


@dataclass(frozen=True)
class _Layout:
    """How a text file is laid out."""

    delimiter: str
    header: tuple[str, ...] | None
    skip: int
    has_ids: bool
    """The first column holds sample ids."""
    ends_in_delimiter: bool


def read_matrix(path: Path, delimiter: str | None = None) -> Table:
    """Read features, samples in rows.

    Parameters
    ----------
    path : Path
        Text of any suffix (also gzipped), or parquet, h5ad, npz, npy or gct.
    delimiter : str, optional
        For text; ``" "`` is any run of blanks. Without it, a comma for csv and a tab for all else.

    Returns
    -------
    Table
        ``x`` float32 of shape (n_samples, n_features), dense; ``notes`` say what was read as a header or
        for sample ids.

    Raises
    ------
    DataFileError
        Where the file cannot be read, its lines differ in length, or the delimiter makes one column of it.
    DataError
        Where text stands among the numbers.
    """
    stem = bare_name(path)
    if stem.endswith(".npy"):
        return Table(_npy(path), None, None, path.name)
    if any(stem.endswith(suffix) for suffix in known_suffixes()) and not stem.endswith(_TEXT_SUFFIXES):
        table = read_table(path)
        return Table(_dense(table.x), table.feature_names, table.sample_ids, path.name, notes=table.notes)
    with text_errors(path):
        return _read_text(path, delimiter or ("," if stem.endswith(".csv") else "\t"))


def is_number(text: str) -> bool:
    """Return whether a field is a number; what marks a missing value is none."""
    try:
        return not np.isnan(float(text))
    except ValueError:
        return False


def is_missing(text: str) -> bool:
    """Return whether a field is empty or marks a missing value."""
    return text.strip().lower() in _MISSING


def counts_up(values: Sequence[str] | np.ndarray, fewest: int = _FEWEST_COUNTED) -> bool:
    """Return whether values are 0, 1, 2... or 1, 2, 3...: a running number rather than a measurement."""
    if len(values) < fewest:
        return False
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except ValueError:
        return False
    return bool(numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())


def _npy(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:  # NumPy leaves open what it cannot read
            values = np.load(file, allow_pickle=False)
    except (OSError, *DAMAGED) as error:
        raise DataFileError(f"{path.name} is no NumPy array that can be loaded ({error}).") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or values.ndim != 2:
        got = f"{values.dtype} of shape {values.shape}" if isinstance(values, np.ndarray) else "an archive"
        raise DataFileError(f"{path.name}: expected numbers of shape (n_samples, n_features), got {got}.")
    return to_float32(values)


def _dense(x: Matrix) -> np.ndarray:
    return x if isinstance(x, np.ndarray) else to_float32(x.toarray())


def _read_text(path: Path, delimiter: str) -> Table:
    layout = _layout(path, WHITESPACE if delimiter == " " else delimiter)
    frame, header, notes = _frame(path, layout), layout.header, []
    if header is not None:
        notes.append("The first line was read as a header: its fields are the features' names.")
    if layout.ends_in_delimiter and frame.shape[1] > 1 and frame.iloc[:, -1].isna().all():
        frame = frame.iloc[:, :-1]
        header = header[:-1] if header is not None and not header[-1] else header
        notes.append("Every line ends in a delimiter: the empty last column was left out.")
    ids: tuple[str, ...] | None = None
    named = layout.has_ids or _named_like_ids(header, frame)
    if named or (header is None and frame.shape[1] > 1 and _counts_samples(frame)):
        ids = tuple(_id_text(value) for value in frame.iloc[:, 0])
        frame = frame.iloc[:, 1:]
        notes.append(f"The first column {'holds' if named else 'counts the rows and gives'} the sample ids.")
        header = header[1:] if header is not None and len(header) > frame.shape[1] else header
    if header is not None and len(header) != frame.shape[1]:
        names, columns = counted(len(header), "column"), frame.shape[1]
        raise DataFileError(f"{path.name}: the header names {names}, the lines below it hold {columns}.")
    return Table(to_float32(frame.to_numpy()), header, ids, path.name, notes=tuple(notes))


def _named_like_ids(header: tuple[str, ...] | None, frame: pd.DataFrame) -> bool:
    """Whether the first column is one of ids as tables have them: ``Patient No`` over whole numbers, each once."""
    if header is None or len(header) != frame.shape[1]:
        return False
    return find_ids(header, frame, (), of_genes=False) == 0


def _counts_samples(frame: pd.DataFrame) -> bool:
    """Whether the first column numbers the samples, in the order of the rows or, of many, in any."""
    if counts_up(frame.iloc[:, 0].to_numpy()):
        return True
    columns = (whole_numbers(frame.iloc[:, i]) for i in range(min(frame.shape[1], _FEWEST_COUNTED)))
    counting = [whole is not None and counts_rows(whole) for whole in columns]
    return len(frame) >= FEWEST_ROWS and counting[0] and not any(counting[1:])


def _id_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float | np.floating) else str(value)


def _layout(path: Path, delimiter: str) -> _Layout:
    with open_text(path) as handle:
        lines = ((number, line.rstrip("\r\n")) for number, line in enumerate(handle, 1) if line.strip())
        first_number, first_line = next(lines, (0, ""))
        second_line, third_line = next(lines, (0, ""))[1], next(lines, (0, ""))[1]
    if not first_number:
        raise DataFileError(f"{path.name} is empty: expected a line of numbers per sample.")
    _check_delimiter(path, delimiter, first_line)
    first = [field.strip() for field in split_line(first_line, delimiter)]
    second = [field.strip() for field in split_line(second_line, delimiter)]
    is_header = _is_header(first, second)
    if is_header and not second:
        raise DataFileError(f"{path.name} holds a header line and no samples (zero rows).")
    width, rows = (
        (len(second), [second_line, third_line]) if is_header else (len(first), [first_line, second_line])
    )
    ids = [split_line(row, delimiter)[0] for row in rows if row]
    has_ids = width > 1 and (all(map(_is_name, ids)) or (is_header and _names_ids(first, width)))
    ends = delimiter != WHITESPACE and (second_line or first_line).endswith(delimiter)
    return _Layout(delimiter, tuple(first) if is_header else None, first_number * is_header, has_ids, ends)


def _is_text(field: str) -> bool:
    return not is_number(field) and not is_missing(field)


def _is_name(field: str) -> bool:
    """Return whether a field can be a sample's id; ``3,5`` is a broken number."""
    return _is_text(field) and not is_number(field.replace(",", "."))


def _names_ids(header: list[str], width: int) -> bool:
    """Return whether a header says that ids come first; R's write.table leaves their name out."""
    return len(header) + 1 == width or is_usual_id_name(header[0])


def _is_header(first: list[str], second: list[str]) -> bool:
    """Return whether the first line names columns: most of it is text, or it counts them.

    A single cell of text is a fault in a line of numbers, and the first field may be a sample's id.
    """
    if counts_up(first) or counts_up(first[1:]):
        return True
    if len(first) == 1:
        return _is_text(first[0]) and len(second) <= 1 and not any(map(_is_text, second))
    return _share_of_text(first[1:]) > 0.5 and _share_of_text(second[1:]) < 0.5


def _share_of_text(fields: list[str]) -> float:
    return sum(map(_is_text, fields)) / max(len(fields), 1)


def _check_delimiter(path: Path, delimiter: str, line: str) -> None:
    start = line[:_ENOUGH]
    better = best_delimiter(start)
    if len(split_line(start, delimiter)) > 1 or len(split_line(start, better)) < 2:
        return
    n_better = len(line.split()) if better == WHITESPACE else line.count(better) + 1
    written = r"\t" if delimiter == "\t" else " " if delimiter == WHITESPACE else delimiter
    instead = r"\t" if better == "\t" else " " if better == WHITESPACE else better
    raise DataFileError(
        f'{path.name} comes out as one column with "delimiter": "{written}"; "delimiter": "{instead}" would '
        f"give {counted(n_better, 'column')}."
    )


def _frame(path: Path, layout: _Layout) -> pd.DataFrame:
    """Read the numbers: with NumPy where there is nothing else, else with pandas, and as text to say what is wrong."""
    if not layout.has_ids:
        numbers = _numbers_only(path, layout)
        if numbers is not None:
            return pd.DataFrame(numbers)
    options: dict[str, Any] = {
        "sep": layout.delimiter,
        "header": None,
        "skiprows": layout.skip,
        "index_col": False,
        "low_memory": False,
        "float_precision": ROUND_TRIP,
    }
    dtype: Any = defaultdict(lambda: np.float32, {0: str}) if layout.has_ids else np.float32
    try:
        # what is too large becomes infinite, and is complained of as that
        with open_text(path) as text, np.errstate(over="ignore"):
            return pd.read_csv(text, dtype=dtype, **options)
    except ValueError as error:
        if isinstance(error, pd.errors.ParserError | pd.errors.EmptyDataError | UnicodeDecodeError):
            raise
        with open_text(path) as text:
            frame = pd.read_csv(text, dtype=str, keep_default_na=False, **options)
        raise DataError(_text_among_numbers(frame, layout, path.name)) from error


def _numbers_only(path: Path, layout: _Layout) -> np.ndarray | None:
    """Return the numbers of a file that holds nothing else, in a fifth of pandas' time where it is wide."""
    between = None if layout.delimiter == WHITESPACE else layout.delimiter
    try:
        with np.errstate(over="ignore"):
            return np.loadtxt(
                path,
                np.float32,
                delimiter=between,
                skiprows=layout.skip,
                comments=None,
                encoding="utf-8-sig",
                ndmin=2,
            )
    except ValueError:
        return None


def _text_among_numbers(frame: pd.DataFrame, layout: _Layout, source: str) -> str:
    start = int(layout.has_ids)
    cells = [
        (row, column, field)
        for row, values in enumerate(frame.itertuples(index=False))
        for column, field in enumerate(values)
        if column >= start and _is_text(str(field))
    ]
    named = [f"row {row + 1}, column {column + 1}: {field!r}" for row, column, field in cells[:4]]
    more = f"; and {len(cells) - 4} more" if len(cells) > 4 else ""
    comma = any("," in field and is_number(field.replace(",", ".")) for _, _, field in cells)
    hint = " These look like decimal commas: write 3.5, not 3,5." if comma else " Is the delimiter right?"
    return f"{source}: expected numbers, found text in {counted(len(cells), 'cell')}: {'; '.join(named)}{more}.{hint}"

"""Tables whose cells may be text: csv, tsv and txt (also packed), parquet, JSON and JSON lines, with nothing guessed away.

A sentence that reads ``NA`` or ``645`` stays the text it is; columns beside it become numbers where all their values are.
"""

from __future__ import annotations

import csv
import itertools
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.id_columns import id_column
from genokeras.data.numerals import lose_text, to_numbers
from genokeras.data.readers.delimited import (
    WHITESPACE,
    LinesGivenBack,
    best_delimiter,
    split_line,
    text_errors,
)
from genokeras.data.readers.opening import bare_name, check_file, open_text
from genokeras.data.readers.parquet import parquet_frame
from genokeras.errors import DataFileError
from genokeras.support.json_files import parse_json
from genokeras.support.wording import counted

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
COLUMN_SUFFIXES = (*TEXT_SUFFIXES, *JSON_SUFFIXES, ".parquet")
_MISSING = frozenset(["", "NA", "N/A", "NaN", "nan", "null", "None", "<NA>"])


def read_columns(
    path: str | Path,
    content: tuple[str | None, ...] = (),
    delimiter: str | None = None,
    name_column: str | None = None,
) -> pd.DataFrame:
    """Read a table with a header line; ``#`` lines above it are comments.

    Parameters
    ----------
    content : tuple of str
        Columns that stay text, in any case; all others but that of the samples' names are typed by `typed_column`.
    name_column : str, optional
        Column of the samples' names, which stay text; without it the one that `id_column` finds.

    Raises
    ------
    DataFileError
        Where the file is missing, empty, truncated, no text, ragged, or of an unknown suffix.
    """
    file = check_file(path)
    suffix = Path(bare_name(file)).suffix
    if suffix not in COLUMN_SUFFIXES:
        raise DataFileError(
            f"{file.name}: no reader for this suffix; known are {', '.join(COLUMN_SUFFIXES)}, each text also packed (.gz, .bz2, .xz)."
        )
    if suffix == ".parquet":
        return parquet_frame(file)
    with text_errors(file):
        frame = _from_json(file) if suffix in JSON_SUFFIXES else _from_text(file, suffix, content, delimiter)
    if not len(frame):
        raise DataFileError(f"{file.name} holds a header line and no samples (zero rows).")
    kept = {name.lower() for name in content if name}
    others = [name for name in frame.columns if str(name).strip().lower() not in kept]
    ids = id_column(others) if name_column is None else name_column
    for name in others:
        frame[name] = typed_column(frame[name], keep_text=name == ids or suffix in JSON_SUFFIXES)
    return frame


def typed_column(values: Iterable[Any], *, keep_text: bool = False) -> np.ndarray:
    """Return numbers where every value that is there is one, else text; None or NaN where a value is missing.

    Text that spells numbers stays text where `keep_text` says so, as that of ids and of JSON does, or where `lose_text` does.
    """
    texts = pd.Series(values, dtype=object).to_numpy(copy=True)
    missing = pd.isna(texts)
    missing |= np.fromiter((isinstance(v, str) and v in _MISSING for v in texts), bool, len(texts))
    texts[missing] = None
    known = texts[~missing]
    if not len(known) or any(isinstance(value, bool) for value in known):
        return texts
    written = [value for value in known if isinstance(value, str)]
    numbers = to_numbers(known)
    if pd.isna(numbers).any() or (written and (keep_text or lose_text(written, to_numbers(written)))):
        return texts
    if not missing.any():
        return numbers
    filled = np.full(len(texts), np.nan)
    filled[~missing] = numbers
    return filled


def _from_text(
    file: Path, suffix: str, content: tuple[str | None, ...], delimiter: str | None
) -> pd.DataFrame:
    n_above, header = _header(file, content)
    separator = delimiter or {".csv": ",", ".tsv": "\t"}.get(suffix) or best_delimiter(header)
    if separator == WHITESPACE:
        raise DataFileError(f"{file.name} has no delimiter: expected commas or tabs between its columns.")
    _check_delimiter(file, header, separator)
    loose = separator == "\t" and _has_loose_quotes(file, separator, n_above)
    with open_text(file) as handle, warnings.catch_warnings():
        # pandas cuts lines that are all longer than the header, and only warns.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        above = list(itertools.islice(handle, n_above))
        try:
            frame = pd.read_csv(
                # empty lines, which pandas skips, make it count right
                LinesGivenBack("\n" * len(above), handle),
                sep=separator,
                dtype=str,
                keep_default_na=False,
                index_col=False,
                quoting=csv.QUOTE_NONE if loose else csv.QUOTE_MINIMAL,
            )
        except pd.errors.ParserWarning as error:
            raise DataFileError(
                f"{file.name}: the lines have more fields than the header. Put quotes around texts that hold "
                f"{separator!r}."
            ) from error
    names = [str(name).strip() for name in frame.columns]
    if header.startswith("#"):
        names[0] = names[0].lstrip("#").lstrip()
    return frame.set_axis(names, axis=1)


def _header(file: Path, content: tuple[str | None, ...]) -> tuple[int, str]:
    """Return how many lines stand above the header, and the header.

    It is the first line without ``#``, or the last one with it above, where only that names the content. Without such lines it is the
    first one.
    """
    there: list[tuple[int, str]] = []
    with open_text(file) as handle:
        for number, line in enumerate(handle):
            if line.strip():
                there.append((number, line.rstrip("\r\n")))
                if not line.startswith("#"):
                    break
    if not there:
        raise DataFileError(f"{file.name} is empty: expected a header line and one line per sample.")
    if there[-1][1].startswith("#"):
        return there[0]
    known = {name.lower() for name in content if name}
    named = [bool(known & _names_of(line)) for _, line in there[-2:]]
    return there[-2] if named == [True, False] else there[-1]


def _names_of(line: str) -> set[str]:
    """The names in what may be a header, in lower case."""
    plain = line.lstrip("#").strip()
    return {name.strip().lower() for name in split_line(plain, best_delimiter(plain))}


def _has_loose_quotes(file: Path, separator: str, n_above: int) -> bool:
    """Whether quotes are part of what is written: some do not close, or what they enclose leaves records of another width."""
    with open_text(file) as handle:
        if not any(line.count('"') % 2 for line in itertools.islice(handle, n_above, None)):
            return False
    with open_text(file) as handle:
        lines = itertools.islice(handle, n_above, None)
        try:
            widths = {len(record) for record in csv.reader(lines, delimiter=separator, strict=True) if record}
        except csv.Error:
            return True
    return len(widths) > 1


def _check_delimiter(file: Path, line: str, separator: str) -> None:
    """Raise where a header comes out as one column that another delimiter would split."""
    better = best_delimiter(line)
    if separator not in line and better in line and better != WHITESPACE:
        raise DataFileError(
            f"{file.name} comes out as one column when split at {separator!r}; {better!r} seems right "
            f"({counted(line.count(better) + 1, 'column')}): pass delimiter={better!r}."
        )


def _from_json(file: Path) -> pd.DataFrame:
    with open_text(file) as handle:
        text = handle.read()
    rows: list[Any]
    if text.lstrip().startswith("["):
        rows = _parsed(text, file.name)
    else:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
        rows = [_parsed(line, f"{file.name}, line {number}") for number, line in lines]
    odd = next((i for i, row in enumerate(rows, start=1) if not isinstance(row, dict)), 0)
    if odd:
        raise DataFileError(
            f'{file.name}: sample {odd} is no JSON object, such as {{"text": ..., "label": ...}}.'
        )
    if not rows:
        raise DataFileError(f"{file.name} holds no samples: expected {counted(1, 'JSON object')} per line.")
    return pd.DataFrame(rows, dtype=object)


def _parsed(text: str, where: str) -> Any:
    try:
        return parse_json(text, None)
    except ValueError as error:
        raise DataFileError(f"{where} is no JSON: {error}") from error

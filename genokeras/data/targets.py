"""Where labels and groups come from: an array, a column, or a second file joined by sample id."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.readers.delimited import (
    best_delimiter,
    first_line,
    open_text,
    split_line,
    text_errors,
)
from genokeras.data.readers.registry import check_file
from genokeras.data.table import Table
from genokeras.data.tidy import tidy, unmasked
from genokeras.errors import DataError, DataFileError
from genokeras.support.wording import counted, did_you_mean, duplicates, listed


def column_names(*values: Any) -> tuple[str, ...]:
    """Return those of the target and the groups that are given as names."""
    return tuple(value.strip() for value in values if isinstance(value, str))


def sample_values(values: Any, table: Table, what: str) -> np.ndarray | None:
    """Return one value per sample of `table`, in its order; text without blanks at its ends.

    Parameters
    ----------
    values : array-like, str, path or None
        Values by row (a Series by index, where its index holds the sample ids), the name of a column or
        ``obs`` key, or a file with two columns (sample id, value) or one (by row).
    what : str
        The argument's name, for messages: ``"y"`` or ``"groups"``.

    Raises
    ------
    DataError
        Where the name is unknown, the number of values is wrong, or ids do not match.
    """
    found = _found(unmasked(values), table, what)
    return None if found is None else tidy(found)


def _found(values: Any, table: Table, what: str) -> np.ndarray | None:
    if values is None:
        return None
    if isinstance(values, str):
        column = next((name for name in (values, values.strip()) if name in table.annotations), None)
        if column is not None:
            return table.annotations[column]
    if isinstance(values, str | os.PathLike):
        return _from_file_or_complain(values, table, what)
    if isinstance(values, pd.DataFrame):
        if values.shape[1] != 1:
            raise DataError(f"{what} must be one column: got a DataFrame with {values.shape[1]} columns.")
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series):
        return _from_series(values, table, what)
    return _checked_length(_one_dimensional(values, what), table, what)


def check_no_missing(values: np.ndarray, ids: Sequence[str], what: str, source: str) -> None:
    """Raise where a sample has no label or no group, naming the samples."""
    lost = np.flatnonzero(missing_mask(values)).tolist()
    if len(lost):
        named = listed((ids[i] for i in lost), 8)
        one = "label" if what == "y" else "group"
        raise DataError(
            f"{what} has no {one} for {len(lost)} of {len(values)} samples ({source}): {named}."
            f"{_missing_words(source)} Give them a {one} or drop these samples."
        )


def _missing_words(source: str) -> str:
    if not Path(source).suffix:
        return ""
    return (
        " In tables, empty cells and the words NA, N/A, NaN, None and null are read as missing: if one of them is a name, "
        "write it in another way, such as 'untreated' for 'None'."
    )


def missing_mask(values: np.ndarray) -> np.ndarray:
    """Return which values are None, NaN or blank text."""
    mask = np.asarray(pd.isna(values), dtype=bool)
    if values.dtype.kind in "OU":
        mask |= np.fromiter((isinstance(v, str) and not v.strip() for v in values), bool, len(values))
    return mask


def _from_file_or_complain(values: str | os.PathLike[str], table: Table, what: str) -> np.ndarray:
    path = Path(values).expanduser()
    if isinstance(values, str) and not path.is_file():
        looks_like_path = path.suffix.lower() in (".csv", ".tsv", ".txt", ".gz") or len(path.parts) > 1
        if not looks_like_path:
            raise DataError(_unknown_name(values, table, what))
    return labels_from_file(check_file(path), table, what)


def _unknown_name(name: str, table: Table, what: str) -> str:
    known = list(table.annotations)
    hint = did_you_mean(name, known) or did_you_mean(name, (table.feature_names or ())[:20_000])
    columns = f" Columns that could be meant: {listed(known, 10)}." if known else ""
    return f"{what}={name!r} is neither a column of {table.source} nor a file.{columns}{hint}"


def _one_dimensional(values: Any, what: str) -> np.ndarray:
    if isinstance(values, list | tuple):
        if any(isinstance(value, list | tuple | np.ndarray) and np.ndim(value) for value in values):
            raise DataError(f"{what} must be 1-d, one value per sample: got a list of lists.")
        return (
            pd.Series(list(values), dtype=object).infer_objects().to_numpy()
            if values
            else np.empty(0, object)
        )
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = " If it is one-hot, pass y.argmax(axis=1)." if array.ndim == 2 else ""
        raise DataError(f"{what} must be 1-d, one value per sample: got shape {array.shape}.{hint}")
    return array


def _checked_length(values: np.ndarray, table: Table, what: str) -> np.ndarray:
    n, p = table.x.shape
    if len(values) == n:
        return values
    hint = ""
    if len(values) == p:
        hint = f" x has {p} columns: if genes are in rows, pass transposed=True."
    one = "label" if what == "y" else "value"
    raise DataError(
        f"{what} must have one {one} per sample: expected {n}, got {len(values)} ({table.source}).{hint}"
    )


def _from_series(series: pd.Series, table: Table, what: str) -> np.ndarray:
    values, index = np.asarray(series), pd.Index(series.index)
    if index.equals(pd.RangeIndex(len(index))) or not index.is_unique:
        return _checked_length(values, table, what)
    if table.sample_ids is None:
        if len(index) == table.x.shape[0] and set(index) == set(range(len(index))):
            raise DataError(
                f"{what} is a Series whose index is 0, 1, 2... in another order than the rows of x: does "
                "it go by index "
                f"or by row? Pass {what}.sort_index() or {what}.to_numpy()."
            )
        return _checked_length(values, table, what)
    keys = [str(key).strip() for key in index]
    if not set(keys) & set(table.sample_ids):
        return _checked_length(values, table, what)
    by_id = dict(zip(keys, range(len(keys)), strict=True))
    lost = [name for name in table.sample_ids if name not in by_id]
    if lost:
        raise DataError(
            f"{what} has no value for {len(lost)} of {len(table.sample_ids)} samples ({table.source}): "
            f"{listed(lost, 8)}. "
            f"Its index must hold every sample id, or pass {what}.to_numpy() to go by row."
        )
    return values[[by_id[name] for name in table.sample_ids]]


def labels_from_file(path: Path, table: Table, what: str = "y") -> np.ndarray:
    """Read labels from a text file of two columns (sample id, label; in any order of rows) or one (by row).

    Raises
    ------
    DataError
        Where ids of the data are missing in the file, or ids of the file are not in the data.
    DataFileError
        Where the file cannot be read or has more than two columns.
    """
    with text_errors(path):
        rows = _read_rows(path)
    width = max(map(len, rows))
    if width > 2 or min(map(len, rows)) != width:
        raise DataFileError(
            f"{path.name}: expected one column (label) or two (sample id, label), got {width} in some lines. "
            f"Pass a pandas Series as {what} to choose one."
        )
    if width == 1:
        labels = [row[0] for row in rows]
        if len(labels) == table.x.shape[0] + 1:
            labels = labels[1:]
        return _typed(_checked_length(np.array(labels, dtype=object), table, what))
    return _typed(_joined(rows, table, path.name, what))


def _read_rows(path: Path) -> list[list[str]]:
    line = first_line(path)
    delimiter = best_delimiter(line)
    with open_text(path) as handle:
        if delimiter in ("\t", ",", ";", "|"):
            rows = list(csv.reader(handle, delimiter=delimiter))
        else:
            rows = [split_line(text, delimiter) for text in handle]
    return [[field.strip() for field in row] for row in rows if any(field.strip() for field in row)]


def _joined(rows: list[list[str]], table: Table, source: str, what: str) -> np.ndarray:
    if table.sample_ids is None:
        raise DataError(
            f"{table.source} has no sample ids to join {source} by: give the ids in the first column of "
            "the data, or "
            "a file with the labels alone, one per row."
        )
    known = set(table.sample_ids)
    hits = [sum(row[column] in known for row in rows) for column in (0, 1)]
    key = 0 if hits[0] >= hits[1] else 1
    if rows[0][key] not in known and rows[0][1 - key] not in {row[1 - key] for row in rows[1:]}:
        rows = rows[1:]
    repeated = duplicates(row[key] for row in rows)
    if repeated:
        raise DataError(
            f"{source} names {counted(len(repeated), 'sample')} more than once: {listed(repeated, 8)}."
        )
    by_id = {row[key]: row[1 - key] for row in rows}
    unknown = [name for name in by_id if name not in known]
    lost = [name for name in table.sample_ids if name not in by_id]
    if unknown or lost:
        raise DataError(_mismatch(unknown, lost, table, source, what))
    return np.array([by_id[name] for name in table.sample_ids], dtype=object)


def _mismatch(unknown: list[str], lost: list[str], table: Table, source: str, what: str) -> str:
    parts = []
    if unknown:
        parts.append(f"{counted(len(unknown), 'id')} of {source} not in {table.source}: {listed(unknown, 8)}")
    if lost:
        parts.append(f"{counted(len(lost), 'sample')} of {table.source} not in {source}: {listed(lost, 8)}")
    return (
        f"{what}: the sample ids do not match. {'; '.join(parts)}. Both must name the same samples, in "
        "any order."
    )


def _typed(values: np.ndarray) -> np.ndarray:
    """Turn text into numbers where every value is one."""
    numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").to_numpy()
    return numbers if len(numbers) and not np.isnan(numbers.astype(float)).any() else values

"""Where labels and groups come from: an array, a column, or a second file joined by sample id."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.foreign import as_pandas
from genokeras.data.label_files import labels_from_file, split_reference
from genokeras.data.readers.opening import check_file
from genokeras.data.table import Table
from genokeras.data.tidy import merged_note, tidy, unmasked
from genokeras.errors import DataError
from genokeras.support.wording import did_you_mean, listed


def column_names(*values: Any) -> tuple[str, ...]:
    """Return those of the target and the groups that are given as names."""
    names = [value for value in values if isinstance(value, str)]
    return tuple(dict.fromkeys([*names, *(name.strip() for name in names)]))


def sample_values(values: Any, table: Table, what: str, notes: list[str] | None = None) -> np.ndarray | None:
    """Return one value per sample of `table`, in its order; text without blanks at its ends.

    Parameters
    ----------
    values : array-like, str, path or None
        Values by row (a Series by index, where its index holds the sample ids), the name of a column or
        ``obs`` key, or a file with two columns (sample id, value) or one (by row); ``"clinical.tsv:er_status"`` names one of
        several.
    what : str
        The argument's name, for messages: ``"y"`` or ``"groups"``.
    notes : list of str, optional
        What is worth saying is added to it.

    Raises
    ------
    DataError
        Where the name is unknown, the number of values is wrong, or ids do not match.
    """
    found = _found(as_pandas(unmasked(values)), table, what, notes)
    if found is None:
        return None
    made = tidy(found)
    if notes is not None:
        notes.extend(merged_note(found, made, "class" if what == "y" else "group"))
    return made


def _found(values: Any, table: Table, what: str, notes: list[str] | None) -> np.ndarray | None:
    if values is None:
        return None
    if isinstance(values, str):
        column = next((name for name in (values, values.strip()) if name in table.annotations), None)
        if column is not None:
            return table.annotations[column]
    if isinstance(values, str | os.PathLike):
        return _from_file_or_complain(values, table, what, notes)
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


def _from_file_or_complain(
    values: str | os.PathLike[str], table: Table, what: str, notes: list[str] | None
) -> np.ndarray:
    reference = split_reference(values)
    if reference is None:
        path = Path(values).expanduser()
        looks_like_path = path.suffix.lower() in (".csv", ".tsv", ".txt", ".gz") or len(path.parts) > 1
        if not looks_like_path:
            raise DataError(_unknown_name(str(values), table, what))
        reference = path, None
    path, column = reference
    return labels_from_file(check_file(path), table, what, column=column, notes=notes)


def _unknown_name(name: str, table: Table, what: str) -> str:
    known = list(table.annotations)
    if name in (table.feature_names or ()):
        return (
            f"{what}={name!r} is a gene of {table.source}, and no column that describes its samples. Pass its values as an array or a Series, "
            "and leave it out of the genes."
        )
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
    values = np.asarray(series)
    rows = rows_by_id(series.index, table.sample_ids, table.x.shape[0], what, table.source)
    return _checked_length(values, table, what) if rows is None else values[rows]


def rows_by_id(
    index: Any, ids: Sequence[str] | None, n_samples: int, what: str, source: str
) -> np.ndarray | None:
    """Where the value of each sample is in a Series with this index; None if its values go by row.

    Parameters
    ----------
    index : pandas.Index or array-like
    ids : sequence of str, optional
        Of the samples; None where they have none.
    n_samples : int
    what, source : str
        The argument and the data, for messages.

    Raises
    ------
    DataError
        If only some of the samples are in the index, or it is 0, 1, 2... in another order.
    """
    index = pd.Index(index)
    if index.equals(pd.RangeIndex(len(index))) or not index.is_unique:
        return None
    if ids is None:
        if len(index) == n_samples and set(index) == set(range(len(index))):
            raise DataError(
                f"{what} is a Series whose index is 0, 1, 2... in another order than the rows of x: does "
                "it go by index "
                f"or by row? Pass {what}.sort_index() or {what}.to_numpy()."
            )
        return None
    keys = [str(key).strip() for key in index]
    if not set(keys) & set(ids):
        return None
    by_id = dict(zip(keys, range(len(keys)), strict=True))
    lost = [name for name in ids if name not in by_id]
    if lost:
        raise DataError(
            f"{what} has no value for {len(lost)} of {len(ids)} samples ({source}): {listed(lost, 8)}. "
            f"Its index must hold every sample id, or pass {what}.to_numpy() to go by row."
        )
    return np.array([by_id[name] for name in ids])

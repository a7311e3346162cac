"""What stands beside sequences, images and texts: names, labels, groups and numbers, in a table or given by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.checks import LARGEST
from genokeras.data.foreign import as_pandas
from genokeras.data.id_columns import flat_name, id_column, names_in_index
from genokeras.data.numerals import to_numbers
from genokeras.data.table import Table, to_float32
from genokeras.data.targets import check_no_missing, missing_mask, rows_by_id, sample_values
from genokeras.data.tidy import stripped, tidy
from genokeras.errors import DataError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted, did_you_mean, duplicates, listed

# What a table or a header may call the labels; used where the caller names none.
LABEL_NAMES = ("label", "labels")
_NOT_TAKEN = "was not taken as the labels"
_NOTHING: Mapping[str, np.ndarray] = MappingProxyType({})


def described(
    n: int,
    source: str,
    *,
    names: Sequence[str] | None = None,
    annotations: Mapping[str, np.ndarray] = _NOTHING,
    y: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    notes: tuple[str, ...] = (),
) -> Table:
    """Return a `Table` without features, which holds what a source says about its `n` samples.

    Raises
    ------
    DataError
        Where there are no samples, or a name occurs twice.
    """
    if not n:
        raise DataError(f"{source} holds no samples: expected at least one.")
    if names is not None:
        names = stripped(names)
        check_unique(names, source)
    ids = None if names is None else tuple(names)
    return Table(np.empty((n, 0), np.float32), None, ids, source, annotations, y, groups, notes)


def unique_names(index: pd.Index) -> tuple[str, ...] | None:
    """The names of samples that an index holds, if no two are the same."""
    names = names_in_index(index)
    return None if names is None or len(set(stripped(names))) < len(names) else names


def check_same_index(x: Any, table: Table, **given: Any) -> None:
    """Raise where the index of `x` names samples more than once, and that of what is given beside it is another one.

    Neither the index nor the rows say then which value is whose.

    Parameters
    ----------
    x : Any
        What the caller gave as samples.
    table : Table
        The samples as read; with ids of their own, from a column, say, their index does not count.
    **given : Any
        The labels, groups and such, by the names of their arguments.

    Raises
    ------
    DataError
    """
    if not isinstance(x, pd.Series | pd.DataFrame) or x.index.is_unique or table.sample_ids is not None:
        return
    for what, values in given.items():
        if not isinstance(values, pd.Series | pd.DataFrame) or names_in_index(values.index) is None:
            continue
        if not values.index.equals(x.index):
            twice = listed(duplicates(map(flat_name, x.index)), 5)
            raise DataError(
                f"{what} cannot be joined to {table.source} by the index: that of {table.source} has repeated values ({twice}), and that "
                f"of {what} is another one, or in another order. Give every sample a name of its own in both, or pass "
                f"{what}.to_numpy() where its values are in the order of the rows."
            )


def check_unique(names: Sequence[str], source: str) -> None:
    """Raise where a name occurs twice, listing which."""
    twice = duplicates(names)
    if twice:
        raise DataError(
            f"{source}: {counted(len(twice), 'name occurs', 'names occur')} more than once: {listed(twice)}. "
            "Give every sample a name of its own, and pass repeats of one source as groups."
        )


def per_sample(given: Any, table: Table, what: str, notes: list[str] | None = None) -> np.ndarray | None:
    """Return the labels or groups: those given, else those of the source itself; complete, or None.

    Parameters
    ----------
    given : array-like, str, path or None
        As in `load_dataset`: values by row, a column or header key, or a file.
    what : {"y", "groups"}
    notes : list of str, optional
        What is worth saying is added to it.

    Raises
    ------
    DataError
        Where their number is wrong, a name is unknown, or a sample has none.
    """
    if given is not None and not isinstance(given, str) and hasattr(given, "__len__") and not len(given):
        raise DataError(f"{what} must have one value per sample: expected {len(table.x)}, got none.")
    own = table.y if what == "y" else table.groups
    values = sample_values(own if given is None else given, table, what, notes)
    if values is not None:
        check_no_missing(values, table.ids, what, table.source)
    return values


def labels_and_note(given: Any, table: Table) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return the labels as `per_sample`, and what is to be said of them; without any, those of a column ``label``.

    A column ``label`` with gaps is not taken by itself, because a file to be predicted may be labelled in part.
    """
    if given is not None or table.y is not None:
        said: list[str] = []
        return per_sample(given, table, "y", said), tuple(said)
    name = next((name for name in table.annotations if name.lower() in LABEL_NAMES), None)
    if name is None:
        return None, ()
    values = table.annotations[name]
    lost = int(missing_mask(values).sum())
    if lost:
        without = listed((table.ids[i] for i in np.flatnonzero(missing_mask(values))), 5)
        return None, (f"{name!r} {_NOT_TAKEN}: {lost} of {len(values)} samples have none ({without}).",)
    return tidy(values), (f"The labels were taken from {name!r}.",)


def why_without_labels(notes: Sequence[str]) -> str:
    """Of the notes on a source, those that say why it has no labels, to follow a full stop."""
    return "".join(f" {note}" for note in notes if _NOT_TAKEN in note)


def extra_numbers(given: Any, table: Table) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """Return numeric columns that stand beside the content, float32 ``(n_samples, n_extra)``, and their names.

    Parameters
    ----------
    given : sequence of str, str, DataFrame, array-like of shape (n_samples, n_extra) or None
        Names of columns (or header keys) of the source, or the numbers; those of a DataFrame by sample id, where its index holds ids.

    Raises
    ------
    DataError
        Where a column is unknown, holds text, or a value is missing or infinite.
    """
    if given is None:
        return None, ()
    columns, names = _extra_columns([given] if isinstance(given, str) else given, table)
    n = len(table.x)
    if columns.ndim != 2 or len(columns) != n or not columns.shape[1]:
        raise DataError(f"extra must have the shape ({n}, n_extra), a row per sample: got {columns.shape}.")
    try:
        numbers = to_float32(columns)
    except (TypeError, ValueError) as error:
        raise DataError(f"extra must hold numbers ({table.source}): {error}.") from error
    finite = np.abs(numbers) <= LARGEST
    if not finite.all():
        column = int(np.flatnonzero(~finite.all(axis=0))[0])
        lost = np.flatnonzero(~finite[:, column]).tolist()
        raise DataError(
            f"extra: {names[column]!r} has no finite value, or one beyond {LARGEST:g}, for {len(lost)} of {n} samples ({table.source}): "
            f"{listed((table.ids[i] for i in lost), 8)}. Fill them or drop these samples."
        )
    return numbers, names


def _extra_columns(given: Any, table: Table) -> tuple[np.ndarray, tuple[str, ...]]:
    given = as_pandas(given)
    if isinstance(given, pd.Series):
        given = given.to_frame("extra_0" if given.name is None else str(given.name))
    if isinstance(given, pd.DataFrame):
        rows = rows_by_id(given.index, table.sample_ids, len(table.x), "extra", table.source)
        values = given.to_numpy() if rows is None else given.to_numpy()[rows]
        return values, tuple(str(name) for name in given.columns)
    if isinstance(given, list | tuple) and given and all(isinstance(name, str) for name in given):
        for name in given:
            check_choice(
                name, f"a name in extra (columns of {table.source})", table.annotations, error=DataError
            )
        return np.stack([_numbers_of(table.annotations[name]) for name in given], axis=1), tuple(given)
    values = np.asarray(given)
    values = values[:, np.newaxis] if values.ndim == 1 else values
    width = values.shape[1] if values.ndim == 2 else 0
    return values, tuple(f"extra_{i}" for i in range(width))


def _numbers_of(values: np.ndarray) -> np.ndarray:
    """Text as numbers where all that is there spells some, NaN in its gaps; else as it is."""
    numbers = to_numbers(values)
    return values if (np.isnan(numbers) & ~missing_mask(values)).any() else numbers


def split_frame(
    frame: pd.DataFrame,
    source: str,
    *,
    content: str | None,
    usual: tuple[str, ...],
    name_column: str | None = None,
    notes: tuple[str, ...] = (),
) -> tuple[list[Any], Table]:
    """Return the column of sequences or texts, and a table of all that stands beside it.

    Parameters
    ----------
    content : str, optional
        Name of the column; without it the first of `usual` that is there, in any case.
    name_column : str, optional
        Column of the samples' names; without it a column called ``id``, ``name``... is, if no value repeats.
    notes : tuple of str
        On how `frame` was read.

    Raises
    ------
    DataError
        Where there is no such column, or names given by the caller repeat.
    """
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    known = [str(name) for name in frame.columns]
    if len(set(known)) < len(known):
        raise DataError(f"{source} has columns of the same name: {listed(duplicates(known))}.")
    column = _content_column(known, source, content, usual)
    names, name_notes = _names(frame, column, name_column, source)
    annotations = {name: frame[name].to_numpy() for name in known if name != column}
    table = described(len(frame), source, names=names, annotations=annotations, notes=(*notes, *name_notes))
    return frame[column].tolist(), table


def _content_column(known: list[str], source: str, asked: str | None, usual: tuple[str, ...]) -> str:
    if asked is not None:
        check_choice(asked, f"a column of {source}", known, error=DataError)
        return asked
    by_lower = {name.strip().lower(): name for name in reversed(known)}
    found = next((by_lower[name] for name in usual if name in by_lower), None)
    if found is None:
        raise DataError(
            f"{source} has no column {usual[0]!r}; it has {listed(known)}."
            f"{did_you_mean(usual[0], known)} Name the column with {usual[0]}_column=."
        )
    return found


def _names(
    frame: pd.DataFrame, content: str, asked: str | None, source: str
) -> tuple[Sequence[str] | None, tuple[str, ...]]:
    known = [str(name) for name in frame.columns]
    if asked is not None:
        check_choice(asked, f"a column of {source}", known, error=DataError)
        return [str(value) for value in frame[asked]], ()
    column = id_column(name for name in known if name != content)
    if column is None:
        return unique_names(frame.index), ()
    names = ["" if pd.isna(value) else str(value) for value in frame[column]]
    if len(set(names)) < len(names) or any(not name.strip() for name in names):
        return None, (f"The column {column!r} has repeated or empty values: the samples have no names.",)
    return names, (f"The names of the samples were taken from the column {column!r}.",)

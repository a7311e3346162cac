"""Labels and names as projects keep them: one a line."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from genokeras.data.id_columns import ID_NAMES
from genokeras.data.label_files import labels_from_file
from genokeras.data.readers.delimited import best_delimiter, text_errors
from genokeras.data.readers.opening import check_file, open_text
from genokeras.data.table import Table
from genokeras.errors import DataError, DataFileError
from genokeras.projects.data.label_ids import lines_of_ids, only_counts
from genokeras.projects.data.matrices import is_missing, is_number, read_matrix
from genokeras.support.files import DAMAGED
from genokeras.support.wording import counted, listed

_LABEL_NAMES = frozenset(
    {"label", "labels", "class", "classes", "target", "targets", "y", "type", "outcome", "group"}
)
_DELIMITERS = ("\t", ",", ";")
_SPOKEN = {",": "commas", ";": "semicolons"}


def read_labels(
    path: Path, n_samples: int, source: str, ids: Sequence[str] | None = None
) -> tuple[list[str], tuple[str, ...]]:
    """Read one label a line, or sample id and label where the ids are those of the features.

    Parameters
    ----------
    path : Path
        Text, also gzipped, or npy.
    n_samples : int
        Rows of the features.
    source : str
        The features' file, for messages.
    ids : sequence of str, optional
        The features' sample ids, where they have them.

    Returns
    -------
    labels : list of str
        In the order of the features' rows.
    notes : tuple of str

    Raises
    ------
    DataFileError
        Where the file cannot be read.
    DataError
        Where labels are missing, or their number is not that of the rows.
    """
    values = _npy_column(path) if path.name.lower().endswith(".npy") else _lines(path)
    values, notes = _one_column(values, path.name, ids)
    if len(values) == n_samples + 1 and _is_title(values):
        notes.append(f"The first line of {path.name}, {values[0]!r}, was read as a header.")
        values = values[1:]
    if len(values) != n_samples:
        raise DataError(
            f"{path.name} holds {counted(len(values), 'label')}, {source} {counted(n_samples, 'row')}: expected one "
            "label for every row."
        )
    _check_none_missing(values, path.name)
    return values, tuple(notes)


def read_column(path: Path, column: str, table: Table) -> tuple[list[str], tuple[str, ...]]:
    """Read a column of a file with sample ids, as estimators and the command line do.

    Parameters
    ----------
    path : Path
    column : str
    table : Table
        The features, by whose sample ids the rows are joined.

    Returns
    -------
    labels : list of str
        In the order of the features' rows.
    notes : tuple of str

    Raises
    ------
    DataFileError
        Where the file cannot be read.
    DataError
        Where there is no such column, or samples or their labels are missing.
    """
    notes = [f"The labels of {path.name}, column {column!r}, were joined to the rows by sample id."]
    found = labels_from_file(path, table, "labels_file", column=column, notes=notes).tolist()
    labels = ["" if value is None else str(value) for value in found]
    _check_none_missing(labels, f"{path.name}, column {column!r}", table.ids)
    return labels, tuple(notes)


def read_feature_names(path: Path, n_features: int, source: str = "the features") -> tuple[str, ...]:
    """Read the features' names, one a line.

    Names may repeat, as gene symbols do.

    Raises
    ------
    DataFileError
        Where the file is missing or cannot be read.
    DataError
        Where a name is missing, or there are not as many as columns.
    """
    names = _unquoted(_lines(check_file(path)))
    if len(names) == n_features + 1 and names[0].lower() in ID_NAMES:
        names = names[1:]
    if len(names) != n_features:
        raise DataError(
            f"{path.name} holds {counted(len(names), 'name')}, {source} {counted(n_features, 'column')}: expected one "
            "name for every column, in their order."
        )
    blank = [i + 1 for i, name in enumerate(names) if not name]
    if blank:
        raise DataError(
            f"{path.name}: {counted(len(blank), 'name is', 'names are')} empty, in line {listed(blank, 8)}."
        )
    return tuple(names)


def class_codes(
    labels: Sequence[str], n_classes: int, source: str, known: Sequence[str] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Turn labels into codes.

    Parameters
    ----------
    labels : sequence of str
        The whole numbers 0 to ``n_classes - 1``, which stay what they are, or names, which are numbered in
        sorted order.
    n_classes : int
        The configuration's ``output_classes``.
    source : str
        The labels' file, for messages.
    known : sequence of str, optional
        The classes of the training data; these labels then may be fewer.

    Returns
    -------
    codes : ndarray of int64, shape (n_samples,)
    classes : tuple of str

    Raises
    ------
    DataError
        Where the labels are other numbers, not as many as ``output_classes``, or none of `known`.
    """
    values = _as_whole_numbers(labels)
    if known is not None:
        return _known_codes(values, tuple(known), source), tuple(known)
    classes = _sorted_classes(values)
    if all(map(is_number, values)):
        _check_numbers(classes, n_classes, source, len(values))
    if len(classes) != n_classes:
        counts = listed((f"{name!r} ({values.count(name)})" for name in classes), 8)
        raise DataError(
            f"{source} holds {counted(len(classes), 'class', 'classes')}, model.args.output_classes is {n_classes}: "
            f"expected as many. Found {counts}."
        )
    return _known_codes(values, classes, source), classes


def free_classes(labels: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Turn labels that nothing is trained on into codes: any words or numbers, numbered in sorted order.

    Returns
    -------
    codes : ndarray of int64, shape (n_samples,)
    classes : tuple of str
    """
    values = _as_whole_numbers(labels)
    classes = _sorted_classes(values)
    return _known_codes(values, classes, "labels"), classes


def read_numbers(
    path: Path, n_samples: int, n_targets: int, source: str, ids: Sequence[str] | None = None
) -> tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]:
    """Read one number a line, or a table of several: samples in rows, with or without header and sample ids.

    Parameters
    ----------
    path : Path
        Text, also gzipped, or npy.
    n_samples : int
        Rows of the features.
    n_targets : int
        The configuration's ``output_classes``.
    source : str
        The features' file, for messages.
    ids : sequence of str, optional
        The features' sample ids, where they have them; the table's rows are then joined by its own, unless these only
        count.

    Returns
    -------
    values : ndarray of float32, shape (n_samples, n_targets)
    names : tuple of str
        From the header; "value", or "value_0", "value_1"...
    notes : tuple of str

    Raises
    ------
    DataFileError
        Where the file cannot be read.
    DataError
        Where a number is missing or not finite, rows or columns are not as many as expected, or a sample has no row, or
        several.
    """
    if n_targets == 1:
        labels, notes = read_labels(path, n_samples, source, ids)
        return finite_numbers(labels, path.name)[:, None], ("value",), notes
    table = read_matrix(path, _delimiter_of(path))
    values = np.asarray(table.x)
    if values.shape[1] != n_targets:
        raise DataError(
            f"{path.name} holds {counted(values.shape[1], 'column')} of numbers, model.args.output_classes is {n_targets}: "
            "expected one column for each number to predict."
        )
    notes = tuple(f"{path.name}: {note}" for note in table.notes)
    if ids is not None and table.sample_ids is not None:
        lines = _lines_of_numbers(table.sample_ids, ids, path.name)
        how = "by order, as its first column only counts" if lines is None else "by sample id"
        values = values if lines is None else values[lines]
        notes = (*notes, f"The numbers of {path.name} were joined to the rows {how}.")
    if len(values) != n_samples:
        raise DataError(
            f"{path.name} holds {counted(len(values), 'row')}, {source} {n_samples}: expected one for every sample."
        )
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"{path.name}: row {row + 1}, column {column + 1} is missing or infinite: expected a finite number. Give it "
            "a number, or drop the sample from both files."
        )
    names = table.feature_names or tuple(f"value_{i}" for i in range(n_targets))
    return values, names, notes


def _lines_of_numbers(found: Sequence[str], ids: Sequence[str], source: str) -> list[int] | None:
    """The line of each sample; None where the first column only counts, so that the order decides."""
    lines = lines_of_ids(found, ids, source)
    if lines is None and not only_counts(found):
        raise DataError(
            f"{source} holds none of the sample ids of the features: they begin with {listed(map(repr, ids[:2]))}, its "
            f"first column with {listed(map(repr, found[:2]))}. Use the same ids in both files, or leave them out of "
            f"{source} where its rows come in the order of the features."
        )
    return lines


def _check_none_missing(labels: Sequence[str], source: str, ids: Sequence[str] | None = None) -> None:
    lost = [i for i, value in enumerate(labels) if is_missing(value)]
    if lost:
        places = [i + 1 for i in lost] if ids is None else [ids[i] for i in lost]
        raise DataError(
            f"{source}: {counted(len(lost), 'label is', 'labels are')} missing, in row {listed(places, 8)}. Give "
            "these rows a label or drop them from both files."
        )


def _delimiter_of(path: Path) -> str | None:
    if path.name.lower().endswith(".npy"):
        return None
    with text_errors(path), open_text(path) as handle:
        return best_delimiter(next((line for line in handle if line.strip()), ""))


def finite_numbers(labels: Sequence[str], source: str) -> np.ndarray:
    """Labels as float32, where they are all finite numbers.

    Raises
    ------
    DataError
        Where one is not.
    """
    odd = [f"row {i + 1}: {label!r}" for i, label in enumerate(labels) if not _is_finite(label)]
    if odd:
        raise DataError(
            f'{source}: trainer.loss "mse" needs finite numbers, found {counted(len(odd), "other label")}: {listed(odd, 4)}. '
            'For classes set trainer.loss to "cross_entropy" and model.args.output_classes to their number.'
        )
    return np.array(labels, dtype=np.float64).astype(np.float32)


def _is_finite(text: str) -> bool:
    return is_number(text) and bool(np.isfinite(float(text)))


def _lines(path: Path) -> list[str]:
    with text_errors(path), open_text(path) as handle:
        lines = [line.strip() for line in handle]
    while lines and not lines[-1].strip('"'):
        lines.pop()
    if not lines:
        raise DataFileError(f"{path.name} is empty: expected one value a line.")
    return lines


def _unquoted(lines: Sequence[str]) -> list[str]:
    return [line.strip('"') for line in lines]


def _fields(line: str, mark: str) -> list[str]:
    """The fields of a line; a mark within quotes separates nothing."""
    if '"' not in line:
        return line.split(mark)
    try:
        return next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
    except csv.Error:  # a field longer than csv reads, as in a file of features
        return line.split(mark)


def _npy_column(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:  # NumPy leaves open what it cannot read
            values = np.load(file, allow_pickle=False)
    except (OSError, *DAMAGED) as error:
        raise DataFileError(f"{path.name} is no NumPy array that can be loaded ({error}).") from error
    return [str(value) for value in np.ravel(values).tolist()]


def _one_column(values: list[str], source: str, ids: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the labels, joined by id where ids stand before them, and what is to be said."""
    splits = ((mark, [_fields(value, mark) for value in values]) for mark in _DELIMITERS)
    mark, rows = next(((mark, split) for mark, split in splits if min(map(len, split)) > 1), ("", []))
    if not rows:
        return _unquoted(values), []
    width = max(map(len, rows))
    first, labels = ([row[i].strip(' "') for row in rows] for i in (0, -1))
    lines = lines_of_ids(first, ids, source) if width == 2 and ids is not None else None
    if lines is not None:
        return [labels[line] for line in lines], [
            f"The labels of {source} were joined to the rows by sample id."
        ]
    if width == 2 and only_counts(first):
        return labels, [f"The first column of {source} counts the rows and was left out."]
    hint = " The first of them does not hold the sample ids of the features." if ids is not None else ""
    if width > 2 and ids is not None:
        column = next((name.strip(' "') for name in reversed(rows[0]) if name.strip(' "')), "status")
        hint = f" Of a table with the sample ids, name the column: {f'{source}:{column}'!r}."
    if mark in _SPOKEN:
        hint += f' Labels that hold {_SPOKEN[mark]} need quotes around them: "ALL{mark} acute".'
    raise DataError(f"{source} holds {counted(width, 'column')}: expected one, the labels, one a line.{hint}")


def _is_title(values: Sequence[str]) -> bool:
    first, others = values[0], values[1:]
    return first.lower() in _LABEL_NAMES or (not is_number(first) and all(map(is_number, others)))


def _as_whole_numbers(labels: Sequence[str]) -> list[str]:
    """Return ``"1.0"`` and ``"01"`` as ``"1"`` where all labels are whole numbers."""
    if not all(_is_finite(label) and float(label).is_integer() for label in labels):
        return list(labels)
    return [str(int(float(label))) for label in labels]


def _all_whole(values: Sequence[str]) -> bool:
    return all(value.removeprefix("-").isdecimal() for value in values)


def _sorted_classes(values: Sequence[str]) -> tuple[str, ...]:
    """The distinct values: whole numbers by size, others by letter."""
    return tuple(sorted(set(values), key=(lambda text: (int(text), text)) if _all_whole(values) else str))


def _check_numbers(classes: Sequence[str], n_classes: int, source: str, n_samples: int) -> None:
    if not _all_whole(classes):
        raise DataError(
            f"{source} holds {len(classes)} distinct numbers with fractions in {n_samples} rows: expected classes. "
            'For regression set trainer.loss to "mse" and model.args.output_classes to 1.'
        )
    wanted = [str(i) for i in range(n_classes)]
    if len(classes) == n_classes and list(classes) != wanted:
        last = f"0 to {n_classes - 1}" if n_classes > 2 else "0 and 1"
        raise DataError(
            f"{source}: labels that are numbers have to be {last} (model.args.output_classes is {n_classes}), got "
            f"{listed(classes, 10)}. Number them from 0, or write names, which are numbered by themselves."
        )


def _known_codes(values: Sequence[str], classes: tuple[str, ...], source: str) -> np.ndarray:
    codes = {name: code for code, name in enumerate(classes)}
    unknown = sorted({value for value in values if value not in codes})
    if unknown:
        raise DataError(
            f"{source} holds labels that the training data do not: {listed(map(repr, unknown), 8)}. Known are "
            f"{listed(map(repr, classes), 20)}."
        )
    return np.array([codes[value] for value in values], dtype=np.int64)

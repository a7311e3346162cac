"""Labels and groups in a file of their own: alone, beside sample ids, or as a column among several."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.data.file_ids import named_as_files
from genokeras.data.label_rows import LabelRows, read_label_rows
from genokeras.data.numerals import lose_text, to_numbers
from genokeras.data.readers.opening import check_file
from genokeras.data.table import Table
from genokeras.errors import DataError, DataFileError
from genokeras.support.checks import check_choice
from genokeras.support.wording import counted, duplicates, listed

# Read as missing, as in tables.
MISSING_WORDS = frozenset(["NA", "N/A", "NaN", "nan", "null", "None", "<NA>"])
# What a header of labels alone may say, where their number does not tell.
_TITLES = frozenset(["label", "labels", "class", "classes", "target", "group", "groups"])


def split_reference(given: Any) -> tuple[Path, str | None] | None:
    """Return the file and the column that ``"clinical.tsv:er_status"`` names; None where there is no such file."""
    path = Path(given).expanduser()
    if path.is_file() or not isinstance(given, str):
        return path, None
    ends = [i for i, letter in enumerate(given) if letter == ":"]
    for end in reversed(ends):
        file = Path(given[:end]).expanduser()
        if given[:end] and file.is_file():
            return file, given[end + 1 :].strip()
    return None


def has_column(given: Any, name: str) -> bool:
    """Return whether `given` refers to a file of labels with a column of this name."""
    if not isinstance(given, str | Path):
        return False
    reference = split_reference(given)
    if reference is None or not reference[0].is_file():
        return False
    return name in read_label_rows(check_file(reference[0])).fields[0]


def label_file(given: Any, columns: Collection[str]) -> str | None:
    """Return the name of the file of labels that `given` refers to; None where it is a column or something else."""
    if not isinstance(given, str | Path) or str(given).strip() in columns:
        return None
    reference = split_reference(given)
    return None if reference is None else reference[0].name


def labels_from_file(
    path: Path,
    table: Table,
    what: str = "y",
    *,
    column: str | None = None,
    notes: list[str] | None = None,
) -> np.ndarray:
    """Read labels from a file: one column (by row), two (sample id and label), or one of several.

    Parameters
    ----------
    path : Path
        Text or xlsx; ``#`` lines above are skipped. The rows may come in any order, and name more samples than the data have.
    table : Table
        The data; its ids are looked for in every column, or in the one that its ``sample_column`` names.
    what : {"y", "groups", "labels_file"}
    column : str, optional
        The column of the labels, by the file's header.
    notes : list of str, optional
        Where to say which samples were left out.

    Raises
    ------
    DataError
        Where samples of the data are missing in the file, or there is no such column.
    DataFileError
        Where the file cannot be read, or has several columns and none was named.
    """
    found = read_label_rows(path)
    if column is None and (found.width == 1 or _are_labels_alone(found, table)):
        return _typed(_by_row(found.lines, table.x.shape[0], path.name, what))
    rows = found.fields
    if column is None and (found.width > 2 or min(map(len, rows)) != found.width):
        raise DataFileError(_several_columns(path, rows, found.width))
    if table.sample_ids is None:
        raise DataError(
            f"{table.source} has no sample ids to join {path.name} by: give the ids in the first column of the data, or "
            "a file with the labels alone, one per row."
        )
    by_id = _by_id(rows, table, path.name, column)
    return _typed(_joined(by_id, table, path.name, what, [] if notes is None else notes))


def _are_labels_alone(found: LabelRows, table: Table) -> bool:
    """Whether lines that could be split are labels of several words, such as ``T cell``: by their number, and without any sample id."""
    known = set(table.sample_ids or ())
    return (
        not found.sure
        and len(found.lines) - table.x.shape[0] in (0, 1)
        # sample ids would make them all different
        and len(set(found.lines)) < len(found.lines)
        and not any(known.intersection(row) for row in found.fields)
    )


def _by_row(lines: list[str], n_samples: int, source: str, what: str) -> list[str]:
    """Return the lines without a header."""
    title = lines[0]
    header = len(lines) == n_samples + 1 or (title.lower() in _TITLES and title not in lines[1:])
    labels = lines[header:]
    if len(labels) != n_samples:
        one = "label" if what == "y" else "value"
        below = f" below the header {title!r}" if header else ""
        raise DataError(
            f"{what} must have one {one} per sample: expected {n_samples}, got {len(labels)}{below} ({source})."
        )
    return labels


def _several_columns(path: Path, rows: list[list[str]], width: int) -> str:
    names = [name for name in rows[0] if name]
    example = next((name for name in reversed(names) if name not in MISSING_WORDS), "status")
    return (
        f"{path.name}: expected one column (label) or two (sample id, label), got {width}: {listed(names, 12)}. Name "
        f"the one to take, such as {str(path.name) + ':' + example!r}."
    )


def _by_id(rows: list[list[str]], table: Table, source: str, column: str | None) -> dict[str, str]:
    """Return the label of each id of the file."""
    known = set(table.sample_ids or ())
    header = rows[0]
    if column is not None:
        check_choice(column, f"a column of {source}", header, error=DataError)
    width = len(header)
    rows = named_as_files([row + [""] * (width - len(row)) for row in rows], table.ids)
    key = _id_column(rows, known, table.sample_column)
    value = header.index(column) if column is not None else 1 - key
    is_header = column is not None or (
        header[key] not in known and header[value] not in {row[value] for row in rows[1:]}
    )
    pairs = [(row[key], row[value]) for row in rows[is_header:] if row[key]]
    repeated = [name for name in duplicates(name for name, _ in dict.fromkeys(pairs)) if name in known]
    if repeated:
        raise DataError(
            f"{source} names {counted(len(repeated), 'sample')} more than once: {listed(repeated, 8)}, with different labels."
        )
    return dict(pairs)


def _id_column(rows: list[list[str]], known: set[str], named: str | None) -> int:
    """Return the column asked for, else the one with most of the ids; the first of equals."""
    if named is not None and named in rows[0]:
        return rows[0].index(named)
    hits = [len(known.intersection(column)) for column in zip(*rows, strict=True)]
    return hits.index(max(hits))


def _joined(by_id: dict[str, str], table: Table, source: str, what: str, notes: list[str]) -> list[str]:
    ids = table.sample_ids or ()
    known = set(ids)
    unknown = [name for name in by_id if name not in known]
    lost = [name for name in ids if name not in by_id]
    if lost:
        raise DataError(_mismatch(unknown, lost, table, source, what))
    if unknown:
        notes.append(
            f"{source} names {counted(len(unknown), 'further sample')}, not in {table.source}: {listed(unknown, 5)}."
        )
    return [by_id[name] for name in ids]


def _mismatch(unknown: list[str], lost: list[str], table: Table, source: str, what: str) -> str:
    parts = []
    if unknown:
        parts.append(f"{counted(len(unknown), 'id')} of {source} not in {table.source}: {listed(unknown, 8)}")
    parts.append(f"{counted(len(lost), 'sample')} of {table.source} not in {source}: {listed(lost, 8)}")
    # Projects have no such option.
    ids = "" if what == "labels_file" else "; sample_column= names its column of ids"
    return f"{what}: the sample ids do not match. {'; '.join(parts)}. The file must name every sample of the data, in any order{ids}."


def _typed(labels: list[str]) -> np.ndarray:
    """Turn text into numbers where every value is one and none loses what tells it apart; what says that nothing is known becomes None."""
    values = np.array([None if label in MISSING_WORDS else label for label in labels], dtype=object)
    numbers = to_numbers(values)
    if not len(numbers) or np.isnan(numbers.astype(float)).any() or lose_text(labels, numbers):
        return values
    return numbers

"""From a pandas table with ids, labels and numbers side by side to a `Table`."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.cells import how_written, is_text_only, non_numeric, plain_columns, read_cells, text_only
from genokeras.data.dataset import Matrix
from genokeras.data.dropping import surplus_genes, surplus_note
from genokeras.data.gene_columns import describing, id_like_note
from genokeras.data.id_columns import find_ids, flat_name, names_in_index, numbering
from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import CellTypeError, DataError
from genokeras.support.wording import counted, did_you_mean, listed


@dataclass(frozen=True, eq=False)
class NamedFrame:
    """A frame whose columns are positions, with the names beside it, so that repeated names do no harm."""

    frame: pd.DataFrame
    names: tuple[str, ...]
    row_ids: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def without(
        self, positions: Sequence[int], *notes: str, row_ids: tuple[str, ...] | None = None
    ) -> NamedFrame:
        """Return the frame less some columns."""
        dropped = set(positions)
        keep = [i for i in range(len(self.names)) if i not in dropped]
        return NamedFrame(
            self.frame.iloc[:, keep],
            tuple(self.names[i] for i in keep),
            row_ids or self.row_ids,
            (*self.notes, *notes),
        )


def table_from_frame(
    named: NamedFrame, options: ReadOptions, source: str, *, names_given: bool = True
) -> Table:
    """Split a frame into ids, annotations and numbers.

    Parameters
    ----------
    named : NamedFrame
        Samples in rows, or genes in rows where ``options.transposed``.
    names_given : bool
        False where the columns' names were made up: a text column is then an error, not an annotation.

    Raises
    ------
    DataError
        Where text stands among the numbers, or there is no number at all.
    """
    named, dropped = _drop(named, options.drop)
    named = _take_ids(named, options, source)
    if options.transposed:
        named = _transpose(named)
    else:
        named = _without_numbering(named, options)
    named = _used_alone(named, options)
    annotations, named = _take_annotations(named, options, text_too=names_given)
    if not named.names and not (options.covariates and annotations):
        raise DataError(_no_numbers(annotations, source))
    return Table(
        x=_numbers(named, source),
        feature_names=named.names if names_given else None,
        sample_ids=named.row_ids,
        source=source,
        annotations=annotations,
        notes=named.notes,
        dropped=dropped,
    )


def named_frame(frame: pd.DataFrame) -> NamedFrame:
    """Return an in-memory frame with its names beside it; an index other than 0, 1, 2... holds the ids."""
    names = tuple(flat_name(name) for name in frame.columns)
    return NamedFrame(frame.set_axis(range(len(names)), axis=1), names, names_in_index(frame.index))


def _drop(named: NamedFrame, wanted: Sequence[str]) -> tuple[NamedFrame, tuple[str, ...]]:
    """Leave out the columns that were asked for and are there, and say which."""
    found = [i for i, name in enumerate(named.names) if name in wanted]
    if not found:
        return named, ()
    return named.without(found), tuple(dict.fromkeys(named.names[i] for i in found))


def _without_numbering(named: NamedFrame, options: ReadOptions) -> NamedFrame:
    """Leave out further columns that number the samples."""
    found = numbering(named.names, named.frame, options.columns)
    if not found or len(found) == len(named.names):
        return named
    called = listed((repr(named.names[i]) for i in found), 5)
    return named.without(
        found,
        f"Left out, because {'it numbers' if len(found) == 1 else 'they number'} the samples: {called}.",
    )


def _take_ids(named: NamedFrame, options: ReadOptions, source: str) -> NamedFrame:
    position = _id_position(named, options, source)
    if position is None:
        return named
    values = named.frame.iloc[:, position]
    missing = np.flatnonzero(values.isna().to_numpy())
    what = "gene name" if options.transposed else "sample id"
    if len(missing):
        rows = listed((i + 1 for i in missing), 5)
        raise DataError(
            f"{source}: {counted(len(missing), what)} missing in column {named.names[position]!r}, data "
            f"row {rows}. "
            "Give every row a name or drop it."
        )
    ids = tuple(_id_text(value) for value in values)
    title = named.names[position] or "unnamed first column"
    note = f"The {what}s were taken from the column {title!r}."
    return named.without([position], note, row_ids=ids)


def _id_text(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _id_position(named: NamedFrame, options: ReadOptions, source: str) -> int | None:
    """Return which column holds the ids: the one asked for, else the first if it looks like ids."""
    if options.sample_column in named.names:
        return named.names.index(options.sample_column)
    if options.sample_column is not None and options.needs_sample_column:
        hint = did_you_mean(options.sample_column, named.names[:1000])
        raise DataError(
            f"{source} has no column {options.sample_column!r} to take ids from; its first columns are "
            f"{listed(named.names, 6)}.{hint}"
        )
    if named.row_ids is not None:
        return None
    found = find_ids(named.names, named.frame, options.columns, of_genes=options.transposed)
    if found is not None or len(named.names) < 2 or not len(named.frame):
        return found
    first = next((i for i in range(min(len(named.names), 3)) if named.names[i] not in options.columns), None)
    if first is None:
        return None
    column = named.frame.iloc[:, first]
    mostly_distinct = column.nunique() > 0.9 * len(column)
    return first if mostly_distinct and is_text_only(column) else None


def _transpose(named: NamedFrame) -> NamedFrame:
    """Turn genes in rows into samples in rows; what describes genes, such as text or their length, is left out."""
    text = text_only(named.frame, non_numeric(named.frame))
    numbers = describing(named.names, named.frame, text)
    for left_out, how in ((text, " in text"), (numbers, "")):
        if left_out and len(text) + len(numbers) < len(named.names):
            called = listed((named.names[i] for i in left_out), 5)
            named = dataclasses.replace(
                named, notes=(*named.notes, f"Left out, because they describe genes{how}: {called}.")
            )
    if len(text) + len(numbers) < len(named.names):
        named = named.without([*text, *numbers])
    named = dataclasses.replace(named, notes=(*named.notes, *id_like_note(named.names, named.frame)))
    n_rows = len(named.frame)
    names = named.row_ids or tuple(f"feature_{i}" for i in range(n_rows))
    if all(dtype.kind in "iuf" and isinstance(dtype, np.dtype) for dtype in set(named.frame.dtypes)):
        flipped = pd.DataFrame(named.frame.to_numpy().T)  # without the copies below
    else:
        flipped = named.frame.T.reset_index(drop=True).set_axis(range(n_rows), axis=1)
    return NamedFrame(flipped, names, named.names, named.notes)


def _used_alone(named: NamedFrame, options: ReadOptions) -> NamedFrame:
    """Leave out genes that are not used: they may hold anything."""
    surplus = surplus_genes(named.names, options.genes, options.columns)
    return named.without(surplus, surplus_note([named.names[i] for i in surplus])) if surplus else named


def _take_annotations(
    named: NamedFrame, options: ReadOptions, *, text_too: bool
) -> tuple[dict[str, np.ndarray], NamedFrame]:
    asked = [i for i, name in enumerate(named.names) if name in options.columns]
    text: list[int] = []
    if text_too:
        others = [i for i in non_numeric(named.frame) if i not in asked]
        text = text_only(named.frame, others)
    taken = [*text, *asked]
    annotations = dict(zip((named.names[i] for i in taken), plain_columns(named.frame, taken), strict=True))
    if not annotations:
        return {}, named
    notes: tuple[str, ...] = ()
    if text and not options.covariates:
        count = counted(len(text), "column holds text only and is", "columns hold text only and are")
        notes = (f"{count} not used as genes: {listed((named.names[i] for i in text), 5)}.",)
    return annotations, named.without([*asked, *text], *notes)


def _numbers(named: NamedFrame, source: str) -> Matrix:
    frame = named.frame
    if not named.names:
        return np.empty((len(frame), 0), dtype="float32")
    if all(isinstance(dtype, pd.SparseDtype) for dtype in frame.dtypes):
        accessor: Any = frame.sparse
        return to_csr(accessor.to_coo())
    if any(dtype.kind == "c" for dtype in frame.dtypes):
        raise DataError(
            f"Complex data not supported: {source} holds complex numbers, and genes need real ones."
        )
    odd = non_numeric(frame)
    if not odd:
        extension = any(not isinstance(dtype, np.dtype) for dtype in set(frame.dtypes))
        with np.errstate(over="ignore"):
            values = (
                frame.to_numpy(dtype=np.float32, na_value=np.nan) if extension else frame.to_numpy(np.float32)
            )
        return to_float32(values)
    numbers, bad = read_cells(frame, odd)
    if bad.any():
        _check_types(named, odd, bad, source)
        raise DataError(_strings_among_numbers(named, odd, bad, source))
    x = np.empty(frame.shape, dtype=np.float32)
    plain = sorted(set(range(frame.shape[1])) - set(odd))
    with np.errstate(over="ignore"):
        if plain:
            x[:, plain] = frame.iloc[:, plain].to_numpy(dtype=np.float32, na_value=np.nan)
        x[:, odd] = numbers
    return x


def _check_types(named: NamedFrame, odd: Sequence[int], bad: np.ndarray, source: str) -> None:
    """Raise where a cell is neither a number nor text, a date or a duration."""
    for j in np.flatnonzero(bad.any(axis=0)).tolist():
        row = int(bad[:, j].argmax())
        value = named.frame.iat[row, odd[j]]
        if isinstance(value, Collection) and not isinstance(value, str | bytes):
            where = f"sample {named.row_ids[row]!r}" if named.row_ids else f"row {row}"
            raise CellTypeError(
                f"{source}: each argument must be a string or a number, and column {named.names[odd[j]]!r}, {where}, holds a "
                f"{type(value).__name__}: {str(value)[:40]}. Replace it by a number, or leave the column out with drop_columns= (--drop)."
            )


def _strings_among_numbers(named: NamedFrame, odd: Sequence[int], bad: np.ndarray, source: str) -> str:
    columns = np.flatnonzero(bad.any(axis=0)).tolist()
    rows = bad.argmax(axis=0)
    first = [(odd[j], int(rows[j])) for j in columns]
    cells = []
    for (i, row), j in zip(first[:5], columns, strict=False):
        where = f"sample {named.row_ids[row]!r}" if named.row_ids else f"row {row}"
        more = int(bad[:, j].sum()) - 1
        also = f" (and {more} more in this column)" if more else ""
        cells.append(f"column {named.names[i]!r}, {where}: {str(named.frame.iat[row, i])!r}{also}")
    rest = f"; and {len(columns) - 5} more columns" if len(columns) > 5 else ""
    how = next(filter(None, (how_written(str(named.frame.iat[row, i])) for i, row in first)), None)
    looks = "" if how is None else f" These look like {how}."
    return (
        f"{source}: expected numbers, found text in {counted(len(columns), 'column')}: "
        f"{'; '.join(cells)}{rest}.{looks} "
        "Replace these cells by numbers, leave them empty and fit with missing='median', or leave the columns out with drop_columns= "
        "(--drop)."
    )


def _no_numbers(annotations: dict[str, np.ndarray], source: str) -> str:
    if not annotations:
        return f"{source} has no column of numbers: expected one column per gene."
    name, values = next(iter(annotations.items()))
    example = f" {name!r} starts with {str(values[0])!r}." if len(values) else ""
    return (
        f"{source} has no column of numbers besides {listed(map(repr, annotations), 5)}: expected one "
        "column per gene."
        f"{example} Check the delimiter, and pass transposed=True if genes are in rows."
    )

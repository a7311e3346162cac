"""Several assays of the same samples, joined by sample id into one matrix that knows which columns are whose."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data.block import Block, placed
from genokeras.data.table import Table, to_csr, to_float32
from genokeras.errors import DataError
from genokeras.support.wording import counted, did_you_mean, listed

DROP, MASK = MISSING_BLOCKS = ("drop", "mask")
_SHOWN = 5
_CAN_DO_WITHOUT = "a model fitted with missing_blocks='mask' (--missing-blocks mask) can do without some."


def join_tables(
    tables: Mapping[str, Table], source: str, missing_blocks: str = DROP, *, fitted: bool = False
) -> Table:
    """Join tables on their sample ids, or by position where none has ids.

    Parameters
    ----------
    tables : mapping of str to Table
        By the name of the block.
    source : str
    missing_blocks : {"drop", "mask"}
        Samples that lack a block are left out, or have NaN there.
    fitted : bool
        Whether a fitted model reads them: no sample may be left out then. Samples that lack one of the tables that were given are
        warned of.

    Returns
    -------
    Table
        Genes are called ``rna:TP53``, samples stand in the order of the first block and then of further ones.

    Raises
    ------
    DataError
        If no sample has all blocks, or two of those that a fitted model is given; two blocks hold the same values; or tables without ids
        differ in length.
    """
    _check_different(tables, source)
    ids, rows = _matched(tables, source)
    present = np.stack([found >= 0 for found in rows.values()], axis=1)
    whole = present.all(axis=1)
    _check_shared(tables, present, fitted, source)
    notes = _notes(tables, ids, present, missing_blocks, fitted, source)
    if missing_blocks == DROP:
        kept = np.flatnonzero(whole)
        ids = None if ids is None else tuple(ids[i] for i in kept)
        rows, present = {name: found[kept] for name, found in rows.items()}, present[kept]
    return Table(
        x=_beside([_rows_of(table.x, rows[name]) for name, table in tables.items()]),
        feature_names=_names(tables),
        sample_ids=ids,
        source=source,
        annotations=_annotations(tables, rows),
        y=_own(tables, rows, "y"),
        groups=_own(tables, rows, "groups"),
        notes=notes,
        dropped=tuple(dict.fromkeys(name for table in tables.values() for name in table.dropped)),
        blocks=placed({name: table.x.shape[1] for name, table in tables.items()}),
        present=None if present.all() else present,
    )


def by_rows_of_first(given: Any, first: Table, joined: Table) -> Any:
    """Labels or groups that were given by row as ones by sample id, where the join has another order than the first block.

    Raises
    ------
    DataError
        If their number is not that of the rows of the first block.
    """
    if first.sample_ids is None or first.sample_ids == joined.sample_ids or not _goes_by_row(given, first):
        return given
    n = len(first.sample_ids)
    if len(given) != n:
        raise DataError(
            f"values by row go with the rows of the first block, {first.source}: expected {n}, got {len(given)}. "
            "Pass a Series whose index holds the sample ids, the name of a column, or a file."
        )
    index = list(first.sample_ids)
    if isinstance(given, pd.Series | pd.DataFrame):
        return given.set_axis(index, axis=0)
    values = np.asarray(given)
    return pd.Series(list(given), index=index) if values.ndim == 1 else pd.DataFrame(values, index=index)


def _goes_by_row(given: Any, first: Table) -> bool:
    if isinstance(given, pd.Series | pd.DataFrame):
        return not {str(key).strip() for key in given.index} & set(first.ids)
    return isinstance(given, np.ndarray | list | tuple)


def check_block(name: str, table: Table, columns: int) -> None:
    """Raise where a block has one column, which no view can be made of.

    Parameters
    ----------
    name : str
    table : Table
    columns : int
        Columns that the table has by itself.
    """
    if columns != 1:
        return
    raise DataError(
        f"the block {name!r} ({table.source}) has one column, {table.names[0]!r}: expected two or more. If it should have more, "
        "check what separates its fields; else put the column into another block, beside other covariates say."
    )


def check_rows(name: str, table: Table, fitted: bool, missing_blocks: str) -> None:
    """Raise where a block has no rows, and say whether it can be left out."""
    if table.x.shape[0]:
        return
    way_out = "Give it the samples of the other blocks"
    if fitted and missing_blocks == DROP:
        way_out += f"; {_CAN_DO_WITHOUT}"
    else:
        way_out += ", or leave the block out."
    raise DataError(f"the block {name!r} ({table.source}) has no samples. {way_out}")


def check_lost(
    lost: Sequence[str], given: Iterable[object], fitted: Sequence[str], missing_blocks: str
) -> None:
    """Raise where new samples lack blocks that a model reads, unless it can do without them.

    A block whose name is spelt otherwise is not missing: answers without it would be others than those that were meant.
    """
    names = [str(name) for name in given]
    surplus = [name for name in names if name not in fitted]
    hint = next(filter(None, (did_you_mean(name, surplus) for name in lost)), "")
    if not lost or (missing_blocks == MASK and len(lost) < len(fitted) and not hint):
        return
    missing = f"{listed(map(repr, lost))} {'is' if len(lost) == 1 else 'are'} missing"
    raise DataError(
        f"the model reads the blocks {listed(fitted)}, and {missing}: got {listed(names)}.{hint} Pass all blocks; "
        f"{_CAN_DO_WITHOUT}"
    )


def absent_table(names: tuple[str, ...], like: Table) -> Table:
    """A block of these columns that no sample has; its samples have ids where those of another table have."""
    ids = None if like.sample_ids is None else ()
    return Table(np.empty((0, len(names)), "float32"), names, ids, "absent")


# ---- which sample is where


def _matched(
    tables: Mapping[str, Table], source: str
) -> tuple[tuple[str, ...] | None, dict[str, np.ndarray]]:
    """All samples, and where each is in every table; -1 where it is not, as in tables without rows."""
    absent = {name for name, table in tables.items() if not table.x.shape[0]}
    named = {name: table for name, table in tables.items() if table.sample_ids is not None}
    lengths = {name: table.x.shape[0] for name, table in tables.items() if name not in absent}
    n = next(iter(lengths.values()))
    if not set(lengths) <= set(named) and len(set(lengths.values())) > 1:
        raise DataError(
            f"{source}: blocks without sample ids go by position, so that all need the same number of rows; got "
            f"{', '.join(f'{name} {length}' for name, length in lengths.items())}. Pass DataFrames whose index holds the ids."
        )
    if not named:
        return None, {name: np.full(n, -1) if name in absent else np.arange(n) for name in tables}
    first = next(iter(named.values())).ids
    ids = list(dict.fromkeys(one for table in named.values() for one in table.ids))
    rows = {}
    for name, table in tables.items():
        here = table.ids if name in named or name in absent else first
        position = {one: i for i, one in enumerate(here)}
        rows[name] = np.array([position.get(one, -1) for one in ids], dtype=int)
    return tuple(ids), rows


def _check_shared(tables: Mapping[str, Table], present: np.ndarray, fitted: bool, source: str) -> None:
    """Raise where no sample has all blocks; a fitted model may be given fewer, and needs samples that have two."""
    given = {name: table for name, table in tables.items() if table.x.shape[0]}
    needed = min(len(given), 2) if fitted else len(tables)
    if (present.sum(axis=1) >= needed).any():
        return
    shown = "; ".join(f"{name} has {listed(table.ids, _SHOWN)}" for name, table in given.items())
    raise DataError(
        f"{source}: no sample is in {'all' if needed == len(given) else 'two'} of {listed(given)}. Blocks are joined by sample id: {shown}. "
        "Give the same samples the same ids, or name the column of ids with sample_column= (--sample-column)."
    )


def _notes(
    tables: Mapping[str, Table],
    ids: tuple[str, ...] | None,
    present: np.ndarray,
    missing_blocks: str,
    fitted: bool,
    source: str,
) -> tuple[str, ...]:
    sizes = listed(f"{name} ({table.x.shape[1]:,} columns)" for name, table in tables.items())
    notes = [f"{counted(len(tables), 'block was', 'blocks were')} joined: {sizes}."]
    notes += [f"{name}: {note}" for name, table in tables.items() for note in table.notes]
    if present.all():
        return tuple(notes)
    called = [f"sample_{i}" for i in range(len(present))] if ids is None else ids
    lacking = {
        name: f"{name} ({len(lost)}: {listed((called[i] for i in lost), _SHOWN)})"
        for name, lost in zip(tables, (np.flatnonzero(~there) for there in present.T), strict=True)
        if len(lost)
    }
    n = int(present.all(axis=1).sum())
    if fitted and missing_blocks == DROP:
        raise DataError(
            f"{source}: {len(called) - n} of {len(called)} samples lack a block that the model reads: {'; '.join(lacking.values())}. Leave these "
            "samples out, or fit with missing_blocks='mask' (--missing-blocks mask)."
        )
    done = "were left out" if missing_blocks == DROP else "have its training means in place"
    given = [table.x.shape[0] > 0 for table in tables.values()]
    short = int((~present[:, given].all(axis=1)).sum())
    if fitted and short:
        own = [lacking[name] for name, here in zip(tables, given, strict=True) if here and name in lacking]
        warnings.warn(
            f"{source}: {short} of {len(called)} samples lack a block, and training means stand in for it: {'; '.join(own)}. Blocks are "
            "joined by sample id: if these samples have it, give them the same ids in all blocks.",
            stacklevel=2,
        )
    notes.append(
        f"{n} of {len(called)} samples are in all blocks; those that lack one {done}: {'; '.join(lacking.values())}."
    )
    return tuple(notes)


def _check_different(tables: Mapping[str, Table], source: str) -> None:
    known = list(tables.items())
    for i, (name, table) in enumerate(known):
        for other, before in known[:i]:
            if table.x.shape == before.x.shape and table.names == before.names and _equal(table.x, before.x):
                raise DataError(
                    f"{source}: the blocks {other!r} ({before.source}) and {name!r} ({table.source}) hold the same values. "
                    "Was one file given twice? Expected were different assays of the same samples."
                )


def _equal(a: Any, b: Any) -> bool:
    if sparse.issparse(a) or sparse.issparse(b):
        return bool(abs(sparse.csr_matrix(a) - sparse.csr_matrix(b)).nnz == 0)
    return bool(np.array_equal(a, b, equal_nan=True))


# ---- what is joined


def _names(tables: Mapping[str, Table]) -> tuple[str, ...]:
    return tuple(Block(name, 0, 0).qualified(gene) for name, table in tables.items() for gene in table.names)


def _rows_of(x: Any, rows: np.ndarray) -> Any:
    """Rows by position, NaN where it is -1."""
    there = rows >= 0
    if there.all():
        return x if np.array_equal(rows, np.arange(x.shape[0])) else x[rows]
    if not isinstance(x, sparse.csr_matrix):
        found = np.full((len(rows), x.shape[1]), np.nan, dtype="float32")
        found[there] = x[rows[there]]
        return found
    absent = sparse.csr_matrix(np.full((1, x.shape[1]), np.nan, dtype="float32"))
    return sparse.vstack([x[[row]] if row >= 0 else absent for row in rows.tolist()], format="csr")


def _beside(parts: Sequence[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    if any(sparse.issparse(part) for part in parts):
        return to_csr(sparse.hstack([sparse.csr_matrix(part) for part in parts], format="csr"))
    return to_float32(np.hstack(parts))


def _annotations(tables: Mapping[str, Table], rows: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """By their own names, from the first block that knows of a sample, and by those of their blocks before them."""
    found: dict[str, np.ndarray] = {}
    for name, table in tables.items():
        for key, values in table.annotations.items():
            placed_values = _values_at(values, rows[name])
            found[f"{name}:{key}"] = placed_values
            found[key] = _completed(found[key], placed_values) if key in found else placed_values
    return found


def _own(tables: Mapping[str, Table], rows: Mapping[str, np.ndarray], what: str) -> np.ndarray | None:
    """Labels or groups that the first source with any marks as such."""
    for name, table in tables.items():
        values = getattr(table, what)
        if values is not None:
            return _values_at(values, rows[name])
    return None


def _values_at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    there = rows >= 0
    if there.all():
        return np.asarray(values[rows])
    found = np.full(len(rows), None, dtype=object)
    found[there] = values[rows[there]]
    return found


def _completed(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    lost = pd.isna(values)
    if not lost.any():
        return values
    found = values.astype(object)
    found[lost] = others[lost]
    return found


def without_stand_ins(table: Table) -> Table:
    """A table whose samples have zeros in the blocks that they lack, to check all other values."""
    if table.present is None:
        return table
    x: Any = table.x.toarray() if isinstance(table.x, sparse.csr_matrix) else table.x.copy()
    for block, there in zip(table.blocks, table.present.T, strict=True):
        x[np.ix_(~there, np.arange(block.start, block.stop))] = 0.0
    return dataclasses.replace(table, x=x)

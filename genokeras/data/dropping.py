"""Columns that are asked to be left out, of a table or of the genes that were read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from genokeras.data.table import Table
from genokeras.errors import DataError, ParameterError
from genokeras.support.wording import counted, did_you_mean, listed


def dropped_names(drop_columns: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names that were given as one text or several.

    Raises
    ------
    ParameterError
        If they are something else, such as positions.
    """
    names = (drop_columns,) if isinstance(drop_columns, str) else tuple(drop_columns)
    odd = [name for name in names if not isinstance(name, str)]
    if odd:
        raise ParameterError(f"drop_columns must be names of columns, such as ['age']: got {odd[0]!r}.")
    return tuple(name.strip() for name in names)


def surplus_genes(names: Sequence[str], genes: Sequence[str], others: Sequence[str] = ()) -> list[int]:
    """Positions of the names that are neither genes that are used nor others; none where a gene that is used is missing."""
    if not genes or not set(genes) <= set(names):
        return []
    used = {*genes, *others}
    return [i for i, name in enumerate(names) if name not in used]


def surplus_note(names: Sequence[str]) -> str:
    """What is said of genes that a model does not use."""
    return f"{counted(len(names), 'gene')} unknown to the model dropped: {listed(names, 5)}."


def only_genes(table: Table, genes: Sequence[str]) -> Table:
    """Return a table less the genes that are not used; see :func:`surplus_genes`."""
    names = table.feature_names
    surplus = [] if names is None else surplus_genes(names, genes)
    if names is None or not surplus:
        return table
    left_out = set(surplus)
    keep = [i for i in range(len(names)) if i not in left_out]
    return dataclasses.replace(
        table,
        x=table.x[:, keep],
        feature_names=tuple(names[i] for i in keep),
        notes=(*table.notes, surplus_note([names[i] for i in surplus])),
    )


def without_columns(table: Table, wanted: Sequence[str], unknown_too: bool) -> Table:
    """Return a table less the genes that were asked for and are still there.

    Parameters
    ----------
    table : Table
    wanted : sequence of str
        Some may have been left out by the reader already.
    unknown_too : bool
        A name may be missing.

    Raises
    ------
    DataError
        Where a name is neither a column nor a gene, or no gene is left.
    """
    if not wanted:
        return table
    drop = set(wanted)
    keep = np.array([name not in drop for name in table.names], dtype=bool)
    there = {*table.dropped, *table.names, *table.annotations}
    unknown = [name for name in wanted if name not in there]
    if unknown and not unknown_too:
        known = [*table.annotations, *table.names[:20_000]]
        raise DataError(
            f"{table.source} has no column {listed(map(repr, unknown), 5)} to leave out.{did_you_mean(unknown[0], known)} "
            f"It starts with {listed(known, 5)}; drop_columns takes names as the table has them."
        )
    if keep.all():
        return table
    if not keep.any():
        raise DataError(f"{table.source} has no genes left when drop_columns are left out.")
    names = table.feature_names
    return dataclasses.replace(
        table,
        x=table.x[:, np.flatnonzero(keep)],
        feature_names=None if names is None else tuple(np.array(names, dtype=object)[keep]),
    )

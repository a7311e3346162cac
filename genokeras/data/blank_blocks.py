"""Blocks whose values are all missing of a sample: that is how public sets write that it was not measured."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from genokeras.data.blocks import MASK
from genokeras.data.gaps import missing_counts
from genokeras.data.table import Table
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed

_NAMED = 5
_MASK = "missing_blocks='mask' (--missing-blocks mask), by which they count as ones that lack it."


def without_blank_blocks(table: Table, missing_blocks: str, missing: str, fitted: bool) -> Table:
    """A table where samples without any value in a block lack that block.

    Parameters
    ----------
    table : Table
        Of blocks.
    missing_blocks : {"drop", "mask"}
    missing : {"error", "median", "keep"}
        As in `load_dataset`; unless gaps are an error, ``"drop"`` leaves them to be filled one by one.
    fitted : bool
        Whether a fitted model reads the table.

    Returns
    -------
    Table
        With a note that counts the samples of each such block.

    Raises
    ------
    DataError
        If gaps are an error and ``missing_blocks`` is "drop"; or where a model is to be fitted, if a block has no value at all or no sample
        has values in all blocks.
    """
    there = np.ones((table.x.shape[0], len(table.blocks)), bool) if table.present is None else table.present
    blank = there & _blank(table)
    if not blank.any():
        return table
    masked, refused = missing_blocks == MASK, missing == "error"
    if (masked or refused) and not fitted:
        _check_of_use(table, there & ~blank)
    said, found = _counted(blank), _named(table, blank)
    if masked:
        note = f"{said} and will do without it, its training means in place: {found}."
        return dataclasses.replace(table, present=there & ~blank, notes=(*table.notes, note))
    if refused:
        first = "Leave these samples out, or fit with" if fitted else "Leave them out of that block, or pass"
        raise DataError(f"{table.source}: {said}: {found}. {first} {_MASK}")
    note = f"{said}, all of which is filled in: {found}."
    return dataclasses.replace(table, notes=(*table.notes, note))


def _blank(table: Table) -> np.ndarray:
    """``(n_samples, n_blocks)`` bool: where all values of a block are missing."""
    x: Any = table.x
    if not missing_counts(x).any():
        return np.zeros((x.shape[0], len(table.blocks)), dtype=bool)
    return np.stack([missing_counts(x[:, block.columns]) == block.size for block in table.blocks], axis=1)


def _counted(blank: np.ndarray) -> str:
    n = int(blank.any(axis=1).sum())
    return f"{counted(n, 'sample has', 'samples have')} no value in a whole block"


def _named(table: Table, blank: np.ndarray) -> str:
    return "; ".join(
        f"{block.name} ({lost.sum()}: {listed((table.ids[row] for row in np.flatnonzero(lost)), _NAMED)})"
        for block, lost in zip(table.blocks, blank.T, strict=True)
        if lost.any()
    )


def _check_of_use(table: Table, present: np.ndarray) -> None:
    names = [block.name for block in table.blocks]
    for number, name in enumerate(names):
        if not present[:, number].any():
            raise DataError(
                f"{table.source}: the block {name!r} has no value in any sample. Leave the block out."
            )
    if not present.all(axis=1).any():
        raise DataError(
            f"{table.source}: no sample has values in all of {listed(names)}: expected some that have. Leave one of these blocks out."
        )

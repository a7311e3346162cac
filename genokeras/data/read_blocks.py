"""Read one table, or a dict of them: a block each."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from genokeras.data.align import align_features
from genokeras.data.block import Block, check_block_names, still_there
from genokeras.data.blocks import MASK, absent_table, check_block, check_lost, check_rows, join_tables
from genokeras.data.checks import check_names, check_shape, check_size
from genokeras.data.covariates import category_column, check_not_text, with_categories
from genokeras.data.dataset import Dataset
from genokeras.data.dropping import only_genes, without_columns
from genokeras.data.foreign import as_pandas
from genokeras.data.genes import Duplicates, tidy_genes
from genokeras.data.memory import table_from_memory
from genokeras.data.readers.anndata import is_anndata
from genokeras.data.readers.registry import read_table
from genokeras.data.table import ReadOptions, Table
from genokeras.data.tidy import stripped
from genokeras.errors import DataError
from genokeras.support.wording import listed

_SOURCE = "blocks"


@dataclass(frozen=True)
class Reading:
    """How tables are read; see `load_dataset`."""

    options: ReadOptions
    duplicates: Duplicates = "error"
    ignore_versions: bool = False
    drop_unknown: bool = False
    missing: str = "error"


def tidy_table(x: Any, reading: Reading) -> Table:
    """Read a table whose columns and names are in order; values are not checked yet."""
    table = _read(x, reading.options)
    check_not_text(table, reading.options.genes, table.source)
    return _tidied(table, x, reading)


def read_blocks(
    given: Mapping[Any, Any], reading: Reading, fitted: tuple[Block, ...] = ()
) -> tuple[Table, Table]:
    """Read a dict of tables and join them.

    Parameters
    ----------
    given : mapping
        By the name of the block.
    reading : Reading
        Its options' genes are those of the joined table.
    fitted : tuple of Block
        Those that a model reads: other blocks are left out with a warning, columns are put in their order.

    Returns
    -------
    joined, first : Table
        The joined table, and that of the first block.

    Raises
    ------
    DataError
        If a block cannot be used; see `join_tables`.
    """
    check_block_names(given)
    surplus = [name for name in given if fitted and name not in {block.name for block in fitted}]
    lost = [block for block in fitted if block.name not in given]
    check_lost(
        [block.name for block in lost],
        given,
        [block.name for block in fitted],
        reading.options.missing_blocks,
    )
    known = {block.name: block for block in fitted}
    tables: dict[str, Table] = {}
    categories: dict[str, dict[str, tuple[str, ...]]] = {}
    for name in [name for name in given if name not in surplus]:
        tables[name], categories[name] = _read_block(name, given[name], reading, known.get(name))
    _check_dropped(reading, tables)
    first = next(iter(tables.values()))
    for block in lost:
        names = tuple(block.bare(gene) for gene in reading.options.genes[block.columns])
        tables[block.name] = absent_table(names, first)
    if fitted:
        tables = {block.name: tables[block.name] for block in fitted}
    joined = join_tables(tables, _SOURCE, reading.options.missing_blocks, fitted=bool(reading.options.genes))
    blocks = tuple(replace(b, categories=categories.get(b.name, {})) for b in joined.blocks)
    notes = joined.notes
    if surplus:
        said = f"the model does not read {listed(map(repr, surplus))}, which plays no part: it reads {listed(known)}."
        warnings.warn(f"{_SOURCE}: {said}", stacklevel=2)
        notes += (f"{said[0].upper()}{said[1:]}",)
    return replace(joined, blocks=blocks, notes=notes), first


def _read_block(
    name: str, x: Any, reading: Reading, fitted: Block | None
) -> tuple[Table, dict[str, tuple[str, ...]]]:
    x = as_pandas(x)
    options = replace(reading.options, covariates=True, genes=())
    taken = set(options.columns)
    known: Mapping[str, tuple[str, ...]] | None = None
    if fitted is not None:
        genes = tuple(fitted.bare(gene) for gene in reading.options.genes[fitted.columns])
        known = fitted.categories
        made = {category_column(key, value) for key, values in known.items() for value in values}
        options = replace(
            options, genes=tuple(g for g in genes if g not in made), columns=(*options.columns, *known)
        )
    elif isinstance(x, pd.DataFrame):
        named = [str(key) for key, kind in x.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
        options = replace(options, columns=(*options.columns, *named))
    table = _read(x, options)
    check_rows(name, table, fitted is not None, options.missing_blocks)
    check_not_text(table, options.genes, f"block {name!r} ({table.source})")
    found: dict[str, tuple[str, ...]] = {}
    if not is_anndata(x) and not _of_cells(table):
        table, found = with_categories(table, taken, known, keep_blank=options.missing_blocks == MASK)
    part = replace(reading, options=replace(options, genes=()), drop_unknown=True)
    table = _tidied(table, x, part)
    check_names(table.names, table.ids, table.source)
    if fitted is None:
        # A panel reads single genes of blocks that were larger where it was chosen.
        if not reading.options.genes:
            check_block(name, table, table.x.shape[1])
        return table, found
    return _aligned(table, genes, name), dict(fitted.categories)


def _of_cells(table: Table) -> bool:
    """Whether the source annotates samples at length, as h5ad and loom do: their texts are no covariates."""
    return table.source.lower().endswith((".h5ad", ".loom", ".h5mu"))


def _aligned(table: Table, genes: tuple[str, ...], name: str) -> Table:
    """The columns of a block as the model reads them, or as they are where it lacks some: that is seen to later."""
    known = set(table.feature_names or ()).intersection(genes)
    if 0 < len(known) < len(genes):
        return table
    dataset = Dataset(
        x=table.x,
        feature_names=table.names,
        sample_ids=table.ids,
        source=f"block {name!r} ({table.source})",
        names_given=table.feature_names is not None,
        notes=table.notes,
    )
    found = align_features(dataset, genes)
    return replace(table, x=found.x, feature_names=found.feature_names, notes=found.notes)


def _check_dropped(reading: Reading, tables: Mapping[str, Table]) -> None:
    there = {name for table in tables.values() for name in (*table.dropped, *table.annotations)}
    unknown = [name for name in reading.options.drop if name not in there]
    if unknown and not reading.drop_unknown:
        raise DataError(
            f"no block has a column {listed(map(repr, unknown), 5)} to leave out; drop_columns takes names as the tables have them."
        )


def _read(x: Any, options: ReadOptions) -> Table:
    return read_table(x, options) if isinstance(x, str | os.PathLike) else table_from_memory(x, options)


def _tidied(table: Table, x: Any, reading: Reading) -> Table:
    options = reading.options
    check_size(table.x, table.source)
    ids = None if table.sample_ids is None else stripped(table.sample_ids)
    table = dataclasses.replace(table, sample_ids=ids, sample_column=options.sample_column)
    table = without_columns(table, options.drop, reading.drop_unknown or isinstance(x, Dataset))
    table = tidy_genes(table, reading.duplicates, ignore_versions=reading.ignore_versions)
    table = only_genes(table, options.genes)
    check_shape(table.x, table.names, table.ids, table.source)
    if table.blocks and len(table.names) != table.blocks[-1].stop:
        table = replace(table, blocks=still_there(table.blocks, table.names))
    return table

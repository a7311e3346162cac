"""MuData, several omics of the same samples (Bredikhin et al. 2022): one modality, or all joined as blocks."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from genokeras.data.block import SEPARATOR, check_block_names
from genokeras.data.blocks import absent_table, check_lost, join_tables
from genokeras.data.readers.anndata import table_from_anndata
from genokeras.data.table import ReadOptions, Table
from genokeras.errors import DataError, DataFileError, GenoKerasError, ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.extras import needs
from genokeras.support.wording import cause


def is_mudata(value: object) -> bool:
    """Return whether `value` is a MuData, without importing mudata."""
    module = sys.modules.get("mudata")
    return module is not None and isinstance(value, module.MuData)


def read_h5mu(path: Path, options: ReadOptions) -> Table:
    """Read an h5mu file; anndata reads its parts, so mudata need not be installed.

    Raises
    ------
    DataFileError
        Where it is damaged, or anndata is not installed.
    ParameterError
        Where there is no such modality.
    """
    try:
        read_elem = importlib.import_module("anndata.io").read_elem
    except ImportError as error:
        raise DataFileError(f"{path.name}: {needs('reading h5mu', 'anndata', 'single-cell')}.") from error
    try:
        with h5py.File(path, "r") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            order = [str(name) for name in file["mod"].attrs.get("mod-order", ())]
            known = order if sorted(order) == sorted(file["mod"]) else list(file["mod"])
            chosen = _chosen(known, options, path.name)
            modalities = {name: read_elem(file["mod"][name]) for name in chosen}
            obs = read_elem(file["obs"]) if "obs" in file else None
    except (GenoKerasError, MemoryError):
        raise
    except Exception as error:  # anndata and h5py raise a different type for every kind of damage
        raise DataFileError(
            f"{path.name} is truncated, damaged or no MuData file ({cause(error)}): write or copy it again."
        ) from error
    return _table(modalities, obs, options, path.name)


def table_from_mudata(data: Any, options: ReadOptions) -> Table:
    """Take one modality of a MuData, or all joined as blocks."""
    chosen = _chosen(list(data.mod), options, "MuData")
    return _table({name: data.mod[name] for name in chosen}, data.obs, options, "MuData")


def _chosen(known: list[str], options: ReadOptions, source: str) -> list[str]:
    if options.transposed:
        raise ParameterError("transposed=True is for plain tables; a MuData always holds cells in rows.")
    if options.modality is None:
        return known
    check_choice(options.modality, f"modality (of {source})", known)
    return [options.modality]


def _table(
    modalities: Mapping[str, Any], obs: pd.DataFrame | None, options: ReadOptions, source: str
) -> Table:
    """Join modalities by sample id; genes are called ``rna:TP53`` where there are several."""
    plain = replace(options, modality=None)
    tables = {name: table_from_anndata(data, plain, f"{source}/{name}") for name, data in modalities.items()}
    if not tables:
        raise DataError(f"{source} holds no modality.")
    tables = _blocks_of_model(tables, options)
    if len(tables) == 1:
        table = replace(next(iter(tables.values())), source=source)
        return replace(table, annotations={**table.annotations, **_common(obs, table.ids)})
    check_block_names(tables)
    joined = join_tables(tables, source, options.missing_blocks, fitted=bool(options.genes))
    return replace(joined, annotations={**joined.annotations, **_common(obs, joined.ids)})


def _blocks_of_model(tables: dict[str, Table], options: ReadOptions) -> dict[str, Table]:
    """The blocks that a model reads, those that none of the modalities holds among them; all where no model asks."""
    wanted: dict[str, list[str]] = {}
    for gene in options.genes:
        block, separator, bare = gene.partition(SEPARATOR)
        if separator:
            wanted.setdefault(block, []).append(bare)
    if not set(wanted) & set(tables):
        return tables
    lost = [name for name in wanted if name not in tables]
    check_lost(lost, tables, list(wanted), options.missing_blocks)
    first = next(iter(tables.values()))
    return {name: tables.get(name) or absent_table(tuple(genes), first) for name, genes in wanted.items()}


def _common(obs: pd.DataFrame | None, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """What the MuData itself says about its samples."""
    if obs is None or not obs.index.is_unique:
        return {}
    common = obs.set_axis(obs.index.astype(str)).reindex(list(ids))
    return {str(key): np.asarray(common[key]) for key in common.columns}

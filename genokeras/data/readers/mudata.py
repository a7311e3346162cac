"""MuData, several omics of the same samples (Bredikhin et al. 2022): one modality, or all side by side."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data.readers.anndata import table_from_anndata
from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import DataError, DataFileError, GenoKerasError, ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.wording import cause, listed


def is_mudata(value: object) -> bool:
    """Return whether `value` is a MuData, without importing mudata."""
    module = sys.modules.get("mudata")
    return module is not None and isinstance(value, module.MuData)


def read_h5mu(path: Path, options: ReadOptions) -> Table:
    """Read an h5mu file; anndata reads its parts, so mudata need not be installed.

    Raises
    ------
    DataFileError
        Where it is damaged.
    ParameterError
        Where there is no such modality.
    """
    try:
        read_elem = importlib.import_module("anndata.io").read_elem
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
    """Take one modality of a MuData, or all side by side."""
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
    """Join modalities on the samples that all of them have; genes are called ``rna:TP53`` where there are several."""
    plain = replace(options, modality=None)
    tables = {name: table_from_anndata(data, plain, f"{source}/{name}") for name, data in modalities.items()}
    if not tables:
        raise DataError(f"{source} holds no modality.")
    others = [set(table.ids) for table in tables.values()]
    ids = [name for name in next(iter(tables.values())).ids if all(name in other for other in others)]
    if not ids:
        raise DataError(
            f"{source}: no sample is in all of {listed(tables)}. Pass modality= to read one of them."
        )
    rows = {name: _rows(table, ids) for name, table in tables.items()}
    blocks = [_dense_or_sparse(table.x[rows[name]]) for name, table in tables.items()]
    several = len(tables) > 1
    names = tuple(
        f"{name}:{gene}" if several else gene for name, table in tables.items() for gene in table.names
    )
    return Table(
        x=_beside(blocks),
        feature_names=names,
        sample_ids=tuple(ids),
        source=source,
        annotations=_annotations(tables, rows, obs, ids),
        notes=_notes(tables, ids) if several else (),
    )


def _rows(table: Table, ids: list[str]) -> list[int]:
    position = {name: i for i, name in enumerate(table.ids)}
    return [position[name] for name in ids]


def _annotations(
    tables: Mapping[str, Table], rows: Mapping[str, list[int]], obs: pd.DataFrame | None, ids: list[str]
) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for name, table in tables.items():
        for key, values in table.annotations.items():
            found[f"{name}:{key}"] = values[rows[name]]
            found.setdefault(key, values[rows[name]])
    if obs is not None and obs.index.is_unique:
        common = obs.set_axis(obs.index.astype(str)).reindex(ids)
        found |= {str(key): np.asarray(common[key]) for key in common.columns}
    return found


def _notes(tables: Mapping[str, Table], ids: list[str]) -> tuple[str, ...]:
    sizes = listed(f"{name} ({table.x.shape[1]})" for name, table in tables.items())
    notes: tuple[str, ...] = (f"Modalities were put side by side: {sizes}. modality= reads one of them.",)
    lost = max(len(table.ids) for table in tables.values()) - len(ids)
    if lost:
        notes += (f"{len(ids)} samples are in all modalities; up to {lost} that lack one were left out.",)
    return notes


def _dense_or_sparse(block: Any) -> Any:
    return to_csr(block) if sparse.issparse(block) else to_float32(block)


def _beside(blocks: list[Any]) -> Any:
    if len(blocks) == 1:
        return blocks[0]
    if any(sparse.issparse(block) for block in blocks):
        return to_csr(sparse.hstack([sparse.csr_matrix(block) for block in blocks], format="csr"))
    return to_float32(np.hstack(blocks))

"""AnnData, from memory and from h5ad files (Virshup et al. 2021); anndata is needed only for the files."""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import DataError, DataFileError, ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.extras import needs
from genokeras.support.wording import cause, listed


def read_h5ad(path: Path, options: ReadOptions) -> Table:
    """Read ``X``, ``obs`` and the names of an h5ad file; ``options.layer`` names a layer, or ``raw``.

    Raises
    ------
    DataFileError
        Where anndata is not installed, or the file is truncated or no h5ad.
    """
    try:
        anndata = importlib.import_module("anndata")
    except ImportError as error:
        raise DataFileError(f"{path.name}: {needs('reading h5ad', 'anndata', 'single-cell')}.") from error
    try:
        with warnings.catch_warnings():
            # files of old anndata versions warn once per element, and there is nothing the reader can do
            # about it
            warnings.simplefilter("ignore")
            data = anndata.read_h5ad(path)
    except MemoryError:
        raise
    except Exception as error:  # anndata and h5py raise a different type for every kind of damage
        raise DataFileError(
            f"{path.name} is truncated, damaged or no h5ad file ({cause(error)}): write or copy it again."
        ) from error
    return table_from_anndata(data, options, path.name)


def is_anndata(value: object) -> bool:
    """Return whether `value` is an AnnData, without importing anndata."""
    module = sys.modules.get("anndata")
    return module is not None and isinstance(value, module.AnnData)


def table_from_anndata(data: Any, options: ReadOptions, source: str = "AnnData") -> Table:
    """Take ``X``, a layer or ``raw``, ``obs`` and the names of an AnnData; sparse stays sparse.

    Raises
    ------
    DataError
        Where there is no ``X``.
    ParameterError
        Where there is no such layer.
    """
    if options.transposed:
        raise ParameterError("transposed=True is for plain tables; an AnnData always holds cells in rows.")
    if data.isbacked:
        data = data.to_memory()
    values, names, notes = _matrix(data, options.layer, source)
    x = to_csr(values) if sparse.issparse(values) else _dense(values, source)
    obs = data.obs
    return Table(
        x=x,
        feature_names=tuple(map(str, names)),
        sample_ids=tuple(map(str, data.obs_names)),
        source=source,
        annotations={str(key): np.asarray(obs[key]) for key in obs.columns},
        notes=notes,
    )


def _matrix(data: Any, layer: str | None, source: str) -> tuple[Any, Any, tuple[str, ...]]:
    """Return the values, the names of their genes, and a note that tells of the other matrices."""
    known = [*data.layers, *(["raw"] if data.raw is not None else []), *(["X"] if data.X is not None else [])]
    if layer is None and data.X is None:
        others = f" It has {listed(map(repr, known))}: pass layer={known[0]!r}." if known else ""
        raise DataError(f"{source} has no X, which holds the values to learn from.{others}")
    if layer is not None:
        check_choice(layer, f"layer (of {source})", known)
    if layer == "raw" and "raw" not in data.layers:
        return data.raw.X, data.raw.var_names, ()
    if layer is not None and layer != "X":
        return data.layers[layer], data.var_names, ()
    more = [name for name in known if name != "X"]
    note = f"The values are X; layer= takes {listed(map(repr, more), 6)} instead."
    return data.X, data.var_names, (note,) if more else ()


def _dense(values: Any, source: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{source}: X must hold numbers: got dtype {array.dtype}.")
    return to_float32(array)

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
from genokeras.support.wording import cause


def read_h5ad(path: Path, options: ReadOptions) -> Table:
    """Read ``X``, ``obs`` and the names of an h5ad file; ``raw`` and ``layers`` are ignored.

    Raises
    ------
    DataFileError
        Where anndata is not installed, or the file is truncated or no h5ad.
    """
    try:
        anndata = importlib.import_module("anndata")
    except ImportError as error:
        raise DataFileError(f"{path.name}: reading h5ad needs anndata: pip install anndata.") from error
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
    """Take ``X``, ``obs`` and the names of an AnnData; sparse stays sparse.

    Raises
    ------
    DataError
        Where there is no ``X``.
    """
    if options.transposed:
        raise ParameterError("transposed=True is for plain tables; an AnnData always holds cells in rows.")
    if data.isbacked:
        data = data.to_memory()
    if data.X is None:
        raise DataError(
            f"{source} has no X: put the values to learn from there, such as adata.X = "
            "adata.layers['counts']."
        )
    x = to_csr(data.X) if sparse.issparse(data.X) else _dense(data.X, source)
    obs = data.obs
    return Table(
        x=x,
        feature_names=tuple(map(str, data.var_names)),
        sample_ids=tuple(map(str, data.obs_names)),
        source=source,
        annotations={str(key): np.asarray(obs[key]) for key in obs.columns},
    )


def _dense(values: Any, source: str) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{source}: X must hold numbers: got dtype {array.dtype}.")
    return to_float32(array)

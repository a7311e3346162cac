"""AnnData, from memory, backed by a file, and from h5ad files (Virshup et al. 2021); anndata is needed only for the files."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from genokeras.data.dataset import Matrix
from genokeras.data.dropping import surplus_genes, surplus_note
from genokeras.data.readers.backed import is_backed, read_backed
from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import DataError, DataFileError, GenoKerasError, ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.extras import needs
from genokeras.support.wording import cause, listed

# Values, and the names of their genes, by the name of the layer.
_Matrices = Mapping[str, Callable[[], tuple[Any, Any]]]


def read_h5ad(path: Path, options: ReadOptions) -> Table:
    """Read one matrix, ``obs`` and the names of an h5ad file; ``options.layer`` names a layer, or ``raw``. Nothing else is read.

    Raises
    ------
    DataFileError
        Where anndata is not installed, or the file is truncated or no h5ad.
    """
    anndata = _anndata(path)
    with _damage_told(path):
        with h5py.File(path, "r") as file:
            if _is_current(file):
                return _table_from_file(file, options, path.name, anndata.io.read_elem)
        data = anndata.read_h5ad(path)
    return table_from_anndata(data, options, path.name)


def load_h5ad(path: Path) -> Any:
    """The whole AnnData of an h5ad file, in memory.

    Raises
    ------
    DataFileError
        As `read_h5ad`.
    """
    anndata = _anndata(path)
    with _damage_told(path):
        return anndata.read_h5ad(path)


def _anndata(path: Path) -> Any:
    try:
        return importlib.import_module("anndata")
    except ImportError as error:
        raise DataFileError(f"{path.name}: {needs('reading h5ad', 'anndata', 'single-cell')}.") from error


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # files of old anndata versions warn once per element, and there is nothing the reader can do
            # about it
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, GenoKerasError):
        raise
    except Exception as error:  # anndata and h5py raise a different type for every kind of damage
        raise DataFileError(
            f"{path.name} is truncated, damaged or no h5ad file ({cause(error)}): write or copy it again."
        ) from error


def is_anndata(value: object) -> bool:
    """Return whether `value` is an AnnData, without importing anndata."""
    module = sys.modules.get("anndata")
    return module is not None and isinstance(value, module.AnnData)


def table_from_anndata(data: Any, options: ReadOptions, source: str = "AnnData") -> Table:
    """Take ``X``, a layer or ``raw``, ``obs`` and the names of an AnnData; sparse stays sparse, and of a file nothing else is read.

    Raises
    ------
    DataError
        Where there is no ``X``.
    ParameterError
        Where there is no such layer.
    """

    def of_layer(name: str) -> tuple[Any, Any]:
        return data.layers[name], data.var_names

    matrices: dict[str, Callable[[], tuple[Any, Any]]] = {
        name: partial(of_layer, name) for name in data.layers
    }
    if data.raw is not None and "raw" not in matrices:
        matrices["raw"] = lambda: (data.raw.X, data.raw.var_names)
    if data.X is not None:
        matrices["X"] = lambda: (data.X, data.var_names)
    return _table(matrices, data.obs, options, source)


def _table_from_file(file: h5py.File, options: ReadOptions, source: str, read: Callable[[Any], Any]) -> Table:
    def names(node: h5py.Group) -> Any:
        return read(node[node.attrs["_index"]])

    def of_layer(name: str) -> tuple[Any, Any]:
        return file["layers"][name], names(file["var"])

    matrices: dict[str, Callable[[], tuple[Any, Any]]] = {
        name: partial(of_layer, name) for name in file.get("layers", ())
    }
    if "raw" in file and "raw" not in matrices:
        matrices["raw"] = lambda: (file["raw/X"], names(file["raw/var"]))
    if "X" in file and file["X"].attrs.get("encoding-type") != "null":
        matrices["X"] = lambda: (file["X"], names(file["var"]))
    return _table(matrices, read(file["obs"]), options, source)


def _is_current(file: h5py.File) -> bool:
    """Whether the parts that are read are written as anndata has done since version 0.8; others it reads itself."""
    tables = [file["obs"], file["var"], *([file["raw/var"]] if "raw" in file else [])]
    return all(
        isinstance(part, h5py.Group) and part.attrs.get("encoding-type") == "dataframe" for part in tables
    )


def _table(matrices: _Matrices, obs: pd.DataFrame, options: ReadOptions, source: str) -> Table:
    if options.transposed:
        raise ParameterError("transposed=True is for plain tables; an AnnData always holds cells in rows.")
    values, names, notes = _chosen(matrices, options.layer, source)
    genes = tuple(map(str, names))
    surplus = surplus_genes(genes, options.genes)
    columns = None
    if surplus:
        columns = np.setdiff1d(np.arange(len(genes)), surplus)
        notes = (*notes, surplus_note([genes[i] for i in surplus]))
        genes = tuple(genes[i] for i in columns.tolist())
    return Table(
        x=_read(values, columns, source),
        feature_names=genes,
        sample_ids=tuple(map(str, obs.index)),
        source=source,
        annotations={str(key): np.asarray(obs[key]) for key in obs.columns},
        notes=notes,
    )


def _chosen(matrices: _Matrices, layer: str | None, source: str) -> tuple[Any, Any, tuple[str, ...]]:
    """Return the values, the names of their genes, and a note that tells of the other matrices."""
    known = list(matrices)
    if layer is None and "X" not in known:
        others = f" It has {listed(map(repr, known))}: pass layer={known[0]!r}." if known else ""
        raise DataError(f"{source} has no X, which holds the values to learn from.{others}")
    if layer is not None:
        check_choice(layer, f"layer (of {source})", known)
        return *matrices[layer](), ()
    more = [name for name in known if name != "X"]
    note = f"The values are X; layer= takes {listed(map(repr, more), 6)} instead."
    return *matrices["X"](), (note,) if more else ()


def _read(values: Any, columns: np.ndarray | None, source: str) -> Matrix:
    if is_backed(values) or isinstance(values, h5py.Group):
        return read_backed(values, columns, source)
    if sparse.issparse(values):
        matrix: Any = to_csr(values)
        return matrix if columns is None else matrix[:, columns]
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{source}: X must hold numbers: got dtype {array.dtype}.")
    return to_float32(array if columns is None else array[:, columns])

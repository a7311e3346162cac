"""Small HDF5 files of each kind that is read, written without the libraries that usually write them."""

from __future__ import annotations

import io
from collections.abc import Callable

import h5py
import numpy as np

_CELLS, _GENES = ["c1", "c2", "c3"], ["TP53", "MYC"]
_X = np.array([[1.5, 0], [0, 2], [3, 0]], dtype="float32")
_SPARSE = {"data": _X[_X > 0], "indices": np.array([0, 1, 0]), "indptr": np.array([0, 1, 2, 3])}


def hdf5_files() -> dict[str, bytes]:
    """Contents by suffix."""
    writers: dict[str, Callable[[h5py.File], None]] = {
        "dense.h5ad": lambda file: _annotated(file, sparse=False),
        "sparse.h5ad": lambda file: _annotated(file, sparse=True),
        "cells.h5": _ten_x,
        "cells.loom": _loom,
        "omics.h5mu": _several,
    }
    return {name: _written(write) for name, write in writers.items()}


def _written(write: Callable[[h5py.File], None]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return content.getvalue()


def _annotated(group: h5py.Group, *, sparse: bool) -> None:
    _typed(group, "anndata", "0.1.0")
    if sparse:
        x = group.create_group("X")
        _typed(x, "csr_matrix", "0.1.0")
        x.attrs["shape"] = _X.shape
        for name, values in _SPARSE.items():
            x[name] = values
    else:
        _array(group, "X", _X)
    _frame(group, "obs", _CELLS, {"age": np.array([40, 50, 60])})
    _frame(group, "var", _GENES, {})


def _frame(group: h5py.Group, name: str, index: list[str], columns: dict[str, np.ndarray]) -> None:
    frame = group.create_group(name)
    _typed(frame, "dataframe", "0.2.0")
    frame.attrs["_index"] = "_index"
    frame.attrs["column-order"] = np.array(list(columns), dtype=h5py.string_dtype())
    for key, values in {"_index": index, **columns}.items():
        _array(frame, key, values)


def _array(group: h5py.Group, name: str, values: object) -> None:
    group[name] = values
    _typed(group[name], "string-array" if isinstance(values, list) else "array", "0.2.0")


def _typed(item: h5py.Group | h5py.Dataset, kind: str, version: str) -> None:
    item.attrs.update({"encoding-type": kind, "encoding-version": version})


def _ten_x(file: h5py.File) -> None:
    matrix = file.create_group("matrix")
    for name, values in {**_SPARSE, "shape": np.array(_X.shape[::-1]), "barcodes": _CELLS}.items():
        matrix[name] = values
    for name, texts in {"id": ["E1", "E2"], "name": _GENES, "feature_type": ["Gene Expression"] * 2}.items():
        matrix[f"features/{name}"] = texts


def _loom(file: h5py.File) -> None:
    file.create_dataset("matrix", data=_X.T, compression="gzip")
    file["row_attrs/Gene"] = _GENES
    file["col_attrs/CellID"] = _CELLS
    file["col_attrs/age"] = np.array([40, 50, 60])
    file["layers/spliced"] = _X.T


def _several(file: h5py.File) -> None:
    _typed(file, "MuData", "0.1.0")
    modalities = file.create_group("mod")
    modalities.attrs["mod-order"] = ["rna", "protein"]
    for name in ("rna", "protein"):
        _annotated(modalities.create_group(name), sparse=name == "rna")
    _frame(file, "obs", _CELLS, {})

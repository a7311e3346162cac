"""Matrices that lie in an HDF5 file, read as far as they are used: the genes that are wanted, as float32, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from scipy import sparse

from genokeras.data.dataset import Matrix
from genokeras.data.table import to_csr, to_float32
from genokeras.errors import DataError

_BYTES_AT_ONCE = 64 * 2**20
_CSR, _CSC = "csr_matrix", "csc_matrix"


def is_backed(values: Any) -> bool:
    """Whether a matrix of an AnnData lies in a file: an HDF5 data set, or the sparse one that anndata makes of a group."""
    return isinstance(values, h5py.Dataset) or isinstance(getattr(values, "group", None), h5py.Group)


def read_backed(values: Any, columns: np.ndarray | None, source: str) -> Matrix:
    """Read a matrix of which :func:`is_backed` is true, or its data set or group itself.

    Parameters
    ----------
    values : h5py.Dataset, h5py.Group or anndata's sparse data set
    columns : numpy.ndarray or None
        Numbers of the genes that are wanted; all by default.
    source : str
        For messages.

    Returns
    -------
    ndarray or csr_matrix of float32, shape (n_samples, n_columns)

    Raises
    ------
    DataError
        Where it holds no numbers, or is no matrix.
    """
    node = values if isinstance(values, h5py.Dataset | h5py.Group) else values.group
    if isinstance(node, h5py.Dataset):
        return _dense(node, columns, source)
    kind = node.attrs.get("encoding-type", "")
    shape = tuple(int(size) for size in node.attrs.get("shape", ()))
    if kind not in (_CSR, _CSC) or len(shape) != 2:
        raise DataError(
            f"{source}: {node.name} is no matrix that can be read: its encoding is {kind or 'unknown'!r}."
        )
    parts = _sparse(node, kind, shape)
    chosen = [part if columns is None else part[:, columns] for part in parts]
    return chosen[0] if len(chosen) == 1 else sparse.vstack(chosen, format="csr")


def _dense(node: h5py.Dataset, columns: np.ndarray | None, source: str) -> np.ndarray:
    if node.dtype.kind not in "biuf":
        raise DataError(f"{source}: X must hold numbers: got dtype {node.dtype}.")
    if node.ndim != 2:
        raise DataError(f"{source}: {node.name} must have 2 dimensions, got {node.ndim}.")
    n, p = node.shape
    found = np.empty((n, p if columns is None else len(columns)), dtype="float32")
    for rows in _rows(n, p * node.dtype.itemsize):
        part = node[rows]
        found[rows] = to_float32(part if columns is None else part[:, columns])
    return found


def _sparse(node: h5py.Group, kind: str, shape: tuple[int, ...]) -> Iterator[sparse.csr_matrix]:
    """The rows in parts; all at once where they are stored by columns, or are few."""
    pointers = np.asarray(node["indptr"][()], dtype=np.int64)
    per_row = node["indices"].dtype.itemsize + node["data"].dtype.itemsize
    if kind == _CSC or len(pointers) != shape[0] + 1 or not len(pointers) > 1:
        form: Any = sparse.csc_matrix if kind == _CSC else sparse.csr_matrix
        values = (node["data"][()], node["indices"][()], pointers)
        yield to_csr(form(values, shape=shape))
        return
    for rows in _rows(shape[0], int(per_row * max(1, pointers[-1] // shape[0]))):
        held = pointers[rows.start : rows.stop + 1]
        between = slice(int(held[0]), int(held[-1]))
        values = (node["data"][between], node["indices"][between], held - held[0])
        yield to_csr(sparse.csr_matrix(values, shape=(rows.stop - rows.start, shape[1])))


def _rows(n: int, bytes_per_row: int) -> Iterator[slice]:
    step = max(1, _BYTES_AT_ONCE // max(1, bytes_per_row))
    for start in range(0, max(n, 1), step):
        yield slice(start, min(n, start + step))

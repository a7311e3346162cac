"""NumPy archives: ``X`` and, where there, ``y``, ``feature_names``, ``sample_ids`` and ``groups``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data.table import ReadOptions, Table, to_csr, to_float32
from genokeras.errors import DataError, DataFileError
from genokeras.support.files import DAMAGED, load_arrays
from genokeras.support.wording import did_you_mean

_SPARSE_KEYS = frozenset({"indices", "indptr", "data", "shape"})
_OWN_KEYS = frozenset({"X", "x", "feature_names", "sample_ids"})


def read_npz(path: Path, options: ReadOptions) -> Table:
    """Read an archive; its ``y`` and ``groups`` are used where the caller gives none.

    Further one-dimensional arrays with one value per sample can be named as target. Nothing is unpickled.
    Archives of `scipy.sparse.save_npz` stay sparse.

    Raises
    ------
    DataFileError
        Where the archive is truncated, no npz, holds pickled objects or no ``X``.
    """
    arrays = _arrays(path)
    if arrays.keys() >= _SPARSE_KEYS and "X" not in arrays:
        return _sparse_table(path, arrays, options)
    x = arrays.get("X", arrays.get("x"))
    if x is None:
        found = ", ".join(sorted(arrays)) or "nothing"
        hint = did_you_mean("X", sorted(arrays))
        raise DataFileError(f"{path.name} has no array 'X' (n_samples, n_features); it holds {found}.{hint}")
    if x.dtype.kind not in "biuf":
        raise DataError(f"{path.name}: X must hold numbers: got dtype {x.dtype}.")
    if options.transposed:
        x = x.T
    n = x.shape[0] if x.ndim else 0
    others = {name: values for name, values in arrays.items() if name not in _OWN_KEYS}
    return Table(
        x=to_float32(x),
        feature_names=_texts(arrays.get("feature_names")),
        sample_ids=_texts(arrays.get("sample_ids")),
        source=path.name,
        annotations={
            name: values for name, values in others.items() if values.ndim == 1 and len(values) == n
        },
        y=arrays.get("y"),
        groups=arrays.get("groups"),
    )


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        return load_arrays(path)
    except (OSError, *DAMAGED) as error:
        if "allow_pickle" in str(error) and zipfile.is_zipfile(path):
            raise DataFileError(
                f"{path.name} holds pickled Python objects, which are not loaded because they could run "
                "code: "
                "save names and labels as text arrays, np.asarray(names, dtype=str)."
            ) from error
        why = "" if "allow_pickle" in str(error) else f" ({error})"
        raise DataFileError(
            f"{path.name} is truncated, damaged or no npz archive{why}: write it with np.savez, or copy it again."
        ) from error


def _texts(values: np.ndarray | None) -> tuple[str, ...] | None:
    if values is None:
        return None
    flat = np.ravel(values)
    return tuple(
        np.char.decode(flat, "utf-8", "replace").tolist()
        if flat.dtype.kind == "S"
        else flat.astype(str).tolist()
    )


def _sparse_table(path: Path, arrays: Mapping[str, np.ndarray], options: ReadOptions) -> Table:
    try:
        matrix: Any = sparse.load_npz(path)
    except (ValueError, NotImplementedError, TypeError) as error:
        raise DataFileError(f"{path.name} is no sparse matrix that scipy can read ({error}).") from error
    x = to_csr(matrix.T if options.transposed else matrix)
    return Table(x, _texts(arrays.get("feature_names")), _texts(arrays.get("sample_ids")), path.name)

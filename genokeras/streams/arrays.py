"""Arrays in lists and dicts, as Keras models of several inputs take them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from genokeras.errors import DataError


def plain_arrays(data: Any) -> Any:
    """The same structure with NumPy arrays (sparse matrices stay) in place of tensors and tables."""
    return keras.tree.map_structure(_plain, _without_tables(data))


def own_tensors(data: Any) -> Any:
    """The same structure: tensors of Keras' backend stay as they are, all else becomes dense NumPy arrays."""
    return keras.tree.map_structure(
        lambda leaf: leaf if keras.ops.is_tensor(leaf) else _dense(_plain(leaf)), _without_tables(data)
    )


def dense_arrays(data: Any) -> Any:
    """The same structure with sparse matrices made dense."""
    return keras.tree.map_structure(_dense, data)


def take_rows(data: Any, rows: np.ndarray | slice) -> Any:
    """The same structure with these rows; sparse ones become dense."""
    return keras.tree.map_structure(lambda leaf: _dense(leaf[rows]), data)


def as_numpy(leaf: Any) -> np.ndarray:
    """One array, tensor of any backend, or sequence of numbers as a NumPy array."""
    if keras.ops.is_tensor(leaf):  # PyTorch's may take part in a gradient, which Keras detaches it from
        return np.asarray(keras.ops.convert_to_numpy(leaf))
    # A tensor of a backend that Keras does not run on: TensorFlow's and PyTorch's have a method `numpy`.
    return np.asarray(leaf.numpy() if hasattr(leaf, "numpy") else leaf)


def is_text(leaf: Any) -> bool:
    """Whether an array holds text."""
    if not isinstance(leaf, np.ndarray):
        return False
    return leaf.dtype.kind in "US" or (
        leaf.dtype == object and leaf.size > 0 and isinstance(leaf.flat[0], str)
    )


def check_rows(x: Any, y: Any = None, sample_weight: Any = None) -> int:
    """Count the rows of all arrays in `x`, `y` and `sample_weight`.

    Parameters
    ----------
    x, y, sample_weight : array, or list or dict of arrays, of shape (n_samples, ...)
        None where there is none.

    Returns
    -------
    int
        n_samples.

    Raises
    ------
    DataError
        If there are no rows, or the arrays have different numbers of them.
    """
    counts: dict[str, list[int]] = {}
    for name, data in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        leaves = [] if data is None else keras.tree.flatten(data)
        if any(len(leaf.shape) == 0 for leaf in leaves):
            raise DataError(
                f"{name} must hold arrays with one row per sample, but one of them is a single value."
            )
        if leaves:
            counts[name] = [leaf.shape[0] for leaf in leaves]
    if "x" not in counts or 0 in counts["x"]:
        raise DataError("x holds no samples: there is nothing to train on.")
    if len({count for found in counts.values() for count in found}) > 1:
        found = "; ".join(f"{name}: {', '.join(map(str, rows))}" for name, rows in counts.items())
        names = " and ".join(", ".join(counts).rsplit(", ", 1))
        raise DataError(f"every array of {names} must have the same number of rows, got {found}.")
    return counts["x"][0]


def _dense(array: Any) -> np.ndarray:
    return array.toarray() if hasattr(array, "toarray") else array


def _plain(leaf: Any) -> Any:
    return leaf.tocsr() if hasattr(leaf, "toarray") else as_numpy(leaf)


def _without_tables(data: Any) -> Any:
    """Tables of pandas as arrays, before a dict-like one is taken for a structure; lists of numbers as one array."""
    if hasattr(data, "to_numpy"):
        return data.to_numpy()
    if isinstance(data, dict):
        return {key: _without_tables(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        if any(hasattr(item, "shape") or isinstance(item, dict) for item in data):
            return type(data)(_without_tables(item) for item in data)
        return np.asarray(data)
    return data

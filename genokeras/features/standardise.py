"""Column statistics and standardised blocks of a matrix that is never copied whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse

Matrix = np.ndarray | sparse.csr_matrix
_BLOCK_BYTES = 16 * 2**20
_FIRST_ROWS = 256
# A column whose spread is below this share of its size carries rounding noise only.
_RELATIVE_SPREAD = 1e-6


@dataclass(frozen=True)
class Standardisation:
    """Mean and inverse standard deviation of each feature, over the training rows.

    Attributes
    ----------
    mean : numpy.ndarray
        ``(n_features,)`` float64, rounded to what float32 can hold: an exported network then takes off the very same.
    inverse_sd : numpy.ndarray
        ``(n_features,)`` float64; 0 for a constant feature, which therefore gets no weight.
    """

    mean: np.ndarray
    inverse_sd: np.ndarray

    def take(self, columns: np.ndarray) -> Standardisation:
        return Standardisation(self.mean[columns], self.inverse_sd[columns])


def standardisation(x: Matrix) -> Standardisation:
    """Statistics of all the columns of ``x`` ``(n_samples, n_features)``, dense or sparse, in float64."""
    mean, variance = _sparse_moments(x) if isinstance(x, sparse.csr_matrix) else _dense_moments(x)
    sd = np.sqrt(variance)
    constant = sd <= _RELATIVE_SPREAD * np.abs(mean)
    inverse = np.divide(1.0, sd, out=np.zeros_like(sd), where=~constant & (sd > 0))
    return Standardisation(mean.astype("float32").astype("float64"), inverse)


def _dense_moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, variance = np.empty(x.shape[1]), np.empty(x.shape[1])
    for columns, block in column_blocks(x):
        mean[columns] = block.mean(axis=0)
        variance[columns] = block.var(axis=0)
    return mean, variance


def _sparse_moments(x: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Of the stored values and the zeros beside them, some rows at a time."""
    if not x.has_canonical_format:
        x = x.copy()
        x.sum_duplicates()
    n, p = x.shape
    total, squares, counts = np.zeros(p), np.zeros(p), np.zeros(p)
    for columns, values in _stored(x):
        total += np.bincount(columns, values, minlength=p)
        counts += np.bincount(columns, minlength=p)
    mean = total / n
    for columns, values in _stored(x):
        squares += np.bincount(columns, (values - mean[columns]) ** 2, minlength=p)
    return mean, (squares + (n - counts) * mean**2) / n


def _stored(x: sparse.csr_matrix) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Column numbers and float64 values that are stored, about 16 MiB at a time."""
    step = _BLOCK_BYTES // 8
    for start in range(0, x.nnz, step):
        yield x.indices[start : start + step], x.data[start : start + step].astype("float64")


def varies(x: Matrix) -> bool:
    """Whether any column has more than one value; it looks no further than the first rows or columns that show it."""
    if isinstance(x, sparse.csr_matrix):
        first = x[:_FIRST_ROWS]
        return bool(
            (standardisation(first).inverse_sd > 0).any() or (standardisation(x).inverse_sd > 0).any()
        )
    return any((standardisation(block).inverse_sd > 0).any() for _, block in column_blocks(x))


def column_blocks(x: Matrix, columns: np.ndarray | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """``(column numbers, dense float64 block of these columns)``, about 16 MiB at a time."""
    everything = np.arange(x.shape[1]) if columns is None else np.asarray(columns)
    # A float64 copy in any case, so that callers may work in place: picking columns by number copies.
    width = max(1, _BLOCK_BYTES // (8 * max(1, x.shape[0])))
    by_column = x.tocsc() if sparse.issparse(x) else x
    for start in range(0, len(everything), width):
        part = everything[start : start + width]
        block = by_column[:, part]
        yield part, np.asarray(block.todense() if sparse.issparse(block) else block, dtype="float64")


def standardised_blocks(
    x: Matrix, scaling: Standardisation, columns: np.ndarray | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As :func:`column_blocks`, standardised by ``scaling`` (which covers all the columns of ``x``)."""
    for part, block in column_blocks(x, columns):
        block -= scaling.mean[part]
        block *= scaling.inverse_sd[part]
        yield part, block

"""What a matrix must be before anything learns from it, and how gaps are filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from genokeras.data.dataset import Matrix
from genokeras.errors import DataError
from genokeras.support.wording import counted, duplicates, listed
from genokeras.visible import is_number

_BLOCK = 4096
# Names for more genes than these take a second to make up.
_MANY_GENES, _MOST_PER_VALUE = 1_000_000, 10
# Squares of what is a thousand times as large are finite in 32 bits.
LARGEST = 1e15
FILL = "Pass missing='median' to fill each with its gene's median"
FILL_BEFORE_PREDICTING = (
    "The model was fitted with missing='error': fit with missing='median', or fill them in with "
    "gk.load_dataset(x, missing='median')"
)


def check_size(x: Matrix, source: str) -> None:
    """Raise where `x` is empty or not two-dimensional, or so large for what it holds that only damage explains it."""
    if x.ndim != 2:
        raise DataError(f"{source}: x must be 2-d (n_samples, n_features): got shape {x.shape}.")
    n, p = x.shape
    if n == 0 or p == 0:
        missing = "zero rows: 0 sample(s)" if n == 0 else "zero columns: 0 feature(s)"
        raise DataError(f"{source} has {missing} (shape=({n}, {p})) while a minimum of 1 is required.")
    if sparse.issparse(x) and p > max(_MANY_GENES, _MOST_PER_VALUE * x.nnz):
        raise DataError(
            f"{source} announces {p:,} genes and holds {counted(x.nnz, 'value')}: it is damaged. Write or copy it again."
        )


def check_shape(x: Matrix, names: Sequence[str], ids: Sequence[str], source: str) -> None:
    """Raise where names and ids do not fit `x`."""
    n, p = x.shape
    if len(names) != p:
        raise DataError(f"{source}: expected one name per gene, {p}, got {len(names)} feature names.")
    if len(ids) != n:
        raise DataError(f"{source}: expected one id per sample, {n}, got {len(ids)} sample ids.")


def check_names(names: Sequence[str], ids: Sequence[str], source: str) -> None:
    """Raise where a gene or a sample occurs twice, listing which."""
    twice = duplicates(names)
    if twice:
        numbers = all(is_number(name) for name in twice)
        hint = " They are numbers: has the file no header line, or are genes in rows?" if numbers else ""
        raise DataError(
            f"{source}: {counted(len(twice), 'gene name occurs', 'gene names occur')} more than once: "
            f"{listed(twice)}. Rename them, or load the data with duplicates='sum', 'mean', 'first' or 'unique' "
            f"(gk.load_dataset, --duplicates).{hint}"
        )
    repeated = duplicates(ids)
    if repeated:
        raise DataError(
            f"{source}: {counted(len(repeated), 'sample id occurs', 'sample ids occur')} more than once: "
            f"{listed(repeated)}. Give every sample an id of its own, and pass repeats of one donor as "
            "groups."
        )


def check_finite(
    x: Matrix, names: Sequence[str], ids: Sequence[str], source: str, advice: str | None = None
) -> None:
    """Raise where a value is infinite or too large to compute with; with `advice`, what to do, also where one is missing."""
    values = x.data if sparse.issparse(x) else x
    if np.isfinite(values).all() and is_moderate(values):
        return
    infinite = np.isinf(values)
    if infinite.any():
        cells = _cells(x, infinite, names, ids)
        raise DataError(
            f"{source}: {counted(int(infinite.sum()), 'infinite value')} (or too large for float32): "
            f"{cells}. "
            "Genes need finite numbers: was a logarithm of zero taken?"
        )
    if not is_moderate(values):
        large = np.abs(values) > LARGEST
        cells = _cells(x, large, names, ids)
        raise DataError(
            f"{source}: {counted(int(large.sum()), 'value is', 'values are')} beyond {LARGEST:g}: {cells}. Sums of such values "
            "overflow. Do they stand for missing ones? Leave them empty then and fit with missing='median', or drop these samples "
            "or genes."
        )
    lost = np.isnan(values)
    if advice is not None and lost.any():
        cells = _cells(x, lost, names, ids)
        raise DataError(
            f"{source}: {counted(int(lost.sum()), 'missing value')} (NaN): {cells}. "
            f"{advice}, or drop these samples or genes."
        )


def is_moderate(values: np.ndarray) -> bool:
    """Whether no value is so large that networks would overflow on it; missing and infinite ones are another matter."""
    finite = values[np.isfinite(values)] if not np.isfinite(values).all() else values
    return not finite.size or bool(finite.min() >= -LARGEST and finite.max() <= LARGEST)


def constant_note(x: Matrix, names: Sequence[str]) -> tuple[str, ...]:
    """Return a note that counts the genes with the same value in every sample, or nothing."""
    if x.shape[0] < 2:
        return ()
    if sparse.issparse(x):
        low, high = (np.asarray(extreme.toarray()).ravel() for extreme in (x.min(axis=0), x.max(axis=0)))
    else:
        low, high = np.fmin.reduce(x, axis=0), np.fmax.reduce(x, axis=0)
    constant = np.flatnonzero(~(high > low)).tolist()
    if not constant:
        return ()
    text = counted(
        len(constant),
        "constant gene carries no information and gets",
        "constant genes carry no information and get",
    )
    return (f"{text} no weight: {listed((names[i] for i in constant), 5)}.",)


def impute_median(x: Matrix, medians: np.ndarray | None = None) -> tuple[Matrix, np.ndarray]:
    """Fill missing values with their gene's median.

    Parameters
    ----------
    x : ndarray or csr_matrix, shape (n_samples, n_features)
        Not changed; returned as it is where nothing is missing.
    medians : ndarray of shape (n_features,), optional
        Those of the training rows, for rows seen later. Without it, the medians of `x` are taken; a gene
        with no value at all gets 0.

    Returns
    -------
    x : ndarray or csr_matrix
    medians : ndarray of float32, shape (n_features,)
    """
    if medians is None:
        medians = _medians(x)
    if medians.shape != (x.shape[1],):
        raise DataError(f"expected one median per gene, {x.shape[1]}, got shape {medians.shape}.")
    if sparse.issparse(x):
        lost = np.isnan(x.data)
        if lost.any():
            x = x.copy()
            x.data[lost] = medians[x.indices[lost]]
        return x, medians
    lost = np.isnan(x)
    return (np.where(lost, medians, x) if lost.any() else x), medians


def _medians(x: Matrix) -> np.ndarray:
    """Return each gene's median over the values that are there, block by block to spare memory."""
    columns: Any = x.tocsc() if sparse.issparse(x) else x
    medians = np.zeros(x.shape[1], dtype=np.float32)
    for start in range(0, x.shape[1], _BLOCK):
        block = columns[:, start : start + _BLOCK]
        dense: np.ndarray = block.toarray() if sparse.issparse(x) else block
        known = ~np.isnan(dense).all(axis=0)
        if known.any():
            medians[start : start + _BLOCK][known] = np.nanmedian(dense[:, known], axis=0)
    return medians


def _cells(x: Matrix, mask: np.ndarray, names: Sequence[str], ids: Sequence[str], limit: int = 4) -> str:
    """Return the first marked cells as ``sample 'S1', gene 'TP53'``."""
    if sparse.issparse(x):
        first = np.flatnonzero(mask)[:limit]
        places = np.stack([np.searchsorted(x.indptr, first, side="right") - 1, x.indices[first]], axis=1)
    else:
        places = np.stack(np.unravel_index(np.flatnonzero(mask)[:limit], mask.shape), axis=1)
    cells = [f"sample {ids[row]!r}, gene {names[column]!r}" for row, column in places.tolist()]
    more = int(mask.sum()) - len(cells)
    return "; ".join(cells) + (f"; and {more} more" if more else "")

"""Which rows train and which are held out for validation."""

from __future__ import annotations

import numpy as np

from genokeras.errors import DataError


def split_rows(
    y: np.ndarray | None, validation_split: float, *, shuffle: bool, seed: int, n_samples: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation, class by class.

    scikit-learn's stratified splitters refuse classes with one row and may leave a small class out of the
    smaller part. Here a class of two rows or more is on both sides, and one of a single row in training.

    Parameters
    ----------
    y : ndarray of shape (n_samples,), optional
        Class codes (integers) are kept in proportion; numbers (floats) and None are split as they come.
    validation_split : float
        The share of rows held out, above 0 and below 1; at least one row is.
    shuffle : bool
        Draw the rows held out at random; else they are the last ones (of each class).
    seed : int
        Same seed, same rows.
    n_samples : int, optional
        Needed where `y` is None.

    Returns
    -------
    train, validation : ndarray of int
        Positions, ascending, that together are every row once.

    Raises
    ------
    DataError
        Where there are fewer than two rows, or no class has two.
    """
    n = len(y) if y is not None else n_samples or 0
    if n < 2:
        raise DataError(f"expected at least 2 rows, one to train on and one to validate on: got {n}.")
    codes = y if y is not None and y.dtype.kind in "iu" else np.zeros(n, dtype=np.int64)
    rng = np.random.default_rng(seed)
    _, codes, counts = np.unique(codes, return_inverse=True, return_counts=True)
    if counts.max() < 2:
        raise DataError(
            f"no class has 2 rows or more ({n} rows): nothing could be both learnt and validated. Check that the "
            "labels are classes and not ids."
        )
    held_out = np.zeros(n, dtype=bool)
    for code, size in enumerate(_shares(counts, validation_split)):
        rows = np.flatnonzero(codes == code)
        held_out[(rng.permutation(rows) if shuffle else rows)[len(rows) - size :]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _shares(counts: np.ndarray, share: float) -> np.ndarray:
    """Return how many rows of each class are held out: proportional, rounded by the largest remainders."""
    least, most = np.where(counts > 1, 1, 0), counts - 1
    sizes = np.clip(np.floor(counts * share).astype(np.int64), least, most)
    spare = round(int(counts.sum()) * share) - int(sizes.sum())
    for code in np.argsort(-(counts * share - sizes), kind="stable"):
        if spare > 0 and sizes[code] < most[code]:
            sizes[code] += 1
            spare -= 1
    return sizes

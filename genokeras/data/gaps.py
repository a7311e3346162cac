"""Samples of which little or nothing was measured: filled in, they look like the usual sample, and their answers say nothing of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from scipy import sparse

from genokeras.data.block import Block
from genokeras.data.dataset import Dataset, Matrix
from genokeras.errors import DataError
from genokeras.support.wording import counted, listed

# Gaps of a new sample are far more than those of training where they are more than half of its values, and more than twice the largest share there.
_HALF, _TIMES = 0.5, 2.0
_NAMED = 5


def missing_shares(x: Matrix, blocks: Sequence[Block] = (), present: np.ndarray | None = None) -> np.ndarray:
    """Share of the values of each sample that are missing, of the blocks that it has.

    Parameters
    ----------
    x : ndarray or csr_matrix, shape (n_samples, n_features)
    blocks : sequence of Block
    present : ndarray of bool, shape (n_samples, n_blocks), optional
        Which samples have which block; what one lacks is NaN in `x`.

    Returns
    -------
    ndarray of shape (n_samples,)
        1 for a sample without any value.
    """
    lost, expected = missing_counts(x), np.full(x.shape[0], x.shape[1])
    if present is not None:
        lacked = ~present @ np.array([block.size for block in blocks])
        lost, expected = lost - lacked, expected - lacked
    return np.asarray(np.where(expected > 0, lost / np.maximum(expected, 1), 1.0))


def missing_counts(x: Matrix) -> np.ndarray:
    """``(n_samples,)`` missing values of each sample."""
    if sparse.issparse(x):
        rows = np.searchsorted(x.indptr, np.flatnonzero(np.isnan(x.data)), side="right") - 1
        return np.bincount(rows, minlength=x.shape[0])
    return np.asarray(np.isnan(x).sum(axis=1))


def check_measured(
    x: Matrix,
    ids: Sequence[str],
    source: str,
    blocks: Sequence[Block] = (),
    present: np.ndarray | None = None,
) -> None:
    """Raise ``DataError`` where nothing was measured of a sample, naming the first five."""
    nothing = np.flatnonzero(missing_shares(x, blocks, present) == 1.0)
    if len(nothing):
        raise DataError(
            f"{source}: {counted(len(nothing), 'sample has', 'samples have')} no value at all: "
            f"{listed((ids[row] for row in nothing.tolist()), _NAMED)}. Nothing was measured, so nothing can be learnt from or said of "
            f"{'it: leave this sample' if len(nothing) == 1 else 'them: leave these samples'} out."
        )


def warn_of_gaps(dataset: Dataset, most_missing: float) -> None:
    """Warn of new samples with far more missing values than any in training.

    That is, more than half of a sample's values, and more than twice the largest share of a training sample.

    Parameters
    ----------
    dataset : Dataset
        Nothing filled in yet.
    most_missing : float
        Largest share of the values of a training sample that were missing.
    """
    shares = missing_shares(dataset.x, dataset.blocks, dataset.present)
    rows = np.flatnonzero(shares > max(_HALF, _TIMES * most_missing))
    if len(rows):
        named = listed((f"{dataset.sample_ids[row]} ({shares[row]:.0%})" for row in rows), _NAMED)
        warnings.warn(
            f"{dataset.source}: {counted(len(rows), 'sample has', 'samples have')} far more missing values than any in training, "
            f"where at most {most_missing:.0%} of a sample were missing: {named}. What is filled in says nothing of a sample, so "
            "take these answers with care, or leave such samples out.",
            stacklevel=4,
        )

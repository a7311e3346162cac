"""Rows under weights: means and their errors, ties, and how often a bootstrap draws each row."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Codes = NDArray[np.int64]


def weighted_mean(values: Array, w: Array) -> Array:
    """Mean over the last axis."""
    return (values * w).sum(-1) / w.sum(-1)


def standard_error_of_mean(rows: Array, w: Array) -> float:
    """Standard error of a weighted mean, with Kish's effective number of rows; nan of a single row."""
    n_effective = w.sum() ** 2 / (w**2).sum()
    if n_effective <= 1.0:
        return float("nan")
    variance = weighted_mean((rows - weighted_mean(rows, w)) ** 2, w) * n_effective / (n_effective - 1)
    return float(np.sqrt(variance / n_effective))


def resample_counts(strata: ArrayLike, n_resamples: int, rng: np.random.Generator) -> Array:
    """How often bootstrap resamples draw each unit, every stratum keeping its size.

    Parameters
    ----------
    strata : array-like of shape (n_units,)
        Stratum of each unit.

    Returns
    -------
    ndarray of shape (n_resamples, n_units)
    """
    labels = np.asarray(strata)
    counts = np.zeros((n_resamples, len(labels)))
    for stratum in np.unique(labels):
        members = np.flatnonzero(labels == stratum)
        share = np.full(len(members), 1.0 / len(members))
        counts[:, members] = rng.multinomial(len(members), share, size=n_resamples)
    return counts


def tie_bounds(scores: Array) -> tuple[Codes, Codes]:
    """First and last position of the run of equal values that each sorted value is in."""
    n = scores.shape[-1]
    positions = np.broadcast_to(np.arange(n), scores.shape)
    change = scores[..., 1:] != scores[..., :-1]
    edge = np.ones((*scores.shape[:-1], 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, change], -1), positions, 0), axis=-1)
    ends = np.where(np.concatenate([change, edge], -1), positions, n - 1)
    last = np.minimum.accumulate(ends[..., ::-1], axis=-1)[..., ::-1]
    return first, last

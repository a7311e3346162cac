"""Which genes would be found again with other samples: those that go with the target in both halves of the samples, beyond chance.

=========  =====================================================================================  ==============
symbol     meaning                                                                                shape
=========  =====================================================================================  ==============
n, p, c    samples, genes, classes or targets
z          values of each gene (or logarithms of them), and their ranks: mean 0, variance 1      ``(n, p)`` each
y          a class against the rest, or a number; mean 0 and variance 1                           ``(n, c)``
a_b, o_b   the two halves of split b, classes evenly in both
r_h        mean over half h of z (y - mean of y in h)                                             ``(p, c)``
again      mean over the splits of r_a r_o: what a gene shows in one half times what it shows
           in the other, about 0 for genes that have nothing to do with the target; the larger
           of values and ranks                                                                    ``(p, c)``
limit      what the largest of all genes stays below in 19 of 20 shufflings of the samples        ``(c,)``
=========  =====================================================================================  ==============

Shuffled targets go the very same way, and the limit is that of all genes together (Westfall and Young 1993, Resampling-based multiple
testing, the single-step maxT of chapter 2), so that any list of genes can be judged by it, however it was chosen: of targets that have nothing to do with
the genes, one list in twenty holds a gene beyond the limit. Halves are disjoint, as Shah and Samworth 2013 (Variable selection with error control,
Journal of the Royal Statistical Society B 75: 55-80) draw them; folds share most samples, so that lists of noise agree between folds.
Genes of a co-expressed block each show what the block shows, whichever of them a model prefers. Values see what few samples of a class show
strongly, an amplification say; ranks what outliers would hide. A single outlier is in one half only, and shows nothing in the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from genokeras.data.block import Block
from genokeras.explain.scales import loggish

_SPLITS, _FEWEST_SPLITS = 20, 4
_SHUFFLINGS = 99
_BEYOND = 5  # the fifth largest of 99: as large or larger by chance 5 times in 100
_OPERATIONS = 1e11
_FEWEST = 8


def found_again(
    x: np.ndarray,
    targets: np.ndarray,
    groups: np.ndarray | None,
    rng: np.random.Generator,
    blocks: Sequence[Block] = (),
) -> tuple[np.ndarray, np.ndarray]:
    """How far each gene is found in both halves of the samples, and the limit of chance.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n, p)``.
    targets : numpy.ndarray
        ``(n, c)`` numbers, or 0 and 1 for classes.
    groups : numpy.ndarray or None
        ``(n,)`` samples of a group stay in one half. Where all groups have one target each, a group counts as one sample; else samples are
        compared and shuffled within their group.
    rng : numpy.random.Generator
    blocks : sequence of Block
        Columns of each assay, where several are joined: each is looked at by itself for whether it holds logarithms.

    Returns
    -------
    again : numpy.ndarray
        ``(p, c)``.
    limit : numpy.ndarray
        ``(c,)``; NaN with fewer than eight samples, or targets that do not vary.
    """
    logged = loggish(np.asarray(x, dtype="float64"), blocks)
    z = np.concatenate([logged, rankdata(x, axis=0)], axis=1).astype("float32")
    y, units = np.asarray(targets, dtype="float64"), np.arange(len(x))
    if groups is not None:
        z, y, units = _by_group(z, y, groups)
    z, y = _standard(z).astype("float32"), _standard(y)
    p, c = x.shape[1], y.shape[1]
    again, limit = np.zeros((p, c)), np.full(c, np.nan)
    usable = np.flatnonzero(np.abs(y).max(axis=0, initial=0.0) > 0)
    if len(z) < _FEWEST or not len(usable):
        return again, limit
    kept, same_as = _distinct(y[:, usable])
    y = y[:, usable[kept]]
    work = 4.0 * z.size * y.shape[1] * _SHUFFLINGS
    n_splits = int(np.clip(_OPERATIONS / work, _FEWEST_SPLITS, _SPLITS))
    first, other = _half_weights(y, units, n_splits, rng)
    found = _products(z, first, other, y.shape[1])
    largest = np.empty((_SHUFFLINGS, y.shape[1]))
    for number in range(_SHUFFLINGS):
        order = _shuffled(units, rng)
        largest[number] = _products(z, first[order], other[order], y.shape[1]).max(axis=0)
    again[:, usable] = found[:, same_as]
    limit[usable] = np.sort(largest, axis=0)[-_BEYOND][same_as]
    return again, limit


def _standard(values: np.ndarray) -> np.ndarray:
    centred = values - values.mean(axis=0)
    sd = centred.std(axis=0)
    varies = sd > 1e-9 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    return np.where(varies, centred / np.where(varies, sd, 1.0), 0.0)


def _by_group(z: np.ndarray, y: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, targets and the block of each row: groups of one target as means, others centred."""
    _, number = np.unique(groups, return_inverse=True)
    member = np.zeros((number.max() + 1, len(number)), dtype="float32")
    member[number, np.arange(len(number))] = 1.0
    member /= member.sum(axis=1, keepdims=True)
    means_of_z, means_of_y = member @ z, member @ y
    if np.allclose(y, means_of_y[number]):
        return means_of_z, means_of_y, np.arange(len(means_of_z))
    return z - means_of_z[number], y - means_of_y[number], number


def _distinct(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of which none is another one, or its opposite, and which of these each column is: products do not tell them apart."""
    like = np.abs(y.T @ y) / len(y) > 1.0 - 1e-9
    first = like.argmax(axis=1)
    kept, same_as = np.unique(first, return_inverse=True)
    return kept, same_as


def _half_weights(
    y: np.ndarray, blocks: np.ndarray, n_splits: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``(n, splits * c)`` each: ``(y - mean in the half) / size of the half``, and 0 outside of it."""
    halves = np.stack([_half(y, blocks, rng) for _ in range(n_splits)], axis=1)
    sides = []
    for inside in (halves, ~halves):
        mask = inside[:, :, None].astype("float64")
        size = np.maximum(mask.sum(axis=0), 1.0)
        mean = (mask * y[:, None]).sum(axis=0) / size
        sides.append((mask * (y[:, None] - mean) / size).reshape(len(y), -1).astype("float32"))
    return sides[0], sides[1]


def _half(y: np.ndarray, blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``(n,)`` bool: one half at random; rows of like targets evenly in both, rows of a block in the same one."""
    names, number = np.unique(blocks, return_inverse=True)
    means = np.stack([np.bincount(number, column) for column in y.T]) / np.bincount(number)
    # Neighbours in this order are alike: one of every two goes into either half.
    order = np.lexsort((rng.random(len(names)), *means[::-1]))
    chosen = np.empty(len(names), dtype=bool)
    side = rng.random((len(names) + 1) // 2) < 0.5
    chosen[order] = np.stack([side, ~side], axis=1).ravel()[: len(names)]
    return np.asarray(chosen[number])


def _shuffled(blocks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of all rows; where blocks have several rows, each stays within its block."""
    if len(np.unique(blocks)) == len(blocks):
        return rng.permutation(len(blocks))
    order = np.empty(len(blocks), dtype=int)
    order[np.argsort(blocks, kind="stable")] = np.lexsort((rng.random(len(blocks)), blocks))
    return order


def _products(z: np.ndarray, first: np.ndarray, other: np.ndarray, c: int) -> np.ndarray:
    """``(p, c)`` what is seen in one half times what is seen in the other, averaged over the splits: by values or ranks, which is more."""
    both = (z.T @ first) * (z.T @ other)
    return np.asarray(both.reshape(2, z.shape[1] // 2, -1, c).mean(axis=2, dtype="float64").max(axis=0))

"""Whether values are logarithms already, block by block, and values that are fit for tests.

Logarithms of expression rarely exceed 30; intensities and counts do. A table may hold other columns beside its genes, such as age in years,
so that no single column decides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genokeras.data.block import Block

_LARGEST_LOGARITHM = 50.0
_SHARE_OF_MEDIAN = 0.1
# Counts and intensities reach from about zero upwards; age, weight and blood pressure do not.
_FROM_ABOUT_ZERO = 0.1
# What is below zero by less than this share of the largest value is zero: training rows are read back with rounding.
_ZERO = 0.01
_WHOLE = 0.02
_MOST = 0.9
# Of sparse tables few genes are large: three of 1,200.
_FEWEST_LARGE, _LARGE_SHARE = 3, 1 / 400


def fit_for_tests(
    x: np.ndarray, logged: bool | None = None, blocks: Sequence[Block] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Values that are fit for t-tests and correlations.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n, p)`` float64; NaN stays NaN.
    logged : bool, optional
        Whether the values are logarithms; by default each block is looked at.
    blocks : sequence of Block
        Columns that are on a scale of their own each; one table by default.

    Returns
    -------
    values : numpy.ndarray
        ``(n, p)`` as they are where they are logarithms, else ``arcsinh(x / offset)``.
    offset : numpy.ndarray
        ``(p,)`` a tenth of the median size of the block's values that are not zero; NaN where values are logarithms.
    """
    values, offset = x.copy(), np.full(x.shape[1], np.nan)
    for columns in [block.columns for block in blocks] or [slice(None)]:
        part = x[:, columns]
        if not part.size or (are_logarithms(part) if logged is None else logged):
            continue
        sizes = np.abs(part[(part != 0) & ~np.isnan(part)])
        offset[columns] = _SHARE_OF_MEDIAN * float(np.median(sizes)) if len(sizes) else 1.0
        values[:, columns] = np.arcsinh(part / offset[columns])
    return values, offset


def loggish(x: np.ndarray, blocks: Sequence[Block] = ()) -> np.ndarray:
    """The values of `fit_for_tests` alone, ``(n, p)``."""
    return fit_for_tests(x, blocks=blocks)[0]


def are_logarithms(x: np.ndarray) -> bool:
    """Whether the columns of one table, ``(n, p)``, are logarithms, or else counts or intensities.

    They are not where most columns exceed 50. Of sparse counts few columns do: these reach from about zero upwards, and there are
    several of them, or the others are whole numbers.
    """
    size, least = np.fmax.reduce(np.abs(x), axis=0), np.fmin.reduce(x, axis=0)
    large, negative = size > _LARGEST_LOGARITHM, least < -_ZERO * size
    if _most(large):
        return False
    if _most(negative):
        return True
    wide = large & ~negative & (least < _FROM_ABOUT_ZERO * size)
    fewest = 1 if _are_whole(x) else max(_FEWEST_LARGE, _LARGE_SHARE * x.shape[1])
    return bool(wide.sum() < fewest)


def _are_whole(x: np.ndarray) -> bool:
    """Whether most columns hold whole numbers; columns of zeros say nothing."""
    there = (np.abs(x) > _WHOLE).sum(axis=0)
    whole = ((np.abs(x) > _WHOLE) & (np.abs(x - np.round(x)) <= _WHOLE)).sum(axis=0)
    return _most((whole > _MOST * there)[there > 0])


def _most(columns: np.ndarray) -> bool:
    return bool(2 * columns.sum() > len(columns))

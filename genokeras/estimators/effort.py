"""How much of a table is prepared: as much as there is time and memory for.

What is given up, in this order: directions of the view of all features, folds (one hold-out in their place), rows. The constants are
seconds of one core of the machine they were measured on (``genokeras.engine.pace``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from scipy import sparse

from genokeras.data import Folds
from genokeras.engine import Budget
from genokeras.errors import OutOfMemoryError
from genokeras.features import TRUNCATED_RANK, Matrix
from genokeras.features.rowspace import EXACT_RANK, ROWS_FOR_GRAM, rows_for_leading
from genokeras.support.memory_limits import size_text
from genokeras.support.processes import own_memory

_DIRECTIONS = (TRUNCATED_RANK, 128, 64)
_FEWEST_ROWS = EXACT_RANK + 1
_LEAST_OF_CLASS = 10
# Of a value that is stored; of one that is multiplied, in a sparse and in a dense matrix; of a number in a decomposition.
_OF_VALUE, _OF_SPARSE_PRODUCT, _OF_PRODUCT, _OF_DECOMPOSITION = 1.5e-8, 0.7e-9, 1.2e-10, 1.2e-9
_PASSES, _MORE_DIRECTIONS = 6, 16
# The share of the limit that reading and the first view may take.
_SHARE_OF_LIMIT = 0.35
# Copies of the coordinates while networks train on them; of a basis while it is found, in float64.
_COPIES, _COPIES_OF_BASIS, _WIDTH_STEP = 5, 9, 32
# The share of the memory that all views may take.
_SHARE_OF_MEMORY = 0.5


@final
@dataclass(frozen=True)
class Effort:
    """What is prepared of a table.

    Attributes
    ----------
    rows : int
    folds : int
    directions : int
        Of the view of all features, where it is truncated.
    """

    rows: int
    folds: int
    directions: int = TRUNCATED_RANK

    def seconds(self, x: Matrix) -> float:
        """To prepare the first view, on the machine that costs were measured on."""
        n, p = x.shape
        is_sparse = isinstance(x, sparse.csr_matrix)
        stored = x.nnz if isinstance(x, sparse.csr_matrix) else n * p
        values, product = stored * self.rows / n, _OF_SPARSE_PRODUCT if is_sparse else _OF_PRODUCT
        found = _OF_VALUE * values
        if p <= min(self.rows, EXACT_RANK):
            return found
        if self._from_gram:
            return found + 2 * _OF_PRODUCT * self.rows * self.rows * p + _OF_DECOMPOSITION * self.rows**3
        sample, wide = min(self.rows, rows_for_leading(p)), self.directions + _MORE_DIRECTIONS
        found += product * values * self.directions
        found += _PASSES * product * values * sample / self.rows * wide + _OF_DECOMPOSITION * p * wide**2
        return found + self.folds * _OF_PRODUCT * self.rows * self.directions**2

    @property
    def _from_gram(self) -> bool:
        """Whether directions come from the products of all rows with each other."""
        hasty = self.directions < TRUNCATED_RANK and self.rows > EXACT_RANK
        return self.rows <= ROWS_FOR_GRAM and not hasty

    def memory(self, x: Matrix) -> float:
        """Bytes for the first view and for networks on it, beside the matrix."""
        p = x.shape[1]
        rank = p if p <= EXACT_RANK else self.directions if self.rows > EXACT_RANK else self.rows
        width = -(-rank // _WIDTH_STEP) * _WIDTH_STEP
        gram = 2 * 8 * self.rows**2 if self._from_gram else 0
        return 4.0 * (_COPIES * self.folds * self.rows * width + _COPIES_OF_BASIS * p * rank) + gram

    def folds_of(self, folds: Folds, strata: np.ndarray | None, seed: int) -> Folds:
        """The folds with as many rows and folds; the other rows neither train nor score."""
        n = folds.train.shape[1]
        used = np.full(n, self.rows >= n)
        if self.rows < n:
            rng, share = np.random.default_rng([seed, 7]), self.rows / n
            of = np.zeros(n, dtype=int) if strata is None else strata
            for stratum in np.unique(of):
                members = rng.permutation(np.flatnonzero(of == stratum))
                used[members[: max(_LEAST_OF_CLASS, round(share * len(members)))]] = True
        few = slice(None, self.folds)
        return replace(folds, train=folds.train[few] & used, held_out=folds.held_out[few] & used)

    def note(self, full: Effort) -> tuple[str, ...]:
        """What is left out of a full effort, for people."""
        if self == full:
            return ()
        left = []
        if self.directions < full.directions:
            left.append(
                f"the view of all features has {self.directions} directions in place of {full.directions}"
            )
        if self.folds < full.folds:
            left.append(f"one hold-out takes the place of {full.folds} folds")
        if self.rows < full.rows:
            left.append(f"{self.rows} of {full.rows} samples are used")
        return (
            f"There is too little time or memory to prepare all of the data: {', '.join(left)}. A longer time limit or a larger "
            "memory limit uses more.",
        )


def affordable(x: Matrix, folds: Folds, budget: Budget, memory: float | None = None) -> Effort:
    """The largest effort that there is time and memory for; the smallest where there is none.

    Parameters
    ----------
    x : numpy.ndarray or scipy.sparse.csr_matrix
        ``(n_samples, n_features)``.
    folds : Folds
    budget : Budget
    memory : float, optional
        Bytes; without, any.

    Raises
    ------
    OutOfMemoryError
        If there is too little memory even for the smallest effort.
    """
    full = Effort(x.shape[0], folds.n_folds)
    if budget.time_limit is None and memory is None:
        return full
    time = np.inf if budget.time_limit is None else _SHARE_OF_LIMIT * budget.time_limit - budget.elapsed
    slowness = 0.0 if budget.time_limit is None else budget.slowness()
    effort = full
    for effort in _efforts(full):
        fits = slowness * effort.seconds(x) <= time
        if fits and (memory is None or effort.memory(x) <= memory):
            break
    need = effort.memory(x)
    if memory is not None and need > memory:
        raise OutOfMemoryError(
            f"preparing {effort.rows} of {x.shape[0]} samples x {x.shape[1]} features needs about {size_text(need)} of memory, and there is "
            f"{size_text(memory)}. Use fewer features, a larger memory_limit, or a machine with more memory."
        )
    return effort


def room_for_views(budget: Budget, memory: float | None) -> Callable[[float], bool]:
    """Whether there is time for a further view that takes so many seconds, and memory for one as large as the largest so far."""
    before = last = own_memory(os.getpid()) or 0
    largest = 0

    def fits(seconds: float) -> bool:
        nonlocal last, largest
        now = own_memory(os.getpid()) or last
        last, largest = now, max(largest, now - last)
        there = memory is None or now - before + largest <= _SHARE_OF_MEMORY * memory
        return there and budget.fits_preparation(seconds)

    return fits


def _efforts(full: Effort) -> Iterator[Effort]:
    """Smaller and smaller ones."""
    effort = full
    for directions in _DIRECTIONS if full.rows > ROWS_FOR_GRAM else _DIRECTIONS[:1]:
        effort = replace(full, directions=directions)
        yield effort
    effort = replace(effort, folds=1)
    yield effort
    while effort.rows // 2 >= _FEWEST_ROWS:
        effort = replace(effort, rows=effort.rows // 2)
        yield effort

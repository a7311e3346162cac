"""Which rows each optimiser step sees, drawn in NumPy so that they are the same on every backend."""

from __future__ import annotations

import numpy as np


class MiniBatches:
    """A seeded stream of row numbers: permutations end to end, so that every row comes once before any comes again.

    Parameters
    ----------
    seed : int
    n_rows : int
    batch_size : int
        With no fewer than ``n_rows``, every step uses all rows and nothing is drawn.
    """

    def __init__(self, seed: int, n_rows: int, batch_size: int) -> None:
        self._rng = np.random.default_rng([seed, 1])
        self._n_rows = n_rows
        self._batch = batch_size if batch_size < n_rows else 0
        self._waiting = np.empty(0, dtype="int32")

    def draw(self, steps: int) -> np.ndarray:
        """Row numbers ``(steps, batch)`` int32 of the next steps; ``(steps, 0)`` where all rows are used."""
        needed = steps * self._batch
        while len(self._waiting) < needed:
            more = self._rng.permutation(self._n_rows).astype("int32")
            self._waiting = np.concatenate([self._waiting, more])
        drawn, self._waiting = self._waiting[:needed], self._waiting[needed:]
        return drawn.reshape(steps, self._batch)

"""Dropout noise drawn once per chunk of steps and shared out.

Drawing fresh random numbers for every mask costs as much as the matrix products. A pool of 8-bit noise is drawn in
NumPy once per chunk; every step, layer and member picks one sheet of it, and compares it with its own threshold. Being
drawn outside, the noise is the same on every backend.
"""

from __future__ import annotations

import numpy as np

NOISE_LEVELS = 256
_SHEETS = 64


def dropout_threshold(rate: np.ndarray) -> np.ndarray:
    """Noise below this is dropped: the rate in steps of 1/256, so that a unit is kept with probability 1 - t/256."""
    return np.clip(np.rint(np.asarray(rate) * NOISE_LEVELS), 0, NOISE_LEVELS - 1)


class DropoutNoise:
    """A seeded source of noise pools for the Dropout layers ``masks`` of a packed network."""

    def __init__(self, seed: int, masks: tuple[tuple[int, int], ...], members: int, rows: int) -> None:
        self._rng = np.random.default_rng([seed, 0])
        self._members = members
        self._layers = len(masks)
        self._shape = (_SHEETS if masks else 1, rows, max((units for _, units in masks), default=1))

    def draw(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """A pool ``(sheets, rows, units)`` of uint8 and the sheets to take ``(steps, layers, members)``, int32."""
        pool = self._rng.integers(0, NOISE_LEVELS, size=self._shape, dtype=np.uint8)
        picks = self._rng.integers(
            0, self._shape[0], size=(steps, self._layers, self._members), dtype=np.int32
        )
        return pool, picks

"""Dropout noise drawn once per chunk of steps and shared out.

Drawing fresh random numbers for every mask costs as much as the matrix products. A pool of 8-bit noise is drawn in
NumPy once per chunk; every step, layer and member picks one sheet of it, and compares it with its own threshold. Being
drawn outside, the noise is the same on every backend.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import final

import numpy as np

NOISE_LEVELS = 256
_SHEETS = 64
_BLOCK = 32


def dropout_threshold(rate: np.ndarray) -> np.ndarray:
    """Noise below this is dropped: the rate in steps of 1/256, so that a unit is kept with probability 1 - t/256."""
    return np.clip(np.rint(np.asarray(rate) * NOISE_LEVELS), 0, NOISE_LEVELS - 1)


class DropoutNoise(ABC):
    """A seeded source of noise for the layers of packed networks that drop units."""

    @abstractmethod
    def draw(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """A pool ``(sheets, rows, units)`` of uint8 and the sheets to take ``(steps, layers, members)``, int32."""


@final
class SharedNoise(DropoutNoise):
    """Noise of members that are trained together, from one seed.

    Parameters
    ----------
    seed : int
    masks : tuple of int
        Units of each layer.
    members, rows : int
    """

    def __init__(self, seed: int, masks: tuple[int, ...], members: int, rows: int) -> None:
        self._rng = np.random.default_rng([seed, 0])
        self._members = members
        self._layers = len(masks)
        self._shape = (_SHEETS if masks else 1, rows, max(masks, default=1))

    def draw(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        pool = self._rng.integers(0, NOISE_LEVELS, size=self._shape, dtype=np.uint8)
        picks = self._rng.integers(
            0, self._shape[0], size=(steps, self._layers, self._members), dtype=np.int32
        )
        return pool, picks


@final
class TrialNoise(DropoutNoise):
    """Noise of trials that drop the same units whatever they are trained beside, and in whatever shape class.

    The pool depends on the shapes alone, and its first columns not on the number of columns; each trial picks its own sheets.

    Parameters
    ----------
    seeds : sequence of int
        Of the trials.
    members : sequence of int
        Of each trial.
    dropping : sequence of tuple of int
        Of each trial: the layers, of those that may drop units, in which it does.
    layers : int
        That may drop units.
    rows, units : int
    """

    def __init__(
        self,
        seeds: Sequence[int],
        members: Sequence[int],
        dropping: Sequence[tuple[int, ...]],
        layers: int,
        rows: int,
        units: int,
    ) -> None:
        self._rngs = [np.random.default_rng([seed, 0]) for seed in seeds]
        self._members = list(members)
        self._dropping = list(dropping)
        self._layers, self._rows, self._units = layers, rows, units
        self._drawn = 0

    def draw(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        picks = np.zeros((steps, self._layers, sum(self._members)), dtype=np.int32)
        if not self._layers:
            return np.zeros((1, self._rows, 1), dtype=np.uint8), picks
        first = 0
        for rng, count, layers in zip(self._rngs, self._members, self._dropping, strict=True):
            drawn = rng.integers(0, _SHEETS, size=(steps, len(layers), count), dtype=np.int32)
            picks[:, list(layers), first : first + count] = drawn
            first += count
        return self._pool(), picks

    def keep(self, trials: Sequence[int]) -> None:
        """Draw for these trials alone from now on, what they would have got beside the others."""
        self._rngs = [self._rngs[trial] for trial in trials]
        self._members = [self._members[trial] for trial in trials]
        self._dropping = [self._dropping[trial] for trial in trials]

    def _pool(self) -> np.ndarray:
        shape = (_SHEETS, self._rows, _BLOCK)
        blocks = [
            np.random.default_rng([self._drawn, block]).integers(0, NOISE_LEVELS, size=shape, dtype=np.uint8)
            for block in range(-(-self._units // _BLOCK))
        ]
        self._drawn += 1
        return np.concatenate(blocks, axis=2)[:, :, : self._units]

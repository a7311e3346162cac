"""How much of the learning rate is left, step by step; some schedules look at how the members did so far.

================  ============================================================  ==============
symbol            meaning                                                       shape
================  ============================================================  ==============
done              steps behind
T                 trials of the packed run
monitored         what is monitored, lower is better, at every scoring so far   ``(scorings, T)``
factors           what learning rates are multiplied by in the next steps       ``(steps, T)``
================  ============================================================  ==============
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from genokeras.support.checks import check_number, check_whole


class Schedule(ABC):
    """Shares of the learning rate; a value without state of its own."""

    @abstractmethod
    def factors(self, done: int, steps: int, monitored: np.ndarray) -> np.ndarray:
        """Factors ``(steps, trials)`` or ``(steps, 1)`` of the ``steps`` steps behind the first ``done``."""


@dataclass(frozen=True)
class Cosine(Schedule):
    """From all of it to nothing over ``total`` steps (Loshchilov & Hutter 2017, SGDR, eq. 5)."""

    total: int

    def factors(self, done: int, steps: int, monitored: np.ndarray) -> np.ndarray:
        passed = np.minimum((done + np.arange(steps)) / self.total, 1.0)
        return (0.5 * (1 + np.cos(np.pi * passed)))[:, None]


@dataclass(frozen=True)
class Ramp(Schedule):
    """From 1 exponentially up to ``ratio`` over ``total`` steps: the range test of Smith (2017), section 3.3."""

    ratio: float
    total: int

    def factors(self, done: int, steps: int, monitored: np.ndarray) -> np.ndarray:
        passed = np.minimum((done + np.arange(steps)) / max(self.total - 1, 1), 1.0)
        return (self.ratio**passed)[:, None]


@dataclass(frozen=True)
class Plateau(Schedule):
    """Constant, and halved each time that a trial has not improved for ``patience`` scorings.

    Parameters
    ----------
    patience : int
        Scorings.
    factor : float
    """

    patience: int
    factor: float = 0.5

    def __post_init__(self) -> None:
        check_whole(self.patience, "patience")
        check_number(self.factor, "factor", above=0, below=1)

    def factors(self, done: int, steps: int, monitored: np.ndarray) -> np.ndarray:
        trials = monitored.shape[1] if monitored.ndim == 2 and len(monitored) else 1
        halved = np.zeros(trials)
        best, since = np.full(trials, np.inf), np.zeros(trials)
        for values in monitored:
            better = values < best
            best = np.where(better, values, best)
            since = np.where(better, 0, since + 1)
            worn = since >= self.patience
            halved += worn
            since = np.where(worn, 0, since)
        return np.tile(self.factor**halved, (steps, 1))

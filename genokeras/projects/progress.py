"""What a project's final training says while it runs: speed, metrics on the rows held out, checkpoints."""

from __future__ import annotations

import time
from typing import final

import numpy as np

from genokeras.projects import announce

# A long training says less and less often how it stands.
_RARER = 1.25


@final
class TrainingLog:
    """Takes the curves of a packed run after every chunk of steps, and says every scoring that is new in them.

    Parameters
    ----------
    monitor : str
        What is monitored: ``"accuracy"``, ``"f1_score"`` or ``"loss"``.
    score_every, samples_per_step : int
    patience : int
        Scorings without improvement after which nothing more is kept of a rate.
    n_rates : int
        Rates that train side by side.
    """

    def __init__(
        self, monitor: str, score_every: int, samples_per_step: int, patience: int, n_rates: int
    ) -> None:
        self._monitor, self._every, self._samples = monitor, score_every, samples_per_step
        self._patience = patience
        self._best, self._stale = np.full(n_rates, np.inf), np.zeros(n_rates)
        self._shown, self._next = 0, 0
        self._last = (time.perf_counter(), 0)

    def __call__(self, steps: int, curves: np.ndarray) -> None:
        """``steps`` so far and the curves ``(scorings, rates, 3)``; of several rates the best one is shown."""
        now, before = time.perf_counter(), self._last
        speed = self._samples * (steps - before[1]) / max(now - before[0], 1e-9)
        self._last = (now, steps)
        if steps >= self._next:
            self._say_step(steps, speed, curves[-1])
            self._next = int(_RARER * steps)
        for number in range(self._shown, len(curves)):
            at = min((number + 1) * self._every, steps)
            announce.plateau(at, self._figures(curves[number, self._shown_rate(curves[number])]))
        self._shown = len(curves)

    def _say_step(self, steps: int, speed: float, scoring: np.ndarray) -> None:
        values = np.where(np.isfinite(scoring[:, 2]), scoring[:, 2], np.inf)
        announce.trained_step(steps, steps, speed, self._figures(scoring[values.argmin()]))

    def _figures(self, scoring: np.ndarray) -> dict[str, float]:
        training, held_out, monitored = scoring
        figures = {"training loss": float(training), "validation loss": float(held_out)}
        if self._monitor != "loss":
            # The monitor is negative and carries a trace of the loss, which decides between equals.
            figures[f"validation {self._monitor}"] = round(-float(monitored), 3)
        return figures

    def _shown_rate(self, scoring: np.ndarray) -> int:
        """The rate that is better than any was before, or else the best one now."""
        improved = self._improved(scoring)
        if improved is not None:
            return improved
        values = np.where(np.isfinite(scoring[:, 2]), scoring[:, 2], np.inf)
        return int(values.argmin())

    def _improved(self, scoring: np.ndarray) -> int | None:
        """The rate that is better than any was before, if there is one; kept account of as training does."""
        _, losses, values = scoring.T
        eligible = np.isfinite(losses) & (self._stale < self._patience)
        better = eligible & (values < self._best)
        before = self._best.min()
        self._best = np.where(better, values, self._best)
        self._stale = np.where(better, 0, self._stale + 1)
        return int(self._best.argmin()) if self._best.min() < before else None

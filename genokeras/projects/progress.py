"""What a project's final training says while it runs: speed, metrics on the rows held out, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import final

import numpy as np

from genokeras.projects import announce


@final
class TrainingLog:
    """Takes the curves of a packed run after every chunk of steps, and says what is new in them.

    Parameters
    ----------
    monitor : str
        What is monitored: ``"accuracy"``, ``"f1_score"`` or ``"loss"``.
    score_every, samples_per_step : int
    patience : int
        Scorings without improvement after which nothing more is kept of a rate.
    paths : sequence of pathlib.Path
        Where the best network will be, one for each of the rates that train side by side.
    """

    def __init__(
        self, monitor: str, score_every: int, samples_per_step: int, patience: int, paths: Sequence[Path]
    ) -> None:
        self._monitor, self._every, self._samples = monitor, score_every, samples_per_step
        self._patience, self._paths = patience, tuple(paths)
        self._best, self._stale = np.full(len(self._paths), np.inf), np.zeros(len(self._paths))
        self._told = 0
        self._last = (time.perf_counter(), 0)

    def __call__(self, steps: int, curves: np.ndarray) -> None:
        """``steps`` so far and the curves ``(scorings, rates, 3)``; of several rates the best one is told of."""
        now, before = time.perf_counter(), self._last
        speed = self._samples * (steps - before[1]) / max(now - before[0], 1e-9)
        self._last = (now, steps)
        self._say_step(steps, speed, curves[-1])
        for number in range(self._told, len(curves)):
            winner = self._improved(curves[number])
            if winner is not None:
                _, loss, value = curves[number, winner]
                at = min((number + 1) * self._every, steps)
                announce.plateau(at, {"loss": loss, **self._figure(loss, value)})
                announce.saved(at, self._paths[winner])
        self._told = len(curves)

    def _say_step(self, steps: int, speed: float, scoring: np.ndarray) -> None:
        values = np.where(np.isfinite(scoring[:, 2]), scoring[:, 2], np.inf)
        training, held_out, monitored = scoring[values.argmin()]
        figures = {"loss": training, **self._figure(held_out, monitored)}
        announce.trained_step(steps, steps, speed, figures)

    def _improved(self, scoring: np.ndarray) -> int | None:
        """The rate that is better than any was before, if there is one; kept account of as training does."""
        _, losses, values = scoring.T
        eligible = np.isfinite(losses) & (self._stale < self._patience)
        better = eligible & (values < self._best)
        before = self._best.min()
        self._best = np.where(better, values, self._best)
        self._stale = np.where(better, 0, self._stale + 1)
        return int(self._best.argmin()) if self._best.min() < before else None

    def _figure(self, loss: float, value: float) -> dict[str, float]:
        if self._monitor == "loss":
            return {"validation loss": loss}
        # The monitor is negative and carries a trace of the loss, which decides between equals.
        return {self._monitor: round(-float(value), 3)}

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
    """Takes the curves of a packed run after every chunk of steps, and says what is new in them.

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
            winner = self._improved(curves[number])
            if winner is not None:
                _, loss, value = curves[number, winner]
                at = min((number + 1) * self._every, steps)
                announce.plateau(at, {"loss": loss, **self._figure(loss, value)})
        self._shown = len(curves)

    def _say_step(self, steps: int, speed: float, scoring: np.ndarray) -> None:
        values = np.where(np.isfinite(scoring[:, 2]), scoring[:, 2], np.inf)
        training, held_out, monitored = scoring[values.argmin()]
        # The loss is that of the training rows, all else is of the rows held out.
        on_held_out = self._figure(held_out, monitored).items()
        figures = {f"validation {name.removeprefix('validation ')}": value for name, value in on_held_out}
        figures = {"loss": training, **figures}
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

"""Networks that are written while training continues, so that a killed one leaves its best."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

from genokeras.projects import announce
from genokeras.projects.candidates import FinalNetwork
from genokeras.support.files import written_aside

# Of the time, at most, that writing takes.
_SHARE = 0.2


@final
class Checkpoints:
    """Writes the best network whenever it is a better one; rarely enough that training hardly waits for it.

    Parameters
    ----------
    path_of : callable
        Where a network of a learning rate is written.
    least : float
        The score of a network that is there from an earlier training: only better ones are written.
    kept : Path, optional
        Its file, which is never removed.
    """

    def __init__(
        self, path_of: Callable[[float], Path], least: float = -math.inf, kept: Path | None = None
    ) -> None:
        self._path_of = path_of
        self._least, self._kept = least, kept
        self._due = 0.0
        self._step: int | None = 0
        self._path: Path | None = None

    def __call__(self, make: Callable[[], FinalNetwork]) -> None:
        """Write what ``make`` makes, where it is time to and it is new."""
        start = time.monotonic()
        if start < self._due:
            return
        found = make()
        if found.best_step != self._step and found.score > self._least:
            self.write(found.model, self._path_of(found.rate), found.best_step)
        now = time.monotonic()
        self._due = now + (now - start) * (1 - _SHARE) / _SHARE

    def write(self, model: Any, path: Path, step: int | None) -> None:
        """Write a network in place of the one before."""
        if self._path is not None and self._path not in (path, self._kept):
            with contextlib.suppress(OSError):
                self._path.unlink()
                self._path.parent.rmdir()
        with written_aside(path) as aside:
            model.save(aside)
        if (path, step) != (self._path, self._step):
            announce.saved(step, path)
        self._path, self._step = path, step

"""Curves of a training: live in a notebook, pictures beside the checkpoint elsewhere."""

from __future__ import annotations

import importlib
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import pandas as pd

from genokeras.errors import GenoKerasError
from genokeras.report import plot_metric
from genokeras.report.metric_table import known_metrics

_logger = logging.getLogger(__name__)
_SECONDS_BETWEEN = 30.0
_SHARE = 0.1


def notebook_display() -> Callable[..., Any] | None:
    """IPython's ``display`` where this process is a notebook's, else None."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return importlib.import_module("IPython.display").display


@final
class Curves:
    """Draws the metrics after an epoch, but not so often that it costs much.

    Parameters
    ----------
    path : Path
        The checkpoint: ``best.keras`` has ``best_loss.png`` and so on beside it.
    monitor : str
        What a notebook shows while training.
    display : callable or None
        Of a notebook.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        path: Path,
        monitor: str,
        display: Callable[..., Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._monitor = monitor.removeprefix("val_")
        self._display = display
        self._handle: Any = None
        self._clock = clock
        self._due = clock() if display is not None else clock() + _SECONDS_BETWEEN

    def epoch(self, history: pd.DataFrame) -> None:
        """Draw, if it is time to."""
        if self._clock() < self._due:
            return
        start = self._clock()
        self.draw(history)
        took = self._clock() - start
        self._due = self._clock() + max(took / _SHARE, 0.0 if self._display else _SECONDS_BETWEEN)

    def draw(self, history: pd.DataFrame) -> None:
        """Draw now."""
        names = [name for name in known_metrics(history) if name not in ("learning_rate", "seconds")]
        if self._display is not None:
            names = [name for name in names if name == self._monitor]
        for name in names:
            try:
                picture = plot_metric(history, name)
                if self._display is None:
                    picture.save(self._path.with_name(f"{self._path.stem}_{name}.png"))
                elif self._handle is None:
                    self._handle = self._display(picture, display_id=True)
                else:
                    self._handle.update(picture)
            except GenoKerasError as error:  # nothing finite to draw, or a full disk: training goes on
                _logger.warning("no curve of %s: %s", name, error)

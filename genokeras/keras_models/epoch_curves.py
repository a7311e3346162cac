"""Curves of a training: live in a notebook, pictures beside the checkpoint elsewhere. Only faces may draw them."""

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


def _notebook_display() -> Callable[..., Any] | None:
    """IPython's ``display`` where this process is a notebook's, else None."""
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return importlib.import_module("IPython.display").display


@final
class EpochCurves:
    """Draws the metrics after an epoch, in at most a tenth of the time.

    Parameters
    ----------
    path : Path
        The checkpoint: ``best.keras`` has ``best_loss.png`` and so on beside it.
    monitor : str
        What a notebook shows while training.
    """

    def __init__(self, path: Path, monitor: str) -> None:
        self._path = path
        self._monitor = monitor.removeprefix("val_")
        self._display = _notebook_display()
        self._handle: Any = None
        self._due = time.monotonic() + (0.0 if self._display is not None else _SECONDS_BETWEEN)

    def epoch(self, history: pd.DataFrame) -> None:
        """Draw, unless the last drawing is too recent."""
        if time.monotonic() < self._due:
            return
        start = time.monotonic()
        self.draw(history)
        took = time.monotonic() - start
        self._due = time.monotonic() + max(took / _SHARE, 0.0 if self._display else _SECONDS_BETWEEN)

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
            except GenoKerasError as error:  # nothing finite to draw, or a full disk: training continues
                _logger.warning("no curve of %s: %s", name, error)

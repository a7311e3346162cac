"""Figures made without importing Matplotlib before there is something to draw."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def shown_figure(**options: Any) -> Any:
    """A new :class:`~genokeras.support.shown_figure.ShownFigure`; ``options`` go to Matplotlib's ``Figure``."""
    return import_module("genokeras.support.shown_figure").ShownFigure(**options)

"""A picture of the range tests behind a search."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING, cast

from genokeras.errors import ParameterError
from genokeras.support.figures import shown_figure
from genokeras.support.files import written_aside
from genokeras.tuning import ParamSpec

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS = 3


def plot_range_tests(best: ParamSpec, path: str | os.PathLike[str] | None = None) -> Figure:
    """Draw the curves of a search's range tests side by side, each with the learning rate it suggests.

    Parameters
    ----------
    best : ParamSpec
        What :func:`genokeras.keras_models.search` returned.
    path : path-like, optional
        Where to write the picture; the suffix gives the format.

    Returns
    -------
    matplotlib.figure.Figure
        It belongs to no window, so it needs no display and no closing; a notebook shows it.

    Raises
    ------
    ParameterError
        If there were no range tests.
    """
    curves = best.curves
    if not curves:
        raise ParameterError(
            "this ParamSpec has no range tests to draw: pass what search returned, of a search with search_learning_rate=True."
        )
    columns = min(_COLUMNS, len(curves))
    rows = math.ceil(len(curves) / columns)
    figure = shown_figure(figsize=(4.4 * columns, 3.4 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    for ax, (name, test) in zip(axes, curves.items(), strict=False):
        test.plot(ax=ax)
        ax.set_title(name, loc="left")
    for ax in axes[len(curves) :]:
        ax.set_axis_off()
    if path is not None:
        with written_aside(path) as aside:
            figure.savefig(aside)
    return cast("Figure", figure)

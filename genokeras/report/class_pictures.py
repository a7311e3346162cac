"""Pictures of class predictions that stand by themselves: confusion and calibration here, ROC and recall beside.

Of a run, these are the out-of-fold predictions of the ensemble it delivers. Nobody trained on them, but the ensemble
was chosen by them, so the pictures are a little too kind; ``estimate_`` is corrected for that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from matplotlib.axes import Axes

from genokeras.report.class_curves import (
    PRECISION_RECALL,
    ROC,
    CurveKind,
    area_text,
    plot_precision_recall,
    plot_roc,
)
from genokeras.report.diagnostics import (
    Predictions,
    as_predictions,
    calibration_error,
    reliability,
    said_and_right,
)
from genokeras.report.on_axes import (
    MOST_BANDS,
    confusion_size,
    draw_calibration,
    draw_confusion,
    draw_precision_recall,
    draw_roc,
)
from genokeras.report.picture import Picture, house_style, write_note
from genokeras.support.checks import check_whole

_SIZE = (5.4, 5.2)
_MOST_TOGETHER = 7


@house_style()
def plot_confusion_of(source: Any, title: str | None = None) -> Picture:
    """Confusion matrix of a run's out-of-fold predictions, or of others: truth on y, prediction on x, as scikit-learn draws it.

    Parameters
    ----------
    source : Predictions, path-like or fitted estimator
    title : str, optional

    Returns
    -------
    Picture

    Raises
    ------
    RunFolderError
        If the run was not finished.
    """
    found = as_predictions(source)
    figure = Picture(figsize=confusion_size(found), layout="constrained")
    axes = figure.subplots()
    draw_confusion(axes, found)
    if title:
        axes.set_title(title, parse_math=False)
    write_note(figure, found.note)
    figure.alt = f"Confusion matrix of {len(found.classes)} classes: {len(found.truth):,} samples, {found.right:.1%} predicted right."
    return figure


def curve_pictures(found: Predictions) -> list[Callable[[], Picture]]:
    """ROC, precision and recall, and calibration, each drawn when called; of up to seven classes together, so that three fit side by side."""
    if len(found.classes) > _MOST_TOGETHER:
        return [partial(plot, found) for plot in (plot_roc, plot_precision_recall, plot_calibration)]
    return [
        partial(_together, found, draw_roc, ROC),
        partial(_together, found, draw_precision_recall, PRECISION_RECALL),
        partial(plot_calibration, found),
    ]


@house_style()
def _together(found: Predictions, draw: Callable[[Axes, Predictions], None], kind: CurveKind) -> Picture:
    figure = Picture(figsize=_SIZE, layout="constrained")
    draw(figure.subplots(), found)
    curves = kind.curves(found)
    bands = any(curve.low is not None for curve in curves) and len(curves) <= MOST_BANDS
    more = f"Bands: from the worst to the best of {len(found.folds)} folds.\n" if bands else ""
    write_note(figure, more + found.note)
    values = ", ".join(f"{curve.name}: {kind.area} {area_text(curve.area)}" for curve in curves)
    figure.alt = f"{kind.title} of {len(found.truth)} samples: {values}."
    return figure


@house_style()
def plot_calibration(source: Any, bins: int = 10) -> Picture:
    """Reliability diagram: how often it is true what is said with a certain probability.

    Of two classes, the probability of the second; of more, that of the class that is predicted.

    Parameters
    ----------
    source : Predictions, path-like or fitted estimator
    bins : int
        Groups of samples at most, of about equal size, with at least 10 samples each where there are as many. Bars are 95 % intervals
        (Clopper and Pearson 1934).

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If `bins` is no whole number above 1.
    RunFolderError
        If the run was not finished.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks, ICML, eq. 3 for the error; groups of equal size: Nixon
    et al. (2019), Measuring calibration in deep learning, CVPR workshops.
    """
    check_whole(bins, "bins", 2)
    found = as_predictions(source)
    figure = Picture(figsize=_SIZE, layout="constrained")
    draw_calibration(figure.subplots(), found, bins)
    write_note(
        figure,
        f"Bars: 95 % intervals; ticks: samples for which it is true (above) or not (below).\n{found.note}",
    )
    said, right, _ = said_and_right(found)
    table = reliability(said, right, bins, found.counts)
    figure.alt = (
        f"Calibration of {len(said)} samples: expected calibration error {calibration_error(table):.3f}."
    )
    return figure

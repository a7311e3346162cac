"""ROC and precision-recall curves, each class against the others, with bands over the folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_curve

from genokeras.errors import ParameterError
from genokeras.report.diagnostics import Predictions, as_predictions
from genokeras.report.picture import (
    COLOURS,
    FAINT,
    LINES,
    Picture,
    house_style,
    shown,
    square,
    write_note,
)
from genokeras.support.checks import check_choice

# How much each sample counts; None where all count alike.
Weight = np.ndarray | None
GRID = np.linspace(0.0, 1.0, 101)
_MOST_CLASSES = 12
_TOGETHER = 3  # with more classes, bands hide each other: a panel for each
_COLUMNS = 3
_TINY = 1e-12


@dataclass(frozen=True)
class ClassCurve:
    """One class against the others.

    Attributes
    ----------
    name : str
    x, y : numpy.ndarray
        ``(m,)`` of all samples.
    area : float
        Below the curve.
    low, high : numpy.ndarray or None
        ``(101,)`` worst and best fold at every place of ``GRID``; None for fewer than two folds with both sides.
    share : float
        Of the class among the samples.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    area: float
    low: np.ndarray | None
    high: np.ndarray | None
    share: float


@dataclass(frozen=True)
class CurveKind:
    """What tells a ROC curve from one of precision and recall.

    Attributes
    ----------
    title, x, y, area : str
    draw : callable
        Draws a curve of a colour on axes.
    chance : callable
        Draws what guessing would give beside such curves.
    legend : str
    points, on_grid, area_of : callable
        As for :func:`class_curves`.
    """

    title: str
    x: str
    y: str
    area: str
    draw: Callable[..., None]
    chance: Callable[..., None]
    legend: Literal["lower right", "lower left"]
    points: Callable[[np.ndarray, np.ndarray, Weight], tuple[np.ndarray, np.ndarray]]
    on_grid: Callable[[np.ndarray, np.ndarray, Weight], np.ndarray]
    area_of: Callable[[np.ndarray, np.ndarray, Weight], float]

    def curves(self, found: Predictions, positive: str | None = None) -> list[ClassCurve]:
        """The curves of this kind; see :func:`class_curves`."""
        return class_curves(found, self.points, self.on_grid, self.area_of, positive)


@house_style()
def plot_roc(source: Any, positive: str | None = None) -> Picture:
    """True against false positives, each class against the others; bands reach from the worst fold to the best.

    Parameters
    ----------
    source : Predictions, path-like or fitted estimator
    positive : str, optional
        Draw this class only. By default the second of two classes, and all where there are more; of more than 12 the
        hardest.

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If there is no such class.
    RunFolderError
        If the run was not finished.

    Examples
    --------
    >>> plot_roc("runs/leukemia").save("roc.svg")  # doctest: +SKIP
    PosixPath('roc.svg')
    """
    return _panels(as_predictions(source), positive, ROC)


@house_style()
def plot_precision_recall(source: Any, positive: str | None = None) -> Picture:
    """Precision against recall, each class against the others; bands reach from the worst fold to the best.

    Parameters
    ----------
    source, positive
        As for :func:`plot_roc`.

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If there is no such class.
    RunFolderError
        If the run was not finished.
    """
    return _panels(as_predictions(source), positive, PRECISION_RECALL)


# ---- curves as values


def class_curves(
    found: Predictions,
    points: Callable[[np.ndarray, np.ndarray, Weight], tuple[np.ndarray, np.ndarray]],
    on_grid: Callable[[np.ndarray, np.ndarray, Weight], np.ndarray],
    area: Callable[[np.ndarray, np.ndarray, Weight], float],
    positive: str | None = None,
) -> list[ClassCurve]:
    """Curves of the classes to draw; a class that no sample has, or every one, has none."""
    names, counts = shown(found.classes), np.bincount(found.truth, minlength=len(found.classes))
    codes = [code for code in _wanted(found, positive) if 0 < counts[code] < len(found.truth)]
    if not codes:
        raise ParameterError(
            "a curve needs samples of the class and of others; the data have none of one side."
        )
    curves = []
    for code in codes:
        truth, score = found.truth == code, found.probabilities[:, code]
        weight = found.counts
        x, y = points(truth, score, weight)
        both = [rows for rows in found.folds if 0 < truth[rows].sum() < rows.sum()]
        folds = [on_grid(truth[rows], score[rows], weight[rows]) for rows in both]
        low, high = (np.min(folds, axis=0), np.max(folds, axis=0)) if len(folds) > 1 else (None, None)
        share = float(np.average(truth, weights=weight))
        curves.append(ClassCurve(names[code], x, y, area(truth, score, weight), low, high, share))
    if len(curves) > _MOST_CLASSES:
        curves = sorted(curves, key=lambda curve: curve.area)[:_MOST_CLASSES]
    return curves


def _wanted(found: Predictions, positive: str | None) -> list[int]:
    if positive is None:
        return [1] if len(found.classes) == 2 else list(range(len(found.classes)))
    check_choice(positive, "positive", found.classes)
    return [found.classes.index(positive)]


def roc_points(truth: np.ndarray, score: np.ndarray, weight: Weight = None) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates."""
    false, true, _ = roc_curve(truth, score, sample_weight=weight)
    return false, true


def _roc_area(truth: np.ndarray, score: np.ndarray, weight: Weight = None) -> float:
    return float(auc(*roc_points(truth, score, weight)))


def roc_on_grid(truth: np.ndarray, score: np.ndarray, weight: Weight = None) -> np.ndarray:
    """True positive rate at each false positive rate of ``GRID``; where it jumps, the upper end."""
    return np.interp(GRID + _TINY, *roc_points(truth, score, weight))


def recall_points(
    truth: np.ndarray, score: np.ndarray, weight: Weight = None
) -> tuple[np.ndarray, np.ndarray]:
    """Recall and precision."""
    precision, recall, _ = precision_recall_curve(truth, score, sample_weight=weight)
    return recall, precision


def _average_precision(truth: np.ndarray, score: np.ndarray, weight: Weight = None) -> float:
    return float(average_precision_score(truth, score, sample_weight=weight))


def precision_on_grid(truth: np.ndarray, score: np.ndarray, weight: Weight = None) -> np.ndarray:
    """Precision at the highest threshold that recalls each share of ``GRID``, or more."""
    precision, recall, _ = precision_recall_curve(truth, score, sample_weight=weight)
    enough = np.searchsorted(-recall, -(GRID - _TINY), side="right") - 1
    # The last point, with no recall at all, belongs to no threshold.
    return np.asarray(precision[np.clip(enough, 0, len(precision) - 2)])


# ---- the two kinds


def _draw_roc(axes: Axes, curve: ClassCurve, colour: str, **style: Any) -> None:
    axes.plot(curve.x, curve.y, color=colour, **style)


def _chance_of_roc(axes: Axes, curves: Sequence[ClassCurve]) -> None:
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=":", label="chance", zorder=1)


def _draw_recall(axes: Axes, curve: ClassCurve, colour: str, **style: Any) -> None:
    axes.step(curve.x, curve.y, where="post", color=colour, **style)


def _chance_of_recall(axes: Axes, curves: Sequence[ClassCurve]) -> None:
    if len(curves) == 1:
        share = curves[0].share
        axes.axhline(share, color=FAINT, linewidth=0.9, linestyle=":", label="chance", zorder=1)


ROC = CurveKind(
    "ROC curve",
    "false positive rate",
    "true positive rate",
    "AUC",
    _draw_roc,
    _chance_of_roc,
    "lower right",
    roc_points,
    roc_on_grid,
    _roc_area,
)
PRECISION_RECALL = CurveKind(
    "Precision and recall",
    "recall",
    "precision",
    "AP",
    _draw_recall,
    _chance_of_recall,
    "lower left",
    recall_points,
    precision_on_grid,
    _average_precision,
)


# ---- the picture


def _panels(found: Predictions, positive: str | None, kind: CurveKind) -> Picture:
    curves = kind.curves(found, positive)
    together = len(curves) <= _TOGETHER
    columns = 1 if together else min(_COLUMNS, len(curves))
    rows = 1 if together else -(-len(curves) // columns)
    size = (5.4, 5.2) if together else (2.9 * columns, 2.9 * rows + 0.4)
    figure = Picture(figsize=size, layout="constrained")
    if not together:
        figure.get_layout_engine().set(h_pad=0.1)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    groups = [curves] if together else [[curve] for curve in curves]
    for axes, group in zip(grid, groups, strict=False):
        _draw_group(axes, group, [] if together else curves, kind)
        if together:
            axes.set_title(kind.title)
            axes.legend(loc=kind.legend, frameon=True, framealpha=0.85, edgecolor="none")
        else:
            axes.set_title(_label(group[0], kind), fontsize=8.5)
    for axes in grid[len(groups) :]:
        axes.set_axis_off()
    _label_axes(grid, kind, len(groups), columns)
    write_note(figure, "\n".join(_notes(found, curves)))
    values = ", ".join(_label(curve, kind) for curve in curves)
    figure.alt = f"{kind.title} of {len(found.truth)} samples: {values}."
    return figure


def _label(curve: ClassCurve, kind: CurveKind) -> str:
    return f"{curve.name}: {kind.area} {area_text(curve.area)}"


def _draw_group(axes: Axes, group: list[ClassCurve], behind: list[ClassCurve], kind: CurveKind) -> None:
    square(axes)
    for curve in behind:
        kind.draw(axes, curve, "#b8c0c9", linewidth=0.7, zorder=1)
    for number, curve in enumerate(group):
        colour, line = COLOURS[number], LINES[number]
        if curve.low is not None and curve.high is not None:
            axes.fill_between(GRID, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0, zorder=2)
        kind.draw(axes, curve, colour, linewidth=1.8, linestyle=line, label=_label(curve, kind), zorder=3)
    kind.chance(axes, group)


def _label_axes(grid: np.ndarray, kind: CurveKind, used: int, columns: int) -> None:
    """On the left, and wherever no panel stands below."""
    for number, axes in enumerate(grid[:used]):
        if number + columns >= used:
            axes.set_xlabel(kind.x)
            axes.tick_params(labelbottom=True)
        if number % columns == 0:
            axes.set_ylabel(kind.y)


def _notes(found: Predictions, curves: list[ClassCurve]) -> list[str]:
    notes = []
    possible = len(found.classes) if len(found.classes) > 2 else 1
    if len(curves) == _MOST_CLASSES < possible:
        notes.append(f"The {_MOST_CLASSES} hardest of {possible} classes.")
    if any(curve.low is not None for curve in curves):
        notes.append(f"Bands: from the worst to the best of {len(found.folds)} folds.")
    return [*notes, found.note]


def area_text(area: float) -> str:
    """Three digits, of which those of an area just below 1 are not rounded up."""
    return "> 0.999" if 0.9995 <= area < 1 else f"{area:.3f}"

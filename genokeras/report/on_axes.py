"""Predictions of classes drawn on axes that somebody else has: confusion, ROC, precision and recall, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix

from genokeras.report.class_curves import (
    GRID,
    PRECISION_RECALL,
    ROC,
    CurveKind,
    area_text,
)
from genokeras.report.diagnostics import Predictions, calibration_error, reliability, said_and_right
from genokeras.report.picture import COLOURS, FAINT, LINES, VALIDATION, label_axes, shown, square
from genokeras.support.checks import check_choice, check_whole

NORMALISATIONS = ("true", "pred", "all")
# With more curves on the same axes, bands hide each other.
MOST_BANDS = 3
_FEW_CLASSES = 6
# Letters below a column that fit side by side, of all columns together.
_MOST_LETTERS = 36


def draw_confusion(
    axes: Axes,
    found: Predictions,
    normalize: str | None = None,
    where: str = "",
) -> None:
    """Draw a confusion matrix as scikit-learn does: truth on y, prediction on x.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    found : Predictions
    normalize : {"true", "pred", "all"}, optional
        Shares of each true class, of each predicted class or of all samples, in place of counts, which are sums of weights where samples
        count differently.
    where : str
        Goes behind the title: ``", out of fold"``.

    Raises
    ------
    ParameterError
        If there is no such normalisation.
    """
    if normalize is not None:
        check_choice(normalize, "normalize", NORMALISATIONS)
    codes = found.decided
    names = shown(found.classes)
    how: dict[str, Any] = {
        "normalize": normalize,
        "sample_weight": None if found.weight is None else found.counts,
    }
    counts = confusion_matrix(found.truth, codes, labels=np.arange(len(names)), **how)
    style = ".2f" if normalize is not None else "d" if found.weight is None else ".1f"
    display = ConfusionMatrixDisplay(counts)
    size = {"fontsize": 10 if len(names) <= _FEW_CLASSES else 7.5}
    display.plot(ax=axes, cmap="Blues", colorbar=False, values_format=style, text_kw=size)
    slant: dict[str, Any] = (
        {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if _are_wide(names) else {}
    )
    axes.set_xticks(range(len(names)), names, parse_math=False, **slant)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.grid(visible=False)
    weighted = "" if found.weight is None else ", by weight"
    label_axes(axes, f"{len(codes):,} samples, {found.right:.1%} right{weighted}{where}", "predicted", "true")


def _are_wide(names: Sequence[str]) -> bool:
    """Whether names do not fit side by side."""
    return max(map(len, names)) * len(names) > _MOST_LETTERS


def confusion_size(found: Predictions) -> tuple[float, float]:
    """Inches of a confusion matrix of its own."""
    names = shown(found.classes)
    side = max(3.2, 1.2 + 0.45 * len(names))
    beside = 0.075 * max(map(len, names))
    return side + 0.9 + beside, side + 0.7 + (0.65 * beside if _are_wide(names) else 0.0)


def draw_roc(axes: Axes, found: Predictions, positive: str | None = None, where: str = "") -> None:
    """Draw true against false positives, each class against the others; see ``plot_roc``."""
    _draw_curves(axes, found, positive, ROC, where)


def draw_precision_recall(
    axes: Axes, found: Predictions, positive: str | None = None, where: str = ""
) -> None:
    """Draw precision against recall, each class against the others; see ``plot_precision_recall``."""
    _draw_curves(axes, found, positive, PRECISION_RECALL, where)


def _draw_curves(axes: Axes, found: Predictions, positive: str | None, kind: CurveKind, where: str) -> None:
    curves = kind.curves(found, positive)
    square(axes)
    for number, curve in enumerate(curves):
        colour, line = COLOURS[number % len(COLOURS)], LINES[number // len(COLOURS) % len(LINES)]
        if curve.low is not None and curve.high is not None and len(curves) <= MOST_BANDS:
            axes.fill_between(GRID, curve.low, curve.high, color=colour, alpha=0.18, linewidth=0, zorder=2)
        label = f"{curve.name}: {kind.area} {area_text(curve.area)}"
        kind.draw(axes, curve, colour, linewidth=1.8, linestyle=line, label=label, zorder=3)
    kind.chance(axes, curves)
    label_axes(axes, f"{kind.title}{where}", kind.x, kind.y)
    axes.legend(loc=kind.legend, frameon=True, framealpha=0.85, edgecolor="none")


def draw_calibration(axes: Axes, found: Predictions, bins: int = 10, where: str = "") -> None:
    """Draw how often it is true what is said with a certain probability; see ``plot_calibration``."""
    check_whole(bins, "bins", 2)
    said, right, what = said_and_right(found)
    table = reliability(said, right, bins, found.counts)
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=":", label="perfectly calibrated")
    errors = np.abs(table["interval"] - table["observed"])
    style: dict[str, Any] = {"color": VALIDATION, "elinewidth": 1.0, "capsize": 2.5, "linewidth": 0.8}
    axes.errorbar(table["said"], table["observed"], errors, fmt="-", label="observed, 95 % interval", **style)
    # A group's mark is as large as the group.
    axes.scatter(
        table["said"],
        table["observed"],
        s=10 + 60 * table["count"] / table["count"].max(),
        color=VALIDATION,
        zorder=3,
    )
    for x, y, n in zip(table["said"], table["observed"], table["count"], strict=True):
        axes.annotate(f"{n}", (x, y), (6, -10), textcoords="offset points", fontsize=7, color=FAINT)
    for values, height in ((said[right], 1.0), (said[~right], 0.0)):
        axes.plot(values, np.full(len(values), height), "|", color=FAINT, markersize=5, alpha=0.5, zorder=1)
    square(axes)
    label_axes(axes, f"Calibration: error {calibration_error(table):.3f}{where}", what, "share that is true")
    axes.legend(loc="upper left")

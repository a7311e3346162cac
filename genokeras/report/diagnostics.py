"""How good predictions are, as pictures: calibration and confusion here, ROC and recall beside.

Of a run, these are the out-of-fold predictions of the ensemble it delivers. Nobody trained on them, but the ensemble
was chosen by them, so the pictures are a little too kind; ``estimate_`` is corrected for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from scipy.stats import binomtest

from genokeras.engine import read_record
from genokeras.errors import ParameterError
from genokeras.report.confusion import confusion_counts, confusion_figure, label_codes
from genokeras.report.picture import (
    COLOURS,
    FAINT,
    VALIDATION,
    Picture,
    house_style,
    shown,
    write_note,
)
from genokeras.report.sources import run_folder
from genokeras.support.checks import check_whole

_RUN_NOTE = "Out-of-fold predictions of the delivered ensemble, which was chosen by them; estimate_ is corrected for that."


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities of samples whose classes are known.

    Parameters
    ----------
    truth : array-like of shape (n_samples,)
        Codes, or names of classes.
    probabilities : array-like of shape (n_samples, n_classes)
    classes : sequence of str
    fold : array-like of shape (n_samples,), optional
        For the bands: which part of the data a sample belongs to.
    note : str
        Small print below the pictures.

    Raises
    ------
    ParameterError
        If shapes do not fit, there are no samples, or a probability is out of range.
    """

    truth: Any
    probabilities: Any
    classes: Any
    fold: Any = None
    note: str = ""

    def __post_init__(self) -> None:
        classes = tuple(str(name) for name in self.classes)
        codes = label_codes(self.truth, classes, "truth")
        p = np.asarray(self.probabilities, dtype="float64")
        if not len(codes) or p.shape != (len(codes), len(classes)) or len(classes) < 2:
            raise ParameterError(
                f"probabilities must have one row a sample and one column a class, of which there are at least 2: expected "
                f"({len(codes)}, {len(classes)}), got {p.shape}."
            )
        if not (np.isfinite(p).all() and (p >= 0).all() and (p <= 1 + 1e-6).all()):
            raise ParameterError("probabilities must be between 0 and 1, and none of them missing.")
        fold = np.zeros(len(codes), dtype=int) if self.fold is None else np.asarray(self.fold)
        if fold.shape != codes.shape:
            raise ParameterError(
                f"fold must have one number a sample: expected {codes.shape}, got {fold.shape}."
            )
        for name, value in (("truth", codes), ("probabilities", p), ("classes", classes), ("fold", fold)):
            object.__setattr__(self, name, value)

    @property
    def folds(self) -> list[np.ndarray]:
        """Rows of each fold, as masks; none where there is one fold only."""
        numbers = np.unique(self.fold)
        return [self.fold == number for number in numbers] if len(numbers) > 1 else []


def run_predictions(run: Any) -> Predictions:
    """Out-of-fold predictions of what a run delivers.

    Parameters
    ----------
    run : path-like or fitted estimator

    Raises
    ------
    RunFolderError
        If it is no run, or was not finished.
    """
    record = read_record(run_folder(run))
    found = record.out_of_fold()
    names = [str(name) for name in record.names]
    return Predictions(found.targets, found.answers, names, found.fold, _RUN_NOTE)


def as_predictions(source: Any) -> Predictions:
    """Predictions as they are; those of a run out of fold."""
    return source if isinstance(source, Predictions) else run_predictions(source)


# ---- calibration


@house_style()
def plot_calibration(source: Any, bins: int = 10) -> Picture:
    """Reliability diagram: how often it is true what is said with a certain probability, and how often that is said.

    Of two classes, the probability of the second; of more, that of the class that is predicted.

    Parameters
    ----------
    source : Predictions, path-like or fitted estimator
    bins : int
        Intervals of equal width. Bars are 95 % intervals (Clopper and Pearson 1934).

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
    Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks, ICML, eq. 3 for the error.
    """
    check_whole(bins, "bins", 2)
    found = as_predictions(source)
    said, right, what = said_and_right(found)
    table = reliability(said, right, bins)
    figure = Picture(figsize=(5.6, 6.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3.4, 1))
    upper.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=":", label="perfectly calibrated")
    errors = np.abs(table["interval"] - table["observed"])
    upper.plot(table["said"], table["observed"], color=VALIDATION, linewidth=1.0, alpha=0.4)
    line = {"color": VALIDATION, "elinewidth": 1.0, "capsize": 2.5}
    upper.errorbar(
        table["said"],
        table["observed"],
        errors,
        fmt="o",
        markersize=5,
        label="observed",
        **line,
    )
    error = calibration_error(table)
    upper.set(
        ylim=(-0.015, 1.015),
        xlim=(-0.015, 1.015),
        ylabel="share that is true",
        title=f"Calibration: error {error:.3f}",
    )
    upper.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=2, borderaxespad=0.2)
    _draw_counts(lower, table, bins)
    lower.set(xlabel=what, ylabel="samples")
    write_note(figure, f"Bars: 95 % intervals.\n{found.note}")
    figure.alt = f"Calibration of {len(said)} samples: expected calibration error {error:.3f}."
    return figure


def said_and_right(found: Predictions) -> tuple[np.ndarray, np.ndarray, str]:
    """Probabilities ``(n_samples,)`` that a calibration looks at, whether what they say is true, and what they are of."""
    p = found.probabilities
    if p.shape[1] == 2:
        return p[:, 1], found.truth == 1, f"predicted probability of {shown(found.classes)[1]}"
    return p.max(axis=1), p.argmax(axis=1) == found.truth, "probability of the predicted class"


def reliability(said: np.ndarray, right: np.ndarray, bins: int = 10) -> dict[str, np.ndarray]:
    """Predicted and observed frequencies in intervals of equal width; empty ones are left out.

    Parameters
    ----------
    said : ndarray of shape (n_samples,)
        Probabilities.
    right : ndarray of bool, shape (n_samples,)
    bins : int

    Returns
    -------
    dict of str to ndarray
        ``bin``, ``count``, mean ``said``, ``observed`` share, all of shape (m,), and ``interval`` (2, m), 95 %.
    """
    place = np.minimum((said * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    used = np.flatnonzero(count)
    hits = np.bincount(place, right, minlength=bins)[used]
    limits = [binomtest(int(k), int(n)).proportion_ci(0.95) for k, n in zip(hits, count[used], strict=True)]
    return {
        "bin": used,
        "count": count[used],
        "said": np.bincount(place, said, minlength=bins)[used] / count[used],
        "observed": hits / count[used],
        "interval": np.array([[one.low for one in limits], [one.high for one in limits]]),
    }


def calibration_error(table: dict[str, np.ndarray]) -> float:
    """The expected calibration error of what :func:`reliability` found."""
    return float(table["count"] @ np.abs(table["observed"] - table["said"]) / table["count"].sum())


def _draw_counts(axes: Axes, table: dict[str, np.ndarray], bins: int) -> None:
    centres = (table["bin"] + 0.5) / bins
    bars = axes.bar(centres, table["count"], width=0.92 / bins, color=COLOURS[0])
    axes.bar_label(bars, fontsize=7.5, padding=1)
    axes.grid(axis="x", visible=False)
    axes.margins(y=0.2)


# ---- confusion


@matplotlib.style.context("default")
def plot_confusion_of(source: Any, title: str | None = None) -> Picture:
    """Confusion matrix of a run's out-of-fold predictions, or of others.

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
    counts = confusion_counts(found.truth, found.probabilities.argmax(axis=1), found.classes)
    return confusion_figure(counts, found.classes, title)

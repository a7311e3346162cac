"""How good predicted numbers are, as pictures: predicted against true, and residuals.

Of a run, these are the out-of-fold predictions of the ensemble it delivers. Nobody trained on them, but the ensemble
was chosen by them, so the pictures are a little too kind; ``estimate_`` is corrected for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from genokeras.engine import read_record
from genokeras.engine.sample_importance import importance_of
from genokeras.errors import ParameterError
from genokeras.report.picture import COLOURS, FAINT, Picture, house_style, label_axes, shown, write_note
from genokeras.report.sources import run_folder
from genokeras.tasks.objectives import NUMBER_OBJECTIVES

_RUN_NOTE = "Out-of-fold predictions of the delivered ensemble, which was chosen by them; estimate_ is corrected for that."
_MOST_TARGETS = 12
_COLUMNS = 3


@dataclass(frozen=True, eq=False)
class NumberPredictions:
    """Predicted numbers of samples whose numbers are known.

    Parameters
    ----------
    truth, predicted : array-like of shape (n_samples,) or (n_samples, n_targets)
    targets : sequence of str
        What the numbers are called.
    note : str
        Small print below the pictures.
    weight : array-like of shape (n_samples,), optional
        How much each sample counts in scores; by default all count alike.

    Raises
    ------
    ParameterError
        If shapes do not fit, there are no samples, or a number is not finite.
    """

    truth: Any
    predicted: Any
    targets: Any
    note: str = ""
    weight: Any = None

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.targets)
        truth, predicted = (
            np.asarray(values, dtype="float64").reshape(len(values), -1)
            for values in (self.truth, self.predicted)
        )
        expected = (len(truth), len(names))
        if not len(truth) or truth.shape != expected or predicted.shape != expected:
            raise ParameterError(
                f"truth and predicted must have a row for each sample and a column for each of {len(names)} targets: got "
                f"{truth.shape} and {predicted.shape}."
            )
        if not (np.isfinite(truth).all() and np.isfinite(predicted).all()):
            raise ParameterError("truth and predicted must be finite numbers, none of them missing.")
        for name, value in (("truth", truth), ("predicted", predicted), ("targets", names)):
            object.__setattr__(self, name, value)


def number_predictions(source: Any) -> NumberPredictions:
    """Predictions as they are; those of a run out of fold.

    Parameters
    ----------
    source : NumberPredictions, path-like or fitted estimator

    Raises
    ------
    RunFolderError
        If it is no run, or was not finished.
    """
    if isinstance(source, NumberPredictions):
        return source
    record = read_record(run_folder(source))
    found = record.out_of_fold()
    return NumberPredictions(found.targets, found.answers, record.names, _RUN_NOTE, importance_of(record))


@house_style()
def plot_predicted(source: Any) -> Picture:
    """Predicted against true numbers, a panel for each target (12 at most).

    Parameters
    ----------
    source : NumberPredictions, path-like or fitted estimator

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If shapes do not fit.
    RunFolderError
        If the run was not finished.
    """
    return _panels(number_predictions(source), draw_predicted, "Predicted against true numbers")


def draw_predicted(axes: Axes, found: NumberPredictions, place: int, name: str, where: str = "") -> None:
    """Draw predicted against true numbers of one target, the one in this place."""
    truth, predicted = found.truth[:, place], found.predicted[:, place]
    low, high = min(truth.min(), predicted.min()), max(truth.max(), predicted.max())
    margin = 0.04 * (high - low) or 1.0
    limits = (low - margin, high + margin)
    axes.plot(limits, limits, color=FAINT, linewidth=0.9, linestyle=":", label="predicted = true", zorder=1)
    axes.scatter(truth, predicted, s=16, color=COLOURS[0], alpha=0.65, linewidths=0)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    r2, r = _score("r2", found, place), _score("pearson", found, place)
    label_axes(axes, f"{name}: R2 {r2:.3f}, r {r:.3f}{where}", f"true {name}", f"predicted {name}")


@house_style()
def plot_residuals(source: Any) -> Picture:
    """Residuals (predicted minus true) against predicted numbers, a panel for each target (12 at most).

    Parameters
    ----------
    source : NumberPredictions, path-like or fitted estimator

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If shapes do not fit.
    RunFolderError
        If the run was not finished.
    """
    return _panels(number_predictions(source), draw_residuals, "Residuals")


def draw_residuals(axes: Axes, found: NumberPredictions, place: int, name: str, where: str = "") -> None:
    """Draw residuals against predicted numbers of one target, the one in this place."""
    predicted = found.predicted[:, place]
    residuals = predicted - found.truth[:, place]
    low, high = np.quantile(residuals, [0.025, 0.975])
    axes.axhspan(low, high, color=COLOURS[0], alpha=0.08, linewidth=0, label="95 % of the residuals")
    axes.axhline(0.0, color=FAINT, linewidth=0.9, linestyle=":")
    axes.scatter(predicted, residuals, s=16, color=COLOURS[1], alpha=0.65, linewidths=0)
    rmse, mae = _score("rmse", found, place), _score("mae", found, place)
    title = f"{name}: RMSE {rmse:.3g}, MAE {mae:.3g}{where}"
    label_axes(axes, title, f"predicted {name}", "predicted minus true")
    axes.legend(loc="upper right")


def _score(name: str, found: NumberPredictions, place: int) -> float:
    column = [place]
    return NUMBER_OBJECTIVES[name].value(found.predicted[:, column], found.truth[:, column], found.weight)


def _panels(found: NumberPredictions, draw: Any, what: str) -> Picture:
    names = shown(found.targets)[:_MOST_TARGETS]
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = Picture(figsize=(4.6 * columns, 4.2 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, name in enumerate(names):
        draw(panels[place], found, place, name)
    for spare in panels[len(names) :]:
        spare.set_visible(False)
    left_out = len(found.targets) - len(names)
    more = f"\nThe other {left_out} targets are left out." if left_out else ""
    write_note(figure, found.note + more)
    r2 = NUMBER_OBJECTIVES["r2"].value(found.predicted, found.truth, found.weight)
    figure.alt = f"{what} of {len(found.truth)} samples ({', '.join(names)}): R2 {r2:.3f}."
    return figure

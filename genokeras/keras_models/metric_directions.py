"""Whether a high value of a metric is good."""

from __future__ import annotations

from typing import Any

import keras

from genokeras.keras_models.epoch_history import Mode
from genokeras.keras_models.recipe import Recipe
from genokeras.keras_models.row_metrics import column_name
from genokeras.support.checks import check_choice

MODES = ("auto", "min", "max")
_HIGHER = (
    *("acc", "auc", "precision", "recall", "f1", "fbeta", "r2", "iou", "sensitivity", "specificity"),
    *("positives", "negatives", "kappa", "mcc", "matthews", "jaccard", "dice"),
)
_LOWER = (
    *("loss", "error", "mse", "mae", "mape", "msle", "entropy", "divergence", "hinge", "logcosh"),
    *("poisson", "deviance", "false"),
)


def direction_of_name(name: str) -> Mode | None:
    """Whether the metric of a name is to be low or high; None where its name does not say so.

    As in scikit-learn, the higher a ``..._score`` is, the better.

    Examples
    --------
    >>> direction_of_name("val_accuracy"), direction_of_name("brier_score_loss"), direction_of_name("val_mine")
    ('max', 'min', None)
    """
    lower = name.lower()
    if any(word in lower for word in _LOWER):
        return "min"
    return "max" if lower.endswith("_score") or any(word in lower for word in _HIGHER) else None


def monitored_mode(monitor: str, mode: str, recipe: Recipe) -> Mode:
    """Whether the best epoch is the one with the lowest or with the highest value.

    Parameters
    ----------
    monitor : str
        A column of the history.
    mode : {"auto", "min", "max"}
        ``"auto"``: as the class of the metric says, else its function's name, else the column's; otherwise the lowest.
    recipe : Recipe

    Raises
    ------
    ParameterError
        If `mode` is something else.
    """
    check_choice(mode, "mode", MODES)
    if mode != "auto":
        return mode  # type: ignore[return-value]
    column = str(monitor).removeprefix("val_")
    found = None if column == "loss" else _direction(_metrics(recipe).get(column))
    return found or direction_of_name(column) or "min"


def _metrics(recipe: Recipe) -> dict[str, Any]:
    """The metrics by their columns."""
    found: dict[str, Any] = {metric.name: metric.function for metric in recipe.row_metrics}
    by_output = recipe.metrics if isinstance(recipe.metrics, dict) else {"": recipe.metrics}
    for output, metrics in by_output.items():
        prefix = f"{output}_" if output else ""
        found |= {f"{prefix}{column_name(one)}": one for one in keras.tree.flatten(metrics or [])}
    return found


def _direction(metric: Any) -> Mode | None:
    if metric is None or isinstance(metric, str):
        return None if metric is None else direction_of_name(metric)
    if isinstance(metric, keras.metrics.Metric):
        said = getattr(metric, "_direction", None)
        if said in ("up", "down"):
            return "max" if said == "up" else "min"
        return direction_of_name(column_name(getattr(metric, "_fn", type(metric))))
    return direction_of_name(column_name(metric))

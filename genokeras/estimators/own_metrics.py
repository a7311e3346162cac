"""``metrics=`` of an estimator: further scores of the leaderboard and of ``evaluate``, and the note of an own objective."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np

from genokeras.errors import ParameterError
from genokeras.support.wording import did_you_mean
from genokeras.tasks.objectives import Objective
from genokeras.tasks.own_objectives import (
    OwnObjective,
    Score,
    check_computable,
    function_judge,
    is_scorer,
    keras_judge,
    own_objective,
)
from genokeras.tasks.task import Task


def scored_metrics(
    metrics: Any, task: Task, names: np.ndarray, targets: np.ndarray | None = None
) -> tuple[Objective, ...]:
    """The metrics that were asked for.

    Parameters
    ----------
    metrics : list or None
        Of names (of an objective of the task, or of a metric of Keras), metrics of Keras, scorers of scikit-learn, and functions.
    task : Task
    names : numpy.ndarray
        The classes, or what the numbers are called.
    targets : numpy.ndarray, optional
        To see whether they can be computed.

    Raises
    ------
    ParameterError
        If there is no such metric, two have one name, or one cannot be computed.
    """
    if metrics is None:
        return ()
    if not isinstance(metrics, list | tuple):
        raise ParameterError(f"metrics must be a list, got {metrics!r}.")
    found = tuple(_metric(metric, task, names) for metric in metrics)
    named = [metric.name for metric in found]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(f"metrics has {twice!r} twice: give one of them another name.")
    for metric in found if targets is not None else ():
        if isinstance(metric, OwnObjective):
            check_computable(metric, task, np.asarray(targets), np.ones(len(np.asarray(targets))))
    return found


def _metric(metric: Any, task: Task, names: np.ndarray) -> Objective:
    if isinstance(metric, str):
        if metric in task.objectives:
            return task.objective(metric)
        metric = _named(metric, task)
    if inspect.isclass(metric) and issubclass(metric, keras.metrics.Metric):
        metric = metric()
    if inspect.isfunction(metric) and str(metric.__module__).split(".")[0] == "keras":
        metric = keras.metrics.MeanMetricWrapper(metric, name=metric.__name__)
    if isinstance(metric, keras.metrics.Metric):
        return keras_judge(metric, task, names)
    if isinstance(metric, Score) or is_scorer(metric):
        return own_objective(metric, task, names)
    if callable(metric):
        return function_judge(metric, task, names)
    raise ParameterError(
        f"metrics are names, metrics of Keras, scorers of scikit-learn, or functions (y_true, y_prob): got {metric!r}."
    )


def _named(name: str, task: Task) -> Any:
    try:
        return keras.metrics.get(name)
    except ValueError as error:
        known = [*task.objectives, *(key for key in vars(keras.metrics) if not key.startswith("_"))]
        raise ParameterError(
            f"unknown metric {name!r}.{did_you_mean(name, known)} It is one of {', '.join(task.objectives)}, or what Keras calls one."
        ) from error


def described(objective: Objective) -> dict[str, Any]:
    """Entries of ``run.json`` about an objective that is somebody's own, of which no name can be looked up."""
    if not isinstance(objective, OwnObjective):
        return {}
    return {"metric": {"name": objective.name, "greater_is_better": objective.greater_is_better}}

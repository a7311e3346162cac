"""What a module chooses by: classic AutoKeras' two metrics, a metric of Keras or of this package, or a function."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np
from numpy.typing import ArrayLike

from genokeras.errors import ParameterError
from genokeras.keras_models import RowMetric
from genokeras.support.wording import did_you_mean
from genokeras.tasks.classes import Classes
from genokeras.tasks.keras_metrics import class_numbers, keras_value, one_hot
from genokeras.tasks.loss import LossTask
from genokeras.tasks.objectives import OBJECTIVES, Objective, get_objective
from genokeras.tasks.task import Task

# What a metric is called that is better the lower it is: whole words, and what longer words may hold.
_LOWER_WORDS = frozenset(
    {"loss", "error", "mse", "mae", "mape", "msle", "rmse", "rmsle", "brier", "hinge", "poisson"}
)
_LOWER_PARTS = (
    "entropy",
    "deviance",
    "distance",
    "divergence",
    "error",
    "loss",
    "logcosh",
    "log_cosh",
    "false_",
)
_PROBED_ROWS = 64


class Metric(ABC):
    """A metric as classic AutoKeras had it: a class, never an instance."""

    @classmethod
    @abstractmethod
    def higher_better(cls) -> bool:
        """Whether greater is better."""

    @classmethod
    @abstractmethod
    def compute(cls, prediction: Any, target: Any) -> float:
        """The value.

        Parameters
        ----------
        prediction, target : array-like of shape (n, n_outputs)
            Answers, and targets; classes as probabilities and one-hot.
        """


class Accuracy(Metric):
    """Share of rows whose greatest output is that of the true class.

    Examples
    --------
    >>> from genokeras.modules import Accuracy
    >>> Accuracy.compute([[0.9, 0.1], [0.4, 0.6]], [[1, 0], [1, 0]])
    0.5
    """

    @classmethod
    def higher_better(cls) -> bool:
        return True

    @classmethod
    def compute(cls, prediction: Any, target: Any) -> float:
        return float((class_numbers(np.asarray(prediction)) == class_numbers(np.asarray(target))).mean())


class MSE(Metric):
    """Mean squared error.

    Examples
    --------
    >>> from genokeras.modules import MSE
    >>> MSE.compute([[1.0], [2.0]], [[1.0], [4.0]])
    2.0
    """

    @classmethod
    def higher_better(cls) -> bool:
        return False

    @classmethod
    def compute(cls, prediction: Any, target: Any) -> float:
        return float(((np.asarray(prediction) - np.asarray(target)) ** 2).mean())


@final
@dataclass(frozen=True)
class MetricObjective(Objective):
    """An objective that is any function of all answers and targets; how uncertain it is, nobody says."""

    def values(self, a: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """The value; rows weigh alike."""
        found = np.asarray(self.function(np.asarray(a, dtype=np.float64), np.asarray(targets), np.ones(1)))
        if found.ndim:
            raise ParameterError(
                f"the metric {self.name!r} must be one number, got shape {found.shape}: average it."
            )
        return found.astype(np.float64)

    def standard_error(
        self,
        a: ArrayLike,
        targets: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        n_resamples: int = 200,
        seed: int = 0,
    ) -> float:
        """Not a number."""
        return float("nan")


def make_objective(metric: Any, task: Task) -> Objective:
    """What trials are scored by.

    Parameters
    ----------
    metric : class, instance, name or function
        See ``MlpModule``.
    task : Task

    Raises
    ------
    ParameterError
        If there is no such metric.
    """
    if isinstance(metric, Objective):
        return metric
    if isinstance(metric, str):
        metric = _named(metric, task)
        if isinstance(metric, Objective):
            return metric
    own = "accuracy" if metric is Accuracy else "mse" if metric is MSE else None
    if own is not None and own in OBJECTIVES and _is_of(OBJECTIVES[own], task):
        return OBJECTIVES[own]
    if hasattr(metric, "compute") and hasattr(metric, "higher_better"):
        return _classic(metric, task)
    if inspect.isclass(metric) and issubclass(metric, keras.metrics.Metric):
        metric = metric()
    if _is_function_of_keras(metric):
        metric = keras.metrics.MeanMetricWrapper(metric, name=metric.__name__)
    if isinstance(metric, keras.metrics.Metric):
        return _of_keras(metric)
    if not callable(metric):
        raise ParameterError(
            f"metric must be gk.Accuracy, gk.MSE, a metric of Keras, a name or a function (y_true, y_pred), got {metric!r}."
        )
    return _of_function(metric, task)


def check_objective(objective: Objective, task: Task, targets: np.ndarray) -> None:
    """See that a metric can be computed before a search begins.

    Raises
    ------
    ParameterError
        If it fails, or gives no number.
    """
    rows = targets[:_PROBED_ROWS]
    outputs = np.random.default_rng(0).normal(size=(len(rows), task.n_outputs))
    try:
        objective.value(task.answers_of(outputs), rows)
    except ParameterError:
        raise
    except Exception as error:  # of anybody's function
        raise ParameterError(
            f"the metric {objective.name!r} cannot be computed of targets {rows.shape} and answers {outputs.shape}: {error}"
        ) from error


def _named(name: str, task: Task) -> Any:
    """An objective of this package for such targets, or a metric of Keras."""
    try:
        found = get_objective(name)
    except ParameterError:
        found = None
    if found is not None and _is_of(found, task):
        return found
    try:
        return keras.metrics.get(name)
    except ValueError as error:
        if found is not None:
            raise ParameterError(_of_other_answers(name, task)) from error
        # Those of this package last: of two that are spelt alike, they are named.
        known = [*(key for key in vars(keras.metrics) if not key.startswith("_")), *OBJECTIVES]
        raise ParameterError(
            f"unknown metric {name!r}.{did_you_mean(name, known)} It must be gk.Accuracy, gk.MSE, one of "
            f"{', '.join(OBJECTIVES)}, a metric of Keras or its name, or a function (y_true, y_pred)."
        ) from error


def _of_other_answers(name: str, task: Task) -> str:
    of, answers, loss = ("classes", "numbers", "classification")
    if isinstance(task, Classes):
        of, answers, loss = answers, of, "regression"
    return (
        f"the metric {name!r} is of {of}, and a module with this loss answers {answers}: give loss=gk.{loss}_loss, or another metric: "
        "one of Keras, such as keras.metrics.AUC(), or a function (y_true, y_pred)."
    )


def _is_of(objective: Objective, task: Task) -> bool:
    """Whether an objective of this package takes the answers and targets of this task."""
    return objective.answers.kind == ("classes" if isinstance(task, Classes) else "numbers")


def _classic(metric: Any, task: Task) -> Objective:
    def value(answers: np.ndarray, targets: np.ndarray, _: Any) -> Any:
        return np.asarray(metric.compute(answers, one_hot(targets, task.n_outputs)))

    return MetricObjective(_name(metric), bool(metric.higher_better()), value)


def _of_keras(metric: Any) -> Objective:
    def value(answers: np.ndarray, targets: np.ndarray, _: Any) -> Any:
        return keras_value(metric, answers, targets)

    return MetricObjective(metric.name, greater_is_better(metric), value)


def _of_function(function: Callable[[Any, Any], Any], task: Task) -> Objective:
    own = RowMetric(_name(function), function)
    if isinstance(task, Classes) or (isinstance(task, LossTask) and task.link == "softmax"):
        judged = "categorical_crossentropy"
    elif isinstance(task, LossTask) and task.link == "sigmoid":
        judged = "binary_crossentropy"
    else:
        judged = "outputs"

    def value(answers: np.ndarray, targets: np.ndarray, _: Any) -> Any:
        return np.asarray(own.value(answers, targets, judged))

    return MetricObjective(own.name, greater_is_better(function), value)


def greater_is_better(metric: Any) -> bool:
    """By its attribute ``greater_is_better``, or else by its name: errors, losses, distances and the like are better low.

    What has no such word in its name is better high.
    """
    said = getattr(metric, "greater_is_better", None)
    if said is not None:
        return bool(said)
    name = str(getattr(metric, "name", None) or _name(metric)).lower()
    words = set(name.split("_"))
    if "neg" in words:
        return True
    return not (words & _LOWER_WORDS or any(part in name for part in _LOWER_PARTS))


def _is_function_of_keras(metric: Any) -> bool:
    return inspect.isfunction(metric) and str(metric.__module__).split(".")[0] == "keras"


def _name(metric: Any) -> str:
    inner = getattr(metric, "func", metric)  # of functools.partial
    return str(getattr(inner, "__name__", type(inner).__name__)).strip("<>")


def describe_metric(metric: Any, objective: Objective) -> dict[str, Any]:
    """What a run folder says of its metric; ``known_as`` is how to get it again, None of a function."""
    if isinstance(metric, str):
        known_as: str | None = metric
    elif metric in (Accuracy, MSE):
        known_as = "accuracy" if metric is Accuracy else "mse"
    else:
        known_as = objective.name if type(objective) is Objective else None
    return {
        "name": objective.name,
        "greater_is_better": objective.greater_is_better,
        "known_as": known_as,
    }


def objective_again(held: dict[str, Any], metric: Any, task: Task) -> Objective:
    """The objective of a run that is loaded, from what `describe_metric` wrote or from the metric, given again."""
    if metric is not None or held["known_as"] is not None:
        return make_objective(metric if metric is not None else held["known_as"], task)

    def unknown(*_: Any) -> Any:
        raise ParameterError(
            f"the metric {held['name']!r} of this run is an object of Python, which no run folder can hold: give it again, "
            "load(path, metric=...)."
        )

    return MetricObjective(held["name"], held["greater_is_better"], unknown)

"""Metrics that are not a mean over batches: any function of all true and predicted values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import keras
import numpy as np
from scipy.special import expit, softmax

from genokeras.errors import ParameterError
from genokeras.keras_models.keras_names import LOSSES_BY_SHAPE, check_columns, check_metric_name
from genokeras.keras_models.output_metrics import metrics_by_output
from genokeras.tasks.own_objectives import SCORE_ARGUMENTS, SCORE_FUNCTIONS


@final
@dataclass(frozen=True)
class RowMetric:
    """A function ``(y_true, y_pred) -> number`` of all rows.

    Where the loss is a cross-entropy of Keras, by whatever name, or a function or class with that word in its own name, ``y_pred``
    are class labels: the number of the output with the highest value, or, of a single output (and of each, with the binary
    cross-entropy), whether it is above a half. Functions whose second argument is called ``y_score``, ``y_proba``, ``y_prob``
    or ``pred_decision``, as in scikit-learn, and ``log_loss`` get the probabilities instead; for two classes the probability of
    the second. With any other loss ``y_pred`` are the outputs. ``y_true`` that is one-hot is turned into labels.

    Attributes
    ----------
    name : str
    function : callable
    """

    name: str
    function: Callable[[Any, Any], Any]

    def value(self, outputs: Any, targets: Any, loss: Any) -> float:
        """The metric of the outputs and targets of all rows.

        Parameters
        ----------
        outputs, targets : array of shape (n_samples,) or (n_samples, n_outputs)
        loss : str, function or keras.losses.Loss
            The one trained with.

        Raises
        ------
        ParameterError
            If there are several outputs or no targets, or the function fails or returns no number.
        """
        if not isinstance(outputs, np.ndarray) or not isinstance(targets, np.ndarray):
            raise ParameterError(
                f"the metric {self.name!r} is a function of all rows, which needs one output and its targets."
            )
        true, predicted = _values(outputs, targets, loss, self._takes_scores())
        try:
            found = self.function(true, predicted)
            return float(found)
        except (ValueError, TypeError) as error:
            raise ParameterError(
                f"the metric {self.name!r} cannot be computed from {len(true)} rows: {error}. A function among the metrics takes "
                "(y_true, y_pred) as numpy arrays and returns a number."
            ) from error

    def _takes_scores(self) -> bool:
        inner = getattr(self.function, "func", self.function)  # of functools.partial
        if getattr(inner, "__name__", "") in SCORE_FUNCTIONS:
            return True
        try:
            names = list(inspect.signature(inner).parameters)
        except (TypeError, ValueError):
            return False
        return len(names) > 1 and names[1] in SCORE_ARGUMENTS


def _accuracy(y_true: Any, y_pred: Any) -> Any:
    """The accuracy that fits the shapes, as Keras chooses it."""
    return _by_shapes(y_true, y_pred, "accuracy")(y_true, y_pred)


def _crossentropy(y_true: Any, y_pred: Any) -> Any:
    return _by_shapes(y_true, y_pred, "crossentropy")(y_true, y_pred)


_BY_SHAPE = {"accuracy": _accuracy, "acc": _accuracy, "crossentropy": _crossentropy, "ce": _crossentropy}


def _by_shapes(y_true: Any, y_pred: Any, what: str) -> Callable[[Any, Any], Any]:
    if y_pred.shape[-1] == 1:
        kind = "binary"
    elif len(y_true.shape) < len(y_pred.shape) or y_true.shape[-1] == 1:
        kind = "sparse_categorical"
    else:
        kind = "categorical"
    found: Callable[[Any, Any], Any] = getattr(keras.metrics, f"{kind}_{what}")
    return found


def split_metrics(metrics: Any, outputs: Sequence[str] = ()) -> tuple[Any, list[RowMetric]]:
    """Metrics of Keras, which are computed batch by batch, and functions of all rows.

    Parameters
    ----------
    metrics : list, or dict of name to metric; with several outputs dict of output to metrics
        A string, a ``keras.metrics.Metric`` or a function of ``keras`` is one of Keras; any other function is one of all rows.
    outputs : sequence of str
        Names of the net's outputs, where they are known.

    Returns
    -------
    own : list, or dict of output to list
    rows : list of RowMetric

    Raises
    ------
    ParameterError
        If one is neither, Keras knows no such name, it is not clear which output one belongs to, or several have one name or
        that of another column of the history.
    """
    if not isinstance(metrics, list | tuple | dict | None):
        raise ParameterError(
            f"metrics must be a list, or a dict of name to metric, got {metrics!r}: pass metrics=[...]."
        )
    if len(outputs) > 1 and metrics:
        by_output = metrics_by_output(metrics, outputs, _is_one_of_keras)
        called = {name: [_called(one, None) for one in parts] for name, parts in by_output.items()}
        for output, parts in called.items():
            check_columns(map(column_name, parts), f"metrics of the output {output!r}")
        return called, []
    named = metrics.items() if isinstance(metrics, dict) else ((None, metric) for metric in metrics or ())
    own: list[Any] = []
    rows: list[RowMetric] = []
    for name, metric in named:
        if _is_one_of_keras(metric):
            own.append(_called(metric, name))
        elif callable(metric):
            rows.append(RowMetric(name or column_name(metric), metric))
        else:
            raise ParameterError(
                f"a metric is a name, a keras.metrics.Metric or a function (y_true, y_pred) -> number, got {metric!r}."
            )
    check_columns([*map(column_name, own), *(one.name for one in rows)])
    return own, rows


def _called(metric: Any, name: str | None) -> Any:
    """A metric of Keras under the name that it was given."""
    check_metric_name(metric, tuple(_BY_SHAPE))
    if metric in ("crossentropy", "ce"):  # whose shapes Keras itself looks at for a loss alone
        name = name or metric
    elif name is None or getattr(metric, "name", metric) == name:
        return metric
    if metric in _BY_SHAPE:
        return keras.metrics.MeanMetricWrapper(_BY_SHAPE[metric], name=name)
    made = keras.metrics.get(metric) if isinstance(metric, str) else metric
    if isinstance(made, keras.metrics.Metric):
        return type(made).from_config({**made.get_config(), "name": name})
    return keras.metrics.MeanMetricWrapper(made, name=name)


def _is_one_of_keras(metric: Any) -> bool:
    return isinstance(metric, str | keras.metrics.Metric) or _is_of_keras(metric)


def _is_of_keras(metric: Any) -> bool:
    return str(getattr(metric, "__module__", "")).split(".")[0] == "keras"


def column_name(metric: Any) -> str:
    """What the column of a metric is called that was given no other name."""
    if isinstance(metric, str | keras.metrics.Metric):
        return str(getattr(metric, "name", metric))
    inner = getattr(metric, "func", metric)
    return str(getattr(inner, "__name__", type(inner).__name__)).strip("<>")


def loss_name(loss: Any) -> str:
    """The name that a loss was given, or ``"binary_crossentropy"`` for the string, the function and the class."""
    if not isinstance(loss, str):
        loss = getattr(loss, "name", None) or getattr(loss, "__name__", type(loss).__name__)
    return str(loss).lower()


def _loss_kind(loss: Any) -> str:
    """The names of the function or the classes of a loss, which tell a cross-entropy whatever it was called."""
    if isinstance(loss, str):
        if loss.lower() in LOSSES_BY_SHAPE:
            return "crossentropy"
        try:
            loss = keras.losses.get(loss)
        except ValueError:  # a name that is no loss of Keras
            return loss.lower()
    inner = getattr(loss, "func", loss)  # of functools.partial
    functions = [getattr(one, "__name__", "") for one in (inner, getattr(inner, "fn", None))]
    return " ".join([*functions, *(kind.__name__ for kind in type(inner).__mro__)]).lower()


def _values(
    outputs: np.ndarray, targets: np.ndarray, loss: Any, scores: bool
) -> tuple[np.ndarray, np.ndarray]:
    outputs = outputs.astype("float64")
    losses = keras.tree.flatten(loss)  # of one output it may stand in a list or dict
    loss = losses[0] if len(losses) == 1 else loss
    kind, width = _loss_kind(loss), outputs.shape[-1] if outputs.ndim > 1 else 1
    if not any(word in kind for word in ("crossentropy", "cross_entropy")):
        return _flat(targets), _flat(outputs)
    binary = "binary" in kind or width == 1
    if _from_logits(loss):
        outputs = expit(outputs) if binary else softmax(outputs, axis=-1)
    if not binary and targets.ndim == outputs.ndim and targets.shape[-1] == width:
        targets = targets.argmax(axis=-1)
    true = _flat(targets)
    # Integers: scikit-learn takes a column of floats for measurements.
    true = true.astype("int64") if np.issubdtype(true.dtype, np.floating) and np.all(true % 1 == 0) else true
    if scores:
        return true, _flat(outputs[..., 1] if width == 2 and not binary else outputs)
    return true, _flat((outputs > 0.5).astype("int64") if binary else outputs.argmax(axis=-1))


def _from_logits(loss: Any) -> bool:
    partial: dict[str, Any] = getattr(loss, "keywords", {})
    config: dict[str, Any] = loss.get_config() if hasattr(loss, "get_config") else partial
    return bool(config.get("from_logits", False))


def _flat(values: np.ndarray) -> np.ndarray:
    return values[..., 0] if values.ndim == 2 and values.shape[-1] == 1 else values

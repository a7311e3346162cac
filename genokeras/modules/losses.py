"""What a module trains by: classic AutoKeras' two losses, a loss of Keras, or a custom function."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from genokeras.errors import ParameterError
from genokeras.modules.reading import Pairs, class_numbers, numeric_targets
from genokeras.support.wording import did_you_mean
from genokeras.tasks.classes import Classes
from genokeras.tasks.loss import LossTask, is_of_keras
from genokeras.tasks.task import Task

_SIGMOID = ("BinaryCrossentropy", "BinaryFocalCrossentropy")
_CLASS_LOSSES = (keras.losses.CategoricalCrossentropy, keras.losses.SparseCategoricalCrossentropy)
_PROBED_ROWS = 8


def classification_loss(y_true: Any, y_pred: Any) -> Any:
    """Cross-entropy of logits, classic AutoKeras' loss for classes.

    Parameters
    ----------
    y_true : array-like of shape (n, n_classes)
        One-hot.
    y_pred : tensor of shape (n, n_classes)
        Logits.

    Returns
    -------
    tensor of shape (n,)
    """
    return keras.losses.categorical_crossentropy(y_true, y_pred, from_logits=True)


def regression_loss(y_true: Any, y_pred: Any) -> Any:
    """Mean squared error over the outputs, classic AutoKeras' loss for numbers.

    Parameters
    ----------
    y_true, y_pred : tensor of shape (n, n_outputs)

    Returns
    -------
    tensor of shape (n,)
    """
    return keras.losses.mean_squared_error(y_true, y_pred)


@dataclass(frozen=True)
class ModuleTask:
    """What a module's networks are to predict.

    Attributes
    ----------
    task : Task
    train, test : numpy.ndarray
        Targets as the task has them.
    label_smoothing : float or None
        Of the training loss; None is what networks are trained with by default.
    """

    task: Task
    train: np.ndarray
    test: np.ndarray
    label_smoothing: float | None = None


def make_task(loss: Any, n_outputs: int, train: Pairs, test: Pairs) -> ModuleTask:
    """The task that a loss and the training targets make.

    Parameters
    ----------
    loss : function, name, keras.losses.Loss, or a class of them
        See ``MlpModule``.
    n_outputs : int
    train, test : Pairs

    Raises
    ------
    ParameterError
        If the loss is none, or cannot be computed of such targets.
    DataError
        If the targets do not fit the loss or the number of outputs.
    """
    known = known_loss(loss)
    if known is classification_loss or isinstance(known, _CLASS_LOSSES):
        if n_outputs < 2:
            raise ParameterError(
                f"{loss_name(loss)} tells classes apart and needs n_output_node of 2 or more, got {n_outputs}. "
                "Pass loss='binary_crossentropy' for one output."
            )
        numbers = [class_numbers(pairs, n_outputs) for pairs in (train, test)]
        smoothing = None if known is classification_loss else _config(known).get("label_smoothing", 0.0)
        return ModuleTask(Classes(n_outputs), numbers[0], numbers[1], smoothing)
    by_number = not is_of_keras(known) and known is not regression_loss
    targets = [
        numeric_targets(pairs, n_outputs, by_number and pairs.y is not None and pairs.y.dtype.kind in "iu")
        for pairs in (train, test)
    ]
    task = _loss_task(known, n_outputs, targets[0])
    _probe(task, targets[0], loss)
    return ModuleTask(task, targets[0], targets[1])


def targets_of(task: Task, pairs: Pairs, like: np.ndarray) -> np.ndarray:
    """Targets of more data, as the task has them and `like` those it was made of.

    Raises
    ------
    DataError
        If they do not fit.
    """
    if isinstance(task, Classes):
        return class_numbers(pairs, task.n_outputs)
    return numeric_targets(pairs, task.n_outputs, like.ndim == 1)


def known_loss(loss: Any) -> Any:
    """The loss itself; what is a name, a class or a function of Keras becomes a loss object of Keras where it can.

    Raises
    ------
    ParameterError
        If there is no such loss.
    """
    if isinstance(loss, str):
        by_name = {"classification_loss": classification_loss, "regression_loss": regression_loss}
        loss = by_name.get(loss) or _keras_loss(loss)
    if inspect.isclass(loss) and issubclass(loss, keras.losses.Loss):
        return loss()
    if isinstance(loss, keras.losses.Loss) or loss in (classification_loss, regression_loss):
        return loss
    module = str(getattr(type(loss) if not inspect.isfunction(loss) else loss, "__module__", ""))
    if module.split(".")[0] == "torch":
        raise ParameterError(
            f"loss is {type(loss).__name__} of PyTorch, which takes predictions first: pass gk.classification_loss, "
            "gk.regression_loss, a loss of Keras, or a function (y_true, y_pred)."
        )
    if not callable(loss):
        raise ParameterError(
            "loss must be gk.classification_loss, gk.regression_loss, a loss of Keras or its name, or a function "
            f"(y_true, y_pred), got {loss!r}."
        )
    if module.split(".")[0] == "keras":
        kind = _loss_classes().get(loss_name(loss).replace("_", ""))
        return loss if kind is None else kind()
    return loss


def loss_name(loss: Any) -> str:
    """What messages and run folders call a loss."""
    if isinstance(loss, str):
        return loss
    return str(getattr(loss, "__name__", None) or getattr(loss, "name", None) or type(loss).__name__)


def _keras_loss(name: str) -> Any:
    try:
        return keras.losses.get(name)
    except ValueError as error:
        known = [key for key in vars(keras.losses) if not key.startswith("_")]
        known += ["classification_loss", "regression_loss"]
        raise ParameterError(
            f"unknown loss {name!r}.{did_you_mean(name, known)} It must be gk.classification_loss, gk.regression_loss, a loss "
            "of Keras or its name, or a function (y_true, y_pred)."
        ) from error


def _loss_classes() -> dict[str, type[keras.losses.Loss]]:
    found = [kind for kind in vars(keras.losses).values() if inspect.isclass(kind)]
    return {kind.__name__.lower(): kind for kind in found if issubclass(kind, keras.losses.Loss)}


def _config(loss: Any) -> dict[str, Any]:
    return dict(loss.get_config())


def _loss_task(loss: Any, n_outputs: int, targets: np.ndarray) -> LossTask:
    if loss is regression_loss:
        loss = keras.losses.MeanSquaredError()
    if is_of_keras(loss) and "from_logits" in _config(loss):
        link = "sigmoid" if type(loss).__name__ in _SIGMOID else "softmax"
        return LossTask(n_outputs, loss, link)
    if targets.ndim == 1 or np.isin(targets, (0, 1)).all():
        return LossTask(n_outputs, loss)
    # Outputs begin at the mean of the targets, and as far from it as these are: the loss sees them in their own units.
    mean, spread = targets.mean(axis=0, dtype="float64"), targets.std(axis=0, dtype="float64")
    scale = np.where(spread > 0, spread, 1.0)
    return LossTask(n_outputs, loss, scale=tuple(scale.tolist()), offset=tuple(mean.tolist()))


def _probe(task: LossTask, targets: np.ndarray, loss: Any) -> None:
    """See that the loss can be computed before a search begins; it may be anybody's function, and fail as it likes."""
    rows = targets[:_PROBED_ROWS]
    answers = task.answers_of(np.zeros((len(rows), task.n_outputs)))
    try:
        found = task.row_losses(answers, rows)
    except Exception as error:
        raise ParameterError(
            f"the loss {loss_name(loss)!r} cannot be computed of targets {rows.shape} and outputs {answers.shape}: {error} "
            "A loss takes (y_true, y_pred) as tensors and returns one number a row, or one in all."
        ) from error
    if not np.isfinite(found).all():
        raise ParameterError(
            f"the loss {loss_name(loss)!r} of the first {len(rows)} training rows is not finite: {found.tolist()}."
        )

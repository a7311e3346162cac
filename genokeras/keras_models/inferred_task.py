"""The loss of a model that names none, inferred from its targets and its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from genokeras.errors import ParameterError
from genokeras.streams import Batch, take_rows

_LOSSES = {
    "sparse": keras.losses.SparseCategoricalCrossentropy,
    "categorical": keras.losses.CategoricalCrossentropy,
    "binary": keras.losses.BinaryCrossentropy,
}
_METRICS = {
    "sparse": keras.metrics.SparseCategoricalAccuracy,
    "categorical": keras.metrics.CategoricalAccuracy,
}


@dataclass(frozen=True)
class InferredTask:
    """The kind of task that targets and outputs belong to.

    Parameters
    ----------
    kind : {"sparse", "categorical", "binary", "regression"}
        Class numbers, one-hot rows, zeros and ones, or numbers.
    from_logits : bool
        Whether the outputs of a classifier are not probabilities yet.
    """

    kind: str
    from_logits: bool = False

    def loss(self) -> keras.losses.Loss:
        """The usual loss."""
        if self.kind in _LOSSES:
            return _LOSSES[self.kind](from_logits=self.from_logits)
        return keras.losses.MeanSquaredError()

    def metric(self) -> keras.metrics.Metric:
        """The usual metric: ``accuracy``, or ``mae`` for numbers."""
        if self.kind in _METRICS:
            return _METRICS[self.kind](name="accuracy")
        if self.kind == "binary":
            return keras.metrics.BinaryAccuracy("accuracy", threshold=0.0 if self.from_logits else 0.5)
        return keras.metrics.MeanAbsoluteError("mae")


def infer_task(model: keras.Model, batch: Batch) -> InferredTask:
    """The task that a batch of targets and the model's outputs for it belong to.

    - Whole numbers of shape ``(n,)`` or ``(n, 1)`` for several outputs are class numbers: sparse categorical cross-entropy.
    - Targets of the shape of several outputs, with a single one in each row and zeros otherwise: categorical cross-entropy.
    - Other targets of the shape of the outputs that are only zeros and ones: binary cross-entropy.
    - Other targets of the shape of the outputs: mean squared error.

    Outputs are probabilities if the last layer ends in a softmax or sigmoid, and logits otherwise.

    Parameters
    ----------
    model : keras.Model
    batch : tuple of (x, y, sample_weight)

    Raises
    ------
    ParameterError
        If the targets and outputs fit none of these, or there are several of them.
    """
    targets, outputs = keras.tree.flatten(batch[1]), output_shapes(model, batch)
    if len(targets) != 1 or len(outputs) != 1:
        raise ParameterError(
            f"a loss can be inferred for one array of targets and one output, but model_fn's model {model.name!r} has "
            f"{len(outputs)} outputs for {len(targets)} targets: return ModelSpec(model, loss=...), or compile the model."
        )
    kind = _kind(np.asarray(keras.ops.convert_to_numpy(targets[0])), outputs[0])
    return InferredTask(kind, kind != "regression" and not _ends_in_probabilities(model))


def output_shapes(model: keras.Model, batch: Batch) -> list[tuple[int, ...]]:
    """Shapes of the model's outputs for the first row of a batch."""
    return [tuple(leaf.shape) for leaf in keras.tree.flatten(model(take_rows(batch[0], slice(1))))]


def _kind(y: np.ndarray, outputs: tuple[int, ...]) -> str:
    y = y.reshape(len(y), -1) if y.ndim == 1 else y
    beyond = outputs[1:] or (1,)
    if y.shape[1:] == beyond:
        if not np.isin(y, (0, 1)).all():
            return "regression"
        one_hot = beyond[-1] > 1 and bool((y.sum(axis=-1) == 1).all())
        return "categorical" if one_hot else "binary"
    if y.shape[1:] in (beyond[:-1], (*beyond[:-1], 1)) and np.equal(np.mod(y, 1), 0).all():
        return "sparse"
    raise ParameterError(
        f"no loss fits targets of shape {y.shape} ({y.dtype}) and outputs of shape {(len(y), *beyond)}: return "
        "ModelSpec(model, loss=...), or compile the model."
    )


def _ends_in_probabilities(model: keras.Model) -> bool:
    last: Any = model
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    if isinstance(last, keras.layers.Softmax):
        return True
    return getattr(last, "activation", None) in (keras.activations.softmax, keras.activations.sigmoid)

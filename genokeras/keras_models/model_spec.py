"""What a model function may return: a Keras model, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

import keras

from genokeras.errors import ParameterError
from genokeras.keras_models.moxing_names import ExportSpec

ArrayMetric = Callable[[Any, Any], Any]


@final
@dataclass(frozen=True, eq=False)
class ModelSpec:
    """A Keras model with its loss and with what is logged for it.

    Parameters
    ----------
    model : keras.Model
        Compiled or not. The loss and the metrics it was compiled with are used where this spec names none. Its optimizer
        is never used, because that comes from ``optimizer_fn``.
    loss : str, function or keras.losses.Loss, optional
        By default the one the model was compiled with; without that, see
        :func:`genokeras.keras_models.inferred_task.infer_task`.
    log_info : mapping of str to str, keras.metrics.Metric or function, optional
        What is measured, by the name it is logged under. A metric of Keras, or its name, is compiled into the model. A
        function ``(y_true, y_pred) -> float`` is called with NumPy arrays of all evaluated rows, so that it may be one of
        scikit-learn or read a threshold of the parameter spec.
    export_spec : ExportSpec, optional
        What inputs and outputs of an export are called; by default as their layers.

    Raises
    ------
    ParameterError
        If `model` is no Keras model, or `log_info` holds something else.
    """

    model: keras.Model
    loss: Any = None
    log_info: Mapping[str, Any] | None = None
    export_spec: ExportSpec | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.model, keras.Model):
            raise ParameterError(f"ModelSpec.model must be a keras.Model, got {type(self.model).__name__}.")
        if not isinstance(self.export_spec, ExportSpec | None):
            raise ParameterError(
                f"ModelSpec.export_spec must be an ExportSpec, got {type(self.export_spec).__name__}."
            )
        odd = [
            f"{name!r} is {type(value).__name__}"
            for name, value in (self.log_info or {}).items()
            if not isinstance(name, str) or not (isinstance(value, str) or callable(value))
        ]
        if odd:
            raise ParameterError(
                "ModelSpec.log_info must hold names of metrics, metrics or functions (y_true, y_pred) -> float, but "
                f"{'; '.join(odd)}."
            )

    @property
    def metrics(self) -> dict[str, Any]:
        """What Keras measures, by name."""
        return {name: value for name, value in (self.log_info or {}).items() if _is_metric(value)}

    @property
    def functions(self) -> dict[str, ArrayMetric]:
        """What is called with arrays, by name."""
        return {name: value for name, value in (self.log_info or {}).items() if not _is_metric(value)}


def as_model_spec(returned: Any) -> ModelSpec:
    """What a model function returned, as a spec.

    Raises
    ------
    ParameterError
        If it is neither a Keras model nor a spec.
    """
    if isinstance(returned, ModelSpec):
        return returned
    if isinstance(returned, keras.Model):
        return ModelSpec(returned)
    raise ParameterError(
        f"model_fn must return a keras.Model or a ModelSpec, got {type(returned).__name__}: does it end in a return?"
    )


def _is_metric(value: Any) -> bool:
    return isinstance(value, str | keras.metrics.Metric)

"""Values of Keras' metrics on all answers at once."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def keras_value(metric: Any, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """What a metric of Keras says of answers.

    Parameters
    ----------
    metric : keras.metrics.Metric
        It starts anew.
    answers : numpy.ndarray
        ``(n, k)``.
    targets : numpy.ndarray
        ``(n,)`` class numbers, which become one-hot unless the metric is called sparse; or ``(n, k)``.
    """
    names = {metric.name, type(metric).__name__.lower(), _function_name(metric)}
    by_number = any("sparse" in name for name in names)
    true = targets if by_number else one_hot(targets, answers.shape[-1])
    if type(metric) is keras.metrics.Accuracy:  # it counts what is equal, and class numbers can be
        true, answers = class_numbers(true), class_numbers(answers)
    metric.reset_state()
    metric.update_state(true.astype("float32"), answers.astype("float32"))
    return np.asarray(keras.ops.convert_to_numpy(metric.result()))


def one_hot(targets: np.ndarray, n_outputs: int) -> np.ndarray:
    """``(n, n_outputs)`` of class numbers ``(n,)``; other targets as they are."""
    return np.eye(n_outputs)[targets] if targets.ndim == 1 else targets


def class_numbers(values: np.ndarray) -> np.ndarray:
    """Class numbers of rows of outputs, of one output a row, or of class numbers."""
    if values.ndim > 1 and values.shape[-1] > 1:
        return np.asarray(values.argmax(axis=-1))
    return np.rint(values.reshape(len(values)))


def _function_name(metric: Any) -> str:
    return str(getattr(getattr(metric, "_fn", None), "__name__", "")).lower()

"""The loss of a model that names none."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.keras_models.inferred_task import InferredTask, infer_task

X = np.zeros((4, 3), dtype="float32")


def model(units: int, activation: str | None = None) -> keras.Model:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(units, activation)])


@pytest.mark.parametrize(
    ("units", "activation", "y", "task"),
    [
        (3, None, [0, 1, 2, 1], InferredTask("sparse", True)),
        (3, "softmax", [[0], [1], [2], [1]], InferredTask("sparse", False)),
        (3, "softmax", [0.0, 1.0, 2.0, 1.0], InferredTask("sparse", False)),
        (2, None, [[0, 1], [1, 0], [1, 0], [0, 1]], InferredTask("categorical", True)),
        (2, "sigmoid", [[1, 1], [0, 0], [1, 0], [0, 1]], InferredTask("binary", False)),
        (1, "sigmoid", [0, 1, 1, 0], InferredTask("binary", False)),
        (1, None, [[0], [1], [1], [0]], InferredTask("binary", True)),
        (1, None, [0.5, 1.0, 2.0, 0.1], InferredTask("regression")),
        (2, None, [[0.5, 1.0]] * 4, InferredTask("regression")),
    ],
)
def test_targets_and_outputs_say_the_task(
    units: int, activation: str | None, y: list[Any], task: InferredTask
) -> None:
    assert infer_task(model(units, activation), (X, np.array(y), None)) == task


def test_targets_that_fit_no_loss() -> None:
    with pytest.raises(ParameterError, match=r"no loss fits targets of shape \(4, 2\)"):
        infer_task(model(3), (X, np.zeros((4, 2)), None))


def test_several_outputs_need_a_loss() -> None:
    inputs = keras.Input((3,))
    both = keras.Model(inputs, [keras.layers.Dense(1)(inputs), keras.layers.Dense(1)(inputs)])
    with pytest.raises(ParameterError, match="2 outputs for 1 targets"):
        infer_task(both, (X, np.zeros(4), None))


def test_the_accuracy_of_logits_is_cut_at_zero() -> None:
    metric = InferredTask("binary", True).metric()
    metric.update_state(np.array([[1.0], [1.0]]), np.array([[0.2], [-0.2]]))
    assert float(metric.result()) == 0.5

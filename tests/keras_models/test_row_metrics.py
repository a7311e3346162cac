"""Metrics of all rows: what they are given."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_absolute_error, roc_auc_score

from genokeras.errors import ParameterError
from genokeras.keras_models.row_metrics import RowMetric, split_metrics

TRUE = np.array([0, 1, 1, 0])
SECOND = np.array([0.2, 0.9, 0.4, 0.1])
BOTH = np.stack([1 - SECOND, SECOND], axis=1)


def value(function: Any, outputs: np.ndarray, targets: np.ndarray, loss: Any) -> float:
    return RowMetric("it", function).value(outputs, targets, loss)


@pytest.mark.parametrize(
    ("outputs", "targets", "loss"),
    [
        (BOTH, TRUE, "sparse_categorical_crossentropy"),
        (BOTH, np.eye(2)[TRUE], keras.losses.CategoricalCrossentropy()),
        (SECOND[:, None], TRUE[:, None].astype("float32"), "binary_crossentropy"),
        (np.log(BOTH), TRUE, keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        (np.log(SECOND / (1 - SECOND))[:, None], TRUE, keras.losses.BinaryCrossentropy(from_logits=True)),
    ],
)
def test_labels_and_probabilities_go_where_they_are_needed(
    outputs: np.ndarray, targets: np.ndarray, loss: Any
) -> None:
    assert value(accuracy_score, outputs, targets, loss) == 0.75
    assert value(partial(f1_score, average="macro"), outputs, targets, loss) == pytest.approx(11 / 15)
    assert value(roc_auc_score, outputs, targets, loss) == 1.0
    assert value(log_loss, outputs, targets, loss) == pytest.approx(log_loss(TRUE, SECOND))


def test_other_losses_leave_the_outputs_alone() -> None:
    assert value(mean_absolute_error, SECOND[:, None], np.zeros(4), "mse") == pytest.approx(0.4)


def test_metrics_of_keras_are_told_from_functions_of_all_rows() -> None:
    own, rows = split_metrics(
        ["accuracy", keras.metrics.MeanSquaredError(), keras.losses.mean_squared_error, f1_score]
    )
    assert len(own) == 3
    assert [metric.name for metric in rows] == ["f1_score"]


def test_a_function_that_returns_no_number_is_an_error() -> None:
    with pytest.raises(ParameterError, match="'it' cannot be computed"):
        value(lambda true, predicted: "good", SECOND, TRUE, "mse")


def test_several_outputs_are_an_error() -> None:
    with pytest.raises(ParameterError, match="one output"):
        RowMetric("it", f1_score).value([SECOND, SECOND], TRUE, "mse")


@pytest.mark.parametrize(
    "metric", ["mse", keras.metrics.MeanSquaredError(), keras.metrics.mean_squared_error]
)
def test_a_metric_of_keras_has_the_name_that_it_is_given(metric: Any) -> None:
    (own,), rows = split_metrics({"squares": metric})
    assert own.name == "squares" and not rows
    own.update_state(np.zeros((2, 1)), np.full((2, 1), 3.0))
    assert float(own.result()) == 9.0


@pytest.mark.parametrize("metric", ["accuracy", "acc", keras.metrics.BinaryAccuracy()])
def test_an_accuracy_keeps_the_name_that_it_is_given(metric: Any) -> None:
    assert split_metrics({"right": metric})[0][0].name == "right"
    assert split_metrics({"accuracy": "accuracy"}) == (["accuracy"], [])

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
LOGITS = np.log(SECOND / (1 - SECOND))[:, None]


def value(function: Any, outputs: np.ndarray, targets: np.ndarray, loss: Any) -> float:
    return RowMetric("it", function).value(outputs, targets, loss)


@pytest.mark.parametrize(
    ("outputs", "targets", "loss"),
    [
        (BOTH, TRUE, "sparse_categorical_crossentropy"),
        (BOTH, np.eye(2)[TRUE], keras.losses.CategoricalCrossentropy()),
        (SECOND[:, None], TRUE[:, None].astype("float32"), "binary_crossentropy"),
        (np.log(BOTH), TRUE, keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
        (LOGITS, TRUE, keras.losses.BinaryCrossentropy(from_logits=True)),
        (SECOND[:, None], TRUE, "bce"),
        (SECOND[:, None], TRUE, ["bce"]),
        (BOTH, TRUE, "ce"),
        (SECOND[:, None], TRUE, keras.losses.BinaryCrossentropy(name="my_loss")),
        (BOTH, TRUE, keras.losses.SparseCategoricalCrossentropy(name="foo")),
        (LOGITS, TRUE, partial(keras.losses.binary_crossentropy, from_logits=True)),
    ],
)
def test_labels_and_probabilities_go_where_they_are_needed(
    outputs: np.ndarray, targets: np.ndarray, loss: Any
) -> None:
    assert value(accuracy_score, outputs, targets, loss) == 0.75
    assert value(partial(f1_score, average="macro"), outputs, targets, loss) == pytest.approx(11 / 15)
    assert value(roc_auc_score, outputs, targets, loss) == 1.0
    assert value(log_loss, outputs, targets, loss) == pytest.approx(log_loss(TRUE, SECOND))


@pytest.mark.parametrize("loss", ["mse", keras.losses.MeanSquaredError(name="my_crossentropy")])
def test_other_losses_leave_the_outputs_alone(loss: Any) -> None:
    assert value(mean_absolute_error, SECOND[:, None], np.zeros(4), loss) == pytest.approx(0.4)


def test_metrics_of_keras_are_told_from_functions_of_all_rows() -> None:
    own, rows = split_metrics(
        ["accuracy", keras.metrics.MeanSquaredError(), keras.losses.mean_absolute_error, f1_score]
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


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (
            [f1_score, partial(f1_score, average="macro")],
            "'f1_score' is there 2 times: give other names, as in metrics=",
        ),
        (["mse", "mse"], "'mse' is there 2 times"),
        ([f1_score, keras.metrics.MeanSquaredError(name="f1_score")], "'f1_score' is there 2 times"),
        ({"loss": "accuracy"}, "'loss' is a column of its own"),
        ({"epoch": f1_score, "seconds": f1_score}, "'epoch' is .*, 'seconds' is a column of its own"),
        ({"learning_rate": "mse"}, "'learning_rate' is a column of its own"),
        ({"val_mse": "mse"}, "'val_mse' begins as those on validation rows do"),
    ],
)
def test_every_metric_has_a_column_of_its_own(metrics: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        split_metrics(metrics)


def test_metrics_of_two_outputs_may_have_one_name() -> None:
    own, _ = split_metrics({"c": ["mae"], "r": ["mae"]}, ("c", "r"))
    assert own == {"c": ["mae"], "r": ["mae"]}
    with pytest.raises(ParameterError, match="metrics of the output 'c' .*'mae' is there 2 times"):
        split_metrics({"c": ["mae", "mae"]}, ("c", "r"))


def test_a_function_under_two_names_has_two_columns() -> None:
    _, rows = split_metrics({"f1": f1_score, "f1_macro": partial(f1_score, average="macro")})
    assert [one.name for one in rows] == ["f1", "f1_macro"]

"""Losses of all kinds as tasks, and what they answer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError
from genokeras.modules.losses import classification_loss, make_task, regression_loss
from genokeras.modules.reading import Pairs
from genokeras.tasks.classes import Classes
from genokeras.tasks.known import read_task
from genokeras.tasks.loss import LossTask

LABELS = np.array([0, 1, 2, 1])
NUMBERS = np.array([[10.0], [20.0], [30.0], [40.0]])
OUTPUTS = np.array([[0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [3.0, 1.0, -2.0], [1.0, 1.0, 1.0]])


def aim(loss: Any, y: np.ndarray, n_outputs: int) -> Any:
    pairs = Pairs(np.zeros((len(y), 2)), y, "train_data")
    return make_task(loss, n_outputs, pairs, pairs)


def absolute(y_true: Any, y_pred: Any) -> Any:
    return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)


@pytest.mark.parametrize(
    "loss",
    [
        classification_loss,
        "classification_loss",
        "categorical_crossentropy",
        keras.losses.sparse_categorical_crossentropy,
        keras.losses.CategoricalCrossentropy,
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ],
)
def test_cross_entropies_of_classes_tell_classes_apart(loss: Any) -> None:
    assert aim(loss, LABELS, 3).task == Classes(3)


def test_the_loss_object_says_how_much_labels_are_smoothed() -> None:
    assert aim(keras.losses.CategoricalCrossentropy(label_smoothing=0.2), LABELS, 3).label_smoothing == 0.2
    assert aim(classification_loss, LABELS, 3).label_smoothing is None


@pytest.mark.parametrize(
    "loss", [regression_loss, "regression_loss", "mse", "mean_squared_error", keras.losses.MeanSquaredError()]
)
def test_squared_errors_are_in_the_units_of_the_targets(loss: Any) -> None:
    task = aim(loss, NUMBERS, 1).task
    answers = task.answers_of(np.zeros((4, 1)))
    np.testing.assert_allclose(answers, 25.0)
    np.testing.assert_allclose(task.row_losses(answers, NUMBERS), [225, 25, 25, 225])


def test_the_training_loss_is_the_mean_of_the_rows_losses() -> None:
    task = aim(absolute, NUMBERS, 1).task
    outputs = np.array([[0.3], [-1.0], [0.0], [2.0]], dtype="float32")
    trained = float(task.training_loss(0.0)(NUMBERS.astype("float32"), outputs))
    assert trained == pytest.approx(task.row_losses(task.answers_of(outputs), NUMBERS).mean(), rel=1e-5)


@pytest.mark.parametrize("given", [False, True])
def test_binary_cross_entropy_answers_probabilities_whatever_its_from_logits(given: bool) -> None:
    y = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 0], [0, 1, 1]])
    task = aim(keras.losses.BinaryCrossentropy(from_logits=given), y, 3).task
    answers = task.answers_of(OUTPUTS)
    expected = -(y * np.log(answers) + (1 - y) * np.log(1 - answers)).mean(axis=1)
    np.testing.assert_allclose(task.row_losses(answers, y), expected, rtol=1e-4)
    trained = float(task.training_loss(0.0)(y.astype("float32"), OUTPUTS.astype("float32")))
    assert trained == pytest.approx(expected.mean(), rel=1e-4)


def test_a_loss_that_gives_one_number_counts_for_all_rows() -> None:
    task = aim(lambda y_true, y_pred: keras.ops.mean((y_true - y_pred) ** 2), NUMBERS, 1).task
    np.testing.assert_allclose(task.row_losses(task.answers_of(np.zeros((4, 1))), NUMBERS), [125.0] * 4)


def test_a_function_of_several_outputs_may_take_class_numbers() -> None:
    def crossentropy(y_true: Any, y_pred: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    found = aim(crossentropy, LABELS, 3)
    assert found.train.shape == (4,)
    expected = Classes(3).row_losses(Classes(3).answers_of(OUTPUTS), LABELS)
    np.testing.assert_allclose(
        found.task.row_losses(found.task.answers_of(OUTPUTS), LABELS), expected, rtol=1e-4
    )


@pytest.mark.parametrize("loss", ["mse", "huber", keras.losses.BinaryCrossentropy()])
def test_a_task_of_keras_loss_is_written_down_and_read_back(loss: Any) -> None:
    task = aim(loss, NUMBERS / 40, 1).task
    again = read_task(task.to_dict())
    outputs = OUTPUTS[:, :1]
    np.testing.assert_allclose(again.answers_of(outputs), task.answers_of(outputs))
    np.testing.assert_allclose(
        again.row_losses(task.answers_of(outputs), NUMBERS / 40),
        task.row_losses(task.answers_of(outputs), NUMBERS / 40),
    )


def test_a_function_is_not_written_down_and_has_to_be_given_again() -> None:
    again = read_task(aim(absolute, NUMBERS, 1).task.to_dict())
    assert isinstance(again, LossTask) and again.loss is None
    with pytest.raises(ParameterError, match="give it again"):
        again.training_loss(0.0)


@pytest.mark.parametrize(
    ("loss", "y", "n_outputs", "error", "message"),
    [
        ("categorical_crosentropy", LABELS, 3, ParameterError, "Did you mean 'categorical_crossentropy'"),
        (3, LABELS, 3, ParameterError, "must be gk.classification_loss"),
        (classification_loss, LABELS, 1, ParameterError, "2 or more"),
        (classification_loss, LABELS, 2, DataError, "row 2 has 2"),
        (regression_loss, NUMBERS, 2, DataError, "n_output_node is 2"),
        (lambda a: a, NUMBERS, 1, ParameterError, "cannot be computed"),
        (lambda a, b: keras.ops.log(b - 1e9), NUMBERS, 1, ParameterError, "not finite"),
    ],
)
def test_losses_that_cannot_be_used_are_refused(
    loss: Any, y: np.ndarray, n_outputs: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        aim(loss, y, n_outputs)

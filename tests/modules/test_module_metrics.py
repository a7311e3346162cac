"""Metrics of all kinds as objectives."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss, mean_absolute_error

from genokeras.errors import ParameterError
from genokeras.modules import MSE, Accuracy
from genokeras.modules.metrics import check_objective, greater_is_better, make_objective
from genokeras.tasks.classes import Classes
from genokeras.tasks.loss import LossTask

CLASSES = Classes(3)
NUMBERS = LossTask(2, keras.losses.MeanSquaredError())
P = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1]])
CODES = np.array([0, 1, 1, 2])
A = np.array([[1.0, 2.0], [3.0, 4.0]])
T = np.array([[1.0, 0.0], [2.0, 4.0]])


class Top(Accuracy):
    """A metric as users of classic AutoKeras wrote their own."""

    @classmethod
    def compute(cls, prediction: Any, target: Any) -> float:
        return float((np.asarray(prediction)[:, 0] * np.asarray(target)[:, 0]).sum())


@pytest.mark.parametrize(
    "metric",
    [
        Accuracy,
        "accuracy",
        "acc",
        keras.metrics.Accuracy,
        keras.metrics.CategoricalAccuracy(),
        keras.metrics.SparseCategoricalAccuracy,
        "sparse_categorical_accuracy",
    ],
)
def test_accuracy_is_the_same_by_any_name(metric: Any) -> None:
    objective = make_objective(metric, CLASSES)
    assert objective.greater_is_better
    assert objective.value(P, CODES) == pytest.approx(0.5)


@pytest.mark.parametrize(
    "metric", [MSE, "mse", keras.metrics.MeanSquaredError, keras.metrics.mean_squared_error]
)
def test_the_mean_squared_error_is_the_same_by_any_name(metric: Any) -> None:
    objective = make_objective(metric, NUMBERS)
    assert not objective.greater_is_better
    assert objective.loss(A, T) == pytest.approx(1.25)


def test_functions_of_scikit_learn_get_labels_or_probabilities() -> None:
    assert make_objective(balanced_accuracy_score, CLASSES).value(P, CODES) == pytest.approx(0.5)
    found = make_objective(log_loss, CLASSES)
    assert found.value(P, CODES) == pytest.approx(log_loss(CODES, P)) and not found.greater_is_better


def test_functions_of_numbers_get_the_answers() -> None:
    assert make_objective(mean_absolute_error, NUMBERS).value(A, T) == pytest.approx(0.75)


def test_a_metric_as_in_classic_autokeras_gets_one_hot_targets() -> None:
    assert make_objective(Top, CLASSES).value(P, CODES) == pytest.approx(0.7)


def test_a_keras_metric_is_computed_anew_each_time() -> None:
    objective = make_objective(keras.metrics.AUC, CLASSES)
    assert objective.value(P, CODES) == objective.value(P, CODES)


def scored(y_true: Any, y_pred: Any) -> float:
    return 0.0


def test_an_attribute_says_which_way_is_better() -> None:
    class Own:
        greater_is_better = False

        def __call__(self, y_true: Any, y_pred: Any) -> float:
            return 0.0

    assert greater_is_better(scored)
    assert not greater_is_better(Own())


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (keras.metrics.AUC(), True),
        (keras.metrics.CosineSimilarity(), True),
        (keras.metrics.MeanAbsolutePercentageError(), False),
        (keras.metrics.KLDivergence(), False),
        (keras.metrics.FalsePositives(), False),
        (mean_absolute_error, False),
        (balanced_accuracy_score, True),
    ],
)
def test_the_name_says_which_way_is_better(metric: Any, expected: bool) -> None:
    assert greater_is_better(metric) is expected


@pytest.mark.parametrize(
    ("metric", "message"), [("acuracy", "Did you mean 'accuracy'"), (3, "metric must be gk.Accuracy")]
)
def test_metrics_that_there_are_not_are_refused(metric: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make_objective(metric, CLASSES)


@pytest.mark.parametrize(
    ("metric", "task", "message"),
    [
        (
            "roc_auc",
            NUMBERS,
            r"'roc_auc' is of classes.*answers numbers: give loss=gk.classification_loss.*AUC",
        ),
        ("pearson", CLASSES, "'pearson' is of numbers.*answers classes: give loss=gk.regression_loss"),
    ],
)
def test_a_metric_of_other_answers_is_refused_as_such(metric: str, task: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message) as error:
        make_objective(metric, task)
    assert "unknown" not in str(error.value)


@pytest.mark.parametrize("metric", [lambda y_true: 0.0, keras.metrics.F1Score])
def test_a_metric_that_is_no_number_is_refused_before_a_search(metric: Any) -> None:
    with pytest.raises(ParameterError, match="metric"):
        check_objective(make_objective(metric, CLASSES), CLASSES, CODES)

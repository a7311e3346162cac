"""Numbers, in row space: values in the units of each target, from networks as a run has trained them."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.explain.coordinates import RowSpaceFrame
from genokeras.explain.explanation import Explanation
from genokeras.explain.linear import attribute_linear_trial
from genokeras.explain.links import link_of
from genokeras.explain.models import as_explanation, attribute_frame
from genokeras.graph import linear, mlp
from genokeras.networks import TrainedTrial
from genokeras.tasks.classes import Classes
from genokeras.tasks.loss import LossTask
from genokeras.tasks.numbers import Numbers
from tests.explain.random_ensembles import GENES, expression, mean_answers, trial_of

TASK = Numbers((60.0, 0.5), (10.0, 1e-3))
TRIALS = [trial_of(mlp(2, (8,)), "all", "tanh", 1, 2.0), trial_of(linear(2), "log:top15", "tanh", 2)]
X, BACKGROUND = expression(6, 5), expression(9, 6)


def explained(
    trials: list[TrainedTrial], task: Numbers | LossTask, method: str = "expected_gradients"
) -> Explanation:
    frame = RowSpaceFrame(trials, link_of(task))
    found = attribute_frame(frame, X, BACKGROUND, method, 200, 0)
    genes, samples = (tuple(f"{kind}{i}" for i in range(n)) for kind, n in (("g", GENES), ("s", len(X))))
    names = ("age", "weight")[: task.n_outputs]
    return as_explanation(found, X, genes, names, samples, method, "number")


def test_predictions_are_those_of_the_networks_in_their_units() -> None:
    np.testing.assert_allclose(explained(TRIALS, TASK).outputs, mean_answers(TRIALS, TASK, X), rtol=1e-5)


@pytest.mark.parametrize("method", ["expected_gradients", "integrated_gradients"])
def test_values_add_up_to_prediction_minus_base_in_each_target(method: str) -> None:
    found = explained(TRIALS, TASK, method)
    missing = np.abs(found.base_values + found.values.sum(axis=1) - found.outputs)
    # The second target varies by thousandths, the first by tens: each is right by its own measure.
    assert (
        missing < 1.1e-3 * np.ptp(mean_answers(TRIALS, TASK, np.concatenate([X, BACKGROUND])), axis=0)
    ).all()
    assert found.additivity.maximum < 1.1e-3


def test_the_base_is_the_mean_prediction_of_the_background() -> None:
    found = explained(TRIALS, TASK)
    np.testing.assert_allclose(
        found.base_values[0], mean_answers(TRIALS, TASK, BACKGROUND).mean(axis=0), rtol=1e-5
    )


def test_a_single_target_is_enough() -> None:
    task = Numbers((60.0,), (10.0,))
    trials = [trial_of(mlp(1, (8,)), "all", "gelu", 3)]
    found = explained(trials, task)
    assert found.shape == (6, GENES, 1)
    np.testing.assert_allclose(
        found.base_values + found.values.sum(axis=1),
        mean_answers(trials, task, X),
        atol=1.1e-3 * found.additivity.output_range,
    )


def test_a_gene_that_no_network_reads_gets_nothing() -> None:
    # Gene 2 is constant in training.
    assert not explained(TRIALS[:1], TASK).values[:, 2].any()


def test_targets_have_values_of_their_own() -> None:
    # Numbers have no fixed sum, so that the last is not minus the sum of the others.
    alone = trial_of(linear(2), "all", "tanh", 4)
    weights = {i: {k: np.array(a) for k, a in named.items()} for i, named in alone.weights.items()}
    for named in weights.values():
        named["kernel"][..., 1] = 0.0
    found = explained([TrainedTrial(alone.graph, "tanh", weights, alone.spaces)], TASK)
    assert np.abs(found.values[..., 0]).max() > 0.1
    assert not found.values[..., 1].any()


def test_a_task_with_any_other_link_is_explained_too() -> None:
    task = LossTask(2, None, link="sigmoid")
    found = explained(TRIALS, task)
    np.testing.assert_allclose(found.outputs, mean_answers(TRIALS, task, X), rtol=1e-5)
    assert found.additivity.maximum < 1.1e-3


@pytest.mark.parametrize("view", ["all", "log", "top15", "log:top15", "top6"])
def test_a_linear_trial_is_explained_exactly_in_units(view: str) -> None:
    trial = trial_of(linear(2), view, "relu", 7)
    exact = attribute_linear_trial(trial, link_of(TASK), X, BACKGROUND)
    np.testing.assert_allclose(exact.outputs, mean_answers([trial], TASK, X), rtol=1e-4)
    np.testing.assert_allclose(exact.base + exact.values.sum(axis=1), exact.outputs, rtol=1e-5)
    paths = attribute_frame(
        RowSpaceFrame([trial], link_of(TASK)), X, BACKGROUND, "expected_gradients", 200, 0
    )
    np.testing.assert_allclose(paths.values / exact.ranges, exact.values / exact.ranges, atol=1e-5)


def test_a_linear_trial_of_classes_is_explained_in_log_odds() -> None:
    trial = trial_of(linear(3), "top15", "relu", 7)
    exact = attribute_linear_trial(trial, link_of(Classes(3), output="log_odds"), X, BACKGROUND)
    np.testing.assert_allclose(exact.values.sum(axis=2), 0.0, atol=1e-5)
    np.testing.assert_allclose(exact.base + exact.values.sum(axis=1), exact.outputs, atol=1e-5)


def test_other_tasks_have_no_linear_values() -> None:
    with pytest.raises(ParameterError, match="explains classes and numbers"):
        attribute_linear_trial(TRIALS[1], link_of(LossTask(2, None, link="sigmoid")), X, BACKGROUND)

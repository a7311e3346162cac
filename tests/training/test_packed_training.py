"""Packed training: members as if alone, held-out rows never learnt from, the best common step kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import softmax

from genokeras.errors import ParameterError
from genokeras.graph import (
    Activation,
    Dense,
    Dropout,
    Graph,
    Input,
    Layer,
    linear,
    mlp,
    reference_forward,
)
from genokeras.graph.testing import random_weights
from genokeras.support.backends import Backend, TorchBackend, current_backend
from genokeras.training import PackedTask, PackedTrainer, TrainingSettings
from genokeras.training.optimizers import get_update
from tests.training.small_tasks import (
    FOLDS,
    held_out_loss,
    largest_difference,
    small_task,
    some_members,
    weights_of,
)

GRAPH = mlp(3, (8,))
SHORT = TrainingSettings(max_steps=20, chunk_steps=10, patience=99, min_steps=0)
LAST = replace(SHORT, keep_last=True)


@pytest.fixture(scope="module")
def short() -> PackedTrainer:
    """Shared, so that tasks of one shape compile once."""
    return PackedTrainer(SHORT)


@pytest.fixture(scope="module")
def last() -> PackedTrainer:
    return PackedTrainer(LAST)


# ---- one step


def linear_step(task: PackedTask) -> dict[str, np.ndarray]:
    """A linear model's weights behind the first step, by hand; epsilon counts tenfold beside the uncorrected square."""
    kernel, bias = (task.weights[1][name].astype("float64") for name in ("kernel", "bias"))
    error = softmax(task.inputs @ kernel + bias[:, None], axis=-1) - task.targets
    weighted = task.train_weights[:, :, None] * error
    slope, offset = task.inputs.transpose(0, 2, 1) @ weighted, weighted.sum(axis=1)
    rate = 10 * task.learning_rate / np.sqrt(task.input_rank)
    decay = 10 * task.learning_rate * task.weight_decay
    return {
        "kernel": kernel
        - rate[:, None, None] * slope / (np.abs(slope) + 1e-6)
        - decay[:, None, None] * kernel,
        "bias": bias - rate[:, None] * offset / (np.abs(offset) + 1e-6),
    }


def test_the_first_step_of_a_linear_model_is_that_computed_by_hand() -> None:
    task = small_task(linear(3), (0.01, 0.05), weight_decay=0.3)
    task = replace(task, weights=random_weights(task.graph, 6, 2 * FOLDS, np.random.default_rng(1)))
    found = PackedTrainer(TrainingSettings(max_steps=1, keep_last=True)).run(task).weights[1]
    for name, array in linear_step(task).items():
        np.testing.assert_allclose(found[name], array, atol=1e-5)


def test_without_training_rows_kernels_shrink_and_biases_stay(last: PackedTrainer) -> None:
    task = small_task(GRAPH, weight_decay=0.5)
    task = replace(
        task,
        weights=random_weights(GRAPH, 6, FOLDS, np.random.default_rng(1)),
        train_weights=np.zeros_like(task.train_weights),
    )
    found = last.run(task).weights
    for i, named in task.weights.items():
        np.testing.assert_array_equal(found[i]["bias"], named["bias"])
        ratio = found[i]["kernel"] / named["kernel"]
        assert ratio.max() < 0.99 and np.ptp(ratio) < 1e-4


# ---- packed equals one by one


def test_members_train_as_if_they_were_alone(last: PackedTrainer) -> None:
    task = small_task(GRAPH, (0.01, 0.05))
    together = last.run(task)
    for m in (0, 4):
        alone = last.run(some_members(task, slice(m, m + 1)))
        assert largest_difference(alone.weights, weights_of(together.weights, slice(m, m + 1))) < 1e-5


def test_trials_are_scored_and_settled_as_if_they_were_alone(short: PackedTrainer) -> None:
    task = small_task(GRAPH, (0.003, 0.3))
    together = short.run(task)
    for t in range(2):
        alone = short.run(some_members(task, slice(t * FOLDS, (t + 1) * FOLDS)))
        np.testing.assert_allclose(alone.curves[:, 0], together.curves[:, t], rtol=1e-4)
        assert alone.best_step[0] == together.best_step[t]


def test_inputs_that_all_members_share_need_no_copies(short: PackedTrainer) -> None:
    task = small_task(GRAPH)
    shared = replace(task, inputs=task.inputs[:1])
    tiled = replace(task, inputs=np.repeat(task.inputs[:1], FOLDS, axis=0))
    np.testing.assert_array_equal(short.run(shared).logits, short.run(tiled).logits)


# ---- what is kept


def test_the_best_step_is_the_lowest_of_the_mean_curve_and_its_weights_are_kept() -> None:
    task = small_task(GRAPH, (0.003, 0.1, 0.3), signal=0.4)
    result = PackedTrainer(replace(SHORT, max_steps=60)).run(task)
    held_out = result.curves[:, :, 1]
    np.testing.assert_array_equal(result.best_step, result.curve_steps[held_out.argmin(axis=0)])
    np.testing.assert_allclose(result.best_loss, held_out.min(axis=0))
    np.testing.assert_allclose(held_out_loss(task, result.weights), result.best_loss, rtol=1e-4)
    logits = reference_forward(GRAPH, result.weights, task.inputs, "relu")
    np.testing.assert_allclose(result.logits, logits, atol=1e-4)
    assert result.best_step.min() < 60  # or it would show nothing


def test_training_lowers_the_training_loss(short: PackedTrainer) -> None:
    curves = short.run(small_task(GRAPH)).curves
    assert curves[-1, 0, 0] < 0.8 * curves[0, 0, 0]


@pytest.mark.parametrize(
    ("max_steps", "score_every", "chunk_steps"), [(85, 5, 50), (7, 5, 50), (3, 5, 50), (13, 4, 3)]
)
def test_the_last_step_is_the_last_allowed(max_steps: int, score_every: int, chunk_steps: int) -> None:
    task = small_task(linear(3))
    settings = TrainingSettings(max_steps, score_every, chunk_steps=chunk_steps, keep_last=True)
    result = PackedTrainer(settings).run(task)
    steps = [*range(score_every, max_steps, score_every), max_steps]
    assert result.steps == max_steps and result.best_step.tolist() == [max_steps]
    assert result.curve_steps.tolist() == steps and len(result.curves) == len(steps)
    np.testing.assert_allclose(result.best_loss, result.curves[-1, :, 1])
    np.testing.assert_allclose(held_out_loss(task, result.weights), result.best_loss, rtol=1e-4)


@pytest.mark.parametrize("settings", [{"chunk_steps": 5}, {"chunk_steps": 100}, {"score_every": 3}])
def test_chunks_and_scorings_do_not_change_where_training_ends(
    last: PackedTrainer, settings: dict[str, Any]
) -> None:
    task = small_task(GRAPH)
    other = PackedTrainer(replace(LAST, **settings)).run(task)
    assert largest_difference(other.weights, last.run(task).weights) < 1e-6


def test_held_out_rows_are_never_learnt_from(last: PackedTrainer) -> None:
    task = small_task(GRAPH)
    held_out = task.train_weights[0] == 0
    targets, inputs = task.targets.copy(), task.inputs.copy()
    targets[held_out] = np.roll(targets[held_out], 1, axis=1)
    inputs[0, held_out] += 5
    before, after = last.run(task), last.run(replace(task, targets=targets, inputs=inputs))
    first, others = slice(0, 1), slice(1, None)
    assert largest_difference(weights_of(before.weights, first), weights_of(after.weights, first)) == 0
    assert largest_difference(weights_of(before.weights, others), weights_of(after.weights, others)) > 0


# ---- when training ends


def test_a_trial_without_improvement_settles_and_ends_the_run() -> None:
    settings = TrainingSettings(max_steps=200, chunk_steps=5, patience=3, min_improvement=10.0, min_steps=0)
    result = PackedTrainer(settings).run(small_task(linear(3)))
    assert result.steps == 20  # the first scoring improves on nothing at all, three more do not
    assert result.best_step[0] <= 20


def test_a_settled_trial_keeps_its_weights_while_another_goes_on() -> None:
    task = small_task(linear(3), (1e-7, 0.01), signal=4.0)
    result = PackedTrainer(TrainingSettings(max_steps=60, chunk_steps=60, patience=2, min_steps=0)).run(task)
    assert result.curves[-1, 0, 1] < result.best_loss[0]  # it kept falling, too slowly to count
    assert result.best_step.tolist() == [15, 60]


def test_the_caller_may_stop_between_chunks(short: PackedTrainer) -> None:
    asked: list[int] = []

    def should_stop() -> bool:
        asked.append(1)
        return True

    result = short.run(small_task(GRAPH), should_stop)
    assert result.steps == 10 and len(asked) == 1 and len(result.curves) == 2
    assert np.isfinite(result.best_loss).all()


@pytest.mark.parametrize("settings", [SHORT, LAST], ids=["best", "last"])
def test_values_that_are_not_finite_fail_their_own_trial_only(settings: TrainingSettings) -> None:
    task = small_task(GRAPH, (0.01, 0.02))
    inputs = task.inputs.copy()
    inputs[1, 4, 2] = np.nan
    settings = replace(settings, max_steps=200, patience=5, chunk_steps=25)
    result = PackedTrainer(settings).run(replace(task, inputs=inputs), should_stop=lambda: False)
    healthy = PackedTrainer(settings).run(some_members(task, slice(FOLDS, None)))
    assert np.isposinf(result.best_loss[0]) and result.best_step[0] == 0
    assert result.best_loss[1] == pytest.approx(healthy.best_loss[0], rel=1e-3)
    assert np.isfinite(result.logits).all()


@pytest.mark.parametrize(("optimizer", "monitor"), [("adam", "f1_score"), ("kfac", "accuracy")])
def test_a_learning_rate_that_diverges_leaves_the_other_trials_alone(optimizer: str, monitor: str) -> None:
    settings = replace(SHORT, monitor=monitor, optimizer=get_update(optimizer))
    wild, usual = (
        PackedTrainer(settings).run(small_task(GRAPH, (rate, 0.02), dropout=0.2)) for rate in (1e30, 0.01)
    )
    others = slice(FOLDS, None)
    np.testing.assert_allclose(wild.logits[others], usual.logits[others], atol=1e-6)
    np.testing.assert_allclose(wild.curves[:, 1], usual.curves[:, 1], atol=1e-6)
    assert wild.best_step[1] == usual.best_step[1] and wild.best_loss[1] == pytest.approx(usual.best_loss[1])
    assert not wild.best_loss[0] < usual.best_loss[0]


def test_data_that_is_not_finite_ends_the_run_early() -> None:
    task = small_task(linear(3))
    task = replace(task, inputs=np.full_like(task.inputs, np.nan))
    result = PackedTrainer(TrainingSettings(chunk_steps=5, min_steps=0)).run(task)
    assert result.steps == 25 and np.isposinf(result.best_loss).all()


# ---- dropout, mini-batches, seeds


def test_dropout_changes_training_and_the_seed_decides_how(last: PackedTrainer) -> None:
    task = small_task(GRAPH, dropout=0.5)
    first, same = last.run(task), last.run(task)
    other, without = last.run(replace(task, seed=7)), last.run(replace(task, dropout=np.zeros(FOLDS)))
    assert largest_difference(first.weights, same.weights) == 0
    assert largest_difference(first.weights, other.weights) > 1e-3
    assert largest_difference(first.weights, without.weights) > 1e-3


def test_a_new_trainer_repeats_a_run_bit_for_bit(short: PackedTrainer) -> None:
    task = small_task(GRAPH, dropout=0.3)
    np.testing.assert_array_equal(short.run(task).logits, PackedTrainer(SHORT).run(task).logits)


def test_a_rate_of_the_layers_own_goes_before_the_trials() -> None:
    def graph(rate: float | None) -> Graph:
        specs = [Input(), Dense(8), Activation(), Dropout(rate), Dense(3)]
        return Graph.build([Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs)])

    trainer = PackedTrainer(LAST)
    own = trainer.run(small_task(graph(0.0), dropout=0.5))
    without = trainer.run(small_task(graph(None), dropout=0.0))
    assert largest_difference(own.weights, without.weights) == 0


def test_mini_batches_train_too() -> None:
    trainer = PackedTrainer(TrainingSettings(max_steps=40, batch_size=7, patience=99, keep_last=True))
    task = small_task(GRAPH, dropout=0.2)
    first, same, other = trainer.run(task), trainer.run(task), trainer.run(replace(task, seed=5))
    assert first.curves[-1, 0, 0] < 0.8 * first.curves[0, 0, 0]
    assert largest_difference(first.weights, same.weights) == 0
    assert largest_difference(first.weights, other.weights) > 1e-4


# ---- compiling


class CountingBackend(Backend):
    """The current backend, and how often a function was traced."""

    def __init__(self) -> None:
        self.inner = current_backend()
        self.traces = 0

    def compile(
        self, function: Callable[..., Any], free_axes: Callable[..., Any] | None = None
    ) -> Callable[..., Any]:
        def counted(*arguments: Any) -> Any:
            self.traces += 1
            return function(*arguments)

        return self.inner.compile(counted, free_axes)

    def taken(self, x: Any, indices: Any, axis: int = 0) -> Any:
        return self.inner.taken(x, indices, axis)

    def product(self, a: Any, b: Any, a_turned: bool, b_turned: bool) -> Any:
        return self.inner.product(a, b, a_turned, b_turned)

    def apply_in_parts(self, x: Any, functions: Any, sizes: Any, chosen: Any) -> Any:
        return self.inner.apply_in_parts(x, functions, sizes, chosen)

    def repeat(self, times: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
        return self.inner.repeat(times, body, state)

    def value_and_gradients(self, loss: Callable[[list[Any]], Any], parameters: list[Any]) -> Any:
        return self.inner.value_and_gradients(loss, parameters)

    def gradients_of_columns(self, function: Callable[[Any], Any], x: Any) -> Any:
        return self.inner.gradients_of_columns(function, x)


def test_another_task_of_the_same_shapes_does_not_compile_again() -> None:
    trainer = PackedTrainer(replace(SHORT, max_steps=24))  # two whole chunks and a shorter one
    counting = trainer._backend = CountingBackend()
    trainer.run(small_task(GRAPH))
    traces = counting.traces
    trainer.run(small_task(GRAPH, (0.1,), dropout=0.5, seed=3))
    assert trainer.compilations == 1
    if not isinstance(counting.inner, TorchBackend):  # which runs eagerly
        assert counting.traces == traces == 1


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="these are options of TensorFlow")
def test_tensorflow_keeps_the_options_that_somebody_set(short: PackedTrainer) -> None:
    chosen: Any = import_module("tensorflow").config.optimizer
    for off in (True, False):
        chosen.set_experimental_options({"disable_meta_optimizer": off})
        short.run(small_task(GRAPH))
        assert chosen.get_experimental_options()["disable_meta_optimizer"] is off


def test_another_shape_compiles_anew(short: PackedTrainer) -> None:
    before = short.compilations
    short.run(small_task(linear(2), n=20, rank=4))
    assert short.compilations == before + 1


# ---- settings


@pytest.mark.parametrize(
    "wrong",
    [{"max_steps": 0}, {"score_every": 2.5}, {"patience": True}, {"batch_size": -1}, {"schedule_steps": 0}],
)
def test_settings_out_of_range_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        TrainingSettings(**wrong)


@pytest.mark.parametrize("value", [-1.0, float("nan")])
def test_a_negative_least_improvement_is_refused(value: float) -> None:
    with pytest.raises(ParameterError, match="min_improvement"):
        TrainingSettings(min_improvement=value)


def test_a_step_is_the_best_only_after_the_first_ones() -> None:
    """At this learning rate the lowest point of the curve comes at once; what is kept comes later."""
    task = replace(small_task(linear(3)), learning_rate=np.full(small_task(linear(3)).n_members, 0.5))
    early = PackedTrainer(TrainingSettings(max_steps=60, patience=99, min_steps=0)).run(task)
    late = PackedTrainer(TrainingSettings(max_steps=60, patience=99, min_steps=20)).run(task)
    assert early.best_step.min() <= 20 < late.best_step.min()
    short = PackedTrainer(TrainingSettings(max_steps=10)).run(task)
    assert (short.best_step == 10).all()

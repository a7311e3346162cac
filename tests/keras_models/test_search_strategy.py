"""What a search does, and in which order."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.keras_models import ModelSpec, plot_range_tests, search
from genokeras.tuning import ParamSpec
from tests.keras_models.any_models import FUNCTIONS, LISTS, SPEC, blobs, input_fn, model_fn, optimizer_fn

pytestmark = pytest.mark.slow

SHORT: dict[str, Any] = {"batch_size": 20, "total_steps": 30}


@pytest.fixture(scope="module")
def best() -> ParamSpec:
    return search(*FUNCTIONS, **SHORT, param_spec=SPEC, param_list_spec=LISTS)


def test_what_is_found_is_of_the_lists_and_inside_the_ramp(best: ParamSpec) -> None:
    assert best.weight_decay in LISTS.weight_decay
    assert best.momentum in LISTS.momentum
    assert 1e-4 < best.learning_rate <= 3.0


def test_the_report_says_why_every_value_was_chosen(best: ParamSpec) -> None:
    assert set(best.reasons) == {"weight_decay", "momentum", "learning_rate"}
    assert "no function reads it" in best.reasons["weight_decay"]
    assert len(best.report().splitlines()) == 3


def test_the_curves_of_the_range_tests_are_drawn(best: ParamSpec, tmp_path: Path) -> None:
    assert list(best.curves) == ["weight_decay=0.01", "weight_decay=0.0001"]
    figure = plot_range_tests(best, tmp_path / "curves.png")
    assert len(figure.axes) == 2
    assert (tmp_path / "curves.png").stat().st_size > 1000


def test_a_spec_without_range_tests_cannot_be_drawn() -> None:
    with pytest.raises(ParameterError, match="no range tests"):
        plot_range_tests(SPEC)


def test_the_same_seed_finds_the_same(best: ParamSpec) -> None:
    assert search(*FUNCTIONS, **SHORT, param_spec=SPEC, param_list_spec=LISTS) == best


def test_one_model_serves_all_rates_decays_and_momenta() -> None:
    made = []

    def counted(inputs_spec: Any) -> keras.Model:
        made.append(inputs_spec)
        return model_fn(inputs_spec)

    search(input_fn, counted, optimizer_fn, **SHORT, param_spec=SPEC, param_list_spec=LISTS)
    assert len(made) == 1


def test_thresholds_that_only_evaluation_reads_are_searched_without_training_again() -> None:
    built = []

    def thresholded(inputs_spec: Any, run_mode: str, param_spec: ParamSpec) -> ModelSpec:
        built.append(run_mode)
        model = model_fn(inputs_spec)
        if run_mode == "train":
            return ModelSpec(model)

        def sure(y_true: np.ndarray, y_pred: np.ndarray) -> float:
            p = np.exp(y_pred) / np.exp(y_pred).sum(axis=1, keepdims=True)
            return float(np.mean((p.argmax(axis=1) == y_true) & (p.max(axis=1) >= param_spec.threshold)))

        return ModelSpec(model, log_info={"accuracy": sure})

    spec, lists = SPEC.replace(threshold=0.5), ParamSpec(threshold=[0.99, 0.2])
    found = search(input_fn, thresholded, optimizer_fn, **SHORT, param_spec=spec, param_list_spec=lists)
    assert found.threshold == 0.2
    assert "without training again" in found.reasons["threshold"]
    assert built.count("train") == 1


def test_a_parameter_of_the_model_is_searched_by_training() -> None:
    def sized(inputs_spec: Any, param_spec: ParamSpec) -> keras.Model:
        hidden = keras.layers.Dense(param_spec.units, "relu")(inputs_spec)
        return keras.Model(inputs_spec, keras.layers.Dense(3)(hidden))

    spec, lists = SPEC.replace(units=4), ParamSpec(units=[1, 16])
    assert search(input_fn, sized, optimizer_fn, **SHORT, param_spec=spec, param_list_spec=lists).units == 16


def test_a_parameter_that_nothing_reads_is_not_tried(caplog: pytest.LogCaptureFixture) -> None:
    spec = SPEC.replace(smoothing=0.0)
    found = search(*FUNCTIONS, **SHORT, param_spec=spec, param_list_spec=ParamSpec(smoothing=[0.1, 0.2]))
    assert found.smoothing == 0.0
    assert "read by neither" in caplog.text


def test_without_lists_the_learning_rate_alone_is_searched() -> None:
    def adam(param_spec: ParamSpec) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adam(param_spec.learning_rate)

    found = search(input_fn, model_fn, adam, **SHORT)
    assert list(found.to_dict()) == ["learning_rate"]
    assert 1e-5 < found.learning_rate <= 0.3


def test_listed_learning_rates_are_tried_as_they_are() -> None:
    lists = ParamSpec(learning_rate=[1e-6, 0.1])
    found = search(*FUNCTIONS, **SHORT, param_spec=SPEC, param_list_spec=lists)
    assert found.learning_rate == 0.1
    assert found.curves == {}


def test_without_search_learning_rate_it_stays_as_it_was() -> None:
    found = search(*FUNCTIONS, **SHORT, param_spec=SPEC, param_list_spec=LISTS, search_learning_rate=False)
    assert found.learning_rate == 0.1
    assert found.weight_decay in LISTS.weight_decay


def test_a_regression_is_judged_by_its_loss() -> None:
    x = blobs()[0]

    def numbers(run_mode: str) -> tuple[np.ndarray, np.ndarray]:
        return x, x @ np.array([1.0, 2.0, -1.0, 0.5], dtype="float32")

    def linear(inputs_spec: Any) -> keras.Model:
        return keras.Model(inputs_spec, keras.layers.Dense(1)(inputs_spec))

    found = search(numbers, linear, optimizer_fn, **SHORT, by_acc=False, param_spec=SPEC)
    assert all(test.measured == "loss" for test in found.curves.values())
    assert found.learning_rate < 3.0


def test_curves_may_be_of_evaluation_batches_every_few_steps() -> None:
    found = search(
        *FUNCTIONS, **SHORT, param_spec=SPEC, select_by_eval=True, evaluate_every_n_steps=5, warmup_steps=3
    )
    (curve,) = found.curves.values()
    assert len(curve.raw) == 6


def test_a_loss_that_is_not_finite_ends_its_range_test_and_not_the_search() -> None:
    def explosive(inputs_spec: Any) -> keras.Model:
        return keras.Model(inputs_spec, keras.layers.Dense(3, "exponential")(inputs_spec))

    def squared(run_mode: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = blobs()
        return x, np.eye(3, dtype="float32")[y] + 0.1

    found = search(
        squared, explosive, optimizer_fn, **SHORT, by_acc=False, end_learning_rate=1e4, param_spec=SPEC
    )
    (curve,) = found.curves.values()
    assert not np.isfinite(curve.raw[-1])
    assert math.isfinite(found.learning_rate)


def test_a_decay_without_a_finite_loss_loses() -> None:
    def fragile(inputs_spec: Any, param_spec: ParamSpec) -> ModelSpec:
        model = model_fn(inputs_spec)
        factor = float("nan") if param_spec.weight_decay > 1e-3 else 1.0
        sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return ModelSpec(model, loss=lambda y_true, y_pred: factor * sparse(y_true, y_pred))

    found = search(input_fn, fragile, optimizer_fn, **SHORT, param_spec=SPEC, param_list_spec=LISTS)
    assert found.weight_decay == 1e-4


@pytest.mark.slow
def test_a_checkpoint_is_where_every_training_starts(tmp_path: Path) -> None:
    lines: list[str] = []
    model = model_fn(keras.Input((4,)))
    model.compile(keras.optimizers.Adam(0.02), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(*blobs(), epochs=30, verbose=0)
    model.save(tmp_path / "start.keras")
    search(
        *FUNCTIONS,
        **SHORT,
        param_spec=SPEC,
        checkpoint_path=tmp_path / "start.keras",
        log_every_n_steps=1,
        log=lines.append,
    )
    first = next(line for line in lines if line.startswith("step 1 "))
    assert float(first.split("accuracy ")[1].split(",")[0]) > 0.7

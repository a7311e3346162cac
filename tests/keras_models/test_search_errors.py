"""What a search refuses, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError, SearchError
from genokeras.keras_models import ModelSpec, search
from genokeras.tuning import ParamSpec
from tests.keras_models.any_models import FUNCTIONS, SPEC, blobs, input_fn, model_fn, optimizer_fn

SHORT: dict[str, Any] = {"batch_size": 20, "total_steps": 12, "param_spec": SPEC}


def test_an_empty_list() -> None:
    with pytest.raises(ParameterError, match="momentum is an empty list"):
        search(*FUNCTIONS, **SHORT, param_list_spec=ParamSpec(momentum=[]))


def test_a_list_under_a_misspelt_name_is_an_error() -> None:
    with pytest.raises(
        ParameterError,
        match=r"without a start value in param_spec: 'momentun'\. Did you mean 'momentum'\? Start",
    ):
        search(*FUNCTIONS, **SHORT, param_list_spec=ParamSpec(momentun=[0.9]))


def test_a_list_for_an_unknown_name_is_warned_of() -> None:
    with pytest.warns(UserWarning, match=r"are not searched: 'depth'\. Start values are there for"):
        search(*FUNCTIONS, **SHORT, param_list_spec=ParamSpec(depth=[2]))


def test_a_model_without_trainable_weights() -> None:
    def frozen(inputs_spec: Any) -> keras.Model:
        return keras.Model(inputs_spec, keras.layers.Rescaling(2.0)(inputs_spec))

    with pytest.raises(ParameterError, match="no trainable weights"):
        search(input_fn, frozen, optimizer_fn, **SHORT)


def test_data_that_end_early_say_how_many_batches_there_were() -> None:
    x, y = blobs()
    once = iter([(x[:20], y[:20])] * 4)

    def four_batches(run_mode: str) -> Any:
        return once if run_mode == "train" else (x, y)

    with pytest.raises(DataError, match=r"gave 4 batches .* 13 are needed: let it return"):
        search(four_batches, model_fn, optimizer_fn, **SHORT)


def test_batches_of_unequal_shapes() -> None:
    def ragged(run_mode: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        x, y = blobs()
        yield x[:20], y[:20]
        yield x[:20, :3], y[:20]

    with pytest.raises(DataError, match=r"batch 1 .*\(3,\).*\(4,\)"):
        search(ragged, model_fn, optimizer_fn, **SHORT)


def test_data_without_targets() -> None:
    with pytest.raises(DataError, match="gives no y"):
        search(lambda run_mode: blobs()[0], model_fn, optimizer_fn, **SHORT)


@pytest.mark.parametrize(
    ("at", "function", "message"),
    [
        (0, lambda mode: None, r"input_fn cannot be called: it requires 'mode'.*Did you mean 'run_mode'"),
        (1, lambda inputs, run_mode: None, r"model_fn cannot be called.*Did you mean 'inputs_spec'"),
        (2, lambda spec, /: None, "optimizer_fn cannot be called: it requires 'spec'"),
        (1, "model", "model_fn must be a function"),
        (1, lambda **kwargs: None, "model_fn must return a keras.Model"),
        (2, lambda **kwargs: 3, "optimizer_fn must return a Keras optimizer, got int"),
    ],
)
def test_a_function_that_cannot_be_used(at: int, function: Callable[..., Any], message: str) -> None:
    functions: list[Any] = list(FUNCTIONS)
    functions[at] = function
    with pytest.raises(ParameterError, match=message):
        search(*functions, **SHORT)


def test_a_missing_metric_names_those_there_are() -> None:
    def compiled(inputs_spec: Any) -> keras.Model:
        model = model_fn(inputs_spec)
        model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        return model

    with pytest.raises(ParameterError, match="needs a metric 'accuracy', but measured are loss"):
        search(input_fn, compiled, optimizer_fn, **SHORT)


def test_a_schedule_cannot_be_range_tested() -> None:
    def scheduled() -> keras.optimizers.Optimizer:
        return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))

    with pytest.raises(ParameterError, match="schedule, which a range test cannot override"):
        search(input_fn, model_fn, scheduled, **SHORT)


def test_all_options_out_of_range_are_named_at_once() -> None:
    with pytest.raises(ParameterError, match=r"batch_size .* window .* warmup_lr .* model_size .*'small'"):
        search(*FUNCTIONS, batch_size=0, window=0, warmup_lr=-1.0, model_size="smal")


def test_log_info_of_values_is_refused() -> None:
    with pytest.raises(ParameterError, match="'accuracy' is float"):
        ModelSpec(model_fn(keras.Input((4,))), log_info={"accuracy": 0.5})


def test_no_value_that_works_says_why() -> None:
    def picky(inputs_spec: Any, param_spec: ParamSpec) -> keras.Model:
        if param_spec.units > 4:
            raise RuntimeError("too wide")
        return model_fn(inputs_spec)

    spec = {**SHORT, "param_spec": SPEC.replace(units=4)}
    with pytest.raises(SearchError, match="no value of units could be scored: 8: RuntimeError: too wide"):
        search(input_fn, picky, optimizer_fn, **spec, param_list_spec=ParamSpec(units=[8, 16]))

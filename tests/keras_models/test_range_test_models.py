"""The range test of Keras models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, ParameterError, TrainingError
from genokeras.keras_models import lr_range_test
from genokeras.keras_models.rate_range import rising_rates
from genokeras.tuning import suggest_rate
from tests.keras_models.small_models import small_model, small_problem, state

X, Y = small_problem()


def linear_model() -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def test_weights_and_optimizer_are_left_as_they_were() -> None:
    model = small_model()
    model.train_on_batch(X, Y)
    before = state(model)
    test = lr_range_test(model, X, Y, steps=25, batch_size=16, last=1.0)
    assert all(np.array_equal(a, b) for a, b in zip(before, state(model), strict=True))
    assert 1e-5 < test.suggestion <= 1.0
    assert len(test.raw) == 25


def test_a_model_that_never_trained_keeps_its_first_weights() -> None:
    model = small_model()
    before = [np.array(weight) for weight in model.get_weights()]
    lr_range_test(model, X, Y, steps=5)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert int(model.optimizer.iterations.numpy()) == 0


def test_the_same_seed_gives_the_same_test() -> None:
    model = small_model()
    first, again = (lr_range_test(model, X, Y, steps=8, batch_size=8, seed=3) for _ in range(2))
    np.testing.assert_allclose(first.raw, again.raw, rtol=1e-6)


def test_the_model_trains_on_with_the_rate_suggested() -> None:
    model = small_model()
    model.optimizer.learning_rate = lr_range_test(model, X, Y, steps=60, batch_size=16).suggestion
    fitted = model.fit(X, Y, epochs=15, batch_size=16, verbose=0)
    assert fitted.history["accuracy"][-1] > 0.85


def test_a_loss_that_explodes_ends_the_test_not_the_process() -> None:
    model = linear_model()
    test = lr_range_test(model, X, Y, last=1e6, steps=60)
    assert len(test.raw) < 60
    assert not np.isfinite(test.raw[-1])
    assert np.isfinite(test.suggestion)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_nan_in_the_data_is_not_taken_for_divergence() -> None:
    with pytest.raises(TrainingError, match="NaN in the data"):
        lr_range_test(linear_model(), np.full_like(X, np.nan), Y, steps=5)


def test_a_breakdown_between_two_values_of_the_curve_is_an_error_that_says_so() -> None:
    losses = iter([1.0, 1.0, 1.0, np.nan])
    rates, values = rising_rates(
        lambda batch, rate: {"loss": next(losses)},
        np.geomspace(1e-3, 1.0, 10),
        iter([(X, Y, None)] * 11),
        every=5,
    )
    assert len(rates) == len(values) == 2
    with pytest.raises(TrainingError, match="first value"):
        suggest_rate(rates, values)


def test_a_loss_given_stands_in_for_compiling() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "softmax")])
    test = lr_range_test(model, X, Y, loss="sparse_categorical_crossentropy", steps=10)
    assert np.isfinite(test.raw).all()
    assert not model.compiled


def test_models_of_several_inputs_take_dicts() -> None:
    inputs = {name: keras.Input((4,), name=name) for name in ("left", "right")}
    outputs = keras.layers.Dense(1)(keras.layers.Add()(list(inputs.values())))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse")
    test = lr_range_test(model, {"left": X, "right": X}, Y.astype("float32"), steps=10)
    assert np.isfinite(test.raw).all()


class Batches(keras.utils.PyDataset):
    """Four batches of sixteen rows."""

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(16 * index, 16 * index + 16)
        return X[rows], Y[rows]


def test_an_iterable_of_batches_is_started_again_when_it_ends() -> None:
    assert len(lr_range_test(small_model(), Batches(), steps=10).raw) == 10


def test_a_tensorflow_dataset_of_batches_will_do() -> None:
    data = pytest.importorskip("tensorflow").data
    assert (
        len(lr_range_test(small_model(), data.Dataset.from_tensor_slices((X, Y)).batch(16), steps=6).raw) == 6
    )


def test_a_dataloader_of_pytorch_will_do() -> None:
    torch = pytest.importorskip("torch")
    loader = torch.utils.data.DataLoader(list(zip(X, Y, strict=True)), batch_size=16)
    assert len(lr_range_test(small_model(), loader, steps=6).raw) == 6


def test_a_generator_that_ends_makes_the_test_shorter() -> None:
    batches: Iterator[Any] = ((X, Y, np.ones(len(X), dtype="float32")) for _ in range(7))
    assert len(lr_range_test(small_model(), batches, steps=10).raw) == 6


def test_a_generator_of_one_batch_is_too_short() -> None:
    with pytest.raises(DataError, match="ended after"):
        lr_range_test(small_model(), iter([(X, Y)]), steps=10)


def test_a_model_that_is_not_compiled_is_an_error() -> None:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ParameterError, match="not compiled"):
        lr_range_test(model, X, Y)


def test_a_model_without_trainable_weights_is_an_error() -> None:
    model = small_model()
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    with pytest.raises(ParameterError, match="no trainable weights"):
        lr_range_test(model, X, Y)


def test_a_learning_rate_schedule_cannot_be_tested() -> None:
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    with pytest.raises(ParameterError, match="schedule"):
        lr_range_test(small_model(keras.optimizers.SGD(schedule)), X, Y)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:0], Y[:0], "no samples"),
        (X, Y[:5], "same number of rows"),
        (iter([]), None, "no batch"),
    ],
)
def test_missing_data_are_an_error(x: Any, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        lr_range_test(small_model(), x, y)


def test_a_list_of_batches_and_a_pair_are_taken() -> None:
    model = small_model()
    half = len(X) // 2
    batches = [(X[:half], Y[:half]), (X[half:], Y[half:])]
    assert len(lr_range_test(model, batches, steps=10).raw) == 10
    pair = lr_range_test(model, (X, Y), steps=4, batch_size=16)
    apart = lr_range_test(model, X, Y, steps=4, batch_size=16)
    np.testing.assert_allclose(pair.raw, apart.raw, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": 1.5}, "seed must be a whole number of at least 0, got 1.5"),
        ({"first": "a"}, "first must be a finite number, got 'a'"),
        ({"last": None}, "last must be a finite number, got None"),
        ({"window": 0}, "window must be a whole number of at least 1, got 0"),
        ({"max_thres": -1}, "max_thres must be a whole number of at least 0, got -1"),
    ],
)
def test_numbers_out_of_range_are_refused_before_training(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        lr_range_test(small_model(), X, Y, steps=4, **wrong)

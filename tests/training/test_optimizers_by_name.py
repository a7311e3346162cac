"""Optimisers are found by name, for packed members and for Keras models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.training.optimizers import OPTIMIZERS, DynamicMomentum, get_optimizer, get_update
from genokeras.training.optimizers.adaptive import AdamUpdate
from genokeras.training.optimizers.descent import SgdUpdate

NAMES = ["adam", "sgd", "adadelta", "adagrad", "adamw", "ftrl", "momentum", "rmsprop"]
NAMES += ["kfac", "dynamic_momentum", "lamb"]


def small_model(optimizer: Any) -> Any:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer, loss="mse")
    return model


def test_all_the_names_are_known() -> None:
    assert sorted(OPTIMIZERS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_an_update(name: str) -> None:
    assert isinstance(get_update(name), OPTIMIZERS[name].update)


def test_updates_are_values() -> None:
    assert get_update("adam", beta_2=0.99) == AdamUpdate(beta_2=0.99)
    assert hash(get_update("momentum")) == hash(SgdUpdate(momentum=0.9))


@pytest.mark.parametrize("getter", [get_update, lambda name: get_optimizer(name, 0.1)])
def test_an_unknown_name_is_refused_with_the_nearest(getter: Any) -> None:
    with pytest.raises(
        ParameterError, match="optimiser must be one of .*rmsprop.*got 'adma'. Did you mean 'adam'"
    ):
        getter("adma")


def test_unknown_arguments_are_refused_all_at_once() -> None:
    with pytest.raises(ParameterError, match="'beta1', 'speed'. Did you mean 'beta_1'.*It takes: beta_1"):
        get_update("adam", beta1=0.9, speed=1)
    with pytest.raises(ParameterError, match="adam has no argument 'clip_norm'. Did you mean 'clipnorm'"):
        get_optimizer("adam", 0.1, clip_norm=1.0)


def test_only_kfac_asks_for_factors() -> None:
    assert [name for name in NAMES if get_update(name).needs_factors] == ["kfac"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "kfac"])
def test_every_name_but_kfac_makes_a_keras_optimiser(name: str) -> None:
    optimizer = get_optimizer(name, 0.25, clipnorm=1.0)
    assert type(optimizer) is OPTIMIZERS[name].keras_class or keras.backend.backend() == "torch"
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.clipnorm == 1.0


def test_kfac_says_that_keras_cannot_have_it() -> None:
    with pytest.raises(ParameterError, match="only packed members can be trained by it"):
        get_optimizer("kfac", 0.1)


def test_momentum_is_gradient_descent_with_momentum() -> None:
    assert get_optimizer("momentum", 0.1).momentum == 0.9
    assert get_optimizer("momentum", 0.1, momentum=0.5).momentum == 0.5
    assert get_optimizer("sgd", 0.1).momentum == 0.0


def test_dynamic_momentum_trains_a_keras_model() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 3)).astype("float32")
    y = x @ np.array([[1.0], [-2.0], [0.5]], dtype="float32")
    model = small_model(get_optimizer("dynamic_momentum", 0.02))
    history = model.fit(x, y, epochs=8, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < 0.05 * history[0]


def test_dynamic_momentum_comes_back_with_a_saved_model(tmp_path: Path) -> None:
    model = small_model(DynamicMomentum(0.1, low=0.7, high=0.8, weight_decay=0.01))
    x = np.ones((4, 3), dtype="float32")
    model.fit(x, x[:, :1], verbose=0)
    model.save(tmp_path / "model.keras")
    back = keras.saving.load_model(tmp_path / "model.keras").optimizer
    assert isinstance(back, DynamicMomentum)
    assert (back.low, back.high, back.weight_decay) == (0.7, 0.8, 0.01)
    assert [float(v) for v in back.variables if v.name == "peak_rate"] == [pytest.approx(0.1)]


def test_dynamic_momentum_refuses_momenta_out_of_range() -> None:
    with pytest.raises(ParameterError, match="low .* must be at most its high"):
        DynamicMomentum(0.1, low=0.9, high=0.5)

"""Nets that say themselves how they are trained or tested: history and `evaluate` agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.keras_models import LightModel

X = np.random.default_rng(0).standard_normal((64, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


class Net(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.layers.Dense(1, "sigmoid")

    def call(self, inputs: Any) -> Any:
        return self.inner(inputs)


class Penalised(Net):
    def compute_loss(self, *args: Any, **options: Any) -> Any:
        return super().compute_loss(*args, **options) + 5.0


class Doubled(Net):
    """Tests by twice the loss that it trains by."""

    def compute_loss(self, *args: Any, training: bool = True, **options: Any) -> Any:
        return super().compute_loss(*args, training=training, **options) * (1.0 if training else 2.0)


class Counted(Net):
    def compute_metrics(self, *args: Any, **options: Any) -> Any:
        return {**super().compute_metrics(*args, **options), "seven": 7.0}


class Untargeted(Net):
    """Reads no targets, as an autoencoder does."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        return keras.ops.mean(
            keras.ops.square(keras.ops.subtract(keras.ops.mean(x, axis=1, keepdims=True), y_pred))
        )


@pytest.mark.parametrize("kind", [Penalised, Doubled, Counted, Untargeted])
def test_evaluate_gives_what_the_history_says(kind: Any, tmp_path: Path) -> None:
    data = X if kind is Untargeted else (X, Y)
    model = LightModel(kind())
    model.compile("adam", "binary_crossentropy", metrics=None if kind is Untargeted else ["accuracy"])
    history = model.fit(data, data, epochs=1, ckpt_path=tmp_path / "net.keras", plot=False, verbose=0)
    said = {name.removeprefix("val_"): value for name, value in history.iloc[0].items() if "val_" in name}
    assert model.evaluate(data) == pytest.approx(said, rel=1e-5)
    again = LightModel(model.net)
    again.compile("adam", "binary_crossentropy", metrics=None if kind is Untargeted else ["accuracy"])
    assert again.evaluate(data) == pytest.approx(said, rel=1e-5)
    assert {"seven"} <= set(said) or kind is not Counted


def test_a_net_of_two_models_is_evaluated_by_the_loss_of_each() -> None:
    net = Penalised()
    squared, absolute = LightModel(net), LightModel(net)
    squared.compile("adam", "mse")
    absolute.compile("adam", "mae")
    first, other = squared.evaluate((X, Y)), absolute.evaluate((X, Y))
    assert squared.evaluate((X, Y)) == first != other


def test_an_evaluation_leaves_other_nets_without_compilation() -> None:
    model = LightModel(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))
    model.compile("adam", "mse")
    model.evaluate((X, Y))
    assert not model.net.compiled

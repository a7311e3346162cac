"""A small problem and a small compiled model for the tests of range tests and of HyperSearch."""

from __future__ import annotations

import keras
import numpy as np


def small_problem() -> tuple[np.ndarray, np.ndarray]:
    """Two classes apart along a line: x (64, 4), y (64,)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 4)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int32")


def small_model(optimizer: object = "adam", units: int = 8) -> keras.Model:
    """4 - units - 2, with dropout, so that there is a state of random numbers."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(units, "relu"), layers.Dropout(0.1), layers.Dense(2, "softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def state(model: keras.Model) -> list[np.ndarray]:
    """Copies of all variables, the optimizer's too."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]

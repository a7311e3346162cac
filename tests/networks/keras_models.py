"""Small Keras models with random weights, and rows for them. ``python -m tests.networks.keras_models`` says how far their graphs' answers are off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

import genokeras as gk

L = keras.layers


def _with_random_weights(model: Any, tokens: bool = False) -> tuple[Any, np.ndarray]:
    rng, shape = np.random.default_rng(0), (7, *model.input_shape[1:])
    for variable in model.weights:
        if "seed" not in variable.path:
            values = rng.normal(0, 0.4, size=variable.shape)
            variable.assign(np.abs(values) + 0.1 if "variance" in variable.path else values)
    return model, rng.integers(0, 6, size=shape) if tokens else rng.normal(size=shape).astype("float32")


def features() -> tuple[Any, np.ndarray]:
    norm = {"center": False, "scale": False}
    layers = [L.Dense(9), L.LayerNormalization(**norm), L.ReLU(), L.Dropout(0.3), L.Dense(3, "softmax")]
    return _with_random_weights(keras.Sequential([keras.Input((20,)), *layers]))


def one_by_one() -> tuple[Any, np.ndarray]:
    model = keras.Sequential([keras.Input((20,))])
    for layer in (L.Dense(5, "tanh"), L.Identity(), L.Dense(1, "sigmoid")):
        model.add(layer)
    return _with_random_weights(model)


def dense_net() -> tuple[Any, np.ndarray]:
    x = keras.Input((20,))
    first = L.Dense(6, "gelu")(x)
    second = L.Activation("silu")(L.Dense(6)(first))
    joined = L.Concatenate()([L.Add()([first, second]) + second, first])
    return _with_random_weights(keras.Model(x, L.Dense(2)(joined)))


def sequences() -> tuple[Any, np.ndarray]:
    x = keras.Input((41, 4))
    h = L.Conv1D(8, 5, padding="same", activation="selu")(x)
    h = L.MaxPooling1D(2)(L.BatchNormalization()(h))
    h = L.AveragePooling1D(3, strides=2)(L.DepthwiseConv1D(3, activation="sigmoid")(h))
    h = L.Conv1D(8, 3, dilation_rate=2, padding="same", use_bias=False)(h)
    pooled = L.Concatenate()([L.GlobalMaxPooling1D()(h), L.GlobalAveragePooling1D()(h)])
    return _with_random_weights(keras.Model(x, L.Softmax()(L.Dense(3)(pooled))))


def images() -> tuple[Any, np.ndarray]:
    layers = [
        L.Conv2D(6, 3, strides=2, activation="relu"),
        L.DepthwiseConv2D(2, padding="same"),
        L.MaxPooling2D(2),
        L.AveragePooling2D((1, 2)),
        L.Flatten(),
        L.Dense(3, "sigmoid"),
    ]
    return _with_random_weights(keras.Sequential([keras.Input((14, 14, 2)), *layers]))


def pooled_images() -> tuple[Any, np.ndarray]:
    x = keras.Input((8, 8, 1))
    h = L.Conv2D(4, 3, padding="same")(x)
    both = L.Concatenate()([L.GlobalMaxPooling2D()(h), L.GlobalAveragePooling2D()(h)])
    return _with_random_weights(keras.Model(x, L.Dense(2, "softmax")(both)))


def tokens() -> tuple[Any, np.ndarray]:
    layers = [L.Embedding(6, 5), L.GlobalAveragePooling1D(), L.Dense(1)]
    return _with_random_weights(keras.Sequential([keras.Input((9,), dtype="int32"), *layers]), tokens=True)


MODELS: dict[str, Callable[[], tuple[Any, np.ndarray]]] = {
    "features": features,
    "one by one": one_by_one,
    "dense net": dense_net,
    "sequences": sequences,
    "images": images,
    "pooled images": pooled_images,
    "tokens": tokens,
}


def answers_alike(name: str) -> float:
    """The largest difference between what a model answers and what the model of its graph does."""
    model, x = MODELS[name]()
    expected = model.predict(x, verbose=0)
    found = gk.from_keras(model).produce_keras_model().predict(x, verbose=0)
    if expected.shape[1] == 1 and found.shape[1] == 2:  # a sigmoid became two classes
        expected = np.concatenate([1 - expected, expected], axis=1)
    assert found.shape == expected.shape and np.abs(expected).max() > 0
    return float(np.abs(found - expected).max())


if __name__ == "__main__":
    print(keras.backend.backend(), max(answers_alike(name) for name in MODELS))

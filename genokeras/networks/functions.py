"""Activation functions in Keras: on tensors of every backend, and as stock layers that a saved model needs nothing else for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

Apply = Callable[[Any], Any]
# Of the normal distribution at its mean, and of the self-normalising units (Klambauer et al. 2017).
_DENSITY = 1.0 / math.sqrt(2.0 * math.pi)
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
FUNCTIONS: Mapping[str, Apply] = {
    "relu": ops.relu,
    "tanh": ops.tanh,
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "silu": ops.silu,
    "selu": ops.selu,
    "sigmoid": ops.sigmoid,
    "square": ops.square,
    "linear": lambda x: x,
}

# Their derivatives.
SLOPES: Mapping[str, Apply] = {
    "relu": lambda x: ops.cast(x > 0, "float32"),
    "tanh": lambda x: 1.0 - ops.square(ops.tanh(x)),
    "gelu": lambda x: 0.5 * ops.erf(x * math.sqrt(0.5)) + 0.5 + x * _DENSITY * ops.exp(-0.5 * ops.square(x)),
    "silu": lambda x: _silu_slope(x, ops.sigmoid(x)),
    "selu": lambda x: ops.where(x > 0, _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA * ops.exp(ops.minimum(x, 0.0))),
    "sigmoid": lambda x: _sigmoid_slope(ops.sigmoid(x)),
    "square": lambda x: 2.0 * x,
    "linear": ops.ones_like,
}


def _silu_slope(x: Any, sigmoid: Any) -> Any:
    return sigmoid * (1.0 + x * (1.0 - sigmoid))


def _sigmoid_slope(sigmoid: Any) -> Any:
    return sigmoid * (1.0 - sigmoid)


def activated(function: str, x: Any, name: str) -> Any:
    """Call the layer for one of `genokeras.graph.ACTIVATIONS` on a Keras tensor.

    Keras has no function of the name ``"square"``; there it is a product of the tensor with itself.
    """
    if function == "square":
        return keras.layers.Multiply(name=name)([x, x])
    return keras.layers.Activation(function, name=name)(x)

"""Activation functions in Keras: on tensors of every backend, and as stock layers that a saved model needs nothing else for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import ops

Apply = Callable[[Any], Any]
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


def activated(function: str, x: Any, name: str) -> Any:
    """Call the layer for one of `genokeras.graph.ACTIVATIONS` on a Keras tensor.

    Keras has no function of the name ``"square"``; there it is a product of the tensor with itself.
    """
    if function == "square":
        return keras.layers.Multiply(name=name)([x, x])
    return keras.layers.Activation(function, name=name)(x)

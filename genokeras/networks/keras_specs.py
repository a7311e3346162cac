"""Keras layers as layers of a graph, with their arrays; and in words why one cannot be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.errors import GraphError
from genokeras.graph import (
    BATCH_NORM_EPSILON,
    LAYER_NORM_EPSILON,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    LayerNorm,
    LayerSpec,
    Pool,
)

OF_VECTORS = (
    "Dense",
    "LayerNormalization",
    "Activation",
    "ReLU",
    "Dropout",
    "Add",
    "Concatenate",
    "Identity",
)
OF_POSITIONS = (
    "Conv1D",
    "Conv2D",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "AveragePooling1D",
    "AveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "BatchNormalization",
    "Embedding",
    "Flatten",
)
SUPPORTED = (
    f"Of features: {', '.join(OF_VECTORS)}. Of sequences, images and token ids also: {', '.join(OF_POSITIONS)}. Functions: relu, tanh, "
    "gelu, silu, selu, sigmoid, linear, and softmax at the end."
)
_FUNCTIONS = ("relu", "tanh", "gelu", "silu", "selu", "sigmoid", "linear")
Arrays = Mapping[str, np.ndarray]
# What changes how a layer is trained, not what it answers.
_OF_TRAINING = (
    *(f"{part}_regularizer" for part in ("kernel", "bias", "depthwise", "embeddings", "beta", "gamma")),
    *(f"{part}_constraint" for part in ("kernel", "bias", "depthwise", "embeddings", "beta", "gamma")),
    *("activity_regularizer", "renorm", "lora_enabled"),
)


@dataclass(frozen=True)
class Piece:
    """What one Keras layer becomes: a layer of a graph, and the function that it applies to the result.

    Attributes
    ----------
    spec : LayerSpec or None
        None where there is the function alone, or nothing.
    arrays : mapping of str to numpy.ndarray
    function : str
        "linear" is none; "softmax" may stand at the end.
    """

    spec: LayerSpec | None = None
    arrays: Arrays = field(default_factory=lambda: MappingProxyType({}))
    function: str = "linear"


def piece_of(layer: Any, rank: int) -> Piece:
    """Read one Keras layer, whose output has so many axes with the batch.

    Raises
    ------
    GraphError
        If a graph cannot hold it; the message names it and what there is.
    """
    kind = type(layer)
    if isinstance(layer, keras.Model):
        raise refused(layer, "models inside of a model are not read; call their layers one by one")
    # A class of that name from elsewhere may do anything.
    if kind.__name__ not in _READERS or not kind.__module__.startswith("keras."):
        raise refused(layer, "graphs have no such layer")
    if getattr(layer, "quantization_mode", None):
        raise refused(layer, f"its weights are quantised to {layer.quantization_mode}")
    return _READERS[kind.__name__](layer, rank)


def left_out(layer: Any) -> list[str]:
    """The settings of a layer that a graph leaves out, as they change its training alone: regularisers, constraints, that it is frozen."""
    frozen = ["trainable=False"] if getattr(layer, "weights", ()) and not layer.trainable else []
    return [*(name for name in _OF_TRAINING if getattr(layer, name, None)), *frozen]


def refused(layer: Any, why: str) -> GraphError:
    """The error for a layer that no graph holds."""
    return GraphError(
        f"the layer {getattr(layer, 'name', '?')!r} ({type(layer).__name__}) cannot become part of a graph: {why}. {SUPPORTED}"
    )


def _expect(layer: Any, **wanted: Any) -> None:
    """Refuse a layer whose settings are others than those that a graph can hold."""
    for setting, value in wanted.items():
        found = getattr(layer, setting)
        found = tuple(found) if isinstance(found, list) else found
        if found != value:
            raise refused(layer, f"{setting} is {found!r}, and a graph has {value!r}")


def _function_of(layer: Any, function: Any) -> str:
    """The name of an activation of Keras."""
    known = {keras.activations.get(name): name for name in (*_FUNCTIONS, "softmax")}
    found = known.get(function)
    if found is None:
        raise refused(layer, f"its activation is {getattr(function, '__name__', function)!r}")
    return found


def _arrays(layer: Any, *names: str) -> dict[str, np.ndarray]:
    return {name: np.asarray(ops.convert_to_numpy(getattr(layer, name))) for name in names}


def _dense(layer: Any, rank: int) -> Piece:
    _expect(layer, use_bias=True)
    return Piece(
        Dense(int(layer.units)), _arrays(layer, "kernel", "bias"), _function_of(layer, layer.activation)
    )


def _conv(layer: Any, rank: int) -> Piece:
    _expect(layer, data_format="channels_last", groups=1)
    spec = Conv(int(layer.filters), **_window(layer))
    names = ("kernel", "bias") if layer.use_bias else ("kernel",)
    return Piece(spec, _arrays(layer, *names), _function_of(layer, layer.activation))


def _depthwise(layer: Any, rank: int) -> Piece:
    _expect(layer, data_format="channels_last", depth_multiplier=1)
    names = ("kernel", "bias") if layer.use_bias else ("kernel",)
    return Piece(
        DepthwiseConv(**_window(layer)), _arrays(layer, *names), _function_of(layer, layer.activation)
    )


def _window(layer: Any) -> dict[str, Any]:
    if layer.padding not in ("same", "valid"):
        raise refused(layer, f"padding is {layer.padding!r}, and a graph has 'same' and 'valid'")
    return {
        "kernel_size": tuple(map(int, layer.kernel_size)),
        "strides": tuple(map(int, layer.strides)),
        "dilation": tuple(map(int, layer.dilation_rate)),
        "padding": layer.padding,
        "bias": bool(layer.use_bias),
    }


def _batch_norm(layer: Any, rank: int) -> Piece:
    if layer.axis not in (-1, rank - 1):
        raise refused(layer, f"axis is {layer.axis}, and a graph normalises channels, the last axis")
    _expect(layer, epsilon=BATCH_NORM_EPSILON, center=True, scale=True)
    return Piece(BatchNorm(), _arrays(layer, "gamma", "beta", "moving_mean", "moving_variance"))


def _layer_norm(layer: Any, rank: int) -> Piece:
    if layer.axis not in (-1, rank - 1, [-1], [rank - 1], (-1,), (rank - 1,)):
        raise refused(layer, f"axis is {layer.axis}, and a graph normalises the last axis")
    _expect(layer, epsilon=LAYER_NORM_EPSILON, center=False, scale=False)
    if hasattr(layer, "rms_scaling"):  # not in every version of Keras
        _expect(layer, rms_scaling=False)
    return Piece(LayerNorm())


def _dropout(layer: Any, rank: int) -> Piece:
    _expect(layer, noise_shape=None)
    return Piece(Dropout(float(layer.rate)))


def _relu(layer: Any, rank: int) -> Piece:
    _expect(layer, max_value=None, negative_slope=0.0, threshold=0.0)
    return Piece(function="relu")


def _softmax(layer: Any, rank: int) -> Piece:
    _expect(layer, axis=-1)
    return Piece(function="softmax")


def _pool(function: str) -> Callable[[Any, int], Piece]:
    def read(layer: Any, rank: int) -> Piece:
        _expect(layer, data_format="channels_last", padding="valid")
        size, strides = (tuple(map(int, value)) for value in (layer.pool_size, layer.strides))
        return Piece(Pool(function, size, strides))

    return read


def _global_pool(function: str) -> Callable[[Any, int], Piece]:
    def read(layer: Any, rank: int) -> Piece:
        _expect(layer, data_format="channels_last", keepdims=False)
        return Piece(GlobalPool(function))

    return read


def _embedding(layer: Any, rank: int) -> Piece:
    _expect(layer, mask_zero=False)
    return Piece(Embedding(int(layer.input_dim), int(layer.output_dim)), _arrays(layer, "embeddings"))


def _flatten(layer: Any, rank: int) -> Piece:
    _expect(layer, data_format="channels_last")
    return Piece(Flatten())


def _concatenate(layer: Any, rank: int) -> Piece:
    if layer.axis not in (-1, rank - 1):
        raise refused(layer, f"axis is {layer.axis}, and a graph joins channels, the last axis")
    return Piece(Concat())


_READERS: Mapping[str, Callable[[Any, int], Piece]] = {
    "Dense": _dense,
    "Conv1D": _conv,
    "Conv2D": _conv,
    "DepthwiseConv1D": _depthwise,
    "DepthwiseConv2D": _depthwise,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Activation": lambda layer, rank: Piece(function=_function_of(layer, layer.activation)),
    "ReLU": _relu,
    "Softmax": _softmax,
    "Dropout": _dropout,
    "Add": lambda layer, rank: Piece(Add()),
    "Concatenate": _concatenate,
    "Identity": lambda layer, rank: Piece(),
    **{f"MaxPooling{n}D": _pool("max") for n in (1, 2)},
    **{f"AveragePooling{n}D": _pool("average") for n in (1, 2)},
    **{f"GlobalMaxPooling{n}D": _global_pool("max") for n in (1, 2)},
    **{f"GlobalAveragePooling{n}D": _global_pool("average") for n in (1, 2)},
    "Embedding": _embedding,
    "Flatten": _flatten,
}

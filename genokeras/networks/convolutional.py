"""Graph -> one plain Keras model for sequences, images or token ids, with weights in and out.

Only stock Keras layers and operations are used, so that a saved model loads where GenoKeras is not installed. Tensors
have their channels last on every backend. A Keras layer is named after its kind and id, ``conv_3``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from genokeras.errors import GraphError
from genokeras.graph import (
    BATCH_NORM_EPSILON,
    LAYER_NORM_EPSILON,
    N_BASES,
    Activation,
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
    Graph,
    HyperParameters,
    Input,
    Layer,
    LayerNorm,
    LayerSpec,
    Pool,
    Shape,
    Weights,
)
from genokeras.networks.functions import activated

# Keras' 0.99 would need hundreds of steps to forget where it started; trials may be that short.
BATCH_NORM_MOMENTUM = 0.9

MakeDropout = Callable[[str, float | None], Any]


def build_network(
    graph: Graph,
    input_shape: Sequence[int] | None,
    hyper: HyperParameters,
    *,
    weights: Weights | None = None,
    member: int = 0,
    logits: bool = False,
    dropout: MakeDropout | None = None,
) -> Any:
    """A trainable network: ``(batch, *input_shape)`` -> class probabilities ``(batch, n_outputs)``.

    Parameters
    ----------
    graph : Graph
    input_shape : sequence of int or None
        Shape of one sample, channels last; None is the one that the graph knows. Token ids are int32.
    hyper : HyperParameters
        Its activation and dropout rate fill in what the graph leaves open.
    weights : Weights, optional
        What to start from; Keras' own initial weights by default. See :func:`genokeras.networks.start_weights`.
    member : int, default=0
        Which member of the weights.
    logits : bool, default=False
        Whether to leave out the softmax, as for regression or a loss on logits.
    dropout : callable, optional
        ``dropout(name, rate)`` makes the dropout layers, at the graph's own rate or None for that of `hyper`; Keras' own by default.

    Returns
    -------
    keras.Model

    Raises
    ------
    GraphError
        If the graph does not fit the shape, or the weights do not fit the graph.
    """
    shapes = graph.shapes(input_shape)
    dtype = "int32" if graph.reads_tokens else "float32"
    x = keras.Input(shapes[graph.input], name="inputs", dtype=dtype)
    tensors: dict[int, Any] = {}
    for layer in graph.layers:
        if isinstance(layer.spec, Input):
            tensors[layer.id] = x
            continue
        read = [tensors[source] for source in layer.inputs]
        if isinstance(layer.spec, Dropout) and dropout is not None:
            tensors[layer.id] = dropout(layer_name(layer), layer.spec.rate)(read[0])
        else:
            tensors[layer.id] = _call(layer, read, shapes[layer.inputs[0]], hyper)
    outputs = tensors[graph.output]
    if not logits:
        outputs = keras.layers.Softmax(name="probabilities")(outputs)
    model = keras.Model(x, outputs)
    if weights is not None:
        write_weights(model, graph, weights, member=member)
    return model


def layer_name(layer: Layer) -> str:
    """Name of the Keras layer that holds a graph layer's weights."""
    return f"{layer.spec.kind}_{layer.id}"


def read_weights(model: Any, graph: Graph) -> Weights:
    """The weights of a network of :func:`build_network`, as one member's: arrays of shape ``(1, ...)``."""
    return {
        layer.id: {
            name: np.asarray(ops.convert_to_numpy(variable))[None]
            for name, variable in _variables(model, layer).items()
        }
        for layer in _weighted(graph)
    }


def write_weights(model: Any, graph: Graph, weights: Weights, *, member: int = 0) -> None:
    """Give a network of :func:`build_network` one member's weights.

    Raises
    ------
    GraphError
        If arrays are missing or have other shapes; the message names the layer.
    """
    for layer in _weighted(graph):
        given = weights.get(layer.id, {})
        for name, variable in _variables(model, layer).items():
            shape = tuple(variable.shape)
            if name not in given or given[name].shape[1:] != shape:
                found = f"of shape {given[name].shape[1:]}" if name in given else "missing"
                raise GraphError(f"{layer}: {name!r} must have shape {shape}, but it is {found}.")
            variable.assign(given[name][member])


def _weighted(graph: Graph) -> list[Layer]:
    units = graph.units(graph.input_shape or graph.required_input_units() or 1)
    return [
        la for la in graph.layers[1:] if la.spec.weight_shapes(tuple(units[source] for source in la.inputs))
    ]


def _variables(model: Any, layer: Layer) -> dict[str, Any]:
    return {variable.name: variable for variable in model.get_layer(layer_name(layer)).weights}


def _call(layer: Layer, read: list[Any], shape: Shape, hyper: HyperParameters) -> Any:
    """The Keras tensor that a graph layer makes; `shape` is that of the first one it reads."""
    spec, name, x = layer.spec, layer_name(layer), read[0]
    match spec:
        case Dense(units=units):
            return keras.layers.Dense(units, name=name)(x)
        case Conv() | DepthwiseConv():
            return _convolve(spec, x, shape, name)
        case BatchNorm():
            return keras.layers.BatchNormalization(
                momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=name
            )(x)
        case LayerNorm():
            return keras.layers.LayerNormalization(
                center=False, scale=False, epsilon=LAYER_NORM_EPSILON, name=name
            )(x)
        case Activation(function=function):
            return activated(function or hyper.activation, x, name)
        case Dropout(rate=rate):
            return keras.layers.Dropout(hyper.dropout if rate is None else rate, name=name)(x)
        case Add():
            return keras.layers.Add(name=name)(read)
        case Concat():
            return keras.layers.Concatenate(name=name)(read)
        case Pool() | GlobalPool():
            return _pool(spec, x, shape, name)
        case Embedding(vocabulary=vocabulary, units=units):
            return keras.layers.Embedding(vocabulary, units, name=name)(x)
        case Flatten():
            return keras.layers.Flatten(name=name)(x)
    raise GraphError(f"layer {layer.id}: no Keras layer is known for {spec!r}.")


def _ranked(name: str, rank: int) -> Any:
    """The class of this name for one or two axes of positions."""
    return getattr(keras.layers, f"{name}{rank}D")


def _convolve(spec: Conv | DepthwiseConv, x: Any, shape: Shape, name: str) -> Any:
    options = {
        "kernel_size": spec.kernel_size,
        "strides": spec.strides,
        "dilation_rate": spec.dilation,
        "padding": spec.padding,
        "use_bias": spec.bias,
        "data_format": "channels_last",
        "name": name,
    }
    if isinstance(spec, DepthwiseConv):
        return _ranked("DepthwiseConv", len(spec.kernel_size))(**options)(x)
    convolve = _ranked("Conv", len(spec.kernel_size))(spec.filters, **options)
    if not spec.both_strands:
        return convolve(x)
    order = [*range(N_BASES - 1, -1, -1), *range(N_BASES, shape[-1])]
    other = convolve(ops.flip(ops.take(x, order, axis=2), axis=1))
    return keras.layers.Maximum(name=f"{name}_strands")([convolve(x), ops.flip(other, axis=1)])


def _pool(spec: Pool | GlobalPool, x: Any, shape: Shape, name: str) -> Any:
    if spec.function == "attention":
        return _attend(spec, x, shape, name)
    function, rank = spec.function.capitalize(), len(shape) - 1
    if isinstance(spec, GlobalPool):
        return _ranked(f"Global{function}Pooling", rank)(data_format="channels_last", name=name)(x)
    layer = _ranked(f"{function}Pooling", rank)
    return layer(spec.size, strides=spec.strides, data_format="channels_last", name=name)(x)


def _attend(spec: LayerSpec, x: Any, shape: Shape, name: str) -> Any:
    """A mean of each window, weighted by the softmax of a Dense layer's answer within it."""
    positions, channels = shape[:-1], shape[-1]
    size = spec.size if isinstance(spec, Pool) else positions
    scores = keras.layers.Dense(channels, use_bias=False, name=name)(x)
    values, scores = (_by_window(tensor, positions, size, channels) for tensor in (x, scores))
    # Keras' own softmax warns of windows of one position.
    shares = ops.exp(scores - ops.max(scores, axis=-2, keepdims=True))
    pooled = ops.sum(shares * values, axis=-2) / ops.sum(shares, axis=-2)
    return pooled if isinstance(spec, Pool) else ops.reshape(pooled, (-1, channels))


def _by_window(x: Any, positions: Shape, size: Shape, channels: int) -> Any:
    """``(batch, *windows, positions in the window, channels)`` of ``(batch, *positions, channels)``."""
    counts = [n // k for n, k in zip(positions, size, strict=True)]
    if len(size) == 1:
        return ops.reshape(x[:, : counts[0] * size[0]], (-1, counts[0], size[0], channels))
    cropped = x[:, : counts[0] * size[0], : counts[1] * size[1]]
    split = ops.reshape(cropped, (-1, counts[0], size[0], counts[1], size[1], channels))
    together = ops.transpose(split, (0, 1, 3, 2, 4, 5))
    return ops.reshape(together, (-1, *counts, size[0] * size[1], channels))

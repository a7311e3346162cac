"""What a graph computes, in plain numpy: the definition that networks on any backend are tested against."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf, expit

from genokeras.errors import GraphError
from genokeras.graph.graph import Graph
from genokeras.graph.reference_spatial import (
    FloatArray,
    beside,
    convolve,
    depthwise,
    global_pool,
    pool,
)
from genokeras.graph.specs import (
    ACTIVATIONS,
    BATCH_NORM_EPSILON,
    LAYER_NORM_EPSILON,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    Embedding,
    Flatten,
    GlobalPool,
    Input,
    LayerNorm,
    LayerSpec,
    Pool,
)
from genokeras.support.checks import check_choice

Weights = dict[int, dict[str, FloatArray]]

# Klambauer et al. 2017, "Self-normalizing neural networks".
_SELU_SCALE = 1.0507009873554805
_SELU_ALPHA = 1.6732632423543772


def _selu(x: FloatArray) -> FloatArray:
    return _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * np.expm1(np.minimum(x, 0)))


_FUNCTIONS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "gelu": lambda x: 0.5 * x * (1 + erf(x / np.sqrt(2))),
    "silu": lambda x: x * expit(x),
    "selu": _selu,
    "sigmoid": expit,
    "square": np.square,
    "linear": lambda x: x,
}


def reference_forward(
    graph: Graph, weights: Weights, x: ArrayLike | Mapping[int, ArrayLike], activation: str
) -> FloatArray:
    """Return every member's logits in inference mode, computed in float64.

    Parameters
    ----------
    graph : Graph
        The architecture.
    weights : dict of int to dict of str to ndarray
        Layer id to that layer's arrays by name, each with a leading member axis, such as
        ``{"kernel": (n_members, n_inputs, units), "bias": (n_members, units)}``; see `Graph.weight_shapes`.
    x : array-like of shape (n_samples, n_features) or (n_members, n_samples, n_features)
        The features, the same for every member or each member's own; for sequences and images ``(n_samples,
        *shape)`` or ``(n_members, n_samples, *shape)``. A graph with several Inputs takes a mapping from the id of
        each to such an array.
    activation : str
        Function of the ``Activation`` layers that name none.

    Returns
    -------
    ndarray of shape (n_members, n_samples, n_outputs)
        The logits.

    Raises
    ------
    GraphError
        If the activation is unknown, weights are missing, or `x` lacks an Input or has neither shape.
    """
    return reference_tensors(graph, weights, x, activation)[graph.output]


def reference_tensors(
    graph: Graph, weights: Weights, x: ArrayLike | Mapping[int, ArrayLike], activation: str
) -> dict[int, FloatArray]:
    """As `reference_forward`: what every layer computes, by its id, ``(n_members, n_samples, ...)``."""
    check_choice(activation, "activation", ACTIVATIONS, error=GraphError)
    features = _features(graph, x)
    tensors: dict[int, FloatArray] = {}
    for layer in graph.layers:
        if isinstance(layer.spec, Input):
            tensors[layer.id] = features[layer.id]
            continue
        read = [tensors[source] for source in layer.inputs]
        needed = layer.spec.weight_shapes(tuple(tensor.shape[-1] for tensor in read))
        if needed and layer.id not in weights:
            raise GraphError(f"there are no weights for {layer}.")
        arrays = {name: np.asarray(weights[layer.id][name], dtype=np.float64) for name in needed}
        tensors[layer.id] = _apply(layer.spec, read, arrays, activation)
    return tensors


def _features(graph: Graph, x: ArrayLike | Mapping[int, ArrayLike]) -> dict[int, FloatArray]:
    given = x if isinstance(x, Mapping) else {graph.input: x}
    missing = [str(graph.layer(id)) for id in graph.inputs if id not in given]
    if missing:
        raise GraphError(f"x lacks {' and '.join(missing)}; give a mapping from the ids of Inputs to arrays.")
    return {id: _with_member_axis(graph, np.asarray(given[id], dtype=np.float64)) for id in graph.inputs}


def _with_member_axis(graph: Graph, x: FloatArray) -> FloatArray:
    shape = graph.input_shape
    axes = 1 if shape is None else len(shape)
    if x.ndim not in (axes + 1, axes + 2):
        inner = "n_features" if shape is None else ", ".join(map(str, shape))
        raise GraphError(
            f"x must have shape (n_samples, {inner}) or (n_members, n_samples, {inner}), got {x.shape}."
        )
    return x if x.ndim == axes + 2 else x[None]


def _apply(
    spec: LayerSpec, read: list[FloatArray], arrays: Mapping[str, FloatArray], activation: str
) -> FloatArray:
    x = read[0]
    match spec:
        case Dense():
            return x @ beside(arrays["kernel"], x.ndim) + beside(arrays["bias"], x.ndim)
        case Add():
            return sum(read[1:], x)
        case Concat():
            members = max(tensor.shape[0] for tensor in read)
            return np.concatenate([np.broadcast_to(t, (members, *t.shape[1:])) for t in read], axis=-1)
        case Activation(function=function):
            return _FUNCTIONS[function or activation](x)
        case LayerNorm():
            centred = x - x.mean(axis=-1, keepdims=True)
            variance = np.square(centred).mean(axis=-1, keepdims=True)
            return centred / np.sqrt(variance + LAYER_NORM_EPSILON)
        case BatchNorm():
            scale = arrays["gamma"] / np.sqrt(arrays["moving_variance"] + BATCH_NORM_EPSILON)
            shift = arrays["beta"] - arrays["moving_mean"] * scale
            return x * beside(scale, x.ndim) + beside(shift, x.ndim)
        case Conv():
            return convolve(spec, x, arrays)
        case DepthwiseConv():
            return depthwise(spec, x, arrays)
        case Pool():
            return pool(spec, x, arrays)
        case GlobalPool():
            return global_pool(spec, x, arrays)
        case Embedding():
            ids = np.broadcast_to(x, (len(arrays["embeddings"]), *x.shape[1:])).astype(np.intp)
            return np.stack([table[own] for table, own in zip(arrays["embeddings"], ids, strict=True)])
        case Flatten():
            return x.reshape(*x.shape[:2], -1)
    return x

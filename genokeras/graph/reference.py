"""What a graph computes, in plain numpy: the definition that networks on any backend are tested against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, expit

from genokeras.errors import GraphError
from genokeras.graph.graph import Graph
from genokeras.graph.specs import (
    ACTIVATIONS,
    LAYER_NORM_EPSILON,
    Activation,
    Add,
    Concat,
    Dense,
    Input,
    LayerNorm,
    LayerSpec,
    did_you_mean,
)

FloatArray = NDArray[np.floating]
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
    "linear": lambda x: x,
}


def reference_forward(graph: Graph, weights: Weights, x: ArrayLike, activation: str) -> FloatArray:
    """Return every member's logits in inference mode, computed in float64.

    Parameters
    ----------
    graph : Graph
        The architecture.
    weights : dict of int to dict of str to ndarray
        Dense layer id to ``{"kernel": (n_members, n_inputs, units), "bias": (n_members, units)}``.
    x : array-like of shape (n_samples, n_features) or (n_members, n_samples, n_features)
        The features, the same for every member or each member's own.
    activation : str
        Function of the ``Activation`` layers that name none.

    Returns
    -------
    ndarray of shape (n_members, n_samples, n_outputs)
        The logits.

    Raises
    ------
    GraphError
        If the activation is unknown, weights are missing, or `x` has neither shape.
    """
    if activation not in ACTIVATIONS:
        raise GraphError(
            f"unknown activation {activation!r}{did_you_mean(activation, ACTIVATIONS)}; "
            f"known: {', '.join(ACTIVATIONS)}."
        )
    features = np.asarray(x, dtype=np.float64)
    if features.ndim not in (2, 3):
        raise GraphError(
            f"x must have shape (n_samples, n_features) or (n_members, n_samples, n_features), "
            f"got {features.shape}."
        )
    tensors: dict[int, FloatArray] = {}
    for layer in graph.layers:
        if isinstance(layer.spec, Input):
            tensors[layer.id] = features if features.ndim == 3 else features[None]
            continue
        read = [tensors[source] for source in layer.inputs]
        if isinstance(layer.spec, Dense):
            if layer.id not in weights:
                raise GraphError(f"there are no weights for {layer}.")
            tensors[layer.id] = _dense(read[0], weights[layer.id])
        else:
            tensors[layer.id] = _apply(layer.spec, read, activation)
    return tensors[graph.output]


def _dense(x: FloatArray, arrays: dict[str, FloatArray]) -> FloatArray:
    kernel = np.asarray(arrays["kernel"], dtype=np.float64)
    return x @ kernel + np.asarray(arrays["bias"], dtype=np.float64)[:, None, :]


def _apply(spec: LayerSpec, read: list[FloatArray], activation: str) -> FloatArray:
    if isinstance(spec, Add):
        return sum(read[1:], read[0])
    if isinstance(spec, Concat):
        members = max(tensor.shape[0] for tensor in read)
        return np.concatenate([np.broadcast_to(t, (members, *t.shape[1:])) for t in read], axis=-1)
    if isinstance(spec, Activation):
        return _FUNCTIONS[spec.function or activation](read[0])
    if isinstance(spec, LayerNorm):
        centred = read[0] - read[0].mean(axis=-1, keepdims=True)
        variance = np.square(centred).mean(axis=-1, keepdims=True)
        return centred / np.sqrt(variance + LAYER_NORM_EPSILON)
    return read[0]

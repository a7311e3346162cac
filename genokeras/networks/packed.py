"""Graph -> packed Keras model: the members of one architecture side by side in one network.

Every trainable weight has a leading member axis; a plain network is what one member is. The layouts:

========  ==========================  ==========================================
layout    tensors                     what for
========  ==========================  ==========================================
members   ``(members, rows, units)``  training: batched matrix products, no copies
rows      ``(rows, members, units)``  export: the first axis is the batch, as Keras expects
plain     ``(rows, units)``           one ordinary network, without a member axis
========  ==========================  ==========================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np

from genokeras.errors import GraphError
from genokeras.graph import (
    LAYER_NORM_EPSILON,
    Activation,
    Add,
    Concat,
    Dense,
    Dropout,
    Graph,
    Input,
    LayerNorm,
    Weights,
)
from genokeras.networks.functions import activated

Layout = Literal["members", "rows", "plain"]
_EQUATION = {"members": ("mbi,mio->mbo", "mo"), "rows": ("bmi,mio->bmo", "mo")}


@dataclass(frozen=True)
class PackedNetwork:
    """A packed Keras model and where each of its weights belongs in the graph.

    Attributes
    ----------
    model : keras.Model
        Inputs ``x`` ``(members, rows, inputs)``, one for every Input of the graph in their order, and one mask ``(members, rows, units)`` for every Dropout layer of the
        graph (already divided by the keep probability); output: logits ``(members, rows, outputs)``. With probes,
        further inputs ``(members, rows, units)``, one for every Dense layer, are added to what it computes, and further
        outputs ``(members, rows, inputs)``, in the same order, are what it read.
    slots : tuple of (int, str)
        For each entry of ``model.trainable_variables``: the graph's layer id, and ``"kernel"`` or ``"bias"``.
    masks : tuple of (int, int)
        For each mask input: the id of the Dropout layer and its number of units.
    probes : tuple of (int, int)
        For each probe input: the id of the Dense layer and its number of units.
    """

    model: Any
    slots: tuple[tuple[int, str], ...]
    masks: tuple[tuple[int, int], ...]
    probes: tuple[tuple[int, int], ...] = ()


def build_packed(
    graph: Graph,
    input_units: int | Mapping[int, int],
    members: int,
    activation: str,
    *,
    probes: bool = False,
) -> PackedNetwork:
    """The trainable packed network of a graph, in the ``members`` layout.

    Dropout is a product with a mask that the training loop supplies, so that every member may have its own rate and
    the network stays free of random state. Probes are inputs of zeros: a gradient with respect to one is, row by row,
    the gradient with respect to a Dense layer's pre-activation.

    Parameters
    ----------
    graph : Graph
    input_units : int or mapping of int to int
        Width of every Input, or of each by its id.
    members : int
    activation : str
        What an ``Activation`` without a function of its own stands for.
    probes : bool, default=False

    Raises
    ------
    GraphError
        If the graph reads sequences or images.
    """
    if graph.input_shape is not None:
        raise GraphError(
            f"packed networks read vectors of features, but this graph reads inputs of shape {graph.input_shape}; "
            f"build_network makes one network of it."
        )
    shapes = graph.shapes(input_units)
    x = {
        i: keras.Input(batch_shape=(members, None, shapes[i]), name="x" if i == graph.input else f"x_{i}")
        for i in graph.inputs
    }
    masks: dict[int, Any] = {}

    def dropout(layer_id: int, tensor: Any) -> Any:
        units = shapes[layer_id]
        mask = keras.Input(batch_shape=(members, None, units), name=f"mask_{layer_id}")
        masks[layer_id] = mask
        return keras.layers.Multiply(name=f"dropout_{layer_id}")([tensor, mask])

    read: dict[int, Any] = {}
    added: dict[int, Any] = {}

    def probe(layer_id: int, inputs: Any, outputs: Any) -> Any:
        read[layer_id] = inputs
        added[layer_id] = keras.Input(batch_shape=(members, None, shapes[layer_id]), name=f"probe_{layer_id}")
        return keras.layers.Add(name=f"probed_{layer_id}")([outputs, added[layer_id]])

    outputs, _ = connect(
        graph, x, members, activation, layout="members", dropout=dropout, probe=probe if probes else None
    )
    model = keras.Model(
        [*x.values(), *masks.values(), *added.values()], [outputs, *read.values()] if probes else outputs
    )
    return PackedNetwork(
        model,
        _slots(model),
        tuple((layer_id, shapes[layer_id]) for layer_id in masks),
        tuple((layer_id, shapes[layer_id]) for layer_id in added),
    )


def connect(
    graph: Graph,
    x: Mapping[int, Any],
    members: int,
    activation: str,
    *,
    layout: Layout,
    dropout: Callable[[int, Any], Any] | None = None,
    probe: Callable[[int, Any, Any], Any] | None = None,
    given: Mapping[int, Any] | None = None,
    prefix: str = "",
) -> tuple[Any, dict[int, Any]]:
    """Call the graph's layers on Keras tensors.

    Parameters
    ----------
    graph : Graph
    x : mapping of int to KerasTensor
        ``(members, rows, inputs)``, ``(rows, members, inputs)`` or ``(rows, inputs)``, as ``layout`` says, for each
        Input by its id; those that only layers in ``given`` read may be left out.
    members : int
        Size of the member axis.
    activation : str
        What an ``Activation`` without a function of its own stands for.
    layout : {"members", "rows", "plain"}
    dropout : callable, optional
        ``(layer id, tensor) -> tensor``; without it Dropout layers are left out, as in inference.
    probe : callable, optional
        ``(layer id, inputs, outputs) -> outputs`` of every Dense layer.
    given : mapping, optional
        Outputs of layers that were computed elsewhere, by layer id.
    prefix : str
        Put before the layers' names, so that several graphs fit into one model.

    Returns
    -------
    logits : KerasTensor
    layers : dict
        The Keras layers with weights, by layer id.
    """
    tensors: dict[int, Any] = {**x, **(given or {})}
    weighted: dict[int, Any] = {}
    for layer in graph.layers:
        if layer.id in tensors or isinstance(layer.spec, Input):
            continue
        inputs = [tensors[i] for i in layer.inputs]
        name = f"{prefix}{layer.spec.kind.lower()}_{layer.id}"
        match layer.spec:
            case Dense(units=units):
                weighted[layer.id] = _dense(units, members, layout, name)
                computed = weighted[layer.id](inputs[0])
                tensors[layer.id] = probe(layer.id, inputs[0], computed) if probe else computed
            case LayerNorm():
                norm = keras.layers.LayerNormalization(
                    center=False, scale=False, epsilon=LAYER_NORM_EPSILON, name=name
                )
                tensors[layer.id] = norm(inputs[0])
            case Activation(function=function):
                tensors[layer.id] = activated(function or activation, inputs[0], name)
            case Dropout():
                tensors[layer.id] = dropout(layer.id, inputs[0]) if dropout else inputs[0]
            case Add():
                tensors[layer.id] = keras.layers.Add(name=name)(inputs)
            case Concat():
                tensors[layer.id] = keras.layers.Concatenate(name=name)(inputs)
            case other:
                raise GraphError(f"layer {layer.id}: no Keras layer is known for {other!r}.")
    return tensors[graph.output], weighted


def _dense(units: int, members: int, layout: Layout, name: str) -> Any:
    if layout == "plain":
        return keras.layers.Dense(units, name=name)
    equation, bias_axes = _EQUATION[layout]
    shape = (None, units) if layout == "members" else (members, units)
    return keras.layers.EinsumDense(
        equation, output_shape=shape, bias_axes=bias_axes, kernel_initializer="zeros", name=name
    )


def _slots(model: Any) -> tuple[tuple[int, str], ...]:
    slots = []
    for variable in model.trainable_variables:
        layer_name, weight = variable.path.split("/")[-2:]
        slots.append((int(layer_name.rsplit("_", 1)[1]), weight))
    return tuple(slots)


def slot_array(weights: Weights, slot: tuple[int, str]) -> np.ndarray:
    """One weight as the packed model holds it: a bias gets the row axis that broadcasting needs."""
    layer_id, name = slot
    array = weights[layer_id][name]
    return array[:, None, :] if name == "bias" else array


def gather_weights(slots: tuple[tuple[int, str], ...], arrays: list[np.ndarray]) -> Weights:
    """The inverse of :func:`slot_array` over all slots."""
    weights: Weights = {}
    for (layer_id, name), array in zip(slots, arrays, strict=True):
        weights.setdefault(layer_id, {})[name] = array[:, 0, :] if name == "bias" else array
    return weights

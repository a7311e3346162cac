"""Graph -> an ordinary Keras model with fresh weights, for people to train by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from genokeras.graph import Dropout, Graph, HyperParameters
from genokeras.networks.packed import connect


def build_plain(
    graph: Graph, n_features: int | Mapping[int, int], hyper: HyperParameters, *, logits: bool = False
) -> Any:
    """An untrained network: ``(batch, n_features)`` -> class probabilities ``(batch, n_classes)``.

    Parameters
    ----------
    graph : Graph
    n_features : int or mapping of int to int
        Width of every Input, or of each by its id.
    hyper : HyperParameters
        Its activation and dropout rate fill in what the graph leaves open.
    logits : bool, default=False
        Whether to leave out the softmax, as for regression or a loss on logits.

    Returns
    -------
    keras.Model
        Made of stock layers, with Keras' own initial weights. Standardise the features before training it. A graph with
        several Inputs gives a model with as many, in their order: ``"features"`` and the names of the views.
    """
    units = graph.units(n_features)
    names = graph.views("features")
    x = {i: keras.Input((units[i],), name=names[i].replace(":", "_")) for i in graph.inputs}

    def dropout(layer_id: int, tensor: Any) -> Any:
        spec = graph.layer(layer_id).spec
        rate = spec.rate if isinstance(spec, Dropout) and spec.rate is not None else hyper.dropout
        return keras.layers.Dropout(rate, name=f"dropout_{layer_id}")(tensor)

    outputs, _ = connect(graph, x, 1, hyper.activation, layout="plain", dropout=dropout)
    if not logits:
        outputs = keras.layers.Softmax(name="probabilities")(outputs)
    inputs = list(x.values())
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)

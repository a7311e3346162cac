"""The kinds of layers a graph is made of: frozen values with shapes, without arrays and without Keras."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genokeras.errors import GraphError
from genokeras.graph.specs.base import LayerSpec, Shape, plain_ints
from genokeras.graph.specs.plain import (
    ACTIVATIONS,
    BATCH_NORM_EPSILON,
    LAYER_NORM_EPSILON,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Dense,
    Dropout,
    Input,
    LayerNorm,
)
from genokeras.graph.specs.spatial import (
    N_BASES,
    Conv,
    DepthwiseConv,
    Embedding,
    Flatten,
    GlobalPool,
    Pool,
    padding_before_after,
)
from genokeras.support.checks import check_choice

SPECS: dict[str, type[LayerSpec]] = {
    spec.kind: spec
    for spec in (
        Input,
        Dense,
        LayerNorm,
        Activation,
        Dropout,
        Add,
        Concat,
        BatchNorm,
        Conv,
        DepthwiseConv,
        Pool,
        GlobalPool,
        Embedding,
        Flatten,
    )
}

__all__ = [
    "ACTIVATIONS",
    "BATCH_NORM_EPSILON",
    "LAYER_NORM_EPSILON",
    "N_BASES",
    "SPECS",
    "Activation",
    "Add",
    "BatchNorm",
    "Concat",
    "Conv",
    "Dense",
    "DepthwiseConv",
    "Dropout",
    "Embedding",
    "Flatten",
    "GlobalPool",
    "Input",
    "LayerNorm",
    "LayerSpec",
    "Pool",
    "Shape",
    "padding_before_after",
    "plain_ints",
    "spec_from_dict",
]


def spec_from_dict(data: Mapping[str, Any]) -> LayerSpec:
    """Read what `LayerSpec.to_dict` wrote.

    Raises
    ------
    GraphError
        If the kind is missing or unknown, or its fields are not those of the kind.
    """
    kind = data.get("kind")
    check_choice(kind, "layer kind", SPECS, error=GraphError)
    spec = SPECS[str(kind)]
    values = {name: value for name, value in data.items() if name != "kind"}
    try:
        return spec(**values)
    except TypeError as error:
        raise GraphError(f"a layer of kind {kind!r} cannot be made from {values}: {error}.") from error

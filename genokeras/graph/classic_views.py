"""A graph as classic AutoKeras showed it: tensors are nodes, layers are edges between them. To read, not to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from genokeras.graph.layer import Layer
from genokeras.graph.specs import Input, LayerSpec


class Edge(NamedTuple):
    """Where an edge leads, and which layer it is."""

    node: int
    layer: int


@dataclass(frozen=True)
class Tensor:
    """A node.

    Attributes
    ----------
    shape : tuple of int or None
        Without the samples' axis; None for a width that depends on the data.
    """

    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class ClassicViews:
    """The four views of a graph.

    Attributes
    ----------
    node_list : tuple of Tensor
    layer_list : tuple of LayerSpec
        Without the Inputs.
    adj_list : tuple of tuple of Edge
        The edges that leave each node; a layer that reads several nodes is several edges.
    """

    node_list: tuple[Tensor, ...]
    layer_list: tuple[LayerSpec, ...]
    adj_list: tuple[tuple[Edge, ...], ...]


def classic_views(layers: Sequence[Layer], shapes: Mapping[int, tuple[int | None, ...]]) -> ClassicViews:
    """The views of layers in topological order, whose tensors have these shapes."""
    node_of = {layer.id: number for number, layer in enumerate(layers)}
    edges: list[list[Edge]] = [[] for _ in layers]
    listed: list[LayerSpec] = []
    for layer in layers:
        if isinstance(layer.spec, Input):
            continue
        for source in layer.inputs:
            edges[node_of[source]].append(Edge(node_of[layer.id], len(listed)))
        listed.append(layer.spec)
    nodes = tuple(Tensor(tuple(shapes[layer.id])) for layer in layers)
    return ClassicViews(nodes, tuple(listed), tuple(map(tuple, edges)))

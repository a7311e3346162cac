"""Graphs as classic AutoKeras showed them: tensors as nodes, layers as edges."""

from __future__ import annotations

import pytest

from genokeras.graph import Graph, feature_mlp, residual_cnn, rfcn_resnet


@pytest.mark.parametrize(
    "graph", [residual_cnn((8, 8, 1), 10), feature_mlp((64,), 3, (8,)), rfcn_resnet(2, 8, 2, "relu")]
)
def test_edges_are_the_layers(graph: Graph) -> None:
    assert graph.n_nodes == len(graph.node_list) == len(graph.adj_list) == len(graph.layers)
    edges = {
        (u, v, str(graph.layer_list[number])) for u in range(graph.n_nodes) for v, number in graph.adj_list[u]
    }
    place = {layer.id: number for number, layer in enumerate(graph.layers)}
    assert edges == {
        (place[source], place[layer.id], str(layer.spec)) for layer in graph.layers for source in layer.inputs
    }
    used = {number for leaving in graph.adj_list for _, number in leaving}
    assert used == set(range(len(graph.layer_list)))


def test_nodes_have_shapes() -> None:
    graph = residual_cnn((8, 8, 1), 10)
    assert graph.node_list[0].shape == (8, 8, 1) and graph.node_list[-1].shape == (10,)
    assert rfcn_resnet(2, 8, 2, "relu").node_list[0].shape == (None,)


def test_views_cannot_be_changed() -> None:
    graph = feature_mlp((64,), 3, (8,))
    with pytest.raises(TypeError):
        graph.node_list[0] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        graph.layer_list = ()  # type: ignore[misc]

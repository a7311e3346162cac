"""Graphs as nodes of one form."""

from __future__ import annotations

import numpy as np

from genokeras.graph import (
    Activation,
    Add,
    Concat,
    Deepen,
    Dense,
    Dropout,
    Graph,
    Input,
    Layer,
    LayerNorm,
    linear,
    mlp,
    node_form,
    rfcn_densenet,
    rfcn_resnet,
    small_cnn,
)
from genokeras.graph.testing import random_graph


def form_of(graph: Graph) -> tuple[int, int, int]:
    form = node_form(graph)
    assert form is not None
    return len(form.nodes), form.n_reading, form.units


def test_templates_have_few_nodes() -> None:
    assert form_of(linear(3)) == (0, 0, 0)
    assert form_of(mlp(3, (64, 32))) == (2, 1, 64)
    # A stem, and two for each block: what the hidden layer makes, and its sum with what it read.
    assert form_of(rfcn_resnet(3, n_latent=16, n_blocks=2)) == (5, 1, 16)
    assert form_of(rfcn_densenet(3, n_latent=16, n_blocks=2)) == (3, 1, 16)


def test_a_deeper_network_has_a_node_for_the_block_and_one_for_the_sum() -> None:
    graph = mlp(2, (8,))
    (site,) = Deepen.sites(graph)
    assert form_of(site.edit(graph)) == (3, 1, 8)


def test_nodes_that_read_the_input_stand_in_front() -> None:
    layers = [
        Layer(0, Input()),
        Layer(1, Dense(4), (0,)),
        Layer(2, Activation(), (1,)),
        Layer(3, Dense(4), (2,)),
        Layer(4, Activation(), (3,)),
        Layer(5, Dense(6), (0,)),
        Layer(6, LayerNorm(), (5,)),
        Layer(7, Concat(), (4, 6)),
        Layer(8, Dense(2), (7,)),
    ]
    form = node_form(Graph.build(layers))
    assert form is not None
    assert [node.reads_inputs for node in form.nodes] == [True, True, False]
    assert form.n_reading == 2
    assert [part.node for part in form.output[0].parts] == [2, 1]


def test_a_norm_behind_a_function_is_a_node_of_its_own() -> None:
    layers = [
        Layer(0, Input()),
        Layer(1, Dense(4), (0,)),
        Layer(2, Activation("tanh"), (1,)),
        Layer(3, LayerNorm(), (2,)),
        Layer(4, Dropout(0.3), (3,)),
        Layer(5, Dense(2), (4,)),
    ]
    form = node_form(Graph.build(layers))
    assert form is not None
    first, second = form.nodes
    assert (first.function, first.normalised, first.rate) == ("tanh", False, 0.0)
    assert (second.function, second.normalised, second.rate) == ("linear", True, 0.3)
    assert second.carried == (0,)


def test_graphs_without_a_form() -> None:
    normed_input = [Layer(0, Input()), Layer(1, LayerNorm(), (0,)), Layer(2, Dense(2), (1,))]
    added_input = [
        Layer(0, Input()),
        Layer(1, Dense(3), (0,)),
        Layer(2, Add(), (0, 1)),
        Layer(3, Dense(2), (2,)),
    ]
    normed_pair = [
        Layer(0, Input()),
        Layer(1, Dense(3), (0,)),
        Layer(2, Dense(3), (0,)),
        Layer(3, Concat(), (1, 2)),
        Layer(4, LayerNorm(), (3,)),
        Layer(5, Dense(2), (4,)),
    ]
    for layers in (normed_input, added_input, normed_pair):
        assert node_form(Graph.build(layers)) is None
    assert node_form(small_cnn((30, 4), 2)) is None


def test_nearly_all_that_morphisms_grow_has_a_form() -> None:
    rng = np.random.default_rng(0)
    graphs = [random_graph(rng, int(rng.integers(1, 5))) for _ in range(200)]
    assert np.mean([node_form(graph) is not None for graph in graphs]) > 0.9

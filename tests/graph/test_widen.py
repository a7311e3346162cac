"""Widening by hand-made graphs: ties by sums, concatenations, norms, and copies that drift apart."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import GraphError
from genokeras.graph import (
    Activation,
    Add,
    Concat,
    Dense,
    Graph,
    Input,
    Layer,
    LayerNorm,
    LayerSpec,
    Morphism,
    Widen,
    mlp,
    reference_forward,
)
from genokeras.graph.testing import random_weights, relative_difference


def chain(*steps: tuple[LayerSpec, tuple[int, ...]]) -> Graph:
    return Graph.build(
        [Layer(0, Input()), *(Layer(k, spec, inputs) for k, (spec, inputs) in enumerate(steps, 1))]
    )


def assert_keeps_outputs(graph: Graph, morphism: Morphism, activation: str = "tanh") -> Graph:
    rng = np.random.default_rng(0)
    weights = random_weights(graph, 4, 2, rng)
    x = rng.standard_normal((5, 4))
    grown, carried = morphism.apply(graph, weights, rng)
    assert carried is not None
    before = reference_forward(graph, weights, x, activation)
    assert relative_difference(reference_forward(grown, carried, x, activation), before) < 1e-6
    return grown


def beside(second: LayerSpec, *behind: tuple[LayerSpec, tuple[int, ...]]) -> Graph:
    """Return Dense(3) as layer 1, `second` as layer 2, their Concat as layer 3, then what is given."""
    return chain((Dense(3), (0,)), (second, (0,)), (Concat(), (1, 2)), *behind)


def test_what_is_summed_is_widened_together() -> None:
    graph = chain((Dense(3), (0,)), (Dense(3), (0,)), (Add(), (1, 2)), (Activation(), (3,)), (Dense(2), (4,)))
    assert Widen.sites(graph) == (Widen(1),)
    grown = assert_keeps_outputs(graph, Widen(2))
    assert (grown.known_units(1), grown.known_units(2)) == (6, 6)


def test_one_half_of_a_concatenation_can_be_widened() -> None:
    graph = beside(Dense(2), (Activation(), (3,)), (Dense(2), (4,)))
    assert Widen.sites(graph) == (Widen(1), Widen(2))
    assert assert_keeps_outputs(graph, Widen(1)).shapes(4)[3] == 8
    assert assert_keeps_outputs(graph, Widen(2)).shapes(4)[3] == 7


def test_a_concatenation_in_a_layer_norm_is_not_widened_by_half() -> None:
    graph = beside(Dense(2), (Activation(), (3,)), (LayerNorm(), (4,)), (Dense(2), (5,)))
    assert Widen.sites(graph) == ()
    with pytest.raises(GraphError, match=r"layer 5 \(LayerNorm\) would read units of which only some"):
        Widen(1).apply(graph, None, np.random.default_rng(0))


def test_a_tensor_beside_itself_in_a_layer_norm_is_widened() -> None:
    graph = chain((Dense(3), (0,)), (Concat(), (1, 1)), (LayerNorm(), (2,)), (Dense(2), (3,)))
    assert assert_keeps_outputs(graph, Widen(1)).shapes(4)[2] == 12


def test_a_sum_of_a_concatenation_and_a_dense_widens_all_three() -> None:
    graph = beside(Dense(2), (Dense(5), (0,)), (Add(), (3, 4)), (LayerNorm(), (5,)), (Dense(2), (6,)))
    assert Widen.sites(graph) == (Widen(1),)
    for layer in (1, 2, 4):
        grown = assert_keeps_outputs(graph, Widen(layer))
        assert [grown.known_units(id) for id in (1, 2, 4)] == [6, 4, 10]


def test_a_sum_with_the_input_is_not_widened() -> None:
    graph = chain((Dense(4), (0,)), (Add(), (0, 1)), (Dense(2), (2,)))
    assert Widen.sites(graph) == ()
    with pytest.raises(GraphError, match="the Input would have to be doubled"):
        Widen(1).apply(graph, None, np.random.default_rng(0))


def test_the_input_beside_a_widened_tensor_stays() -> None:
    graph = chain((Dense(3), (0,)), (Activation(), (1,)), (Concat(), (2, 0)), (Dense(2), (3,)))
    assert assert_keeps_outputs(graph, Widen(1)).shapes(4)[3] == 10


def test_a_concatenation_as_the_output_is_not_widened() -> None:
    assert Widen.sites(beside(Dense(2))) == ()


def test_copies_get_different_outgoing_weights() -> None:
    graph = mlp(2, widths=(4,))
    rng = np.random.default_rng(0)
    for scale in (1, 0):
        weights = random_weights(graph, 3, 2, rng)
        weights[5]["kernel"] *= scale
        _, carried = Widen(1).apply(graph, weights, rng)
        assert carried is not None
        copies = carried[5]["kernel"].reshape(2, 4, 2, 2)
        assert (copies[:, :, 0] != copies[:, :, 1]).all()
        np.testing.assert_allclose(copies.sum(axis=2), weights[5]["kernel"], atol=1e-6)


def test_widening_twice_quadruples() -> None:
    graph = mlp(2, widths=(4,))
    assert assert_keeps_outputs(assert_keeps_outputs(graph, Widen(1)), Widen(1)).known_units(1) == 16

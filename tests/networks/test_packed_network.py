"""Packed networks compute what their graphs mean, member by member, in every layout."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from genokeras.graph import ACTIVATIONS, Graph, Weights, linear, mlp, reference_forward
from genokeras.graph.testing import (
    VIEW_WIDTHS,
    random_graph,
    random_weights,
    random_widths,
    relative_difference,
)
from genokeras.networks import PackedNetwork, build_packed, connect, gather_weights, slot_array
from genokeras.networks.packed import Layout
from tests.backends import at_once, fewer

MEMBERS, ROWS, UNITS = 3, 9, 7
CASES = [(seed, ACTIVATIONS[seed % len(ACTIVATIONS)]) for seed in fewer(range(14), 4)]


def several(seed: int) -> tuple[Graph, Weights, dict[int, np.ndarray]]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, seed % 5, views=tuple(VIEW_WIDTHS))
    widths = random_widths(graph, UNITS)
    x = {i: rng.standard_normal((MEMBERS, ROWS, units)).astype("float32") for i, units in widths.items()}
    return graph, random_weights(graph, widths, MEMBERS, rng), x


def sample(seed: int) -> tuple[Graph, Weights, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, seed % 5)
    weights = random_weights(graph, UNITS, MEMBERS, rng)
    return graph, weights, rng.standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")


def forward(network: PackedNetwork, weights: Weights, x: np.ndarray, masks: list[np.ndarray]) -> np.ndarray:
    params = [ops.convert_to_tensor(slot_array(weights, slot)) for slot in network.slots]
    run = at_once(lambda *arrays: network.model.stateless_call(params, [], list(arrays))[0])
    return np.asarray(ops.convert_to_numpy(run(*(ops.convert_to_tensor(a) for a in (x, *masks)))))


def ones(network: PackedNetwork, members: int = MEMBERS) -> list[np.ndarray]:
    return [np.ones((members, ROWS, units), dtype="float32") for _, units in network.masks]


@pytest.mark.parametrize(("seed", "activation"), CASES)
def test_a_packed_network_computes_what_its_graph_means(seed: int, activation: str) -> None:
    graph, weights, x = sample(seed)
    network = build_packed(graph, UNITS, MEMBERS, activation)
    found = forward(network, weights, x, ones(network))
    assert relative_difference(found, reference_forward(graph, weights, x, activation)) < 1e-5


@pytest.mark.parametrize(("seed", "activation"), CASES)
def test_each_input_is_an_input_of_the_network(seed: int, activation: str) -> None:
    graph, weights, x = several(seed)
    network = build_packed(graph, random_widths(graph, UNITS), MEMBERS, activation)
    assert network.model.inputs[0].name == "x"
    arrays = [*x.values(), *ones(network)]
    found = forward(network, weights, arrays[0], arrays[1:])
    assert relative_difference(found, reference_forward(graph, weights, x, activation)) < 1e-5


def test_masks_of_ones_may_have_one_row_and_one_unit() -> None:
    graph, weights, x = sample(4)
    network = build_packed(graph, UNITS, MEMBERS, "relu")
    small = [np.ones((1, 1, 1), dtype="float32") for _ in network.masks]
    np.testing.assert_array_equal(
        forward(network, weights, x, small), forward(network, weights, x, ones(network))
    )


def test_a_mask_multiplies_what_its_dropout_layer_reads() -> None:
    graph = mlp(2, (5,), linear_path=False)
    weights = random_weights(graph, UNITS, MEMBERS, np.random.default_rng(0))
    network = build_packed(graph, UNITS, MEMBERS, "relu")
    x = np.ones((MEMBERS, ROWS, UNITS), dtype="float32")
    nothing = forward(network, weights, x, [np.zeros((MEMBERS, ROWS, 5), dtype="float32")])
    bias = weights[graph.output]["bias"]
    np.testing.assert_allclose(nothing, np.repeat(bias[:, None], ROWS, axis=1), atol=1e-6)


def test_a_graph_without_dropout_has_no_masks() -> None:
    graph = linear(3)
    weights = random_weights(graph, UNITS, MEMBERS, np.random.default_rng(0))
    network = build_packed(graph, UNITS, MEMBERS, "relu")
    x = np.random.default_rng(1).standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")
    assert network.masks == ()
    expected = reference_forward(graph, weights, x, "relu")
    np.testing.assert_allclose(forward(network, weights, x, []), expected, atol=1e-5)


@pytest.mark.parametrize("seed", fewer(range(4), 3))
def test_a_member_computes_what_it_would_alone(seed: int) -> None:
    graph, weights, x = sample(seed)
    network, single = (build_packed(graph, UNITS, members, "gelu") for members in (MEMBERS, 1))
    together = forward(network, weights, x, ones(network))
    for m in range(MEMBERS):
        own = {i: {name: array[m : m + 1] for name, array in named.items()} for i, named in weights.items()}
        alone = forward(single, own, x[m : m + 1], ones(single, 1))
        np.testing.assert_allclose(together[m : m + 1], alone, atol=1e-5)


def in_layout(layout: Layout, graph: Graph, weights: Weights, x: np.ndarray, activation: str) -> np.ndarray:
    """The logits ``(members, rows, outputs)`` of the network that ``connect`` makes in a layout."""
    if layout == "plain":
        inputs: Any = keras.Input((UNITS,))
    else:
        inputs = keras.Input((MEMBERS, UNITS))
    outputs, layers = connect(graph, {graph.input: inputs}, MEMBERS, activation, layout=layout)
    model = keras.Model(inputs, outputs)
    if layout == "rows":
        for i, layer in layers.items():
            layer.set_weights([weights[i]["kernel"], weights[i]["bias"]])
        return np.asarray(ops.convert_to_numpy(model(x.transpose(1, 0, 2)))).transpose(1, 0, 2)
    parts = []
    for m in range(MEMBERS):
        for i, layer in layers.items():
            layer.set_weights([weights[i]["kernel"][m], weights[i]["bias"][m]])
        parts.append(np.asarray(ops.convert_to_numpy(model(x[m]))))
    return np.stack(parts)


@pytest.mark.parametrize("layout", ["rows", "plain"])
@pytest.mark.parametrize("seed", fewer([4, 1, 8], 3))
def test_the_layouts_agree(layout: Layout, seed: int) -> None:
    graph, weights, x = sample(seed)
    found = in_layout(layout, graph, weights, x, "silu")
    assert relative_difference(found, reference_forward(graph, weights, x, "silu")) < 1e-5


def test_weights_come_back_from_the_slots_as_they_went_in() -> None:
    graph, weights, _ = sample(3)
    network = build_packed(graph, UNITS, MEMBERS, "relu")
    assert {i for i, _ in network.slots} == set(weights)
    back = gather_weights(network.slots, [slot_array(weights, slot) for slot in network.slots])
    for i, named in weights.items():
        for name, array in named.items():
            np.testing.assert_array_equal(back[i][name], array)

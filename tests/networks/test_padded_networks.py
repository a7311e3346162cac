"""Different graphs in arrays of one shape compute what each of them computes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from keras import ops

from genokeras.errors import GraphError
from genokeras.graph import AddProducts, Graph, Weights, mlp, node_form, reference_forward
from genokeras.graph.testing import random_graph, random_weights
from genokeras.networks import (
    FUNCTIONS,
    SLOPES,
    ShapeClass,
    class_of,
    padded_gradients,
    padded_pass,
    place,
    selectors,
)
from genokeras.support.backends import current_backend
from tests.backends import at_once, fewer

UNITS, MEMBERS, ROWS = 7, 2, 5
RNG = np.random.default_rng(0)


def graphs_with_a_form(n: int) -> list[Graph]:
    rng, found = np.random.default_rng(1), []
    while len(found) < n:
        graph = random_graph(rng, int(rng.integers(0, 5)))
        if class_of(graph, UNITS) is not None:
            found.append(graph)
    return found


def tensors_of(
    graph: Graph, shape: ShapeClass, weights: Weights, x: np.ndarray
) -> tuple[list[Any], Any, dict[str, Any]]:
    """What `padded_pass` takes of a graph and its inputs: parameters, inputs, what is selected."""
    placed = place(graph, shape, {graph.input: (2, UNITS)})
    wide = np.zeros((MEMBERS, ROWS, shape.input_units), dtype="float32")
    wide[:, :, 2 : 2 + UNITS] = x
    chosen: dict[str, Any] = selectors(shape, graph)
    of_nodes = ("normalised", "units", "activated", "squared")
    selected = {
        name: ops.convert_to_tensor(array[..., None, None] if name in of_nodes else array)
        for name, array in chosen.items()
    }
    params = [ops.convert_to_tensor(array) for array in placed.arrays(weights, MEMBERS)]
    return params, ops.convert_to_tensor(wide), selected


def computed(graph: Graph, shape: ShapeClass, weights: Weights, x: np.ndarray, activation: str) -> np.ndarray:
    params, wide, selected = tensors_of(graph, shape, weights, x)
    run = at_once(lambda x: padded_pass(shape, FUNCTIONS[activation], params, x, (), selected).logits)
    return np.asarray(ops.convert_to_numpy(run(wide)))


@pytest.mark.parametrize("number", fewer(range(14), 5))
def test_a_padded_graph_computes_the_same(number: int) -> None:
    graph = graphs_with_a_form(14)[number]
    activation = sorted(FUNCTIONS)[number % len(FUNCTIONS)]
    weights = random_weights(graph, UNITS, MEMBERS, RNG)
    x = RNG.standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")
    smallest = class_of(graph, UNITS + 2)
    assert smallest is not None
    larger = replace(
        smallest, input_units=12, nodes=smallest.nodes + 1, reading=smallest.nodes, units=smallest.units + 8
    )
    expected = reference_forward(graph, weights, x, activation)
    for shape in (smallest, larger):
        found = computed(graph, shape, weights, x, activation)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def squares_of_a_product() -> Graph:
    """A hidden layer beside linear units that are squared."""
    return AddProducts("", 4).edit(mlp(2, (6,)))


@pytest.mark.parametrize("number", fewer(range(15), 5))
@pytest.mark.parametrize("dropping", [False, True])
def test_the_gradient_is_that_of_automatic_differentiation(number: int, dropping: bool) -> None:
    graph = [*graphs_with_a_form(14), squares_of_a_product()][number]
    function = sorted(FUNCTIONS)[number % len(FUNCTIONS)]
    weights = random_weights(graph, UNITS, MEMBERS, RNG)
    x = RNG.standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")
    smallest = class_of(graph, UNITS + 2)
    assert smallest is not None
    shape = replace(smallest, nodes=smallest.nodes + 1, reading=smallest.nodes + 1, units=smallest.units + 8)
    params, wide, selected = tensors_of(graph, shape, weights, x)
    kept = RNG.random((shape.nodes, MEMBERS, ROWS, shape.units)) < 0.7
    masks = [ops.convert_to_tensor(mask.astype("float32") / 0.7) for mask in kept] if dropping else []
    wanted = ops.convert_to_tensor(RNG.standard_normal((MEMBERS, ROWS, graph.n_outputs)).astype("float32"))
    backend = current_backend()

    def loss(given: list[Any]) -> Any:
        done = padded_pass(shape, FUNCTIONS[function], given, wide, masks, selected)
        return ops.sum(wanted * ops.tanh(done.logits))

    def both(given: list[Any]) -> list[Any]:
        done = padded_pass(shape, FUNCTIONS[function], given, wide, masks, selected)
        change = wanted * (1.0 - ops.square(ops.tanh(done.logits)))
        by_hand = padded_gradients(
            shape, SLOPES[function], given, wide, masks, selected, done, change, backend.product
        )
        return [*by_hand, *backend.value_and_gradients(loss, given)[1]]

    found = [np.asarray(ops.convert_to_numpy(tensor)) for tensor in at_once(both)(params)]
    placed = place(graph, shape, {graph.input: (2, UNITS)}).masks()
    for array, expected, mask in zip(found[: len(params)], found[len(params) :], placed, strict=True):
        largest = max(float(np.abs(mask * expected).max()), 1e-3)
        np.testing.assert_allclose(mask * array / largest, mask * expected / largest, atol=2e-4)


def test_weights_come_back_from_where_they_were_placed() -> None:
    for graph in graphs_with_a_form(14):
        weights = random_weights(graph, UNITS, MEMBERS, RNG)
        shape = class_of(graph, UNITS)
        assert shape is not None
        placed = place(graph, shape, {graph.input: (0, UNITS)})
        arrays = placed.arrays(weights, MEMBERS)
        back = placed.weights(arrays)
        for layer, named in weights.items():
            np.testing.assert_array_equal(back[layer]["kernel"], named["kernel"])
        # Biases that one node sums come back in one of them.
        np.testing.assert_allclose(
            sum(named["bias"].sum() for named in back.values()),
            sum(named["bias"].sum() for named in weights.values()),
            rtol=1e-4,
        )
        x = RNG.standard_normal((MEMBERS, ROWS, UNITS))
        np.testing.assert_allclose(
            reference_forward(graph, back, x, "relu"),
            reference_forward(graph, weights, x, "relu"),
            rtol=1e-3,
            atol=1e-4,
        )
        for array, mask in zip(arrays, placed.masks(), strict=True):
            assert not array[:, mask[0] == 0].any()


def test_a_class_holds_smaller_ones() -> None:
    small, large = class_of(mlp(2, (16,)), 32), class_of(mlp(2, (40, 20)), 64)
    assert small is not None and large is not None
    assert large == ShapeClass(64, 2, 1, 64, 2)
    assert large.holds(small) and not small.holds(large)
    assert large.cost(100) > 3 * small.cost(100)
    assert not large.holds(replace(small, outputs=3))


def test_a_graph_that_is_too_large_for_a_class_is_refused() -> None:
    graph = mlp(2, (64, 64))
    with pytest.raises(GraphError, match=r"\[64-64\] does not fit"):
        place(graph, ShapeClass(8, 1, 1, 64, 2), {graph.input: (0, 8)})
    assert class_of(mlp(2, (300,)), 8) is None
    assert class_of(mlp(2, (4,) * 9), 8) is None
    assert node_form(mlp(2, (4,) * 9)) is not None

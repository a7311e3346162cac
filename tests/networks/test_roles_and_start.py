"""What each Dense layer is to its network, and the weights it starts from."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.graph import (
    Add,
    AddBranch,
    AddInput,
    AddSkip,
    Deepen,
    Dense,
    Graph,
    Input,
    Layer,
    linear,
    mlp,
    multi_view,
)
from genokeras.graph.testing import random_graph
from genokeras.networks import DenseRole, dense_roles, initial_weights


def roles(graph: Graph) -> list[str]:
    """The roles in the order of the ids."""
    return [role.value for _, role in sorted(dense_roles(graph).items())]


def test_a_linear_model_is_a_linear_path() -> None:
    assert roles(linear(3)) == ["linear"]


def test_an_mlp_has_a_hidden_a_closing_and_a_linear_layer() -> None:
    assert roles(mlp(3, (8,))) == ["hidden", "closing", "linear"]
    assert roles(mlp(3, (8, 8), linear_path=False)) == ["hidden", "hidden", "closing"]


def test_the_linear_path_stays_one_behind_sums_of_sums() -> None:
    layers = [Layer(0, Input()), Layer(1, Dense(3), (0,)), Layer(2, Dense(8), (0,)), Layer(3, Dense(3), (2,))]
    layers += [Layer(4, Add(), (1, 3)), Layer(5, Dense(3), (2,)), Layer(6, Add(), (4, 5))]
    assert roles(Graph.build(layers)) == ["linear", "hidden", "closing", "closing"]


def test_growth_keeps_the_linear_path() -> None:
    graph = linear(3)
    for morphism in (AddBranch(16), AddBranch(32)):
        graph = morphism.edit(graph)
    assert roles(graph) == ["linear", "hidden", "closing", "hidden", "closing"]


def test_a_layer_that_ends_a_residual_block_is_closing_even_if_it_reads_the_input() -> None:
    graph = mlp(3, (8,))
    hidden = next(m for m in Deepen.sites(graph, None))
    grown = hidden.edit(graph)
    assert roles(grown)[-2:] == ["hidden", "closing"]
    skips = [m for m in AddSkip.sites(graph, None) if isinstance(m, AddSkip)]
    skip = next(m for m in skips if m.source == graph.input and m.target != graph.output)
    assert roles(skip.edit(graph))[-1] == "closing"


def test_kernels_start_by_role() -> None:
    graph = mlp(4, (300,))
    weights = initial_weights(graph, 200, 3, np.random.default_rng(0))
    by_role = {role: weights[i] for i, role in dense_roles(graph).items()}
    assert not by_role[DenseRole.LINEAR]["kernel"].any()
    hidden = by_role[DenseRole.HIDDEN]["kernel"]
    assert hidden.std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)
    assert hidden.mean() == pytest.approx(0, abs=1e-3)
    assert by_role[DenseRole.CLOSING]["kernel"].std() == pytest.approx(0.1 * np.sqrt(2 / 300), rel=0.05)


def test_dense_layers_on_several_inputs_are_one_hidden_layer() -> None:
    graph = multi_view(4, ("log",), (300,))
    assert roles(graph) == ["linear", "linear", "hidden", "hidden", "closing"]
    weights = initial_weights(graph, {0: 150, 1: 50}, 3, np.random.default_rng(0))
    hidden = [weights[i]["kernel"] for i, role in dense_roles(graph).items() if role is DenseRole.HIDDEN]
    assert [kernel.shape[1] for kernel in hidden] == [150, 50]
    for kernel in hidden:
        assert kernel.std() == pytest.approx(np.sqrt(2 / 200), rel=0.02)


def test_an_input_that_joins_a_hidden_layer_shares_its_start() -> None:
    graph = AddInput("log", 1, 0).edit(mlp(3, (8,)))
    assert sorted(roles(graph)) == ["closing", "hidden", "hidden", "linear"]


def test_an_input_behind_a_hidden_tensor_ends_a_branch() -> None:
    graph = AddInput("log", 4, 0).edit(mlp(3, (8,)))
    assert sorted(roles(graph)) == ["closing", "closing", "hidden", "linear"]


def test_biases_start_at_zero_and_members_differ() -> None:
    weights = initial_weights(mlp(4, (8,)), 6, 3, np.random.default_rng(0))
    assert not any(named["bias"].any() for named in weights.values())
    assert np.ptp(weights[1]["kernel"], axis=0).all()


@pytest.mark.parametrize("seed", range(5))
def test_weights_have_the_shapes_the_graph_asks_for(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed), 4)
    weights = initial_weights(graph, 7, 2, np.random.default_rng(0))
    shapes = {i: {name: array.shape[1:] for name, array in named.items()} for i, named in weights.items()}
    assert shapes == graph.weight_shapes(7)
    assert {array.dtype.name for named in weights.values() for array in named.values()} == {"float32"}


def test_the_same_seed_gives_the_same_start() -> None:
    first, second = (initial_weights(mlp(3), 5, 2, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first[1]["kernel"], second[1]["kernel"])

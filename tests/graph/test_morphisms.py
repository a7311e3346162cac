"""All morphisms keep what networks compute, on random graphs, and refuse what they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.errors import GraphError
from genokeras.graph import (
    ACTIVATIONS,
    MORPHISMS,
    Add,
    AddBranch,
    AddInput,
    AddProducts,
    AddSkip,
    ConcatSkip,
    Deepen,
    Dense,
    Graph,
    Limits,
    Morphism,
    Widen,
    linear,
    mlp,
    mutations,
    reference_forward,
)
from genokeras.graph.testing import (
    MorphismContract,
    random_graph,
    random_weights,
    relative_difference,
)


class TestDeepen(MorphismContract):
    morphism = Deepen


class TestWiden(MorphismContract):
    morphism = Widen


class TestAddSkip(MorphismContract):
    morphism = AddSkip


class TestConcatSkip(MorphismContract):
    morphism = ConcatSkip


class TestAddBranch(MorphismContract):
    morphism = AddBranch


class TestAddInput(MorphismContract):
    morphism = AddInput


class TestAddProducts(MorphismContract):
    morphism = AddProducts


@pytest.mark.parametrize("view", ["", "log"])
def test_added_products_are_those_of_a_factorisation_machine(view: str) -> None:
    rng = np.random.default_rng(0)
    graph, start = linear(2), random_weights(linear(2), 7, 1, rng)
    grown, weights = AddProducts(view, 16).apply(graph, start, rng, {"log": 5})
    assert weights is not None
    first, last = [
        layer.id for layer in grown.layers if layer.id not in graph and isinstance(layer.spec, Dense)
    ]
    weights[last] = random_weights(grown, {i: 5 if i else 7 for i in grown.inputs}, 1, rng)[last]
    x = {i: rng.standard_normal((4, 5 if i else 7)) for i in grown.inputs}
    read = x[grown.inputs[-1]]
    factors, shares = weights[first]["kernel"][0], weights[last]["kernel"][0]
    pairs = np.einsum("ni,nj,iu,ju,uk->nk", read, read, factors, factors, shares)
    linear_part = x[graph.input] @ weights[graph.output]["kernel"][0] + weights[graph.output]["bias"][0]
    expected = linear_part + pairs + weights[last]["bias"][0]
    np.testing.assert_allclose(reference_forward(grown, weights, x, "relu")[0], expected, rtol=1e-5)


def test_products_of_no_view_are_refused() -> None:
    with pytest.raises(GraphError, match="AddProducts.view must be the name of a view, or empty; got None"):
        AddProducts(None, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(seed=st.integers(0, 2**20), n_before=st.integers(1, 6), n_after=st.integers(1, 3))
@settings(derandomize=True, deadline=None, max_examples=25, database=None)
def test_a_chain_of_morphisms_keeps_the_outputs(
    activation: str, seed: int, n_before: int, n_after: int
) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, n_before)
    weights = random_weights(graph, 5, 3, rng)
    x = rng.standard_normal((3, 6, 5))
    before = reference_forward(graph, weights, x, activation)
    for _ in range(n_after):
        for morphism in mutations(graph, rng, 1):
            graph, carried = morphism.apply(graph, weights, rng)
            assert carried is not None
            weights = carried
    assert relative_difference(reference_forward(graph, weights, x, activation), before) <= 1e-5


@given(seed=st.integers(0, 2**20), n_morphisms=st.integers(1, 6))
@settings(derandomize=True, deadline=None, max_examples=30, database=None)
def test_no_site_widens_the_input_or_the_logits(seed: int, n_morphisms: int) -> None:
    graph = random_graph(np.random.default_rng(seed), n_morphisms)
    for morphism in Widen.sites(graph):
        grown = morphism.edit(graph)
        assert grown.n_outputs == graph.n_outputs
        assert grown.shapes(5)[grown.input] == 5


@pytest.mark.parametrize(
    ("morphism", "message"),
    [
        (Deepen(99), "Deepen.layer=99. does not fit the graph: there is no layer 99"),
        (Deepen(0), r"layer 0 \(Input\) is no hidden tensor"),
        (Widen(5), "the logits would be doubled"),
        (Widen(2), r"layer 2 \(LayerNorm\) is no Dense"),
        (AddSkip(4, 1), "layer 4 does not come before layer 1"),
        (AddSkip(0, 1), "a Dense on layer 0 is summed there already"),
        (AddSkip(0, 7), "a Dense on layer 0 is summed there already"),
        (ConcatSkip(0, 2), r"layer 3 \(Activation\) reads layer 2, but only Dense layers may"),
        (ConcatSkip(4, 4), "layer 4 does not come before layer 4"),
        (ConcatSkip(0, 0), "is no hidden tensor"),
    ],
)
def test_a_morphism_says_why_it_does_not_fit(morphism: Morphism, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        morphism.apply(mlp(2), None, np.random.default_rng(0))


def test_the_linear_father_only_grows_branches_and_products() -> None:
    assert [kind.name for kind in MORPHISMS if kind.sites(linear(3))] == ["add_branch", "add_products"]


def test_a_deepened_tensor_is_read_as_the_sum() -> None:
    graph = Deepen(4).edit(mlp(2))
    last_dense = graph.layer(5)
    assert isinstance(graph.layer(last_dense.inputs[0]).spec, Add)
    assert graph.describe() == "linear + [64-64 1 add]"


def test_the_same_skip_is_not_offered_again() -> None:
    graph = AddSkip(0, 4).edit(mlp(2))
    assert [site.to_dict()["source"] for site in AddSkip.sites(graph)] == [4]
    graph = ConcatSkip(0, 4).edit(mlp(2))
    assert ConcatSkip.sites(graph) == ()


def test_a_branch_joins_the_sum_of_the_logits() -> None:
    graph = AddBranch(16).edit(mlp(2))
    sums = [layer for layer in graph.layers if isinstance(layer.spec, Add)]
    assert [len(layer.inputs) for layer in sums] == [3]


def test_new_outgoing_weights_are_zero_and_incoming_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    graph = linear(2)
    grown, weights = AddBranch(16).apply(graph, random_weights(graph, 50, 2, rng), rng)
    assert weights is not None
    new = [layer.id for layer in grown.layers if isinstance(layer.spec, Dense) and layer.id not in graph]
    assert not weights[new[1]]["kernel"].any()
    assert weights[new[0]]["kernel"].std() == pytest.approx(np.sqrt(2 / 50), rel=0.1)


def test_unchanged_arrays_are_shared() -> None:
    rng = np.random.default_rng(0)
    graph = linear(2)
    weights = random_weights(graph, 5, 2, rng)
    _, carried = AddBranch(16).apply(graph, weights, rng)
    assert carried is not None
    assert carried[1]["kernel"] is weights[1]["kernel"]


def test_mutations_are_different_from_each_other() -> None:
    drawn = mutations(mlp(2), np.random.default_rng(0), 50)
    assert len(drawn) == len(set(drawn)) == 9


def test_mutations_of_the_same_seed_are_the_same() -> None:
    first, second = (mutations(mlp(2), np.random.default_rng(3), 4) for _ in range(2))
    assert first == second


def test_mutations_draw_kinds_evenly() -> None:
    rng = np.random.default_rng(0)
    graph = mlp(2, linear_path=False)
    names = [mutations(graph, rng, 1)[0].name for _ in range(500)]
    assert all(60 <= names.count(kind.name) <= 110 for kind in MORPHISMS if kind is not AddInput)


def test_graphs_at_the_limit_are_not_grown() -> None:
    rng = np.random.default_rng(0)
    assert mutations(mlp(2), rng, 5, limits=Limits(max_parameters=10)) == []
    assert Widen.sites(mlp(2), limits=Limits(max_layers=3)) == ()


def test_mutations_never_lead_above_the_limits() -> None:
    rng = np.random.default_rng(0)
    graph = mlp(2)
    while drawn := mutations(graph, rng, 1):
        graph = drawn[0].edit(graph)
    assert len(graph.layers) <= 40
    assert graph.n_parameters(128) <= 4_000_000


def test_an_unknown_morphism_gets_a_suggestion() -> None:
    with pytest.raises(GraphError, match="morphism must be one of .*got 'widn'. Did you mean 'widen'"):
        Morphism.from_dict({"morphism": "widn", "layer": 1})


def test_a_morphism_with_other_fields_is_refused() -> None:
    with pytest.raises(GraphError, match="'add_skip' needs source, target; got source"):
        Morphism.from_dict({"morphism": "add_skip", "source": 1})


@pytest.mark.parametrize("layer", ["4", 1.5, None, [4], -1])
def test_a_layer_that_is_no_id_is_refused(layer: object) -> None:
    with pytest.raises(GraphError, match="Deepen.layer must be a whole number of at least 0"):
        Morphism.from_dict({"morphism": "deepen", "layer": layer})


def test_numpy_ids_become_plain_ones() -> None:
    assert type(Widen(np.int64(1)).to_dict()["layer"]) is int  # type: ignore[arg-type]


def test_a_name_in_use_is_refused() -> None:
    with pytest.raises(GraphError, match="'widen' is taken by Widen"):
        type("Another", (Morphism,), {"name": "widen"})


def test_growing_leaves_the_graph_alone() -> None:
    graph: Graph = mlp(2)
    Deepen(4).edit(graph)
    assert graph == mlp(2)

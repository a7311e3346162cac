"""Graphs of vectors with several Inputs: what they are, what they compute, and how they grow."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.errors import GraphError
from genokeras.graph import (
    MORPHISMS,
    Add,
    AddInput,
    AddSkip,
    Concat,
    Dense,
    Graph,
    Input,
    Layer,
    Limits,
    Morphism,
    distance,
    linear,
    mlp,
    multi_view,
    mutations,
    reference_forward,
    small_cnn,
)
from genokeras.graph.testing import (
    VIEW_WIDTHS,
    random_graph,
    random_weights,
    random_widths,
    relative_difference,
)

from .test_fingerprint import relabelled

VIEWS = tuple(VIEW_WIDTHS)
LIMITS = Limits(views=VIEWS)
seeds = st.integers(0, 2**20)
few = settings(derandomize=True, deadline=None, max_examples=30, database=None)


def grown(seed: int) -> Graph:
    rng = np.random.default_rng(seed)
    return random_graph(rng, int(rng.integers(0, 6)), views=VIEWS)


def two_inputs(joint: Add | Concat, view: str | None = "log") -> Graph:
    layers = [
        Layer(0, Input()),
        Layer(1, Input(view=view)),
        Layer(2, joint, (0, 1)),
        Layer(3, Dense(2), (2,)),
    ]
    return Graph.build(layers)


def test_random_graphs_have_one_to_four_inputs() -> None:
    assert {len(grown(seed).inputs) for seed in range(40)} == {1, 2, 3, 4}


@given(seed=seeds)
@few
def test_a_chain_of_morphisms_keeps_the_outputs(seed: int) -> None:
    rng, graph = np.random.default_rng(seed), grown(seed)
    weights = random_weights(graph, random_widths(graph, 7), 3, rng)
    x = {view: rng.standard_normal((6, units)) for view, units in {"": 7, **VIEW_WIDTHS}.items()}

    def outputs() -> np.ndarray:
        return reference_forward(graph, weights, {id: x[v] for id, v in graph.views("").items()}, "gelu")

    before = outputs()
    for _ in range(4):
        for morphism in mutations(graph, rng, 1, limits=LIMITS):
            graph, carried = morphism.apply(graph, weights, rng, VIEW_WIDTHS)
            assert carried is not None
            weights = carried
    assert relative_difference(outputs(), before) <= 1e-5


@given(seed=seeds)
@few
def test_json_gives_the_graph_back(seed: int) -> None:
    graph = grown(seed)
    assert Graph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph


@given(seed=seeds)
@few
def test_isomorphic_graphs_are_alike(seed: int) -> None:
    graph = grown(seed)
    other = relabelled(graph, np.random.default_rng(seed))
    assert other.fingerprint() == graph.fingerprint()
    assert distance(other, graph) == 0
    assert other.layer(other.input).spec == Input()


@given(seed=seeds)
@few
def test_every_morphism_moves_the_graph(seed: int) -> None:
    graph, rng = grown(seed), np.random.default_rng(seed)
    for kind in MORPHISMS:
        for morphism in kind.sites(graph, rng, limits=LIMITS)[:2]:
            child = morphism.edit(graph)
            assert distance(graph, child) > 0
            assert child.fingerprint() != graph.fingerprint()


@given(seed=seeds)
@few
def test_kernels_say_how_wide_each_input_is(seed: int) -> None:
    graph = grown(seed)
    widths = random_widths(graph, 7)
    rows = {id: named["kernel"][0] for id, named in graph.weight_shapes(widths).items()}
    assert graph.infer_input_widths(rows) == widths
    assert graph.infer_input_units(rows) == 7


def test_a_view_counts_in_the_fingerprint_and_the_distance() -> None:
    log, top = (multi_view(2, (view,)) for view in ("log", "top"))
    assert log.fingerprint() != top.fingerprint()
    assert distance(log, top) > 0


def test_a_graph_without_views_is_written_as_before() -> None:
    assert linear(2).to_dict()["layers"][0] == {"id": 0, "kind": "input", "inputs": []}
    assert multi_view(2, (), ()) == linear(2)


def test_each_input_reads_its_own_array() -> None:
    graph = multi_view(1, ("log",), ())
    weights = random_weights(graph, {0: 2, 1: 3}, 1, np.random.default_rng(0))
    x = {0: np.ones((4, 2)), 1: np.arange(12.0).reshape(4, 3)}
    expected = sum(
        x[graph.layer(id).inputs[0]] @ arrays["kernel"] + arrays["bias"][:, None]
        for id, arrays in weights.items()
    )
    np.testing.assert_allclose(reference_forward(graph, weights, x, "relu"), expected)


def test_views_are_those_of_the_inputs_and_of_the_hyper_parameters() -> None:
    graph = multi_view(2, ("log", "top"))
    assert graph.inputs == (0, 1, 2)
    assert graph.views("all") == {0: "all", 1: "log", 2: "top"}


def test_the_line_names_views() -> None:
    graph = AddInput("top", mlp(2).output, 16).edit(AddInput("log", 1, 0).edit(mlp(2)))
    assert graph.describe() == "linear + [64]:main,log + [16]:top"
    assert multi_view(2, ("log", "top"), ()).describe() == "linear + linear:log + linear:top"


def test_widths_of_several_inputs_add_up() -> None:
    graph = two_inputs(Concat())
    assert graph.shapes({0: 4, 1: 3}) == {0: 4, 1: 3, 2: 7, 3: 2}
    assert graph.shapes(4)[2] == 8
    assert graph.n_parameters({0: 4, 1: 3}) == 7 * 2 + 2
    assert graph.known_units(2) is None


def test_a_sum_of_inputs_needs_them_to_be_of_one_width() -> None:
    graph = two_inputs(Add())
    assert graph.infer_input_widths({3: 5}) == {0: 5, 1: 5}
    with pytest.raises(GraphError, match=r"layer 0 \(Input\): 4 units; layer 1 \(Input\(log\)\): 3 units"):
        graph.shapes({0: 4, 1: 3})


def test_kernels_that_leave_a_width_open_are_refused() -> None:
    with pytest.raises(GraphError, match=r"width of layer 0 \(Input\) and layer 1 \(Input\(log\)\) cannot"):
        two_inputs(Concat()).infer_input_widths({3: 7})


def test_a_width_that_is_missing_is_named() -> None:
    with pytest.raises(GraphError, match=r"lacks the width of layer 1 \(Input\(log\)\)"):
        two_inputs(Concat()).shapes({0: 4})


def test_an_input_without_an_array_is_named() -> None:
    graph = multi_view(2, ("log",))
    weights = random_weights(graph, 3, 1, np.random.default_rng(0))
    with pytest.raises(GraphError, match=r"x lacks layer 1 \(Input\(log\)\)"):
        reference_forward(graph, weights, np.ones((2, 3)), "relu")


def test_two_inputs_of_one_view_are_refused() -> None:
    with pytest.raises(GraphError, match="no two Inputs read one view; repeated: 'log'"):
        multi_view(2, ("log", "log"))


def test_an_input_with_a_shape_is_the_only_one() -> None:
    layers = [Layer(0, Input((5,))), Layer(1, Input(view="log")), Layer(2, Dense(1), (0,))]
    layers += [Layer(3, Dense(1), (1,)), Layer(4, Add(), (2, 3))]
    with pytest.raises(GraphError, match=r"Input has a shape has no other, got 2 \(layers \[0, 1\]\)"):
        Graph.build(layers)
    with pytest.raises(GraphError, match="has no view, got 'log'"):
        Input((5,), "log")


def test_the_main_input_stands_first() -> None:
    layers = multi_view(2, ("log",)).layers
    with pytest.raises(GraphError, match=r"first layer must be the Input without a view, not layer 1"):
        Graph((layers[1], layers[0], *layers[2:]))


@pytest.mark.parametrize("view", ["", 3, ["log"]])
def test_a_view_that_is_no_name_is_refused(view: object) -> None:
    with pytest.raises(GraphError, match="Input.view must be the name of a view"):
        Input(view=view)  # type: ignore[arg-type]
    with pytest.raises(GraphError, match="AddInput.view must be the name of a view"):
        Morphism.from_dict({"morphism": "add_input", "view": view, "target": 1, "units": 0})


def test_a_new_input_needs_the_width_of_its_view() -> None:
    graph, rng = linear(2), np.random.default_rng(0)
    weights = random_weights(graph, 5, 2, rng)
    with pytest.raises(GraphError, match="reads the view 'lgo', .* known: 'log', 'top', 'ranks'"):
        AddInput("lgo", 1, 0).apply(graph, weights, rng, VIEW_WIDTHS)
    with pytest.raises(GraphError, match="reads the view 'log', .* known: none"):
        AddInput("log", 1, 0).apply(graph, weights, rng)


@pytest.mark.parametrize("target", [1, 4, 7])
@pytest.mark.parametrize("units", [0, 3])
def test_an_input_joins_at_any_depth(target: int, units: int) -> None:
    graph, rng = mlp(2), np.random.default_rng(0)
    weights = random_weights(graph, 5, 2, rng)
    child, carried = AddInput("log", target, units).apply(graph, weights, rng, VIEW_WIDTHS)
    assert carried is not None
    x = {id: rng.standard_normal((4, VIEW_WIDTHS.get(v, 5))) for id, v in child.views("").items()}
    before = reference_forward(graph, weights, x[0], "relu")
    assert relative_difference(reference_forward(child, carried, x, "relu"), before) <= 1e-6
    assert len(child.inputs) == 2


def test_a_view_that_is_read_already_gets_no_second_input() -> None:
    graph = AddInput("log", 7, 0).edit(mlp(2))
    assert (
        AddInput("log", 7, 0).problem(graph) == f"a Dense on layer {graph.inputs[1]} is summed there already"
    )
    assert AddInput("log", 1, 0).edit(graph).inputs == graph.inputs


def test_an_input_of_a_view_is_a_source_for_skips() -> None:
    graph = AddInput("log", 7, 0).edit(mlp(2))
    assert AddSkip(graph.inputs[1], 1) in AddSkip.sites(graph)


def test_no_more_inputs_are_offered_than_the_limit() -> None:
    graph = multi_view(2, ("log", "top", "ranks"))
    more = Limits(views=(*VIEWS, "other"))
    assert {site.view for site in AddInput.sites(graph, limits=more)} == set(VIEWS)  # type: ignore[attr-defined]
    assert not Limits(max_inputs=3).allow(graph)
    assert AddInput.sites(linear(2)) == ()


def test_an_input_with_a_shape_gets_no_other() -> None:
    graph = small_cnn((9, 9, 1), 2)
    assert AddInput("log", graph.output, 0).problem(graph) is not None
    assert AddInput.sites(graph, limits=LIMITS) == ()

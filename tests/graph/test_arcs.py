"""Arcs as values, as text and as graphs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genokeras.errors import GraphError, ParameterError
from genokeras.graph import Concat, Dense, Graph, Layer, mlp
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph, graph_to_arc


@st.composite
def spaces_and_arcs(draw: st.DrawFn) -> tuple[ArcSpace, Arc]:
    space = ArcSpace(draw(st.integers(1, 5)), draw(st.integers(5, 40)))
    return space, Arc.from_tokens([draw(st.integers(0, n - 1)) for n in space.choices])


def test_an_arc_is_printed_as_ops_each_followed_by_its_skips() -> None:
    assert str(Arc((3, 0, 2), ((), (1,), (1, 1)))) == "[3 0 1 2 1 1]"


@given(spaces_and_arcs())
def test_text_gives_the_arc_back(pair: tuple[ArcSpace, Arc]) -> None:
    assert Arc.parse(str(pair[1])) == pair[1]


@given(spaces_and_arcs())
def test_the_graph_gives_the_arc_back(pair: tuple[ArcSpace, Arc]) -> None:
    space, arc = pair
    assert graph_to_arc(arc_to_graph(arc, space, 3), space) == arc


@given(spaces_and_arcs(), st.randoms(use_true_random=False))
def test_ids_do_not_matter_to_the_way_back(pair: tuple[ArcSpace, Arc], random: object) -> None:
    space, arc = pair
    graph = arc_to_graph(arc, space, 2)
    ids = [layer.id + 10 for layer in graph.layers]
    random.shuffle(ids)  # type: ignore[attr-defined]
    new = dict(zip((layer.id for layer in graph.layers), ids, strict=True))
    renamed = [Layer(new[la.id], la.spec, tuple(new[i] for i in la.inputs)) for la in graph.layers]
    assert graph_to_arc(Graph.build(renamed), space) == arc


def test_commas_and_missing_brackets_are_read_too() -> None:
    assert Arc.parse(" 3, 0 1 2 1,1 ") == Arc.parse("[3 0 1 2 1 1]")


def test_the_first_bit_is_the_stems() -> None:
    graph = arc_to_graph(Arc.parse("[0 1 1]"), ArcSpace(2, 10), 2)
    assert [
        graph.known_units(i) for la in graph.layers if isinstance(la.spec, Concat) for i in la.inputs
    ] == [2, 10]


def test_the_layer_before_comes_first_then_the_others_from_the_stem_on() -> None:
    graph = arc_to_graph(Arc.parse("[0 1 0 2 1 1]"), ArcSpace(3, 10), 2)
    concat = next(layer for layer in graph.layers if isinstance(layer.spec, Concat))
    assert [graph.known_units(i) for i in concat.inputs] == [4, 10, 2]


def test_without_skips_the_graph_is_a_chain_behind_the_stem() -> None:
    graph = arc_to_graph(Arc.parse("[1 3 0]"), ArcSpace(2, 10), 4)
    assert [la.spec.units for la in graph.layers if isinstance(la.spec, Dense)] == [10, 4, 8, 4]
    assert not any(isinstance(layer.spec, Concat) for layer in graph.layers)


def test_a_space_of_three_layers_has_a_thousand_arcs_and_all_are_different() -> None:
    space = ArcSpace(3, 512)
    arcs = list(space.all_arcs())
    assert len(set(arcs)) == len(arcs) == space.size == 1000


def test_all_arcs_of_a_large_space_come_one_by_one() -> None:
    assert str(next(itertools.islice(ArcSpace(9, 5).all_arcs(), 1, None))).endswith("0 1]")


@given(st.integers(5, 2000))
def test_the_five_widths_grow_from_one_to_the_largest(max_channel: int) -> None:
    widths = ArcSpace(1, max_channel).widths
    assert widths[0] >= 1 and widths[-1] == max_channel and list(widths) == sorted(set(widths))


@given(spaces_and_arcs(), st.integers(0, 99))
def test_a_mutation_changes_one_token(pair: tuple[ArcSpace, Arc], seed: int) -> None:
    space, arc = pair
    mutated = space.mutate(arc, np.random.default_rng(seed))
    assert sum(a != b for a, b in zip(arc.tokens, mutated.tokens, strict=True)) == 1


def test_random_arcs_have_every_op_and_both_bits() -> None:
    space, rng = ArcSpace(2, 5), np.random.default_rng(0)
    drawn = {space.random(rng) for _ in range(1000)}
    assert len(drawn) == space.size == 50


@pytest.mark.parametrize("arguments", [(0, 10), (-1, 10), (True, 10), (2.0, 10), (2, 4), (2, "10")])
def test_a_space_without_layers_or_too_narrow_is_refused(arguments: tuple) -> None:
    with pytest.raises(ParameterError, match="must be a whole number of"):
        ArcSpace(*arguments)


@pytest.mark.parametrize("text", ["", "[]", "[3 0", "[1 2]", "[5]", "[0 0 2]", "[-1]", "a"])
def test_a_text_that_is_no_arc_is_refused(text: str) -> None:
    if text == "[3 0":
        text = "[3 0 x]"
    with pytest.raises(ParameterError):
        Arc.parse(text)


def test_an_arc_of_another_number_of_layers_is_refused() -> None:
    with pytest.raises(ParameterError, match="3 layers, but .* has 1"):
        arc_to_graph(Arc.parse("[0]"), ArcSpace(3, 10), 2)


def test_a_graph_with_other_layers_is_no_arcs() -> None:
    with pytest.raises(GraphError, match="Dense layers"):
        graph_to_arc(mlp(2, (10,)), ArcSpace(3, 10))


def test_a_graph_with_another_width_is_no_arcs() -> None:
    with pytest.raises(GraphError, match="units"):
        graph_to_arc(mlp(2, (10, 3), linear_path=False), ArcSpace(1, 10))


def test_a_graph_that_lacks_normalisation_is_no_arcs() -> None:
    with pytest.raises(GraphError, match="no arc's"):
        graph_to_arc(mlp(2, (10, 4), normalise=False, linear_path=False), ArcSpace(1, 10))


def test_a_plain_perceptron_of_the_right_widths_is_an_arcs() -> None:
    assert str(graph_to_arc(mlp(2, (10, 4), linear_path=False), ArcSpace(1, 10))) == "[1]"

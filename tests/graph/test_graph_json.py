"""Graphs come back from JSON as they were, and broken JSON is named."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.errors import GraphError, NewerFormatError
from genokeras.graph import Activation, Dense, Dropout, Graph, Input, Layer, linear, mlp
from genokeras.graph.testing import random_graph


@given(seed=st.integers(0, 2**20), n_morphisms=st.integers(1, 6))
@settings(derandomize=True, deadline=None, max_examples=40, database=None)
def test_json_gives_the_graph_back(seed: int, n_morphisms: int) -> None:
    graph = random_graph(np.random.default_rng(seed), n_morphisms)
    assert Graph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph


def test_fixed_functions_and_rates_are_kept() -> None:
    specs = (Input(), Dense(3), Activation("tanh"), Dropout(0.25), Dense(1))
    graph = Graph.build(Layer(k, spec, (k - 1,) if k else ()) for k, spec in enumerate(specs))
    assert Graph.from_dict(graph.to_dict()) == graph


def changed(**changes: Any) -> dict[str, Any]:
    data = linear(2).to_dict()
    data["layers"][1].update(changes)
    return data


def test_an_unknown_kind_gets_a_suggestion() -> None:
    with pytest.raises(
        GraphError,
        match=r"layer number 1 \(id 1\): layer kind must be one of .*got 'dens'. Did you mean 'dense'",
    ):
        Graph.from_dict(changed(kind="dens"))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(GraphError, match="kind 'dense' cannot be made from .*'width': 3"):
        Graph.from_dict(changed(width=3))


def test_another_format_version_is_refused() -> None:
    with pytest.raises(NewerFormatError, match="the graph has format 2; .* made by a newer GenoKeras"):
        Graph.from_dict({**linear(2).to_dict(), "format": 2})
    with pytest.raises(GraphError, match="the graph has format None; this version of GenoKeras reads 1"):
        Graph.from_dict({**linear(2).to_dict(), "format": None})


@pytest.mark.parametrize("lost", ["format", "layers"])
def test_a_truncated_object_names_what_it_lacks(lost: str) -> None:
    data = mlp(2).to_dict()
    del data[lost]
    with pytest.raises(GraphError, match=f"incomplete: it lacks '{lost}'"):
        Graph.from_dict(data)


@pytest.mark.parametrize("lost", ["id", "kind", "inputs"])
def test_a_truncated_layer_names_what_it_lacks(lost: str) -> None:
    data = mlp(2).to_dict()
    del data["layers"][3][lost]
    with pytest.raises(GraphError, match=f"layer number 3 is incomplete: it lacks '{lost}'"):
        Graph.from_dict(data)


def test_a_missing_last_layer_is_named_by_what_it_leaves_unread() -> None:
    data = mlp(2).to_dict()
    data["layers"].pop()
    with pytest.raises(GraphError, match="all layers must lead to one output"):
        Graph.from_dict(data)


@pytest.mark.parametrize("data", [[], "graph", None, 3])
def test_json_that_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(GraphError, match="a graph must be a JSON object"):
        Graph.from_dict(data)


@pytest.mark.parametrize("inputs", ["0", 0, {"0": 1}])
def test_inputs_that_are_no_list_are_refused(inputs: Any) -> None:
    with pytest.raises(GraphError, match="'inputs' must be a list"):
        Graph.from_dict(changed(inputs=inputs))


@pytest.mark.parametrize("layers", ["abc", {}, None])
def test_layers_that_are_no_list_are_refused(layers: Any) -> None:
    with pytest.raises(GraphError, match="'layers' must be a list"):
        Graph.from_dict({"format": 1, "layers": layers})


@pytest.mark.parametrize("kind", [None, 3, ["dense"], {}])
def test_a_kind_that_is_no_name_is_refused(kind: Any) -> None:
    with pytest.raises(GraphError, match="layer kind must be one of"):
        Graph.from_dict(changed(kind=kind))

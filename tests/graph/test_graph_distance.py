"""Distances between graphs are a metric that sees widths, and its kernel is positive semi-definite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.graph import (
    MORPHISMS,
    Graph,
    Layer,
    Widen,
    descriptor,
    distance,
    distance_matrix,
    linear,
    mlp,
)
from genokeras.graph.testing import random_graph

few = settings(derandomize=True, deadline=None, max_examples=25, database=None)
seeds = st.integers(0, 2**20)
sizes = st.integers(1, 6)


def shifted(graph: Graph) -> Graph:
    """Return an isomorphic graph with other ids in the opposite order."""
    top = graph.next_id()
    return Graph.build(Layer(top - la.id, la.spec, tuple(top - i for i in la.inputs)) for la in graph.layers)


@given(seed=seeds, n_morphisms=sizes)
@few
def test_isomorphic_graphs_are_at_distance_zero(seed: int, n_morphisms: int) -> None:
    graph = random_graph(np.random.default_rng(seed), n_morphisms)
    assert distance(graph, shifted(graph)) == 0


@given(seed=seeds, n_morphisms=sizes)
@few
def test_every_morphism_moves_the_graph(seed: int, n_morphisms: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, n_morphisms)
    for kind in MORPHISMS:
        for morphism in kind.sites(graph, rng)[:2]:
            assert distance(graph, morphism.edit(graph)) > 0


@given(first=seeds, second=seeds, n_morphisms=sizes)
@few
def test_distance_is_symmetric(first: int, second: int, n_morphisms: int) -> None:
    a, b = (random_graph(np.random.default_rng(seed), n_morphisms) for seed in (first, second))
    assert distance(a, b) == distance(b, a)


@given(seed=seeds)
@settings(few, max_examples=10)
def test_the_kernel_of_random_graphs_is_positive_semi_definite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graphs = [random_graph(rng, int(rng.integers(0, 7))) for _ in range(12)]
    for length in (1, 10, 100):
        kernel = np.exp(-((distance_matrix(graphs, graphs) / length) ** 2))
        assert np.linalg.eigvalsh(kernel).min() > -1e-10


def test_the_matrix_holds_the_distances() -> None:
    rows, columns = [linear(2), mlp(2)], [mlp(2), mlp(2, widths=(8,)), linear(3)]
    matrix = distance_matrix(rows, columns)
    expected = [[distance(row, column) for column in columns] for row in rows]
    np.testing.assert_allclose(matrix, expected)
    assert matrix[1, 0] == 0


def test_an_empty_list_gives_an_empty_matrix() -> None:
    assert distance_matrix([], [linear(2)]).shape == (0, 1)


def test_widening_is_seen_and_more_of_it_is_further() -> None:
    graph = mlp(2, widths=(8,))
    wide = Widen(1).edit(graph)
    assert 0 < distance(graph, wide) < distance(graph, Widen(1).edit(wide))


def test_widening_is_a_smaller_step_than_a_new_layer() -> None:
    assert distance(mlp(2), mlp(2, widths=(128,))) < distance(mlp(2), mlp(2, widths=(64, 64)))


def test_the_descriptor_counts_log_widths() -> None:
    values = sorted(descriptor(linear(3), iterations=0).values())
    assert values == pytest.approx([1, 2])  # log2(1 + 1) for the Input, log2(1 + 3) for the Dense

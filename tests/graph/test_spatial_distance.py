"""Distances see kernel sizes, strides and widths, and stay small for small changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.graph import (
    SPATIAL_MORPHISMS,
    Conv,
    Dense,
    GlobalPool,
    Graph,
    GrowKernel,
    Input,
    Layer,
    Widen,
    distance,
    distance_matrix,
    motif_cnn,
    small_cnn,
)
from genokeras.graph.spatial_testing import random_spatial_graph

few = settings(derandomize=True, deadline=None, max_examples=15, database=None)


def one_layer(conv: Conv, shape: tuple[int, ...] = (40, 4)) -> Graph:
    specs = [Input(shape), conv, GlobalPool("max"), Dense(2)]
    return Graph.build(Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs))


@pytest.mark.parametrize(
    "other", [Conv(8, 5), Conv(8, 3, strides=2), Conv(8, 3, dilation=2), Conv(16, 3), Conv(8, 3, bias=False)]
)
def test_each_size_is_seen(other: Conv) -> None:
    assert distance(one_layer(Conv(8, 3)), one_layer(other)) > 0


def test_sizes_further_apart_make_graphs_further_apart() -> None:
    near, far = (distance(one_layer(Conv(8, 3)), one_layer(Conv(8, k))) for k in (5, 15))
    assert 0 < near < far


def test_a_larger_kernel_is_a_smaller_step_than_another_father() -> None:
    graph = small_cnn((60, 4), 2)
    steps = [distance(graph, morphism.edit(graph)) for morphism in (GrowKernel(1), Widen(1))]
    assert max(steps) < distance(graph, motif_cnn((60, 4), 2))


@given(seed=st.integers(0, 2**20))
@few
def test_every_morphism_moves_a_spatial_graph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_spatial_graph(rng, 1)
    for kind in SPATIAL_MORPHISMS:
        for morphism in kind.sites(graph, rng)[:1]:
            assert distance(graph, morphism.edit(graph)) > 0


@given(seed=st.integers(0, 2**20))
@few
def test_the_kernel_of_spatial_graphs_is_positive_semi_definite(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graphs = [random_spatial_graph(rng, int(rng.integers(0, 3))) for _ in range(8)]
    kernel = np.exp(-((distance_matrix(graphs, graphs) / 10) ** 2))
    assert np.linalg.eigvalsh(kernel).min() > -1e-10

"""Morphisms of graphs with positions keep what networks compute, and refuse what they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.errors import GraphError
from genokeras.graph import (
    MORPHISMS,
    SPATIAL_MORPHISMS,
    Activation,
    AddBranch,
    AddSkip,
    BatchNorm,
    Concat,
    ConcatSkip,
    Conv,
    Deepen,
    Dense,
    GlobalPool,
    Graph,
    GrowKernel,
    Input,
    InsertConv,
    Layer,
    LayerSpec,
    Limits,
    Morphism,
    Pool,
    Widen,
    mlp,
    motif_cnn,
    mutations,
    reference_forward,
    text_cnn,
)
from genokeras.graph.spatial_testing import random_inputs, random_spatial_graph
from genokeras.graph.testing import SpatialMorphismContract, random_weights, relative_difference


class Contract(SpatialMorphismContract):
    """On half as many graphs: chains of morphisms below see many others."""

    n_graphs = 12


class TestDeepenSpatial(Contract):
    morphism = Deepen


class TestWidenSpatial(Contract):
    morphism = Widen


class TestAddSkipSpatial(Contract):
    morphism = AddSkip


class TestConcatSkipSpatial(Contract):
    morphism = ConcatSkip


class TestAddBranchSpatial(Contract):
    morphism = AddBranch


class TestInsertConv(Contract):
    morphism = InsertConv


class TestGrowKernel(Contract):
    morphism = GrowKernel


@pytest.mark.parametrize("activation", ["relu", "silu"])
@given(seed=st.integers(0, 2**20), n_before=st.integers(0, 3), n_after=st.integers(1, 3))
@settings(derandomize=True, deadline=None, max_examples=40, database=None)
def test_a_chain_of_morphisms_keeps_the_outputs_of_spatial_graphs(
    activation: str, seed: int, n_before: int, n_after: int
) -> None:
    rng = np.random.default_rng(seed)
    graph = random_spatial_graph(rng, n_before)
    weights = random_weights(graph, None, 2, rng)
    x = random_inputs(graph, 3, rng)
    before = reference_forward(graph, weights, x, activation)
    for _ in range(n_after):
        for morphism in mutations(graph, rng, 1):
            graph, carried = morphism.apply(graph, weights, rng)
            assert carried is not None
            weights = carried
    assert relative_difference(reference_forward(graph, weights, x, activation), before) <= 2e-5


def spatial(*specs: LayerSpec) -> Graph:
    return Graph.build(Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs))


PLAIN = spatial(
    Input((12, 4)),
    Conv(3, 3, bias=False),
    BatchNorm(),
    Activation("relu"),
    Pool("max", 2),
    Conv(3, 3, padding="valid"),
    Activation(),
    GlobalPool("max"),
    Dense(2),
)


@pytest.mark.parametrize(
    ("morphism", "message"),
    [
        (InsertConv(6), "may be negative"),
        (InsertConv(7), "makes a vector"),
        (InsertConv(8), "no hidden tensor"),
        (GrowKernel(5), "would put out fewer positions"),
        (GrowKernel(2), "is no convolution"),
        (Widen(2), "is no Dense, Conv or Embedding"),
        (AddSkip(4, 3), "layer 4 does not come before layer 3"),
        (ConcatSkip(3, 6), r"layer 7 \(GlobalPool.* reads layer 6, but only Dense and Conv layers may"),
        (Deepen(8), "no hidden tensor"),
    ],
)
def test_a_morphism_says_why_it_does_not_fit_a_spatial_graph(morphism: Morphism, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        morphism.apply(PLAIN, None, np.random.default_rng(0))


def test_a_kernel_never_grows_over_all_there_is() -> None:
    graph = spatial(Input((4, 4)), Conv(3, 3), Activation(), GlobalPool("max"), Dense(2))
    with pytest.raises(GraphError, match=r"more than the \(4,\) positions"):
        GrowKernel(1).apply(graph, None, np.random.default_rng(0))


def test_kernels_grow_by_two_or_by_half() -> None:
    for before, after in ((1, 3), (3, 5), (7, 9), (8, 12), (16, 24)):
        graph = spatial(Input((50, 4)), Conv(3, before), Activation(), GlobalPool("max"), Dense(2))
        spec = GrowKernel(1).edit(graph).layer(1).spec
        assert isinstance(spec, Conv) and spec.kernel_size == (after,)


def test_a_skip_across_a_pool_reads_a_pooled_copy() -> None:
    grown = AddSkip(3, 6).edit(PLAIN)
    pool = next(la.spec for la in grown.layers if la.id not in PLAIN and isinstance(la.spec, Pool))
    assert pool.output_shape(((12, 3),)) == (4, 3) == grown.shapes()[6]
    assert any(layer.inputs == (6, 10) for layer in grown.layers)


def test_a_skip_to_the_logits_reads_the_maximum_over_positions() -> None:
    grown = AddSkip(3, 8).edit(PLAIN)
    assert [la.spec for la in grown.layers if la.inputs == (3,) and la.id not in PLAIN] == [GlobalPool("max")]


def test_the_same_pooled_skip_is_not_offered_again() -> None:
    summed = AddSkip(3, 8).edit(PLAIN)
    assert "a Dense on layer 3 is summed there already" in str(AddSkip(3, summed.output).problem(summed))
    beside = ConcatSkip(3, 7).edit(PLAIN)
    joined = next(layer.id for layer in beside.layers if isinstance(layer.spec, Concat))
    assert ConcatSkip(3, joined).problem(beside) == f"layer 3 is beside layer {joined} already"


def test_token_ids_are_no_source_of_skips() -> None:
    graph = text_cnn((9,), 2, vocabulary=11, units=3, filters=2)
    assert all(site.source != 0 for site in AddSkip.sites(graph) if isinstance(site, AddSkip))
    with pytest.raises(GraphError, match="holds token ids"):
        AddSkip(0, graph.output).apply(graph, None, np.random.default_rng(0))


def test_a_branch_looks_like_the_first_convolution() -> None:
    graph = motif_cnn((40, 4), 2)
    branch = next(la.spec for la in AddBranch(16).edit(graph).layers if la.id == graph.next_id())
    assert isinstance(branch, Conv)
    assert (branch.filters, branch.kernel_size, branch.both_strands) == (16, (15,), True)


def test_an_inserted_convolution_starts_as_the_identity() -> None:
    rng = np.random.default_rng(0)
    grown, weights = InsertConv(3).apply(PLAIN, random_weights(PLAIN, None, 1, rng), rng)
    assert weights is not None
    kernel = weights[PLAIN.next_id()]["kernel"][0]
    np.testing.assert_array_equal(kernel[2], np.eye(3))
    assert kernel.sum() == 3
    assert grown.n_parameters() == PLAIN.n_parameters() + 5 * 9 + 6


def test_limits_count_operations() -> None:
    graph = motif_cnn((300, 4), 2)
    assert Limits(max_operations=10**6).allow(graph) is False
    assert mutations(graph, np.random.default_rng(0), 3, limits=Limits(max_operations=10**6)) == []


def test_graphs_of_vectors_take_no_spatial_morphism() -> None:
    for kind in set(SPATIAL_MORPHISMS) - set(MORPHISMS):
        assert kind.sites(mlp(2)) == ()

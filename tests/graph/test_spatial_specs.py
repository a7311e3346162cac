"""Layers with positions: shapes worked out by hand, refusals that name the layer, JSON."""

from __future__ import annotations

import json

import pytest

from genokeras.errors import GraphError
from genokeras.graph import (
    SPATIAL_FATHERS,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    Embedding,
    Flatten,
    GlobalPool,
    Graph,
    Input,
    Layer,
    LayerSpec,
    Pool,
    get_father,
    linear,
    motif_cnn,
    small_cnn,
)


def sequential(*specs: LayerSpec) -> Graph:
    return Graph.build(Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs))


@pytest.mark.parametrize(
    ("spec", "before", "after"),
    [
        (Conv(8, 5), (20, 4), (20, 8)),
        (Conv(8, 5, padding="valid"), (20, 4), (16, 8)),
        (Conv(8, 5, strides=2), (21, 4), (11, 8)),
        (Conv(8, 5, strides=2, padding="valid"), (20, 4), (8, 8)),
        (Conv(8, 3, dilation=4, padding="valid"), (20, 4), (12, 8)),
        (Conv(8, (3, 3), strides=2), (7, 6, 1), (4, 3, 8)),
        (DepthwiseConv((3, 2), padding="valid"), (7, 6, 5), (5, 5, 5)),
        (Pool("max", 4), (18, 3), (4, 3)),
        (Pool("average", (3, 2), (1, 2)), (7, 6, 5), (5, 3, 5)),
        (GlobalPool("attention"), (7, 6, 5), (5,)),
        (Flatten(), (7, 6, 5), (210,)),
        (Embedding(100, 16), (50,), (50, 16)),
        (BatchNorm(), (7, 6, 5), (7, 6, 5)),
        (Dense(9), (7, 6, 5), (7, 6, 9)),
    ],
)
def test_shapes_are_as_worked_out_by_hand(
    spec: LayerSpec, before: tuple[int, ...], after: tuple[int, ...]
) -> None:
    assert spec.output_shape((before,)) == after


def test_shapes_are_known_without_being_told_the_input() -> None:
    graph = sequential(Input((20, 4)), Conv(8, 5), GlobalPool("max"), Dense(2))
    assert graph.shapes() == {0: (20, 4), 1: (20, 8), 2: (8,), 3: (2,)}
    assert graph.shapes((31, 4))[1] == (31, 8)
    assert graph.units() == {0: 4, 1: 8, 2: 8, 3: 2}


def test_parameters_leave_out_moving_statistics() -> None:
    graph = sequential(Input((20, 4)), Conv(8, 5, bias=False), BatchNorm(), GlobalPool("max"), Dense(2))
    assert graph.weight_shapes()[1] == {"kernel": (5, 4, 8)}
    assert set(graph.weight_shapes()[2]) == {"gamma", "beta", "moving_mean", "moving_variance"}
    assert graph.n_parameters() == 160 + 16 + 18


def test_operations_count_positions_and_both_strands() -> None:
    one = sequential(Input((20, 4)), Conv(8, 5), GlobalPool("max"), Dense(2))
    both = sequential(Input((20, 4)), Conv(8, 5, both_strands=True), GlobalPool("max"), Dense(2))
    assert one.n_operations() == 20 * 5 * 4 * 8 + 16
    assert both.n_operations() == 2 * 20 * 5 * 4 * 8 + 16
    assert linear(3).n_operations(10) == 30


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([Input((20, 4)), Conv(8, (3, 3))], r"layer 1.*kernel of 2 axes.*\(20, 4\)"),
        ([Input((4, 4)), Conv(8, 5, padding="valid")], r"layer 1.*at least 5 positions.*got 4"),
        ([Input((20, 4)), Pool("max", 30)], "layer 1.*at least 30 positions.*got 20"),
        ([Input((20, 3)), Conv(8, 5, both_strands=True)], "layer 1.*both strands.*A, C, G, T"),
        ([Input((20,)), GlobalPool("max")], r"layer 1.*pools over positions.*\(20,\)"),
        ([Input((20, 4)), Embedding(9, 3)], "layer 1.*one token id at each position"),
        ([Input(), Conv(8, 5)], r"layer 1 .* needs an Input that says its shape"),
        ([Input((20, 4)), Conv(8, 5)], r"the logits must be a vector, .*\(20, 2\)"),
    ],
)
def test_what_does_not_fit_names_the_layer(specs: list[LayerSpec], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        sequential(*specs, Dense(2))


def test_sums_and_concatenations_need_as_many_positions() -> None:
    for joint, message in ((Add(), "one shape"), (Concat(), "as many positions")):
        layers = [
            Layer(0, Input((20, 4))),
            Layer(1, Conv(4, 3, strides=2), (0,)),
            Layer(2, joint, (0, 1)),
            Layer(3, Flatten(), (2,)),
            Layer(4, Dense(2), (3,)),
        ]
        with pytest.raises(
            GraphError, match=rf"layer 2, which reads layer 0, layer 1: .*{message}.*\(10, 4\)"
        ):
            Graph.build(layers)


def test_token_ids_are_read_by_embeddings_alone() -> None:
    with pytest.raises(GraphError, match=r"layer 2 \(Embedding.* reads token ids"):
        sequential(Input((20,)), Dense(20), Embedding(9, 3), Flatten(), Dense(2))
    layers = [
        Layer(0, Input((20,))),
        Layer(1, Embedding(9, 3), (0,)),
        Layer(2, Flatten(), (1,)),
        Layer(3, Concat(), (0, 2)),
        Layer(4, Dense(2), (3,)),
    ]
    with pytest.raises(GraphError, match=r"layer 3 \(Concat\) reads the Input as numbers"):
        Graph.build(layers)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv(8, 0), "Conv.kernel_size must be a whole number of at least 1, got 0"),
        (lambda: Conv(8, (3, 3, 3)), r"Conv.kernel_size must be 1 or 2 number\(s\), got 3"),
        (lambda: Conv(8, 3, strides=2, dilation=2), "one of them must be 1"),
        (lambda: Conv(8, 3, padding="sane"), "Did you mean 'same'"),
        (lambda: Conv(8, 3, bias=1), "Conv.bias must be True or False"),
        (
            lambda: Conv(8, 3, strides=2, both_strands=True),
            "both strands are read along one axis without strides",
        ),
        (lambda: Pool("maximum", 2), "Pool.function must be one of max, average, attention"),
        (lambda: Pool("attention", 4, 2), "its strides must be its size"),
        (lambda: Input((1, 2, 3, 4)), r"Input.shape must be 1 or 2 or 3 number\(s\), got 4"),
    ],
)
def test_a_value_that_makes_no_layer_is_refused(make: object, message: str) -> None:
    with pytest.raises(GraphError, match=message):
        make()  # type: ignore[operator]


def test_a_graph_refuses_inputs_of_another_kind() -> None:
    graph = small_cnn((28, 28, 1), 10)
    with pytest.raises(GraphError, match=r"inputs of shape \(28, 28, 1\), got a width: 784"):
        graph.shapes(784)
    with pytest.raises(GraphError, match=r"inputs of shape \(28, 28, 1\), got \(28, 28\)"):
        graph.shapes((28, 28))
    with pytest.raises(GraphError, match="vectors of any width"):
        linear(2).shapes()


@pytest.mark.parametrize("name", SPATIAL_FATHERS)
def test_json_gives_spatial_graphs_back(name: str) -> None:
    graph = get_father(name, 3, (64,) if name.startswith("text") else (64, 4))
    read = Graph.from_dict(json.loads(json.dumps(graph.to_dict())))
    assert read == graph and read.fingerprint() == graph.fingerprint()


def test_the_fingerprint_sees_sizes() -> None:
    graphs = [
        sequential(Input((20, 4)), conv, Activation(), pool, Flatten(), Dense(2))
        for conv in (Conv(8, 5), Conv(8, 3), Conv(8, 3, dilation=2), Conv(8, 3, both_strands=True))
        for pool in (Pool("max", 2), Pool("average", 2), Pool("max", 2, 1))
    ]
    assert len({graph.fingerprint() for graph in graphs}) == 12


def test_descriptions_are_short_and_say_the_sizes() -> None:
    assert motif_cnn((200, 4), 2).describe() == "[64x15rc-max4-64x5-global-max-32]"
    assert get_father("dilated_cnn", 2, (200, 4)).describe().endswith("48x3d8-global-attention 4 adds]")
    assert get_father("flat_linear", 2, (200, 4)).describe() == "linear"

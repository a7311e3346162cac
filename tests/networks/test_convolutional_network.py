"""Networks with positions compute what their graphs mean, give their weights back, and train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from genokeras.errors import GraphError
from genokeras.graph import (
    Activation,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    GlobalPool,
    Graph,
    HyperParameters,
    Input,
    Layer,
    Pool,
    Weights,
    dilated_cnn,
    get_father,
    mlp,
    motif_cnn,
    reference_forward,
    small_cnn,
)
from genokeras.graph.spatial_testing import random_inputs, random_spatial_graph
from genokeras.graph.testing import random_weights, relative_difference
from genokeras.networks import (
    build_network,
    build_packed,
    read_weights,
    start_weights,
    write_weights,
)
from tests.backends import at_once, fewer
from tests.processes import run_alone

FATHERS = [
    ("text_cnn", (15,)),
    ("flat_linear", (12, 12, 1)),
    ("small_cnn", (40, 4)),
    ("small_cnn", (12, 12, 1)),
    ("residual_cnn", (12, 12, 1)),
    ("residual_cnn", (40, 4)),
    ("motif_cnn", (40, 6)),
    ("dilated_cnn", (40, 4)),
]


def call(model: Any, graph: Graph, x: np.ndarray) -> np.ndarray:
    read = ops.convert_to_tensor(x.astype("int32" if graph.reads_tokens else "float32"))
    return np.asarray(ops.convert_to_numpy(at_once(lambda tensor: model(tensor))(read)))


@pytest.mark.parametrize("seed", fewer(range(24), 7))
def test_a_spatial_network_computes_what_its_graph_means(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_spatial_graph(rng, seed % 3)
    weights = random_weights(graph, None, 2, rng)
    x = random_inputs(graph, 4, rng)
    expected = reference_forward(graph, weights, x, "silu")
    hyper = HyperParameters(activation="silu")
    for member in range(2):
        model = build_network(graph, None, hyper, weights=weights, member=member, logits=True)
        assert relative_difference(call(model, graph, x), expected[member]) < 1e-5


@pytest.mark.parametrize(("name", "shape"), fewer(FATHERS, 4))
def test_every_father_computes_what_its_graph_means(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    graph = get_father(name, 3, shape)
    weights = random_weights(graph, None, 1, rng)
    x = random_inputs(graph, 3, rng)
    model = build_network(graph, shape, HyperParameters(), weights=weights, logits=True)
    assert relative_difference(call(model, graph, x), reference_forward(graph, weights, x, "relu")[0]) < 1e-5


@pytest.mark.parametrize(
    "spec",
    [
        Conv(3, 4, strides=3),
        Conv(3, 5, dilation=3),
        Conv(3, 6, both_strands=True),
        DepthwiseConv(4, strides=2),
        Pool("average", 3, 2),
        Pool("attention", 4),
    ],
    ids=str,
)
@pytest.mark.parametrize("length", fewer([11, 12], 2))
def test_every_kind_of_window_stands_where_the_reference_has_it(spec: Any, length: int) -> None:
    layers = [Layer(0, Input((length, 4))), Layer(1, spec, (0,)), Layer(2, GlobalPool("max"), (1,))]
    graph = Graph.build([*layers, Layer(3, Dense(2), (2,))])
    rng = np.random.default_rng(0)
    weights, x = random_weights(graph, None, 1, rng), random_inputs(graph, 3, rng)
    model = build_network(graph, None, HyperParameters(), weights=weights, logits=True)
    assert relative_difference(call(model, graph, x), reference_forward(graph, weights, x, "relu")[0]) < 1e-5


def test_weights_come_back_as_they_went_in() -> None:
    graph = dilated_cnn((30, 4), 2)
    weights = random_weights(graph, None, 1, np.random.default_rng(0))
    model = build_network(graph, (30, 4), HyperParameters(), weights=weights)
    back = read_weights(model, graph)
    assert back.keys() == weights.keys()
    for id, arrays in weights.items():
        assert back[id].keys() == arrays.keys()
        assert all(np.array_equal(back[id][name], array) for name, array in arrays.items())


@pytest.mark.parametrize(("name", "shape"), fewer(FATHERS, 4))
def test_every_father_trains_and_gives_probabilities(name: str, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    graph = get_father(name, 2, shape)
    model = build_network(graph, shape, HyperParameters(), weights=start_weights(graph, rng))
    x = random_inputs(graph, 8, rng)
    x = x.astype("int32") if graph.reads_tokens else x
    before = read_weights(model, graph)
    # One step: TensorFlow would take ten times as long to make a graph of it.
    eager = keras.backend.backend() == "tensorflow"
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=eager)
    model.fit(x, rng.integers(0, 2, 8), batch_size=8, verbose=0)
    after = read_weights(model, graph)
    moved = {
        name for id, arrays in before.items() for name in arrays if (after[id][name] != arrays[name]).any()
    }
    assert "kernel" in moved
    assert ("moving_mean" in moved) == any("moving_mean" in arrays for arrays in before.values())
    np.testing.assert_allclose(call(model, graph, x).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="20 s of compilation; the file is that of TensorFlow"
)
def test_saved_networks_load_without_genokeras(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, graph in (
        ("dna", dilated_cnn((30, 5), 2)),
        ("image", small_cnn((8, 9, 2), 2, head="attention")),
    ):
        model = build_network(graph, None, HyperParameters(), weights=start_weights(graph, rng))
        x = random_inputs(graph, 3, rng)
        model.save(tmp_path / f"{name}.keras")
        np.savez(tmp_path / f"{name}.npz", x=x, y=call(model, graph, x))
    script = (
        "import sys, numpy as np, keras\n"
        "for name in ('dna', 'image'):\n"
        "    both = np.load(sys.argv[1] + '/' + name + '.npz')\n"
        "    y = keras.saving.load_model(sys.argv[1] + '/' + name + '.keras')(both['x'])\n"
        "    assert np.allclose(keras.ops.convert_to_numpy(y), both['y'], atol=1e-6)\n"
    )
    run_alone(script, tmp_path)


def test_the_start_is_the_same_for_the_same_seed_and_differs_between_members() -> None:
    graph = motif_cnn((30, 4), 2)
    first, second = (start_weights(graph, np.random.default_rng(1), 2) for _ in range(2))
    assert all(np.array_equal(first[i][n], second[i][n]) for i in first for n in first[i])
    assert not np.array_equal(first[1]["kernel"][0], first[1]["kernel"][1])
    assert {array.dtype.name for arrays in first.values() for array in arrays.values()} == {"float32"}


def test_normalised_inputs_stay_of_one_size_through_the_start() -> None:
    rng = np.random.default_rng(0)
    graph = small_cnn((40, 4), 2)
    logits = reference_forward(graph, start_weights(graph, rng, 8), rng.standard_normal((20, 40, 4)), "relu")
    assert 0.01 < logits.std() < 1


def test_what_the_graph_leaves_open_comes_from_the_hyper_parameters() -> None:
    model = build_network(small_cnn((40, 4), 2), None, HyperParameters(dropout=0.3, activation="selu"))
    rates = {layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)}
    functions = {la.activation.__name__ for la in model.layers if isinstance(la, keras.layers.Activation)}
    assert rates == {0.3} and functions == {"selu"}


def test_graphs_of_vectors_can_be_built_too() -> None:
    graph = mlp(3, (8,))
    rng = np.random.default_rng(0)
    weights, x = random_weights(graph, 6, 1, rng), rng.standard_normal((5, 6)).astype("float32")
    model = build_network(graph, (6,), HyperParameters(), weights=weights, logits=True)
    assert relative_difference(call(model, graph, x), reference_forward(graph, weights, x, "relu")[0]) < 1e-5
    assert read_weights(model, graph).keys() == weights.keys()


def test_another_length_gives_a_network_of_the_same_weights() -> None:
    graph = motif_cnn((30, 4), 2)
    weights = start_weights(graph, np.random.default_rng(0))
    model = build_network(graph, (50, 4), HyperParameters(), weights=weights)
    assert model.input_shape == (None, 50, 4) and model.output_shape == (None, 2)


def test_weights_that_do_not_fit_name_the_layer() -> None:
    graph = motif_cnn((30, 4), 2)
    model = build_network(graph, None, HyperParameters())
    weights: Weights = start_weights(graph, np.random.default_rng(0))
    weights[1] = {"kernel": np.zeros((1, 3, 4, 64), dtype="float32")}
    with pytest.raises(
        GraphError, match=r"layer 1 \(Conv\(64, 15\)\): 'kernel' must have shape \(15, 4, 64\)"
    ):
        write_weights(model, graph, weights)
    with pytest.raises(GraphError, match=r"layer 1 .*'kernel' .* it is missing"):
        write_weights(model, graph, {})


def test_packed_networks_refuse_graphs_with_positions() -> None:
    with pytest.raises(GraphError, match=r"inputs of shape \(30, 4\); build_network makes one"):
        build_packed(motif_cnn((30, 4), 2), 30, 3, "relu")


def test_dropout_and_activation_of_the_graph_are_kept() -> None:
    specs = [Input((9, 4)), Conv(3, 3), Activation("gelu"), Dropout(0.4), GlobalPool("max"), Dense(2)]
    graph = Graph.build(Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs))
    model = build_network(graph, None, HyperParameters(dropout=0.1))
    assert [la.rate for la in model.layers if isinstance(la, keras.layers.Dropout)] == [0.4]
    assert [la.activation.__name__ for la in model.layers if isinstance(la, keras.layers.Activation)] == [
        "gelu"
    ]

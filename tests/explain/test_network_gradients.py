"""Networks in numpy against their definition, and their gradients against differences."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import GraphError
from genokeras.explain.head import Head, Pack, Reading, in_threads
from genokeras.explain.lines import HeadLines
from genokeras.explain.links import Softmax
from genokeras.explain.members import Network, centred_leaves
from genokeras.explain.outer import Calibrated
from genokeras.explain.slopes import activate
from genokeras.graph import ACTIVATIONS, Dense, Graph, motif_cnn
from genokeras.graph.reference import reference_forward
from genokeras.graph.testing import random_graph, random_weights
from genokeras.tasks.calibration import Calibration

MEMBERS, INPUTS = 3, 5


def made(seed: int, activation: str) -> tuple[Graph, Network, Pack, dict[int, dict[str, np.ndarray]]]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, int(rng.integers(0, 6)), views=("log", "top")[: 2 * (seed % 2)])
    weights = random_weights(graph, INPUTS, MEMBERS, rng)
    network = Network(graph, activation)
    readings, biases, leaves, position = [], [], {}, 0
    for source, of_input in network.leaves_of_input.items():
        kernels, first = [], position
        for leaf in of_input:
            given = leaf != source
            kernel = (
                weights[leaf]["kernel"]
                if given
                else np.tile(np.eye(INPUTS, dtype="float32"), (MEMBERS, 1, 1))
            )
            bias = weights[leaf]["bias"] if given else np.zeros((MEMBERS, INPUTS), dtype="float32")
            if leaf in centred_leaves(graph):
                kernel = kernel - kernel.mean(axis=2, keepdims=True)
                bias = bias - bias.mean(axis=1, keepdims=True)
            units = bias.shape[1]
            leaves[leaf] = slice(position, position + MEMBERS * units), units
            position += MEMBERS * units
            kernels.append(np.concatenate(list(kernel), axis=1))
            biases.append(bias.ravel())
        # All Inputs read the same coordinates here.
        readings.append(Reading(slice(0, INPUTS), slice(first, position), np.concatenate(kernels, axis=1)))
    inner = {i: (weights[i]["kernel"], weights[i]["bias"]) for i in network.inner_dense}
    shares = np.array([0.5, 0.3, 0.2], dtype="float32")
    pack = Pack(network, tuple(readings), np.concatenate(biases), leaves, inner, shares)
    return graph, network, pack, weights


@pytest.mark.parametrize("seed", range(30))
def test_networks_compute_what_their_graph_says(seed: int) -> None:
    activation = ACTIVATIONS[seed % len(ACTIVATIONS)]
    graph, network, pack, weights = made(seed, activation)
    x = np.random.default_rng(seed).normal(size=(7, INPUTS)).astype("float32")
    z = network.logits(pack.parts(pack.at(x), slice(None)), pack.of(slice(None)))
    expected = reference_forward(graph, weights, dict.fromkeys(graph.inputs, x), activation)
    assert np.allclose(z.transpose(0, 2, 1), expected, atol=1e-4)


@pytest.mark.parametrize("seed", range(30))
def test_gradients_along_lines_are_those_of_differences(seed: int) -> None:
    # Smooth functions only: a difference across a kink is no gradient.
    graph, _, pack, _ = made(seed, ("tanh", "gelu", "silu", "sigmoid")[seed % 4])
    if graph.n_outputs < 2:
        return
    rng = np.random.default_rng(seed)
    start, end = (rng.normal(size=(n, INPUTS)) for n in (2, 3))
    head = Head([pack], Softmax(), INPUTS, graph.n_outputs)
    alphas = rng.random((6, 4))
    p, gradients = HeadLines(head, start, end).average_and_gradients(alphas)
    lines = np.tile(start, (3, 1)), np.repeat(end, 2, axis=0)
    points = lines[0][:, None] + alphas[:, :, None] * (lines[1] - lines[0])[:, None]
    flat = points.reshape(-1, INPUTS)
    assert np.allclose(p.reshape(graph.n_outputs, -1), head.average(flat), atol=1e-5)
    for i in range(INPUTS):
        step = 1e-3 * np.eye(INPUTS)[i]
        slope = (head.average(flat + step) - head.average(flat - step))[:-1] / 2e-3
        # Of steep networks, differences of float32 values over so small a step are good to three digits.
        assert np.allclose(gradients.reshape(len(slope), -1, INPUTS)[..., i], slope, atol=3e-3, rtol=3e-3)


def test_a_part_of_the_members_is_about_the_average() -> None:
    graph, _, pack, _ = made(4, "tanh")
    head = Head([pack], Softmax(), INPUTS, graph.n_outputs)
    lines = HeadLines(head, np.zeros((1, INPUTS)), np.ones((1, INPUTS)))
    assert np.allclose(lines.average(np.full((1, 2), 0.3), rough=True).sum(axis=0), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_slopes_are_those_of_differences(name: str) -> None:
    x = np.linspace(-4.03, 4.0, 81, dtype="float32")
    values, slopes = activate(name, x, True)
    assert slopes is not None
    assert np.allclose(values, activate(name, x, False)[0], atol=1e-6)
    high, low = (activate(name, (x + d).astype("float32"), False)[0] for d in (2e-3, -2e-3))
    assert np.abs((high - low) / 4e-3 - slopes).max() < 2e-3


@pytest.mark.parametrize("output", ["probability", "log_odds"])
@pytest.mark.parametrize("calibration", [Calibration(), Calibration(1.4, 0.05)])
@pytest.mark.parametrize("k", [2, 4])
def test_the_calibration_is_undone_by_the_chain_rule(output: str, calibration: Calibration, k: int) -> None:
    p = np.random.default_rng(0).dirichlet(np.full(k, 5.0), size=6).T
    outer = Calibrated(calibration, output)
    slopes = outer.slopes(p)
    for j in range(k - 1):
        step = np.zeros((k, 1))
        step[j], step[-1] = 1e-6, -1e-6
        difference = (outer.values(p + step) - outer.values(p - step))[:-1] / 2e-6
        assert np.allclose(slopes[:, j], difference, rtol=1e-4, atol=1e-6)
    if output == "probability":
        assert np.allclose(outer.values(p).T, calibration.apply(p.T))


def test_the_input_is_a_leaf_only_where_more_than_dense_layers_read_it() -> None:
    for seed in range(20):
        graph, network, _, _ = made(seed, "relu")
        plain = all(isinstance(graph.layer(i).spec, Dense) for i in graph.consumers(graph.input))
        assert (graph.input in network.leaves) is not plain


def test_a_layer_without_a_known_gradient_is_named() -> None:
    graph = motif_cnn((8, 4), 2, filters=1, kernel_size=4, both_strands=False)
    network = Network(graph, "relu")
    with pytest.raises(GraphError, match=r"layer \d+: its gradient is not known \(Conv"):
        network.logits({i: np.zeros((1, 4, 3), dtype="float32") for i in network.leaves}, {})


def test_work_in_threads_is_done_once_for_each_batch() -> None:
    done: list[int] = []
    in_threads(done.append, range(9))
    in_threads(done.append, [9])
    in_threads(done.append, [])
    assert sorted(done) == list(range(10))


def test_an_error_in_a_thread_is_raised() -> None:
    def fail(number: int) -> None:
        raise ValueError(number)

    with pytest.raises(ValueError, match="[0-3]"):
        in_threads(fail, range(4))

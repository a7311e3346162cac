"""Probes tell what a packed network's Dense layers read, and the gradients by what they compute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from keras import ops

from genokeras.graph import Dense, mlp, reference_forward
from genokeras.graph.testing import random_graph, random_weights, relative_difference
from genokeras.networks import PackedNetwork, build_packed, slot_array
from genokeras.support.backends import current_backend
from tests.backends import fewer

MEMBERS, ROWS, UNITS = 3, 9, 7


def tensors(arrays: list[np.ndarray]) -> list[Any]:
    return [ops.convert_to_tensor(array) for array in arrays]


def ones(network: PackedNetwork) -> list[np.ndarray]:
    return [np.ones((MEMBERS, ROWS, units), dtype="float32") for _, units in network.masks]


def called(network: PackedNetwork, weights: Any, x: np.ndarray, probes: list[np.ndarray]) -> list[np.ndarray]:
    """Logits, then what each Dense layer read."""
    params = tensors([slot_array(weights, slot) for slot in network.slots])
    outputs, _ = network.model.stateless_call(params, [], tensors([x, *ones(network), *probes]))
    return [np.asarray(ops.convert_to_numpy(output)) for output in outputs]


def zeros(network: PackedNetwork) -> list[np.ndarray]:
    return [np.zeros((1, 1, 1), dtype="float32") for _ in network.probes]


def test_a_network_has_no_probes_unless_asked() -> None:
    assert build_packed(mlp(2, (5,)), UNITS, MEMBERS, "relu").probes == ()


@pytest.mark.parametrize("seed", fewer(range(5), 4))
def test_every_dense_layer_has_a_probe_and_zeros_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, seed)
    weights = random_weights(graph, UNITS, MEMBERS, rng)
    x = rng.standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")
    network = build_packed(graph, UNITS, MEMBERS, "tanh", probes=True)
    dense = {layer.id: layer.spec.units for layer in graph.layers if isinstance(layer.spec, Dense)}
    assert dict(network.probes) == dense
    logits = called(network, weights, x, zeros(network))[0]
    assert relative_difference(logits, reference_forward(graph, weights, x, "tanh")) < 1e-5


def test_probed_and_plain_networks_hold_the_same_weights() -> None:
    graph = random_graph(np.random.default_rng(2), 3)
    plain, probed = (build_packed(graph, UNITS, MEMBERS, "relu", probes=on) for on in (False, True))
    assert sorted(probed.slots) == sorted(plain.slots)


def test_each_kernel_is_followed_by_its_bias() -> None:
    for seed in range(5):
        graph = random_graph(np.random.default_rng(seed), seed)
        slots = build_packed(graph, UNITS, MEMBERS, "relu", probes=True).slots
        assert [(i, "bias") for i, _ in slots[::2]] == list(slots[1::2])


def test_a_layer_gives_what_it_read() -> None:
    graph = mlp(2, (5,), linear_path=False)
    weights = random_weights(graph, UNITS, MEMBERS, np.random.default_rng(0))
    network = build_packed(graph, UNITS, MEMBERS, "relu", probes=True)
    x = np.random.default_rng(1).standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")
    logits, *read = called(network, weights, x, zeros(network))
    by_layer = dict(zip((i for i, _ in network.probes), read, strict=True))
    first, last = sorted(by_layer)
    np.testing.assert_array_equal(by_layer[first], x)
    closing = weights[last]
    np.testing.assert_allclose(
        by_layer[last] @ closing["kernel"] + closing["bias"][:, None], logits, atol=1e-5
    )


def test_a_gradient_by_a_probe_times_what_was_read_is_the_gradient_of_the_kernel() -> None:
    rng = np.random.default_rng(3)
    graph = random_graph(rng, 3)
    weights = random_weights(graph, UNITS, MEMBERS, rng)
    network = build_packed(graph, UNITS, MEMBERS, "tanh", probes=True)
    x = rng.standard_normal((MEMBERS, ROWS, UNITS)).astype("float32")
    params = tensors([slot_array(weights, slot) for slot in network.slots])
    full = tensors([np.zeros((MEMBERS, ROWS, units), dtype="float32") for _, units in network.probes])
    count = len(params)

    def loss(both: list[Any]) -> Any:
        arrays = [*tensors([x, *ones(network)]), *both[count:]]
        outputs, _ = network.model.stateless_call(both[:count], [], arrays)
        return ops.sum(outputs[0] ** 2)

    _, found = current_backend().value_and_gradients(loss, [*params, *full])
    gradients = [np.asarray(ops.convert_to_numpy(gradient)) for gradient in found]
    read = called(network, weights, x, zeros(network))[1:]
    for (layer_id, _), inputs, by_probe in zip(network.probes, read, gradients[count:], strict=True):
        kernel = gradients[network.slots.index((layer_id, "kernel"))]
        assert relative_difference(inputs.transpose(0, 2, 1) @ by_probe, kernel) < 1e-4

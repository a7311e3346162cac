"""A packed network under any optimiser, all steps inside one compiled loop; and small problems for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from genokeras.graph import Graph
from genokeras.networks import PackedNetwork, build_packed, initial_weights, slot_array
from genokeras.support.backends import current_backend
from genokeras.training.optimizers import Update, dense_factors


def tensor(array: Any) -> Any:
    return ops.convert_to_tensor(np.asarray(array, dtype="float32"))


def numpy(value: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(value), dtype="float64")


def cross_entropy(logits: Any, targets: Any) -> Any:
    return -ops.sum(targets * ops.log_softmax(logits, axis=-1), axis=-1)


def half_squares(outputs: Any, targets: Any) -> Any:
    return 0.5 * ops.sum((outputs - targets) ** 2, axis=-1)


def started(
    graph: Graph, inputs: int, members: int, *, probes: bool = True
) -> tuple[PackedNetwork, list[Any]]:
    """A packed network whose members all start alike, and its weights."""
    network = build_packed(graph, inputs, members, "tanh", probes=probes)
    weights = initial_weights(graph, inputs, 1, np.random.default_rng(0))
    params = [np.repeat(slot_array(weights, slot), members, axis=0) for slot in network.slots]
    return network, [tensor(array) for array in params]


def trained(
    update: Update,
    rates: Any,
    x: np.ndarray,
    targets: np.ndarray,
    graph: Graph,
    loss: Any,
    sample: Any,
    steps: int,
) -> np.ndarray:
    """``(members,)`` mean losses after the steps, all taken inside one compiled loop."""
    backend, members = current_backend(), len(rates)
    network, params = started(graph, x.shape[1], members)
    ones = [tensor(np.ones((1, 1, 1))) for _ in network.masks]
    zeros = [tensor(np.zeros((1, 1, 1))) for _ in network.probes]
    arrays, labels = [tensor(np.repeat(x[None], members, axis=0)), *ones], tensor(targets[None])
    row_weights = tensor(np.full((members, len(x)), 1 / len(x)))
    rate = [tensor(np.asarray(rates)[:, None, None])] * len(params)

    def losses(weights: list[Any]) -> Any:
        outputs, _ = network.model.stateless_call(weights, [], [*arrays, *zeros])
        return ops.sum(row_weights * loss(outputs[0], labels), axis=1)

    def body(step: Any, carried: list[Any]) -> list[Any]:
        weights, state = carried
        at = ops.cast(step, "float32") + 1
        _, gradients = backend.value_and_gradients(lambda inner: ops.sum(losses(inner)), weights)
        factors = None
        if update.needs_factors:
            drawn: Callable[[Any], Any] = lambda outputs: sample(outputs, at)  # noqa: E731
            factors = dense_factors(backend, network, weights, arrays, row_weights, drawn, loss)
        still = [0 * one for one in rate]
        return list(update.step(weights, gradients, state, at, rate, still, factors))

    run = backend.compile(lambda weights, state: losses(backend.repeat(steps, body, [weights, state])[0]))
    return numpy(run(params, update.initial_state(params)))


def badly_scaled() -> tuple[np.ndarray, np.ndarray]:
    """Inputs ``(80, 8)`` whose scales lie between 0.03 and 10, and one-hot targets of three classes."""
    rng = np.random.default_rng(6)
    plain = rng.standard_normal((80, 8))
    teacher = np.tanh(plain @ rng.standard_normal((8, 6))) @ rng.standard_normal((6, 3))
    return plain * np.logspace(-1.5, 1, 8), np.eye(3)[teacher.argmax(axis=1)]

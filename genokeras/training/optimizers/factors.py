"""What K-FAC needs to know of a packed network: each Dense layer's inputs and the gradients by its pre-activations.

The gradients are those of labels drawn from the network's own predictions, which makes the curvature the Fisher matrix
(Martens & Grosse 2015, section 5); the labels of the data would give the empirical one, which is a poorer guide
(Kunstner et al. 2019, arXiv:1905.12558). The draws are a function of the step alone: no random state to carry through
the compiled loop, and the same on every backend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from keras import ops

from genokeras.errors import ParameterError
from genokeras.networks import PackedNetwork
from genokeras.support.backends import Backend
from genokeras.training.optimizers.update import Factors, Tensors

# Of lowbias32, an integer hash found by search (Ellis 2018, "Prospecting for hash functions"); and, to spread counters
# and steps before it, two odd numbers without pattern. As signed integers, since products wrap around either way.
_MIX = ((16, 0x7FEB352D), (15, 0x846CA68B - 2**32), (16, 1))
_BY_PLACE, _BY_STEP = 0x9E3779B1, 0x85EBCA77 - 2**32
_DRAW_BITS = 24


def dense_factors(
    backend: Backend,
    network: PackedNetwork,
    params: Tensors,
    arrays: Sequence[Any],
    row_weights: Any,
    sample: Callable[[Any], Any],
    row_loss: Callable[[Any, Any], Any],
) -> Factors:
    """Factors of all Dense layers, in the order of the network's weights.

    Parameters
    ----------
    backend : Backend
    network : PackedNetwork
        Built with ``probes=True``.
    params : list of tensor
    arrays : sequence of tensor
        ``x`` ``(M, rows, inputs)`` and the masks.
    row_weights : tensor
        ``(M, rows)``.
    sample : callable
        ``outputs (M, rows, k) -> targets`` drawn from what the outputs predict, as :func:`sampled_classes` does.
    row_loss : callable
        ``(outputs, targets) -> (M, rows)``: each row's own loss, a negative log-likelihood.

    Raises
    ------
    ParameterError
        If the network has no probes.
    """
    if not network.probes:
        raise ParameterError("dense_factors needs a network with probes; got one built with probes=False.")

    def outputs(probes: Tensors) -> Tensors:
        return network.model.stateless_call(params, [], [*arrays, *probes])[0]

    members, rows = row_weights.shape
    predicted, *inputs = outputs([ops.zeros((1, 1, 1)) for _ in network.probes])
    targets = sample(predicted)

    def loss(probes: Tensors) -> Any:
        return ops.sum(row_loss(outputs(probes)[0], targets))

    zeros = [ops.zeros((members, rows, units)) for _, units in network.probes]
    _, gradients = backend.value_and_gradients(loss, zeros)
    position = {layer_id: at for at, (layer_id, _) in enumerate(network.probes)}
    order = [position[layer_id] for layer_id, name in network.slots if name == "kernel"]
    return Factors([inputs[i] for i in order], [gradients[i] for i in order], row_weights)


def uniform_draws(at: Any, rows: int, columns: int) -> Any:
    """Pseudo-random numbers in [0, 1) of step ``at``, ``(rows, columns)``: a hash of the place and the step."""
    places = np.arange(rows * columns, dtype="uint32") * np.uint32(_BY_PLACE)
    mixed = ops.convert_to_tensor(places.view("int32").reshape(rows, columns))
    mixed = mixed + ops.cast(at, "int32") * _BY_STEP
    for shift, factor in _MIX:
        # Shifting a signed integer repeats its sign, which the mask takes away again.
        shifted = ops.bitwise_and(ops.right_shift(mixed, shift), 2 ** (32 - shift) - 1)
        mixed = ops.bitwise_xor(mixed, shifted) * factor
    return ops.cast(ops.bitwise_and(mixed, 2**_DRAW_BITS - 1), "float32") / 2**_DRAW_BITS


def sampled_classes(logits: Any, at: Any) -> Any:
    """One-hot labels ``(M, rows, k)``, drawn from the softmax of the logits at step ``at``; one draw for all members."""
    _, rows, classes = logits.shape
    below = ops.cumsum(ops.softmax(logits, axis=-1), axis=-1)[:, :, :-1]
    drawn = ops.sum(ops.cast(uniform_draws(at, rows, 1)[None] >= below, "int32"), axis=-1)
    return ops.one_hot(drawn, classes, dtype="float32")


def sampled_values(outputs: Any, at: Any, variance: float = 1.0) -> Any:
    """Targets ``(M, rows, k)`` at one standard deviation from the outputs, above or below by the draws of step ``at``.

    The gradient of a squared error is linear in the deviation, so that any with the right variance gives the curvature
    that a normal distribution has. The variance is 1 for half the squared error, 1/2 for the squared error.
    """
    _, rows, values = outputs.shape
    signs = ops.where(uniform_draws(at, rows, values) < 0.5, -1.0, 1.0)
    return outputs + variance**0.5 * signs

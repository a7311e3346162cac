"""What packed members of different graphs compute, in one expression for a shape class, and its gradient.

What tells the graphs apart are arrays with a leading member axis (see `selectors`); the layout of the weights is that of
`genokeras.networks.shape_class`. Written with ``keras.ops``, so that it can be traced on every backend. The gradient is written out,
because half of what TensorFlow makes of it by itself are questions about the length of an axis that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from genokeras.graph import LAYER_NORM_EPSILON, Graph, node_form
from genokeras.networks.functions import Apply
from genokeras.networks.shape_class import BIAS, INNER, INPUT, LINEAR, OUTPUT, OUTPUT_BIAS, ShapeClass

Product = Callable[[Any, Any, bool, bool], Any]


@dataclass(frozen=True)
class _Node:
    """What a node computed: its value before its function, what its sum was divided by, its value, and what its gradient needs."""

    before: Any
    scale: Any
    value: Any
    norm: tuple[Any, ...]
    activated: Any
    squared: Any


@dataclass(frozen=True)
class PaddedPass:
    """What members computed on a batch: their logits, and what the gradient needs of the way there."""

    logits: Any
    nodes: tuple[_Node, ...]
    joined: Any


def padded_pass(
    shape: ShapeClass,
    apply: Apply,
    params: Sequence[Any],
    x: Any,
    masks: Sequence[Any],
    selected: dict[str, Any],
) -> PaddedPass:
    """Logits ``(M, rows, k)``, and all that led to them.

    Parameters
    ----------
    shape : ShapeClass
    apply : callable
        The function of each member, on ``(M, rows, W)``.
    params : sequence of tensor
        As in `ShapeClass.shapes`, with a leading member axis.
    x : tensor
        ``(M, rows, R)``.
    masks : sequence of tensor
        For every node, what its units are multiplied with; none in inference.
    selected : dict of str to tensor
        See `selectors`.
    """
    logits = ops.matmul(x, params[LINEAR]) + params[OUTPUT_BIAS]
    if not shape.nodes:
        return PaddedPass(logits, (), None)
    # What is the same for every node is computed for all of them at once: a compiled function takes long to trace.
    sums = list(ops.split(params[BIAS], shape.nodes, axis=-1))
    if shape.reading:
        for j, read in enumerate(ops.split(ops.matmul(x, params[INPUT]), shape.reading, axis=-1)):
            sums[j] = sums[j] + read
    norms = _norms(shape, selected)
    activated = ops.unstack(selected["activated"] > 0.5, shape.nodes)
    squared = ops.unstack(selected["squared"] > 0.5, shape.nodes) if shape.squares else [None] * shape.nodes
    nodes: list[_Node] = []
    for j in range(shape.nodes):
        before, scale = _normalised(sums[j], *norms[j])
        value = ops.where(activated[j], apply(before), before)
        value = ops.where(squared[j], ops.square(before), value) if shape.squares else value
        value = value * masks[j] if masks else value
        nodes.append(_Node(before, scale, value, norms[j], activated[j], squared[j]))
        if j < shape.nodes - 1:
            passed = ops.matmul(value, params[INNER + j] + selected[f"carried_{j}"])
            for later, part in enumerate(ops.split(passed, shape.nodes - 1 - j, axis=-1), j + 1):
                sums[later] = sums[later] + part
    joined = ops.concatenate([node.value for node in nodes], axis=-1) if len(nodes) > 1 else nodes[0].value
    return PaddedPass(logits + ops.matmul(joined, params[OUTPUT]), tuple(nodes), joined)


def padded_gradients(
    shape: ShapeClass,
    slope: Apply,
    params: Sequence[Any],
    x: Any,
    masks: Sequence[Any],
    selected: dict[str, Any],
    done: PaddedPass,
    change: Any,
    product: Product,
) -> list[Any]:
    """The gradient of a loss with respect to each of ``params``; that of padding is not zero.

    Parameters
    ----------
    shape, params, x, masks, selected
        As of `padded_pass`.
    slope : callable
        The derivative of each member's function, on ``(M, rows, W)``.
    done : PaddedPass
        What `padded_pass` gave.
    change : tensor
        The gradient with respect to the logits, ``(M, rows, k)``.
    product : callable
        ``product(a, b, a_turned, b_turned)``: matrix products with the last two axes of either swapped.
    """
    found: list[Any] = [None] * len(params)
    found[LINEAR] = product(x, change, True, False)
    found[OUTPUT_BIAS] = ops.sum(change, axis=1, keepdims=True)
    if not shape.nodes:
        return found
    found[OUTPUT] = product(done.joined, change, True, False)
    of_values = ops.split(product(change, params[OUTPUT], False, True), shape.nodes, axis=-1)
    of_sums: list[Any] = []
    for j in reversed(range(shape.nodes)):
        node, of_value = done.nodes[j], of_values[j]
        if of_sums:
            behind = ops.concatenate(of_sums, axis=-1) if len(of_sums) > 1 else of_sums[0]
            found[INNER + j] = product(node.value, behind, True, False)
            of_value = of_value + product(behind, params[INNER + j] + selected[f"carried_{j}"], False, True)
        steep = ops.where(node.activated, slope(node.before), 1.0)
        steep = ops.where(node.squared, 2.0 * node.before, steep) if shape.squares else steep
        of_before = of_value * steep * masks[j] if masks else of_value * steep
        of_sums.insert(0, _through_norm(of_before, node))
    everything = ops.concatenate(of_sums, axis=-1) if len(of_sums) > 1 else of_sums[0]
    found[BIAS] = ops.sum(everything, axis=1, keepdims=True)
    reading = everything[:, :, : shape.reading * shape.units]
    found[INPUT] = product(x, reading, True, False)
    return found


def _through_norm(change: Any, node: _Node) -> Any:
    """The gradient with respect to what was normalised: that of layer normalisation, where there is one.

    With y normalised and s what it was multiplied with, s (g - mean g - y mean (g y)), both means over the units that are no padding.
    """
    normalises, _, units, _ = node.norm
    share = normalises / units
    mean = share * ops.sum(change, axis=-1, keepdims=True)
    along = share * ops.sum(change * node.before, axis=-1, keepdims=True)
    return (change - mean - node.before * along) * node.scale


def _norms(shape: ShapeClass, selected: dict[str, Any]) -> list[tuple[Any, ...]]:
    """For each node whether it normalises and the contrary, 0 or 1, and how many units are no padding and how many are."""
    normalises, units = selected["normalised"], selected["units"]
    values = (normalises, 1.0 - normalises, units, shape.units - units)
    return list(zip(*(ops.unstack(value, shape.nodes) for value in values), strict=True))


def _normalised(x: Any, normalises: Any, leaves: Any, units: Any, n_padding: Any) -> tuple[Any, Any]:
    """Layer normalisation over the units that are no padding, where the member's node has one, and what it multiplies with.

    With w units of W, padding being zero: ``mean = sum x / w`` and ``variance = (sum (x - mean)^2 - (W - w) mean^2) / w``.
    """
    mean = ops.sum(x, axis=-1, keepdims=True) / units
    squares = ops.sum(ops.square(x - mean), axis=-1, keepdims=True)
    padding = n_padding * ops.square(mean)
    variance = ops.maximum(squares - padding, 0.0) / units
    scale = normalises * ops.rsqrt(variance + LAYER_NORM_EPSILON) + leaves
    return (x - normalises * mean) * scale, scale


def selectors(shape: ShapeClass, graph: Graph) -> dict[str, np.ndarray]:
    """What tells a graph from others of its class, for one member, float32.

    ===============  ====================  ==============================================================
    name             shape                 meaning
    ===============  ====================  ==============================================================
    ``normalised``   ``(N, 1)``            1 for nodes that normalise
    ``units``        ``(N, 1)``            units that are no padding; W for nodes that nothing reads
    ``activated``    ``(N, 1)``            1 for nodes that have the member's function
    ``squared``      ``(N, 1)``            1 for nodes that are squared; only of classes that have some
    ``carried_s``    ``(1, W, (N-1-s) W)``  the identity from node s to those behind it that sum it
    ===============  ====================  ==============================================================
    """
    form = node_form(graph)
    assert form is not None
    n, width = shape.nodes, shape.units
    found = {
        "normalised": np.zeros((n, 1), dtype="float32"),
        "units": np.full((n, 1), width, dtype="float32"),
        "activated": np.zeros((n, 1), dtype="float32"),
        **({"squared": np.zeros((n, 1), dtype="float32")} if shape.squares else {}),
        **{f"carried_{s}": np.zeros((1, width, (n - 1 - s) * width), dtype="float32") for s in range(n - 1)},
    }
    for number, node in enumerate(form.nodes):
        found["normalised"][number] = node.normalised
        found["units"][number] = node.units
        found["activated"][number] = node.function not in ("linear", "square")
        if shape.squares:
            found["squared"][number] = node.function == "square"
        for source in node.carried:
            start = (number - source - 1) * width
            found[f"carried_{source}"][0, :, start : start + width] += _identity(width, node.units)
    return found


def _identity(width: int, units: int) -> np.ndarray:
    return np.diag((np.arange(width) < units).astype("float32"))

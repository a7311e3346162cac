"""What packed members of different graphs compute, in one expression for a shape class.

What tells the graphs apart are arrays with a leading member axis (see `Selectors`); the layout of the weights is that of
`genokeras.networks.shape_class`. Written with ``keras.ops``, so that it can be traced and differentiated on every backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from genokeras.graph import LAYER_NORM_EPSILON, Graph, node_form
from genokeras.networks.functions import Apply
from genokeras.networks.shape_class import BIAS, INNER, INPUT, LINEAR, OUTPUT, OUTPUT_BIAS, ShapeClass


def padded_outputs(
    shape: ShapeClass,
    apply: Apply,
    params: Sequence[Any],
    x: Any,
    masks: Sequence[Any],
    selected: dict[str, Any],
) -> Any:
    """Logits ``(M, rows, k)``.

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
        return logits
    # What is the same for every node is computed for all of them at once: a compiled function takes long to trace.
    sums = list(ops.split(params[BIAS], shape.nodes, axis=-1))
    if shape.reading:
        for j, read in enumerate(ops.split(ops.matmul(x, params[INPUT]), shape.reading, axis=-1)):
            sums[j] = sums[j] + read
    norms = _norms(shape, selected)
    activated = ops.unstack(selected["activated"] > 0.5, shape.nodes)
    squared = ops.unstack(selected["squared"] > 0.5, shape.nodes) if shape.squares else ()
    nodes: list[Any] = []
    for j in range(shape.nodes):
        node = _normalised(sums[j], *norms[j])
        found = ops.where(activated[j], apply(node), node)
        node = ops.where(squared[j], ops.square(node), found) if shape.squares else found
        nodes.append(node * masks[j] if masks else node)
        if j < shape.nodes - 1:
            passed = ops.matmul(nodes[j], params[INNER + j] + selected[f"carried_{j}"])
            for later, part in enumerate(ops.split(passed, shape.nodes - 1 - j, axis=-1), j + 1):
                sums[later] = sums[later] + part
    joined = ops.concatenate(nodes, axis=-1) if len(nodes) > 1 else nodes[0]
    return logits + ops.matmul(joined, params[OUTPUT])


def _norms(shape: ShapeClass, selected: dict[str, Any]) -> list[tuple[Any, ...]]:
    """For each node whether it normalises and the contrary, 0 or 1, and how many units are no padding and how many are."""
    normalises, units = selected["normalised"], selected["units"]
    values = (normalises, 1.0 - normalises, units, shape.units - units)
    return list(zip(*(ops.unstack(value, shape.nodes) for value in values), strict=True))


def _normalised(x: Any, normalises: Any, leaves: Any, units: Any, n_padding: Any) -> Any:
    """Layer normalisation over the units that are no padding, where the member's node has one.

    With w units of W, padding being zero: ``mean = sum x / w`` and ``variance = (sum (x - mean)^2 - (W - w) mean^2) / w``.
    """
    mean = ops.sum(x, axis=-1, keepdims=True) / units
    squares = ops.sum(ops.square(x - mean), axis=-1, keepdims=True)
    padding = n_padding * ops.square(mean)
    variance = ops.maximum(squares - padding, 0.0) / units
    scale = normalises * ops.rsqrt(variance + LAYER_NORM_EPSILON) + leaves
    return (x - normalises * mean) * scale


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

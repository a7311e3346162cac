"""What the supernet computes: all arcs of a space by one set of weights, the arcs being an input.

================  ============================================================  ==================
symbol            meaning                                                       shape
================  ============================================================  ==================
F                 folds, each with weights of its own
B                 arcs of a batch
n, r, k           rows, units of the input, outputs
C                 ``max_channel``
L                 layers behind the stem
units             active units of every layer                                   ``(B, L)`` int32
bits              bit ``[b, i, j]``: source ``j`` comes into layer ``i``         ``(B, L, L)``
params            kernel and bias of stem, layers and logits                    see ``weight_shapes``
================  ============================================================  ==================

Inactive units are zero, normalisation counts active ones only, and what comes into a layer is added. So a layer computes
what the arc's own network computes by a Dense on the parts side by side, if that has the rows and columns of the active
units (``genokeras.enas.slicing``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from genokeras.graph import LAYER_NORM_EPSILON
from genokeras.graph.arcs import Arc, ArcSpace
from genokeras.networks import FUNCTIONS
from genokeras.networks.initialise import CLOSING_SCALE


def weight_shapes(space: ArcSpace, n_folds: int, input_units: int, n_outputs: int) -> list[tuple[int, ...]]:
    """Shapes of the params: a kernel ``(F, in, out)`` and a bias ``(F, 1, out)`` of the stem, each layer and the logits."""
    channel = space.max_channel
    sizes = [(input_units, channel), *[(channel, channel)] * space.n_layers, (channel, n_outputs)]
    return [shape for rows, units in sizes for shape in ((n_folds, rows, units), (n_folds, 1, units))]


def initial_params(shapes: Sequence[tuple[int, ...]], rng: np.random.Generator) -> list[np.ndarray]:
    """He-normal kernels, those of the logits a tenth of that, and biases of zero, as trials have them."""
    params = []
    for place in range(0, len(shapes), 2):
        kernel, bias = shapes[place : place + 2]
        scale = np.sqrt(2.0 / kernel[1]) * (CLOSING_SCALE if place == len(shapes) - 2 else 1.0)
        params.append((scale * rng.standard_normal(kernel, dtype="float32")).astype("float32"))
        params.append(np.zeros(bias, dtype="float32"))
    return params


def encode(arcs: Sequence[Arc], space: ArcSpace) -> tuple[np.ndarray, np.ndarray]:
    """``units`` and ``bits`` of arcs."""
    units = np.array([space.units(arc)[1:] for arc in arcs], dtype="int32")
    bits = np.zeros((len(arcs), space.n_layers, space.n_layers), dtype="float32")
    for number, arc in enumerate(arcs):
        for layer, of_layer in enumerate(arc.skips):
            bits[number, layer, :layer] = of_layer
    return units, bits


def fair_arcs(
    space: ArcSpace, steps: int, n_arcs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """``units`` ``(steps, B, L)`` and ``bits`` ``(steps, B, L, L)`` of arcs to train.

    In every step each layer has each width equally often, and each skip comes in with half of the arcs (of an odd number
    with one more or less, by chance), as in FairNAS (Chu et al. 2021, arXiv:1907.01845, section 3.2): no part of the
    weights is trained more than another.
    """
    shape = (steps, n_arcs, space.n_layers)
    ops_drawn = np.argsort(rng.random(shape), axis=1) % len(space.widths)
    ranks = np.argsort(rng.random((*shape, space.n_layers)), axis=1)
    half = n_arcs / 2 + rng.choice([-0.25, 0.25], size=(steps, 1, space.n_layers, space.n_layers))
    allowed = np.tri(space.n_layers, k=-1, dtype=bool)
    return np.array(space.widths, dtype="int32")[ops_drawn], ((ranks + 0.5 < half) & allowed).astype(
        "float32"
    )


def supernet_outputs(
    params: Sequence[Any], x: Any, units: Any, bits: Any, activation: str, masks: Sequence[Any] = ()
) -> Any:
    """Logits ``(F, B, n, k)`` of arcs.

    Parameters
    ----------
    params : sequence of tensor
    x : tensor
        ``(F or 1, n, r)``.
    units, bits : tensor
    activation : str
    masks : sequence of tensor
        Dropout of the stem ``(F, 1, n, C)`` and of every layer ``(F, B, n, C)``, already divided by the keep probability;
        none in inference.
    """
    function = FUNCTIONS[activation]
    (kernel, bias), *layers, logits = zip(params[::2], params[1::2], strict=True)
    channel = kernel.shape[2]
    stem = _normalised((ops.matmul(x, kernel) + bias)[:, None], 1.0, float(channel))
    sources = [_dropped(function(stem), masks, 0)]
    for number, (kernel, bias) in enumerate(layers):
        read = sources[number]
        for source in range(number):
            read = read + bits[:, number, source][None, :, None, None] * sources[source]
        active = units[:, number][None, :, None, None]
        here = ops.cast(ops.arange(channel, dtype="int32") < active, "float32")
        computed = _normalised(_dense(read, kernel, bias), here, ops.cast(active, "float32"))
        # Not every function keeps the zeros of inactive units.
        sources.append(_dropped(here * function(computed), masks, number + 1))
    return _dense(sources[-1], *logits)


def _dense(x: Any, kernel: Any, bias: Any) -> Any:
    """``(F, B, n, in)`` -> ``(F, B, n, out)``; one product a fold, for batched ones of many small parts are slow."""
    folds, arcs, rows, width = x.shape
    flat = ops.matmul(ops.reshape(x, (folds, arcs * rows, width)), kernel) + bias
    return ops.reshape(flat, (folds, arcs, rows, kernel.shape[2]))


def _normalised(x: Any, here: Any, count: Any) -> Any:
    centred = here * (x - ops.sum(here * x, axis=-1, keepdims=True) / count)
    variance = ops.sum(ops.square(centred), axis=-1, keepdims=True) / count
    return centred * ops.rsqrt(variance + LAYER_NORM_EPSILON)


def _dropped(x: Any, masks: Sequence[Any], number: int) -> Any:
    return x * masks[number] if masks else x

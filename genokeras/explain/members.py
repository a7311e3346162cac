"""Many members of one graph at once, forwards and backwards, from what their first layers say.

``networks.packed`` builds such networks for training and export. Here nothing is traced or compiled, which took longer than the arithmetic,
and arrays are kept small enough for a processor's cache. All arrays are float32.

=========  ==========================================================================  ============================
symbol     meaning                                                                     shape
=========  ==========================================================================  ============================
m, k, P    members of a block, classes, points
leaf       a Dense layer that reads an Input, or the Input itself                      ``(m, units, P)``
z, p       logits of the members and their softmax                                     ``(m, k, P)``
d          gradient with respect to what a layer computes                              as that layer's output
=========  ==========================================================================  ============================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from genokeras.errors import GraphError
from genokeras.explain.slopes import activate
from genokeras.graph import (
    LAYER_NORM_EPSILON,
    Activation,
    Add,
    Concat,
    Dense,
    Dropout,
    Graph,
    Layer,
    LayerNorm,
)

Arrays = dict[int, np.ndarray]
PackedWeights = Mapping[int, tuple[np.ndarray, np.ndarray]]


def leaves_of(graph: Graph) -> dict[int, tuple[int, ...]]:
    """For each Input the Dense layers that read it, behind the Input itself where other layers read it."""
    found = {}
    for source in graph.inputs:
        readers = graph.consumers(source)
        dense = tuple(i for i in readers if isinstance(graph.layer(i).spec, Dense))
        found[source] = dense if len(dense) == len(readers) else (source, *dense)
    return found


def centred_leaves(graph: Graph) -> frozenset[int]:
    """Dense leaves that only layer normalisation reads: giving their kernels a mean of zero over the units changes nothing."""
    leaves = [leaf for of_input in leaves_of(graph).values() for leaf in of_input]
    readers = {leaf: graph.consumers(leaf) for leaf in leaves if leaf not in graph.inputs}
    return frozenset(
        leaf
        for leaf, found in readers.items()
        if found and all(isinstance(graph.layer(i).spec, LayerNorm) for i in found)
    )


@dataclass
class _Tape:
    """What the way back needs: slopes of activations, outputs and inverse deviations of normalisations, widths of what was joined."""

    slopes: Arrays = field(default_factory=dict)
    normalised: dict[int, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    widths: dict[int, list[int]] = field(default_factory=dict)


class Network:
    """A graph between its leaves and its logits.

    Parameters
    ----------
    graph : Graph
    activation : str
        What an ``Activation`` without a function of its own stands for.
    """

    def __init__(self, graph: Graph, activation: str) -> None:
        self._graph, self._activation = graph, activation
        self.leaves_of_input = leaves_of(graph)
        self.leaves = tuple(leaf for leaves in self.leaves_of_input.values() for leaf in leaves)
        self._centred = centred_leaves(graph)
        self._inner = [layer for layer in graph.layers if layer.id not in (*graph.inputs, *self.leaves)]

    @property
    def inner_dense(self) -> list[int]:
        """Dense layers that are no leaves."""
        return [layer.id for layer in self._inner if isinstance(layer.spec, Dense)]

    def logits(self, leaves: Arrays, weights: PackedWeights) -> np.ndarray:
        """Leaves -> ``z``."""
        return self._forward(leaves, weights, None)

    def logits_and_back(self, leaves: Arrays, weights: PackedWeights) -> tuple[np.ndarray, _Back]:
        """``z``, and the way back to the leaves."""
        tape = _Tape()
        return self._forward(leaves, weights, tape), _Back(self, weights, tape)

    def _forward(self, leaves: Arrays, weights: PackedWeights, tape: _Tape | None) -> np.ndarray:
        tensors = dict(leaves)
        for layer in self._inner:
            read = [tensors[i] for i in layer.inputs]
            match layer.spec:
                case Dense():
                    kernel, bias = weights[layer.id]
                    tensors[layer.id] = np.matmul(kernel.transpose(0, 2, 1), read[0])
                    tensors[layer.id] += bias[:, :, None]
                case LayerNorm():
                    tensors[layer.id] = self._normalised(layer, read[0], tape)
                case Activation(function=function):
                    name = function or self._activation
                    tensors[layer.id], slopes = activate(name, read[0], tape is not None)
                    if tape is not None and slopes is not None:
                        tape.slopes[layer.id] = slopes
                case Dropout():
                    tensors[layer.id] = read[0]
                case Add():
                    tensors[layer.id] = sum(read[2:], read[0] + read[1])
                case Concat():
                    tensors[layer.id] = np.concatenate(read, axis=1)
                    if tape is not None:
                        tape.widths[layer.id] = [len(part[0]) for part in read]
                case other:
                    raise GraphError(f"layer {layer.id}: its gradient is not known ({other!r}).")
        return tensors[self._graph.output]

    def _normalised(self, layer: Layer, x: np.ndarray, tape: _Tape | None) -> np.ndarray:
        if layer.inputs[0] not in self._centred:
            x = x - x.mean(axis=1, keepdims=True)
        square = np.einsum("mup,mup->mp", x, x)
        square /= np.float32(x.shape[1])
        square += np.float32(LAYER_NORM_EPSILON)
        scale = np.reciprocal(np.sqrt(square, out=square), out=square)[:, None]
        found = x * scale
        if tape is not None:
            tape.normalised[layer.id] = found, scale
        return found

    def _backward(self, d: np.ndarray, weights: PackedWeights, tape: _Tape) -> Arrays:
        """Gradients with respect to the leaves; every array in ``gradients`` belongs to it alone."""
        gradients: Arrays = {self._graph.output: d}
        for layer in reversed(self._inner):
            if layer.id not in gradients:
                continue
            d = gradients.pop(layer.id)
            match layer.spec:
                case Dense():
                    _add(gradients, layer.inputs[0], np.matmul(weights[layer.id][0], d))
                case LayerNorm():
                    _add(gradients, layer.inputs[0], self._back_normalised(layer, d, tape))
                case Activation():
                    _add(gradients, layer.inputs[0], np.multiply(d, tape.slopes[layer.id], out=d))
                case Add():
                    for number, source in enumerate(layer.inputs):
                        _add(gradients, source, d.copy() if number else d)
                case Concat():
                    parts = np.split(d, np.cumsum(tape.widths[layer.id])[:-1], axis=1)
                    for source, part in zip(layer.inputs, parts, strict=True):
                        _add(gradients, source, part.copy())
                case _:
                    _add(gradients, layer.inputs[0], d)
        return gradients

    def _back_normalised(self, layer: Layer, d: np.ndarray, tape: _Tape) -> np.ndarray:
        found, scale = tape.normalised[layer.id]
        along = np.einsum("mup,mup->mp", d, found)
        along /= np.float32(d.shape[1])
        if layer.inputs[0] not in self._centred:
            d -= d.mean(axis=1, keepdims=True)
        d -= found * along[:, None]
        d *= scale
        return d


@dataclass(frozen=True)
class _Back:
    network: Network
    weights: PackedWeights
    tape: _Tape

    def __call__(self, d: np.ndarray) -> Arrays:
        """``d`` of the logits, which is overwritten, -> ``d`` of the leaves."""
        return self.network._backward(d, self.weights, self.tape)


def _add(gradients: Arrays, layer: int, d: np.ndarray) -> None:
    if layer in gradients:
        gradients[layer] += d
    else:
        gradients[layer] = d

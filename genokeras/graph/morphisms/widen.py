"""The morphism that doubles the width of hidden layers.

Every change is an index array: new tensor = old tensor[..., index]. A doubled tensor has each unit twice in a
row (0, 0, 1, 1, ...). That stays so in concatenations, so all doubled tensors agree where they are summed.

Notation
--------
symbol     meaning                                    shape
index(t)   old unit that each new unit of t copies    (new units of t,)
copies     how often an old unit is there             1 or 2
w, w'      kernel of a reader before and after        (members, inputs, units)
e          noise                                      (members, doubled inputs, units)

w' = w[:, index] / copies, then + e on the first copy's rows and - e on the second's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.graph import Graph
from genokeras.graph.morphisms.base import Morphism, edited, input_units_of, missing_layers, plain_fields
from genokeras.graph.reference import FloatArray, Weights
from genokeras.graph.specs import Activation, Add, Concat, Dense, Dropout, Input, LayerNorm

NOISE = 1e-2

IndexArray = NDArray[np.intp]


@dataclass(frozen=True)
class Widen(Morphism):
    """Double the units of a hidden Dense and of all tied to it by sums (Chen et al. 2016, "Net2Net").

    Each unit is copied exactly once, so that mean and variance in a LayerNorm stay as they are. The readers'
    kernels take half of the weight for each copy, give or take noise that cancels and lets the copies drift
    apart.

    Parameters
    ----------
    layer : int
        Id of the Dense.
    """

    layer: int
    name: ClassVar[str] = "widen"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph) -> Iterator[Widen]:
        """Yield one instance for each set of Dense layers that can only be doubled together."""
        seen: set[int] = set()
        for layer in graph.layers:
            if isinstance(layer.spec, Dense) and layer.id not in seen:
                seen |= _doubled(graph, layer.id)
                yield cls(layer.id)

    def problem(self, graph: Graph) -> str | None:
        """Return why the layer cannot be doubled, or None."""
        if missing := missing_layers(graph, self.layer):
            return missing
        if not isinstance(graph.layer(self.layer).spec, Dense):
            return f"{graph.layer(self.layer)} is no Dense"
        doubled = _doubled(graph, self.layer)
        if graph.input in doubled:
            return "the Input would have to be doubled too"
        copies = _copies(graph, doubled)
        if copies[graph.output]:
            return "the logits would be doubled too"
        for layer in graph.layers:
            if isinstance(layer.spec, LayerNorm) and copies[layer.id] == "some":
                return f"{layer} would read units of which only some are doubled"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with twice the units in all of the tied Dense layers."""
        doubled = (graph.layer(id) for id in _doubled(graph, self.layer))
        return edited(
            graph, changed={la.id: Dense(2 * la.spec.units) for la in doubled if isinstance(la.spec, Dense)}
        )

    def carry(self, graph: Graph, edited: Graph, weights: Weights, rng: np.random.Generator) -> Weights:
        """Return the weights with units copied, and shared out among the copies where they are read."""
        index = _indices(graph, _doubled(graph, self.layer), input_units_of(graph, weights))
        units = graph.shapes(input_units_of(graph, weights))
        carried = dict(weights)
        for layer in graph.layers:
            if not isinstance(layer.spec, Dense):
                continue
            rows, columns = index[layer.inputs[0]], index[layer.id]
            arrays = weights[layer.id]
            if len(columns) > units[layer.id]:
                arrays = {"kernel": arrays["kernel"][:, :, columns], "bias": arrays["bias"][:, columns]}
            if len(rows) > units[layer.inputs[0]]:
                arrays = {**arrays, "kernel": _share_out(arrays["kernel"], rows, rng)}
            carried[layer.id] = arrays
        return carried


def _doubled(graph: Graph, start: int) -> set[int]:
    """Return all layers to be doubled as a whole when one Dense is; may hold the Input or the output.

    Sums tie: where any part of one input is doubled, all inputs must be, as a whole.
    """
    doubled: set[int] = set()
    touched: set[int] = set()
    pending = [(start, True)]
    while pending:
        id, whole = pending.pop()
        if id in doubled or (id in touched and not whole):
            continue
        layer = graph.layer(id)
        touched.add(id)
        if whole:
            doubled.add(id)
            if not isinstance(layer.spec, Dense):
                pending.extend((source, True) for source in layer.inputs)
        for reader in graph.consumers(id):
            spec = graph.layer(reader).spec
            if isinstance(spec, Add):
                pending.append((reader, True))
            elif isinstance(spec, Concat):
                pending.append((reader, False))
            elif isinstance(spec, (LayerNorm, Activation, Dropout)):
                pending.append((reader, whole))
    return doubled


def _copies(graph: Graph, doubled: set[int]) -> dict[int, str]:
    """Return for each layer whether "all" of its units are doubled, "some", or none ("")."""
    copies: dict[int, str] = {}
    for layer in graph.layers:
        read = {copies[source] for source in layer.inputs}
        if isinstance(layer.spec, (Dense, Input)):
            copies[layer.id] = "all" if layer.id in doubled else ""
        else:
            copies[layer.id] = read.pop() if len(read) == 1 else "some"
    return copies


def _indices(graph: Graph, doubled: set[int], input_units: int) -> dict[int, IndexArray]:
    """Return for each layer the old unit that each new unit of its output copies."""
    units = graph.shapes(input_units)
    index: dict[int, IndexArray] = {}
    for layer in graph.layers:
        if isinstance(layer.spec, (Dense, Input)):
            index[layer.id] = np.repeat(np.arange(units[layer.id]), 2 if layer.id in doubled else 1)
        elif isinstance(layer.spec, Concat):
            offsets = np.cumsum([0, *(units[source] for source in layer.inputs)])
            parts = [index[source] + offset for source, offset in zip(layer.inputs, offsets, strict=False)]
            index[layer.id] = np.concatenate(parts)
        else:
            index[layer.id] = index[layer.inputs[0]]
    return index


def _share_out(kernel: FloatArray, rows: IndexArray, rng: np.random.Generator) -> FloatArray:
    """Return the kernel for inputs of which some are doubled; see the notation above."""
    copies = np.bincount(rows, minlength=kernel.shape[1])
    shared = kernel[:, rows, :] / copies[rows][None, :, None].astype(kernel.dtype)
    # An index has both copies of a unit next to each other, so pairs are every other place.
    places = np.flatnonzero(copies[rows] == 2)
    first, second = places[::2], places[1::2]
    spread = kernel.std(axis=(1, 2), keepdims=True)
    # A kernel of zeros needs noise too: copies with equal weights on both sides would stay equal for ever.
    spread = np.where(spread > 0, spread, kernel.dtype.type(1 / np.sqrt(kernel.shape[1])))
    noise = rng.standard_normal((kernel.shape[0], len(first), kernel.shape[2]), dtype=np.float32)
    noise = (noise * (NOISE * spread)).astype(kernel.dtype)
    shared[:, first] += noise
    shared[:, second] -= noise
    return shared

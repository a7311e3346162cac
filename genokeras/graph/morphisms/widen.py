"""The morphism that doubles the width of hidden layers.

Every change is an index array: new tensor = old tensor[..., index]. A doubled tensor has each unit twice in a
row (0, 0, 1, 1, ...). That stays so in concatenations, so all doubled tensors agree where they are summed; it stays
so where positions are flattened too. Units are the channels of sequences and images.

Notation
--------
symbol     meaning                                    shape
index(t)   old unit that each new unit of t copies    (new units of t,)
copies     how often an old unit is there             1 or 2
w, w'      kernel of a reader before and after        (members, ..., inputs, units)
e          noise                                      (members, ..., doubled inputs, units)

w' = w[..., index, :] / copies, then + e on the first copy's rows and - e on the second's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.graph import Graph
from genokeras.graph.morphisms.base import (
    Limits,
    Morphism,
    edited,
    missing_layers,
    plain_fields,
)
from genokeras.graph.reference import FloatArray, Weights
from genokeras.graph.specs import Add, Concat, Flatten, Input, LayerNorm

NOISE = 1e-2

IndexArray = NDArray[np.intp]


@dataclass(frozen=True)
class Widen(Morphism):
    """Double the units of a hidden Dense, Conv or Embedding and of all tied to it by sums (Chen et al. 2016, "Net2Net").

    Each unit is copied exactly once, so that mean and variance in a LayerNorm stay as they are. The readers'
    kernels take half of the weight for each copy, give or take noise that cancels and lets the copies drift
    apart.

    Parameters
    ----------
    layer : int
        Id of the Dense, Conv or Embedding.
    """

    layer: int
    name: ClassVar[str] = "widen"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[Widen]:
        """Yield one instance for each set of layers that can only be doubled together."""
        seen: set[int] = set()
        for layer in graph.layers:
            if layer.spec.own_units is not None and layer.id not in seen:
                seen |= _doubled(graph, layer.id)
                yield cls(layer.id)

    def problem(self, graph: Graph) -> str | None:
        """Return why the layer cannot be doubled, or None."""
        if missing := missing_layers(graph, self.layer):
            return missing
        if graph.layer(self.layer).spec.own_units is None:
            kinds = "Dense, Conv or Embedding" if graph.is_spatial else "Dense"
            return f"{graph.layer(self.layer)} is no {kinds}"
        doubled = _doubled(graph, self.layer)
        if not doubled.isdisjoint(graph.inputs):
            return "the Input would have to be doubled too"
        copies = _copies(graph, doubled)
        if copies[graph.output]:
            return "the logits would be doubled too"
        for layer in graph.layers:
            if isinstance(layer.spec, LayerNorm) and copies[layer.id] == "some":
                return f"{layer} would read units of which only some are doubled"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with twice the units in all of the tied layers."""
        doubled = (graph.layer(id) for id in _doubled(graph, self.layer))
        wider = {la.id: la.spec.with_units(2 * units) for la in doubled if (units := la.spec.own_units)}
        return edited(graph, changed=wider)

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with units copied, and shared out among the copies where they are read."""
        units = graph.units(widths)
        index = _indices(graph, _doubled(graph, self.layer), units)
        carried = dict(weights)
        for layer in graph.layers:
            if layer.id not in weights:
                continue
            arrays = dict(weights[layer.id])
            for name, (reads, makes) in layer.spec.array_axes.items():
                if name not in arrays:
                    continue
                if len(columns := index[layer.id]) > units[layer.id]:
                    place: tuple[Any, ...] = (..., columns, *(slice(None),) * (-1 - makes))
                    arrays[name] = arrays[name][place]
                rows = index[layer.inputs[0]]
                if reads is not None and len(rows) > units[layer.inputs[0]]:
                    arrays[name] = _share_out(arrays[name], rows, rng)
            carried[layer.id] = arrays
        return carried


def _doubled(graph: Graph, start: int) -> set[int]:
    """Return all layers to be doubled as a whole when one is; may hold an Input or the output.

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
            if layer.spec.own_units is None:
                pending.extend((source, True) for source in layer.inputs)
        for reader in graph.consumers(id):
            spec = graph.layer(reader).spec
            if isinstance(spec, Add):
                pending.append((reader, True))
            elif isinstance(spec, Concat):
                pending.append((reader, False))
            elif spec.own_units is None:
                pending.append((reader, whole))
    return doubled


def _copies(graph: Graph, doubled: set[int]) -> dict[int, str]:
    """Return for each layer whether "all" of its units are doubled, "some", or none ("")."""
    copies: dict[int, str] = {}
    for layer in graph.layers:
        read = {copies[source] for source in layer.inputs}
        if isinstance(layer.spec, Input) or layer.spec.own_units is not None:
            copies[layer.id] = "all" if layer.id in doubled else ""
        else:
            copies[layer.id] = read.pop() if len(read) == 1 else "some"
    return copies


def _indices(graph: Graph, doubled: set[int], units: Mapping[int, int]) -> dict[int, IndexArray]:
    """Return for each layer the old unit that each new unit of its output copies."""
    index: dict[int, IndexArray] = {}
    for layer in graph.layers:
        if isinstance(layer.spec, Input) or layer.spec.own_units is not None:
            index[layer.id] = np.repeat(np.arange(units[layer.id]), 2 if layer.id in doubled else 1)
        elif isinstance(layer.spec, Concat):
            offsets = np.cumsum([0, *(units[source] for source in layer.inputs)])
            parts = [index[source] + offset for source, offset in zip(layer.inputs, offsets, strict=False)]
            index[layer.id] = np.concatenate(parts)
        elif isinstance(layer.spec, Flatten):
            source = layer.inputs[0]
            starts = np.arange(0, units[layer.id], units[source])
            index[layer.id] = (starts[:, None] + index[source]).ravel()
        else:
            index[layer.id] = index[layer.inputs[0]]
    return index


def _share_out(kernel: FloatArray, rows: IndexArray, rng: np.random.Generator) -> FloatArray:
    """Return the kernel for inputs of which some are doubled; see the notation above."""
    copies = np.bincount(rows, minlength=kernel.shape[-2])
    shared = kernel[..., rows, :] / copies[rows][:, None].astype(kernel.dtype)
    # An index has both copies of a unit next to each other, so pairs are every other place.
    places = np.flatnonzero(copies[rows] == 2)
    first, second = places[::2], places[1::2]
    spread = kernel.std(axis=tuple(range(1, kernel.ndim)), keepdims=True)
    # A kernel of zeros needs noise too: copies with equal weights on both sides would stay equal for ever.
    n_read = prod(kernel.shape[1:-1])
    spread = np.where(spread > 0, spread, kernel.dtype.type(1 / np.sqrt(n_read)))
    noise = rng.standard_normal((*kernel.shape[:-2], len(first), kernel.shape[-1]), dtype=np.float32)
    noise = (noise * (NOISE * spread)).astype(kernel.dtype)
    shared[..., first, :] += noise
    shared[..., second, :] -= noise
    return shared

"""Morphisms that let a later layer read an earlier tensor too, by sum or side by side.

Where the earlier tensor has more positions than the later one, a pooled copy of it is read: windows of one size and
stride that give as many positions, or the maximum over all of them where the later tensor is a vector.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms.base import (
    Limits,
    Morphism,
    chain,
    edited,
    is_block_end,
    missing_layers,
    plain_fields,
    with_fresh,
    with_summand,
)
from genokeras.graph.reference import Weights
from genokeras.graph.specs import (
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    GlobalPool,
    Input,
    LayerNorm,
    LayerSpec,
    Pool,
)


@dataclass(frozen=True)
class AddSkip(Morphism):
    """Sum a Dense on an earlier tensor to a later one: ``target -> target + Dense(source)``, kernel zero.

    Between sequences or images the Dense is a convolution of kernel size 1, on a pooled copy where positions differ.

    Parameters
    ----------
    source : int
        Id of an Input or of a hidden layer that does not depend on the target.
    target : int
        Id of a hidden layer, or of the logits.
    """

    source: int
    target: int
    name: ClassVar[str] = "add_skip"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[AddSkip]:
        """Yield all pairs but those where a sum right behind the target does the same."""
        sources = _sources(graph)
        return (cls(source, target) for target in sum_targets(graph) for source in sources)

    def problem(self, graph: Graph) -> str | None:
        """Return why the two cannot be joined, or None."""
        if missing := missing_layers(graph, self.source, self.target):
            return missing
        return (
            target_problem(graph, self.target)
            or _source_problem(graph, self.source, self.target)
            or summed_already(graph, self.source, self.target)
        )

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the Dense summed to the target."""
        specs = [
            *(_bridge(graph, self.source, self.target) or ()),
            Dense(graph.known_units(self.target) or 0),
        ]
        skip = chain(graph.next_id(), self.source, specs)
        return with_summand(graph, self.target, skip[-1].id, skip)

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with zeros for the new Dense."""
        new = [la.id for la in edited.layers if la.id not in graph and isinstance(la.spec, Dense)]
        return with_fresh(graph, edited, weights, rng, widths, zero=new)


@dataclass(frozen=True)
class ConcatSkip(Morphism):
    """Let the Dense or Conv layers that read a tensor read an earlier one beside it, with zero weights for that.

    Parameters
    ----------
    source : int
        Id of an Input or of a hidden layer that does not depend on the target.
    target : int
        Id of a hidden layer that only Dense or Conv layers read.
    """

    source: int
    target: int
    name: ClassVar[str] = "concat_skip"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[ConcatSkip]:
        """Yield all pairs of a source and a target."""
        for target in graph.layers:
            if is_block_end(graph, target.id):
                yield from (cls(source, target.id) for source in _sources(graph))

    def problem(self, graph: Graph) -> str | None:
        """Return why the two cannot be put side by side, or None."""
        if missing := missing_layers(graph, self.source, self.target):
            return missing
        if self.target not in graph.hidden:
            return f"{graph.layer(self.target)} is no hidden tensor"
        if reason := _source_problem(graph, self.source, self.target):
            return reason
        for reader in graph.consumers(self.target):
            if not isinstance(graph.layer(reader).spec, (Dense, Conv)):
                kinds = "Dense and Conv" if graph.is_spatial else "Dense"
                return f"{graph.layer(reader)} reads layer {self.target}, but only {kinds} layers may"
        if self.source in _side_by_side(graph, self.target):
            return f"layer {self.source} is beside layer {self.target} already"
        for reader in graph.consumers(self.target):
            others = (graph.layer(id) for id in _summed_with(graph, reader) - {reader})
            if any(isinstance(o.spec, Dense) and self.source in _read_by(graph, o) for o in others):
                return f"a Dense on layer {self.source} is summed to layer {reader} already"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the concatenation between the target and all who read it."""
        copy = chain(graph.next_id(), self.source, _bridge(graph, self.source, self.target) or ())
        beside = copy[-1].id if copy else self.source
        both = Layer(graph.next_id() + len(copy), Concat(), (self.target, beside))
        return edited(graph, [*copy, both], redirect={self.target: both.id})

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with zero rows behind the kernels of all layers that read the target."""
        n_rows = graph.units(widths)[self.source]
        carried = dict(weights)
        for reader in graph.consumers(self.target):
            kernel = weights[reader]["kernel"]
            longer = np.pad(kernel, [(0, 0)] * (kernel.ndim - 2) + [(0, n_rows), (0, 0)])
            carried[reader] = {**weights[reader], "kernel": longer}
        return carried


def sum_targets(graph: Graph) -> Iterator[int]:
    """Yield the tensors to sum something to, but for those where a sum right behind does the same."""
    for target in graph.layers:
        readers = [graph.layer(reader).spec for reader in graph.consumers(target.id)]
        bare = target.spec.own_units is not None and any(
            isinstance(reader, (LayerNorm, BatchNorm, Activation)) for reader in readers
        )
        summed = bool(readers) and all(isinstance(reader, Add) for reader in readers)
        if not summed and (bare or is_block_end(graph, target.id) or target.id == graph.output):
            yield target.id


def target_problem(graph: Graph, target: int) -> str | None:
    """Return why nothing can be summed to a tensor, or None."""
    if target != graph.output and target not in graph.hidden:
        return f"{graph.layer(target)} is neither hidden nor the logits"
    if graph.known_units(target) is None:
        return f"the width of {graph.layer(target)} depends on the Input"
    return None


def summed_already(graph: Graph, source: int, target: int) -> str | None:
    """Return a sentence where the source, or a Dense on it, stands in a sum with the target, or None."""
    terms = [graph.layer(id) for id in _summed_with(graph, target)]
    if graph.layer(source) in terms:
        return f"layer {source} is summed there already"
    if any(isinstance(term.spec, Dense) and source in _read_by(graph, term) for term in terms):
        return f"a Dense on layer {source} is summed there already"
    return None


def _sources(graph: Graph) -> list[int]:
    return [
        layer.id
        for layer in graph.layers
        if (isinstance(layer.spec, Input) and not graph.reads_tokens)
        or (layer.id in graph.hidden and is_block_end(graph, layer.id))
    ]


def _source_problem(graph: Graph, source: int, target: int) -> str | None:
    if source not in graph.inputs and source not in graph.hidden:
        return f"{graph.layer(source)} is neither hidden nor an Input"
    if source == target or target in graph.ancestors(source):
        return f"layer {source} does not come before layer {target}"
    if source == graph.input and graph.reads_tokens:
        return f"{graph.layer(source)} holds token ids"
    if _bridge(graph, source, target) is None:
        return f"layer {source} has fewer positions than layer {target}"
    return None


def _bridge(graph: Graph, source: int, target: int) -> tuple[LayerSpec, ...] | None:
    """Return what brings a tensor to another one's positions, or None where there are too few of them."""
    if not graph.is_spatial:
        return ()
    before, after = (graph.shapes()[id][:-1] for id in (source, target))
    if before == after:
        return ()
    if not after:
        # The maximum of one-hot letters says nothing; how often each comes up does.
        return (GlobalPool("average" if source == graph.input else "max"),)
    if len(before) != len(after) or any(n < m for n, m in zip(before, after, strict=True)):
        return None
    strides = tuple(n // m for n, m in zip(before, after, strict=True))
    size = tuple(n - (m - 1) * s for n, m, s in zip(before, after, strides, strict=True))
    return (Pool("average", size, strides),)


def _pooled(graph: Graph, term: Layer) -> set[int]:
    """Return the tensor that a layer reads, and those of which it is a pooled copy."""
    found: set[int] = set()
    while len(term.inputs) == 1:
        term = graph.layer(term.inputs[0])
        found.add(term.id)
        if not isinstance(term.spec, (Pool, GlobalPool)):
            break
    return found


def _read_by(graph: Graph, term: Layer) -> set[int]:
    """Return the tensors that a Dense layer reads, alone or among others, and those of which they are pooled copies."""
    return _pooled(graph, term) | _side_by_side(graph, term.inputs[0])


def _summed_with(graph: Graph, id: int) -> set[int]:
    """Return the tensors that stand in one sum with this one, sums of sums included, and itself."""
    found: set[int] = set()
    pending = [id]
    while pending:
        term = pending.pop()
        if term in found:
            continue
        found.add(term)
        if isinstance(graph.layer(term).spec, Add):
            pending.extend(graph.layer(term).inputs)
        pending.extend(r for r in graph.consumers(term) if isinstance(graph.layer(r).spec, Add))
    return found


def _side_by_side(graph: Graph, id: int) -> set[int]:
    """Return the tensors that a concatenation holds, those of concatenations in it and pooled ones included."""
    found: set[int] = set()
    pending = [id]
    while pending:
        part = pending.pop()
        if part not in found and isinstance(graph.layer(part).spec, (Concat, Pool, GlobalPool)):
            pending.extend(graph.layer(part).inputs)
        found.add(part)
    return found

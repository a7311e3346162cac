"""Morphisms that add a hidden block with zero outgoing weights: deeper, or beside all there is."""

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
    hidden_block,
    is_block_end,
    missing_layers,
    plain_fields,
    usual_function,
    with_fresh,
    with_summand,
)
from genokeras.graph.reference import Weights
from genokeras.graph.specs import Activation, Add, BatchNorm, Conv, Dense, GlobalPool

BRANCH_WIDTHS = (16, 32, 64, 128)
# Kernel size along each axis of new convolutions, by the number of axes.
USUAL_KERNEL = {1: 5, 2: 3}


@dataclass(frozen=True)
class Deepen(Morphism):
    """Put a residual hidden block behind a hidden tensor h: h + Dense(Dropout(Act(LayerNorm(Dense(h))))).

    Behind a sequence or an image it is h + Conv(Act(BatchNorm(Conv(h)))). The block's outgoing kernel starts at zero, as in "Fixup" (Zhang et al. 2019), so nothing changes, whatever
    the activation.

    Parameters
    ----------
    layer : int
        Id of the layer whose output the block refines.
    """

    layer: int
    name: ClassVar[str] = "deepen"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[Deepen]:
        """Yield one instance for each tensor that blocks pass on."""
        return (cls(layer.id) for layer in graph.layers if is_block_end(graph, layer.id))

    def problem(self, graph: Graph) -> str | None:
        """Return why the layer's output cannot be refined, or None."""
        if missing := missing_layers(graph, self.layer):
            return missing
        if self.layer not in graph.hidden:
            return f"{graph.layer(self.layer)} is no hidden tensor"
        if graph.known_units(self.layer) is None:
            return f"the width of {graph.layer(self.layer)} depends on the Input"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the block; all who read the layer read the sum."""
        block = self._block(graph)
        total = Layer(block[-1].id + 1, Add(), (self.layer, block[-1].id))
        return edited(graph, [*block, total], redirect={self.layer: total.id})

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with a He-normal first and a zero last kernel of the block."""
        return with_fresh(graph, edited, weights, rng, widths, zero=[self._block(graph)[-1].id])

    def _block(self, graph: Graph) -> list[Layer]:
        units, function = graph.known_units(self.layer) or 0, usual_function(graph)
        rank = n_axes(graph, self.layer)
        if not rank:
            return hidden_block(graph.next_id(), self.layer, units, units, function)
        size = (USUAL_KERNEL[rank],) * rank
        specs = (Conv(units, size, bias=False), BatchNorm(), Activation(function), Conv(units, size))
        return chain(graph.next_id(), self.layer, specs)


@dataclass(frozen=True)
class AddBranch(Morphism):
    """Add a hidden block on the Input to the logits, with zero outgoing weights.

    On a sequence or an image, or on embedded tokens, it is a Conv as the graph's first one, BatchNorm, Activation,
    the maximum over all positions, and a Dense.

    Parameters
    ----------
    units : int
        Width of the block.
    """

    units: int
    name: ClassVar[str] = "add_branch"

    def __post_init__(self) -> None:
        plain_fields(self, at_least=1)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[AddBranch]:
        """Yield one instance for each width of `BRANCH_WIDTHS`."""
        return (cls(units) for units in BRANCH_WIDTHS)

    def problem(self, graph: Graph) -> str | None:
        """Return None: every graph can take a branch."""
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the branch summed to the logits."""
        block = self._block(graph)
        return with_summand(graph, graph.output, block[-1].id, block)

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with a He-normal first and a zero last kernel of the branch."""
        return with_fresh(graph, edited, weights, rng, widths, zero=[self._block(graph)[-1].id])

    def _block(self, graph: Graph) -> list[Layer]:
        function = usual_function(graph)
        stem = graph.consumers(graph.input)[0] if graph.reads_tokens else graph.input
        rank = n_axes(graph, stem)
        if not rank:
            return hidden_block(graph.next_id(), stem, self.units, graph.n_outputs, function)
        first = next((la.spec for la in graph.layers if isinstance(la.spec, Conv)), None)
        conv = Conv(
            self.units,
            first.kernel_size if first else (USUAL_KERNEL[rank],) * rank,
            bias=False,
            both_strands=first.both_strands if first else False,
        )
        specs = (conv, BatchNorm(), Activation(function), GlobalPool("max"), Dense(graph.n_outputs))
        return chain(graph.next_id(), stem, specs)


def n_axes(graph: Graph, id: int) -> int:
    """Return the number of axes of positions of a tensor: 0 for a vector, 1 or 2."""
    return len(graph.shapes()[id]) - 1 if graph.is_spatial else 0

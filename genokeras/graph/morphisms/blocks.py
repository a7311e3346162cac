"""Morphisms that add a hidden block with zero outgoing weights: deeper, or beside all there is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms.base import (
    Morphism,
    edited,
    he_normal,
    hidden_block,
    input_units_of,
    is_block_end,
    missing_layers,
    plain_fields,
    with_summand,
    zeros,
)
from genokeras.graph.reference import Weights
from genokeras.graph.specs import Add

BRANCH_WIDTHS = (16, 32, 64, 128)


@dataclass(frozen=True)
class Deepen(Morphism):
    """Put a residual hidden block behind a hidden tensor h: h + Dense(Dropout(Act(LayerNorm(Dense(h))))).

    The block's outgoing Dense starts at zero, as in "Fixup" (Zhang et al. 2019), so nothing changes, whatever
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
    def candidates(cls, graph: Graph) -> Iterator[Deepen]:
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
        first = graph.next_id()
        units = graph.known_units(self.layer) or 0
        block = hidden_block(first, self.layer, units, units)
        total = Layer(block[-1].id + 1, Add(), (self.layer, block[-1].id))
        return edited(graph, [*block, total], redirect={self.layer: total.id})

    def carry(self, graph: Graph, edited: Graph, weights: Weights, rng: np.random.Generator) -> Weights:
        """Return the weights with a He-normal first and a zero last Dense of the block."""
        first = graph.next_id()
        units = graph.known_units(self.layer) or 0
        return {
            **weights,
            first: he_normal(weights, units, units, rng),
            first + 4: zeros(weights, units, units),
        }


@dataclass(frozen=True)
class AddBranch(Morphism):
    """Add a hidden block on the Input to the logits, with zero outgoing weights.

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
    def candidates(cls, graph: Graph) -> Iterator[AddBranch]:
        """Yield one instance for each width of `BRANCH_WIDTHS`."""
        return (cls(units) for units in BRANCH_WIDTHS)

    def problem(self, graph: Graph) -> str | None:
        """Return None: every graph can take a branch."""
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the branch summed to the logits."""
        block = hidden_block(graph.next_id(), graph.input, self.units, graph.n_outputs)
        return with_summand(graph, graph.output, block[-1].id, block)

    def carry(self, graph: Graph, edited: Graph, weights: Weights, rng: np.random.Generator) -> Weights:
        """Return the weights with a He-normal first and a zero last Dense of the branch."""
        first = graph.next_id()
        n_inputs = input_units_of(graph, weights)
        return {
            **weights,
            first: he_normal(weights, n_inputs, self.units, rng),
            first + 4: zeros(weights, self.units, graph.n_outputs),
        }

"""Morphisms that let a graph of vectors read a further view of the data, or products of what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from genokeras.errors import GraphError
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms.base import (
    Limits,
    Morphism,
    chain,
    hidden_block,
    missing_layers,
    with_fresh,
    with_summand,
)
from genokeras.graph.morphisms.blocks import BRANCH_WIDTHS
from genokeras.graph.morphisms.skips import sum_targets, summed_already, target_problem
from genokeras.graph.reference import Weights
from genokeras.graph.specs import Activation, Dense, Dropout, Input
from genokeras.graph.specs.base import checked_view
from genokeras.support.checks import check_whole

PRODUCT_WIDTHS = (16, 32)


@dataclass(frozen=True)
class AddInput(Morphism):
    """Sum what an Input of another view says to a later tensor, with zero outgoing weights.

    That is a Dense on the Input, or a hidden block: Dense(Dropout(Act(LayerNorm(Dense(view))))). The Input is the one
    of that view where the graph has it, and a new one otherwise.

    Parameters
    ----------
    view : str
        Name of the view that the Input reads.
    target : int
        Id of a hidden layer, or of the logits.
    units : int
        Width of the hidden block; 0 is none.
    """

    view: str
    target: int
    units: int
    name: ClassVar[str] = "add_input"

    def __post_init__(self) -> None:
        checked_view(self.view, "AddInput.view")
        for name in ("target", "units"):
            value = check_whole(getattr(self, name), f"AddInput.{name}", 0, error=GraphError)
            object.__setattr__(self, name, value)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[AddInput]:
        """Yield each view with each target: a Dense alone, and beside the logits also blocks of `BRANCH_WIDTHS`."""
        full = len(graph.inputs) >= limits.max_inputs
        for view in limits.views:
            if full and _input_of(graph, view) is None:
                continue
            for target in sum_targets(graph):
                widths = BRANCH_WIDTHS if target == graph.output else ()
                yield from (cls(view, target, units) for units in (0, *widths))

    def problem(self, graph: Graph) -> str | None:
        """Return why the view cannot be summed there, or None."""
        if graph.input_shape is not None:
            return f"{graph.layer(graph.input)} has a shape, so it is the only Input"
        if missing := missing_layers(graph, self.target):
            return missing
        if reason := target_problem(graph, self.target):
            return reason
        source = _input_of(graph, self.view)
        return None if source is None or self.units else summed_already(graph, source, self.target)

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the Input, if it is new, and its branch summed to the target."""
        added = self._added(graph)
        return with_summand(graph, self.target, added[-1].id, added)

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with a zero kernel for the last Dense of the branch, He-normal before it."""
        return with_fresh(graph, edited, weights, rng, widths, zero=[self._added(graph)[-1].id])

    def _added(self, graph: Graph) -> list[Layer]:
        new, source, first = _source(graph, self.view)
        outputs = graph.known_units(self.target) or 0
        if self.units:
            return new + hidden_block(first, source, self.units, outputs)
        return new + chain(first, source, [Dense(outputs)])


@dataclass(frozen=True)
class AddProducts(Morphism):
    """Sum products of pairs of features to the logits: Dense(Dropout(Dense(view)^2)), with zero outgoing weights.

    A weighted sum of squares of linear units is a quadratic form of low rank, so that a linear model becomes a
    factorisation machine of degree 2 (Rendle 2010, "Factorization machines", ICDM, equation 1).

    Parameters
    ----------
    view : str
        Name of the view whose features are multiplied; its Input is new where the graph has none. Empty is the main Input.
    units : int
        Number of linear units: the rank of the form at most.
    """

    view: str
    units: int
    name: ClassVar[str] = "add_products"

    def __post_init__(self) -> None:
        if self.view:
            checked_view(self.view, "AddProducts.view")
        elif self.view != "":
            raise GraphError(f"AddProducts.view must be the name of a view, or empty; got {self.view!r}.")
        object.__setattr__(self, "units", check_whole(self.units, "AddProducts.units", error=GraphError))

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[AddProducts]:
        """Yield the main Input and each view with each of `PRODUCT_WIDTHS`."""
        full = len(graph.inputs) >= limits.max_inputs
        for view in ("", *limits.views):
            if not view or not full or _input_of(graph, view) is not None:
                yield from (cls(view, units) for units in PRODUCT_WIDTHS)

    def problem(self, graph: Graph) -> str | None:
        """Return why there can be no products, or None."""
        if graph.input_shape is not None:
            return f"{graph.layer(graph.input)} has a shape; products are of vectors"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the Input, if it is new, and the products summed to the logits."""
        added = self._added(graph)
        return with_summand(graph, graph.output, added[-1].id, added)

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with a He-normal first and a zero last kernel of the branch."""
        return with_fresh(graph, edited, weights, rng, widths, zero=[self._added(graph)[-1].id])

    def _added(self, graph: Graph) -> list[Layer]:
        new, source, first = _source(graph, self.view)
        specs = (Dense(self.units), Activation("square"), Dropout(), Dense(graph.n_outputs))
        return new + chain(first, source, specs)


def _source(graph: Graph, view: str) -> tuple[list[Layer], int, int]:
    """Return the Input that has to be added for a view, the id of its Input, and the next free id; "" is the main Input."""
    first, known = graph.next_id(), _input_of(graph, view) if view else graph.input
    return ([], known, first) if known is not None else ([Layer(first, Input(view=view))], first, first + 1)


def _input_of(graph: Graph, view: str) -> int | None:
    """Return the id of the Input that names this view, or None."""
    return next((id for id, name in graph.views("").items() if name == view), None)

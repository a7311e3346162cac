"""A graph of vectors as a list of nodes of one form, so that different graphs fit into one program.

A node sums what it reads, and may normalise the sum, apply a function and drop units, in this order:

    h_j = dropout(function(norm(sum of Dense layers on inputs and earlier nodes + sum of earlier nodes)))

The logits are a sum of Dense layers on inputs and nodes. What morphisms grow can be written so; a graph that normalises a
concatenation, or adds the Input itself, can not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.specs import Activation, Add, Concat, Dense, Dropout, Input, LayerNorm

# What a node may do to its sum, in this order.
_SUMMED, _NORMALISED, _ACTIVATED, _DROPPED = range(4)
_STAGES: dict[type, int] = {LayerNorm: _NORMALISED, Activation: _ACTIVATED, Dropout: _DROPPED}


@dataclass(frozen=True)
class Part:
    """A part of what a Dense layer reads: an Input by its id, or else a node by its number."""

    input: int | None = None
    node: int | None = None


@dataclass(frozen=True)
class Summand:
    """A Dense layer, and the tensors side by side that it reads."""

    layer: int
    parts: tuple[Part, ...]

    @property
    def reads_inputs(self) -> bool:
        """Whether an Input is among its parts."""
        return any(part.input is not None for part in self.parts)


@dataclass(frozen=True)
class Node:
    """One node of the form.

    Attributes
    ----------
    units : int
    summands : tuple of Summand
    carried : tuple of int
        Numbers of the earlier nodes that are summed as they are.
    normalised : bool
    function : str or None
        As in `Activation`; ``"linear"`` without one.
    rate : float or None
        As in `Dropout`; 0 without one.
    dropout : int or None
        Id of the Dropout layer.
    """

    units: int
    summands: tuple[Summand, ...] = ()
    carried: tuple[int, ...] = ()
    normalised: bool = False
    function: str | None = "linear"
    rate: float | None = 0.0
    dropout: int | None = None

    @property
    def reads_inputs(self) -> bool:
        """Whether one of its Dense layers reads an Input."""
        return any(summand.reads_inputs for summand in self.summands)

    @property
    def reads_nodes(self) -> frozenset[int]:
        """Numbers of the nodes that it needs."""
        return frozenset(self.carried).union(
            part.node for summand in self.summands for part in summand.parts if part.node is not None
        )


@dataclass(frozen=True)
class NodeForm:
    """A graph as nodes, each behind those that it reads, and the Dense layers that make the logits.

    Attributes
    ----------
    nodes : tuple of Node
        Those that read an Input stand as far in front as they can.
    output : tuple of Summand
    """

    nodes: tuple[Node, ...]
    output: tuple[Summand, ...]

    @property
    def n_reading(self) -> int:
        """Number of nodes up to the last one that reads an Input."""
        return max((number for number, node in enumerate(self.nodes, 1) if node.reads_inputs), default=0)

    @property
    def units(self) -> int:
        """Units of the widest node; 0 without nodes."""
        return max((node.units for node in self.nodes), default=0)

    def padded_parameters(self, input_units: int) -> int:
        """Weights of the smallest arrays that hold the graph where all nodes are as wide as the widest, but for the logits'."""
        inner = len(self.nodes) * (len(self.nodes) - 1) // 2 * self.units**2
        return input_units * (self.n_reading * self.units) + inner

    @property
    def functions(self) -> frozenset[str | None]:
        """Functions of its nodes, None for that of the hyper-parameters; "linear" is none, and squares do not count."""
        return frozenset(node.function for node in self.nodes) - {"linear", "square"}

    @property
    def squares(self) -> bool:
        """Whether a node is squared."""
        return any(node.function == "square" for node in self.nodes)


class _DoesNotFit(Exception):
    """The graph has no node form."""


@dataclass(frozen=True)
class _Pending:
    """A node that what reads it may still add to."""

    node: Node
    stage: int = _SUMMED


_Value = _Pending | tuple[Part, ...]


@lru_cache(maxsize=4096)
def node_form(graph: Graph) -> NodeForm | None:
    """Return the graph as nodes, or None where it can not be written so.

    Parameters
    ----------
    graph : Graph
        Of vectors; a graph of sequences or images has no node form.
    """
    if graph.input_shape is not None:
        return None
    try:
        return _Builder(graph).form()
    except _DoesNotFit:
        return None


@dataclass
class _Builder:
    """Reads the layers in their order."""

    graph: Graph
    nodes: list[Node] = field(default_factory=list)
    values: dict[int, _Value] = field(default_factory=dict)

    def form(self) -> NodeForm:
        for layer in self.graph.layers:
            self.values[layer.id] = self._value(layer)
        last = self.values[self.graph.output]
        if not isinstance(last, _Pending) or last.stage != _SUMMED or last.node.carried:
            raise _DoesNotFit
        found = _inputs_first(self.nodes, last.node.summands)
        for node in (*found.nodes, Node(0, found.output)):
            _check_parts_differ(node)
        return found

    def _value(self, layer: Layer) -> _Value:
        match layer.spec:
            case Input():
                return (Part(input=layer.id),)
            case Dense(units=units):
                return _Pending(Node(units, (Summand(layer.id, self._parts(layer.inputs[0])),)))
            case Concat():
                return tuple(part for source in layer.inputs for part in self._parts(source))
            case Add():
                return self._sum(layer)
            case LayerNorm() | Activation() | Dropout():
                return self._applied(layer)
        raise _DoesNotFit

    def _parts(self, id: int) -> tuple[Part, ...]:
        """A tensor as something that a Dense layer can read."""
        value = self.values[id]
        if isinstance(value, _Pending):
            self.nodes.append(value.node)
            value = self.values[id] = (Part(node=len(self.nodes) - 1),)
        return value

    def _node(self, id: int) -> int:
        """The number of the node that a tensor is."""
        parts = self._parts(id)
        if len(parts) > 1 or parts[0].node is None:
            raise _DoesNotFit
        return parts[0].node

    def _open(self, id: int, stage: int) -> _Pending:
        """A node at this stage or before that nobody else reads: the tensor's own, or one that carries it on."""
        value = self.values[id]
        if isinstance(value, _Pending) and value.stage < stage and len(self.graph.consumers(id)) == 1:
            return value
        number = self._node(id)
        return _Pending(Node(self.nodes[number].units, carried=(number,)))

    def _sum(self, layer: Layer) -> _Pending:
        terms = [
            self._open(source, _NORMALISED).node
            if layer.inputs.count(source) == 1
            else Node(self.nodes[self._node(source)].units, carried=(self._node(source),))
            for source in layer.inputs
        ]
        return _Pending(
            Node(
                terms[0].units,
                tuple(summand for term in terms for summand in term.summands),
                tuple(number for term in terms for number in term.carried),
            )
        )

    def _applied(self, layer: Layer) -> _Pending:
        stage = _STAGES[type(layer.spec)]
        node = self._open(layer.inputs[0], stage).node
        match layer.spec:
            case LayerNorm():
                node = replace(node, normalised=True)
            case Activation(function=function):
                node = replace(node, function=function)
            case Dropout(rate=rate):
                node = replace(node, rate=rate, dropout=layer.id)
        return _Pending(node, stage)


def _inputs_first(nodes: Sequence[Node], output: tuple[Summand, ...]) -> NodeForm:
    """The nodes in another topological order: whenever one that reads an Input can come next, it does."""
    order: list[int] = []
    left = list(range(len(nodes)))
    while left:
        ready = [n for n in left if nodes[n].reads_nodes.issubset(order)]
        chosen = next((n for n in ready if nodes[n].reads_inputs), ready[0])
        order.append(chosen)
        left.remove(chosen)
    place = {old: new for new, old in enumerate(order)}

    def moved(summands: tuple[Summand, ...]) -> tuple[Summand, ...]:
        return tuple(
            Summand(s.layer, tuple(p if p.node is None else Part(node=place[p.node]) for p in s.parts))
            for s in summands
        )

    return NodeForm(
        tuple(
            replace(
                nodes[old],
                summands=moved(nodes[old].summands),
                carried=tuple(place[number] for number in nodes[old].carried),
            )
            for old in order
        ),
        moved(output),
    )


def _check_parts_differ(node: Node) -> None:
    """Two kernels on one tensor would have to share their place."""
    parts = [part for summand in node.summands for part in summand.parts]
    if len(set(parts)) < len(parts):
        raise _DoesNotFit

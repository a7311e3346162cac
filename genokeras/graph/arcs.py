"""Arcs: the architectures of the ENAS space for fully connected networks, as values, as text and as graphs.

The space is the macro space of Pham et al. (2018, arXiv:1802.03268, section 2.3) with Dense layers in place of
convolutions. Behind the features stands a *stem* of ``max_channel`` units; ``n_layers`` layers follow.

================  ============================================================
symbol            meaning
================  ============================================================
L                 layers behind the stem, ``n_layers``
source 0          the stem
source j          layer j - 1
op of layer k     which of the five widths it has, 0 the narrowest
bit j of layer k  whether source j comes in beside the layer before, j < k
================  ============================================================

A layer always reads the layer before (layer 0 the stem, source k for layer k), so that it has k bits: for the stem and
for all the layers before the one that it reads anyway. The one bit of layer 1 is therefore the stem's, as it is in the
authors' own program. Stem and layers are Dense, LayerNorm, Activation, Dropout; the logits are a Dense on the last.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from genokeras.errors import GraphError, ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.specs import Activation, Concat, Dense, Dropout, Input, LayerNorm, LayerSpec
from genokeras.support.checks import check_whole

N_WIDTHS = 5
_TEXT = re.compile(r"\[?\s*(\d+(?:[\s,]+\d+)*)\s*\]?")


@dataclass(frozen=True)
class Arc:
    """One architecture of the space.

    Parameters
    ----------
    ops : tuple of int
        For each layer the number of its width, 0 to 4.
    skips : tuple of tuple of int
        For each layer ``k`` its ``k`` bits: the stem first, then layer 0, and so on to layer ``k - 2``.

    Raises
    ------
    ParameterError
        If there is no layer, an op is none of 0 to 4, or bits are missing, left over or not 0 or 1.

    Examples
    --------
    >>> print(Arc((3, 0, 2), ((), (1,), (1, 1))))
    [3 0 1 2 1 1]
    """

    ops: tuple[int, ...]
    skips: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ops", tuple(int(op) for op in self.ops))
        object.__setattr__(self, "skips", tuple(tuple(int(bit) for bit in bits) for bits in self.skips))
        if not self.ops or len(self.skips) != len(self.ops):
            raise ParameterError(
                f"an arc needs one op and one tuple of bits for each of its layers, at least one: got {len(self.ops)} "
                f"ops and {len(self.skips)} tuples of bits."
            )
        for layer, (op, bits) in enumerate(zip(self.ops, self.skips, strict=True)):
            if not 0 <= op < N_WIDTHS:
                raise ParameterError(f"the op of layer {layer} must be 0 to {N_WIDTHS - 1}, got {op}.")
            if len(bits) != layer or not set(bits) <= {0, 1}:
                raise ParameterError(
                    f"layer {layer} of an arc has {layer} skip bits, each 0 or 1; got {list(bits)}."
                )

    @property
    def n_layers(self) -> int:
        return len(self.ops)

    @property
    def tokens(self) -> tuple[int, ...]:
        """The numbers as they are printed: each layer's op, then its bits."""
        return tuple(token for op, bits in zip(self.ops, self.skips, strict=True) for token in (op, *bits))

    def __str__(self) -> str:
        return f"[{' '.join(map(str, self.tokens))}]"

    @classmethod
    def from_tokens(cls, tokens: Sequence[int]) -> Arc:
        """The inverse of :attr:`tokens`.

        Raises
        ------
        ParameterError
            If no number of layers has this length, or one is out of its range.
        """
        values = [int(token) for token in tokens]
        n_layers = 0
        while n_layers * (n_layers + 1) // 2 < len(values):
            n_layers += 1
        if not values or n_layers * (n_layers + 1) // 2 != len(values):
            raise ParameterError(
                f"an arc of 1, 2, 3, 4, ... layers has 1, 3, 6, 10, ... numbers; got {len(values)}: {values}."
            )
        starts = [k * (k + 1) // 2 for k in range(n_layers)]
        return cls(
            tuple(values[start] for start in starts),
            tuple(tuple(values[start + 1 : start + 1 + k]) for k, start in enumerate(starts)),
        )

    @classmethod
    def parse(cls, text: str) -> Arc:
        """Read what ``str`` prints, such as ``"[3 0 1 2 1 1]"``; commas and missing brackets are fine.

        Raises
        ------
        ParameterError
            If it is no such text.
        """
        found = _TEXT.fullmatch(text.strip())
        if found is None:
            raise ParameterError(f"an arc is written as '[3 0 1 2 1 1]'; got {text!r}.")
        try:
            return cls.from_tokens([int(token) for token in re.split(r"[\s,]+", found[1])])
        except ParameterError as error:
            raise ParameterError(f"{text!r} is no arc: {error}") from None


@dataclass(frozen=True)
class ArcSpace:
    """All arcs of ``n_layers`` layers, each of one of five widths: fifths of ``max_channel``.

    Parameters
    ----------
    n_layers : int
        Layers behind the stem, 1 or more (``child_num_layers``).
    max_channel : int
        Units of the stem and of the widest layers, 5 or more (``max_search_channel``).

    Raises
    ------
    ParameterError
        If a number is no integer or too small.

    Examples
    --------
    >>> ArcSpace(3, 512).widths, ArcSpace(3, 512).size
    ((102, 205, 307, 410, 512), 1000)
    """

    n_layers: int
    max_channel: int

    def __post_init__(self) -> None:
        what = {"n_layers": "layers behind the stem", "max_channel": "units of the widest layer"}
        for name, fewest in (("n_layers", 1), ("max_channel", N_WIDTHS)):
            value = check_whole(getattr(self, name), f"{name} ({what[name]})", fewest)
            object.__setattr__(self, name, value)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units that ops 0 to 4 stand for: one to five fifths of ``max_channel``, rounded; all different."""
        return tuple((2 * fifths * self.max_channel + N_WIDTHS) // (2 * N_WIDTHS) for fifths in range(1, 6))

    @property
    def n_skips(self) -> int:
        """Number of an arc's skip bits."""
        return self.n_layers * (self.n_layers - 1) // 2

    @property
    def size(self) -> int:
        """Number of arcs: ``5^L 2^(L (L - 1) / 2)``."""
        return N_WIDTHS**self.n_layers * 2**self.n_skips

    @property
    def choices(self) -> tuple[int, ...]:
        """For each of an arc's tokens the number of values it may have."""
        return tuple(n for k in range(self.n_layers) for n in (N_WIDTHS, *(2,) * k))

    def check(self, arc: Arc) -> Arc:
        """Return ``arc``, or raise ParameterError where it has another number of layers."""
        if arc.n_layers != self.n_layers:
            raise ParameterError(
                f"arcs of this space have {self.n_layers} layers, but {arc} has {arc.n_layers}."
            )
        return arc

    def all_arcs(self) -> Iterator[Arc]:
        """Every arc once, in the order of their tokens; lazily, for there may be billions."""
        return map(Arc.from_tokens, itertools.product(*map(range, self.choices)))

    def random(self, rng: np.random.Generator) -> Arc:
        """An arc drawn uniformly."""
        return Arc.from_tokens(rng.integers(0, self.choices).tolist())

    def mutate(self, arc: Arc, rng: np.random.Generator) -> Arc:
        """An arc that differs in one token, drawn uniformly, which gets one of its other values."""
        tokens = list(self.check(arc).tokens)
        place = int(rng.integers(len(tokens)))
        other = 1 + int(rng.integers(self.choices[place] - 1))
        tokens[place] = (tokens[place] + other) % self.choices[place]
        return Arc.from_tokens(tokens)

    def units(self, arc: Arc) -> tuple[int, ...]:
        """Units of the stem and of every layer of an arc."""
        return (self.max_channel, *(self.widths[op] for op in self.check(arc).ops))


def arc_to_graph(arc: Arc, space: ArcSpace, n_outputs: int) -> Graph:
    """The network that an arc stands for.

    A layer into which skips come reads a Concat: the layer before it first, then the others from the stem on. A Dense on
    a Concat is the sum of one Dense on each part, which is what the supernet computes when it adds what comes in.

    Parameters
    ----------
    arc : Arc
    space : ArcSpace
    n_outputs : int
        Number of logits.

    Raises
    ------
    ParameterError
        If the arc is none of the space's.

    Examples
    --------
    >>> arc_to_graph(Arc.parse("[0 4 1]"), ArcSpace(2, 10), 3).describe()
    '[10-2-10 1 concat]'
    """
    layers = [Layer(0, Input())]

    def append(spec: LayerSpec, *inputs: int) -> int:
        layers.append(Layer(len(layers), spec, inputs))
        return layers[-1].id

    sources: list[int] = []
    for number, units in enumerate(space.units(arc)):
        reads = sources[-1:]
        if number:
            reads += [sources[j] for j, bit in enumerate(arc.skips[number - 1]) if bit]
        joined = append(Concat(), *reads) if len(reads) > 1 else (reads or [0])[0]
        last = append(Activation(), append(LayerNorm(), append(Dense(units), joined)))
        sources.append(append(Dropout(), last))
    append(Dense(n_outputs), sources[-1])
    return Graph.build(layers)


def graph_to_arc(graph: Graph, space: ArcSpace) -> Arc:
    """The arc whose network a graph is; ids do not matter.

    Raises
    ------
    GraphError
        If the graph is no arc's of the space; the message says where it differs.
    """
    dense = [layer for layer in graph.layers if isinstance(layer.spec, Dense)]
    if len(dense) != space.n_layers + 2:
        raise GraphError(
            f"a graph of this space has {space.n_layers + 2} Dense layers (stem, {space.n_layers} layers, logits), "
            f"but this one has {len(dense)}: {graph.describe()}."
        )
    ops = [_op_of(graph, layer.id, space) for layer in dense[1:-1]]
    block_of = _blocks(graph)
    skips = []
    for number, layer in enumerate(dense[1:-1]):
        read = graph.layer(layer.inputs[0])
        sources = read.inputs if isinstance(read.spec, Concat) else (read.id,)
        came = {block_of[source] for source in sources}
        skips.append(tuple(int(source in came) for source in range(number)))
    arc = Arc(tuple(ops), tuple(skips))
    if arc_to_graph(arc, space, graph.n_outputs).fingerprint() != graph.fingerprint():
        raise GraphError(
            f"the graph {graph.describe()} is no arc's: {arc} is the nearest, but its layers or what they read differ."
        )
    return arc


def _op_of(graph: Graph, id: int, space: ArcSpace) -> int:
    units = graph.known_units(id)
    if units not in space.widths:
        raise GraphError(f"{graph.layer(id)} has {units} units; the widths of this space are {space.widths}.")
    return space.widths.index(units)


def _blocks(graph: Graph) -> dict[int, int]:
    """For each layer the number of Dense layers up to the one whose output it passes on, less 1; the Input has -1."""
    block_of: dict[int, int] = {}
    n_dense = 0
    for layer in graph.layers:
        if isinstance(layer.spec, Dense):
            block_of[layer.id], n_dense = n_dense, n_dense + 1
        else:
            block_of[layer.id] = block_of[layer.inputs[0]] if layer.inputs else -1
    return block_of

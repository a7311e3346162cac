"""Different graphs in arrays of one shape: where each Dense layer of a graph stands in the padded weights.

A graph is written as nodes (`genokeras.graph.node_form`); all nodes are padded to one width, and graphs with fewer nodes have nodes
that nothing reads. What is padding holds zeros and stays so, because its gradient is masked.

=========  ==================================================================  =======================
symbol     meaning                                                             shape
=========  ==================================================================  =======================
M          members
R          columns of what a member reads: its views side by side
N, N_in    nodes; the first N_in of them may read inputs
W, k       units of a node, outputs
linear     from the inputs to the logits                                       ``(M, R, k)``
output     from all nodes to the logits, and the bias                          ``(M, N W, k)``, ``(M, 1, k)``
input      from the inputs to the first nodes                                  ``(M, R, N_in W)``
bias       of all nodes                                                        ``(M, 1, N W)``
inner s    from node s to all nodes behind it                                  ``(M, W, (N - 1 - s) W)``
=========  ==================================================================  =======================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genokeras.errors import GraphError
from genokeras.graph import Graph, Summand, Weights, node_form

LINEAR, OUTPUT_BIAS, OUTPUT, BIAS, INPUT, INNER = range(6)
# First column and number of columns of the inputs, by the id of the Input that reads them.
Columns = Mapping[int, tuple[int, int]]
_WIDTHS = (16, 32, 64, 128, 256)
_NODES = (0, 1, 2, 3, 4, 5, 6, 8)
_MOST_NODES, _MOST_UNITS = _NODES[-1], _WIDTHS[-1]


@dataclass(frozen=True)
class ShapeClass:
    """The shapes that a compiled program is made for.

    Attributes
    ----------
    input_units : int
        R.
    nodes, reading : int
        N and N_in.
    units : int
        W.
    outputs : int
        k.
    squares : bool
        Whether nodes may be squared.
    """

    input_units: int
    nodes: int
    reading: int
    units: int
    outputs: int
    squares: bool = False

    def holds(self, other: ShapeClass) -> bool:
        """Whether graphs of the other class fit into this one, too."""
        return (
            self.outputs == other.outputs
            and self.input_units >= other.input_units
            and self.nodes >= other.nodes
            and self.reading >= other.reading
            and self.units >= other.units
            and self.squares >= other.squares
        )

    def shapes(self) -> list[tuple[int, int]]:
        """Shapes of one member's arrays: see the table of this module; without nodes there are two of them."""
        wide = self.nodes * self.units
        found = [(self.input_units, self.outputs), (1, self.outputs)]
        if self.nodes:
            found += [(wide, self.outputs), (1, wide), (self.input_units, self.reading * self.units)]
            found += [(self.units, (self.nodes - 1 - s) * self.units) for s in range(self.nodes - 1)]
        return found

    def cost(self, n_rows: int) -> float:
        """About how long a step of one member takes, in numbers that are moved.

        Every weight is moved about as often as every number of a node and row; a product counts as a twentieth of that.
        """
        weights = sum(rows * columns for rows, columns in self.shapes())
        moved = (3 if self.squares else 2) * self.nodes * self.units + self.input_units
        return weights * (1 + n_rows / 20) + n_rows * moved


def class_of(graph: Graph, input_units: int) -> ShapeClass | None:
    """The smallest usual class that a graph fits into, or None where it fits into none.

    All nodes of a graph have one function, or none; any of them may be squares.

    Parameters
    ----------
    graph : Graph
    input_units : int
        Columns of all its views together.
    """
    form = node_form(graph)
    if form is None or len(form.nodes) > _MOST_NODES or form.units > _MOST_UNITS or len(form.functions) > 1:
        return None
    if not form.nodes:
        return ShapeClass(input_units, 0, 0, 0, graph.n_outputs)
    nodes = next(n for n in _NODES if n >= len(form.nodes))
    units = next(n for n in _WIDTHS if n >= form.units)
    return ShapeClass(input_units, nodes, form.n_reading, units, graph.n_outputs, form.squares)


def function_of(graph: Graph, activation: str) -> str:
    """The function that the nodes of a graph have; `activation` where they name none."""
    form = node_form(graph)
    named = [] if form is None else [name for name in form.functions if name is not None]
    return named[0] if named else activation


@dataclass(frozen=True)
class Region:
    """Rows of a Dense layer's kernel, and where they stand in the padded arrays."""

    layer: int
    kernel_row: int
    array: int
    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Placement:
    """Where the weights of one graph stand in the arrays of a shape class.

    Attributes
    ----------
    shape : ShapeClass
    regions : tuple of Region
        Of kernels.
    biases : tuple of Region
        One for each Dense layer; those of one node stand in one place, where they are summed.
    """

    shape: ShapeClass
    regions: tuple[Region, ...]
    biases: tuple[Region, ...]

    def arrays(self, weights: Weights, members: int) -> list[np.ndarray]:
        """A graph's weights, with a leading member axis, as padded arrays ``(members, ...)`` float32."""
        found = self._zeros(members)
        for region in self.regions:
            kernel = weights[region.layer]["kernel"]
            _place(found, region)[...] = kernel[:, region.kernel_row : region.kernel_row + region.rows]
        for region in self.biases:
            _place(found, region)[...] += weights[region.layer]["bias"][:, None]
        return found

    def masks(self) -> list[np.ndarray]:
        """``(1, ...)`` float32: 1 where a weight of the graph stands, 0 where padding does."""
        found = self._zeros(1)
        for region in (*self.regions, *self.biases):
            _place(found, region)[...] = 1.0
        return found

    def weights(self, arrays: Sequence[np.ndarray]) -> Weights:
        """The inverse of `arrays`; of biases that were summed the first Dense layer has all, the others have zeros."""
        found: Weights = {}
        for region in self.regions:
            part = _place(arrays, region)
            have = found.setdefault(region.layer, {})
            have["kernel"] = (
                np.concatenate([have["kernel"], part], axis=1) if "kernel" in have else part.copy()
            )
        seen: set[tuple[int, int]] = set()
        for region in self.biases:
            bias = _place(arrays, region)[:, 0]
            place = (region.array, region.column)
            found[region.layer]["bias"] = np.zeros_like(bias) if place in seen else bias.copy()
            seen.add(place)
        return found

    def _zeros(self, members: int) -> list[np.ndarray]:
        return [np.zeros((members, *shape), dtype="float32") for shape in self.shape.shapes()]


def place(graph: Graph, shape: ShapeClass, columns: Columns) -> Placement:
    """Where the weights of a graph stand.

    Parameters
    ----------
    graph : Graph
    shape : ShapeClass
        That holds the graph.
    columns : mapping of int to (int, int)
        Which columns each Input of the graph reads.

    Raises
    ------
    GraphError
        If the graph does not fit.
    """
    form = node_form(graph)
    read = max(first + n for first, n in columns.values())
    if form is None or not shape.holds(
        ShapeClass(read, len(form.nodes), form.n_reading, form.units, graph.n_outputs, form.squares)
    ):
        raise GraphError(f"the graph {graph.describe()} does not fit into a program for {shape}.")
    targets = [(form.output, None), *((node.summands, number) for number, node in enumerate(form.nodes))]
    regions: list[Region] = []
    biases: list[Region] = []
    for summands, target in targets:
        units = graph.n_outputs if target is None else form.nodes[target].units
        for summand in summands:
            sources = _sources(summand, [node.units for node in form.nodes], columns)
            regions += _regions(summand.layer, sources, target, units, shape.units)
            array, column = (OUTPUT_BIAS, 0) if target is None else (BIAS, target * shape.units)
            biases.append(Region(summand.layer, 0, array, 0, column, 1, units))
    return Placement(shape, tuple(regions), tuple(biases))


def _sources(
    summand: Summand, units: Sequence[int], columns: Columns
) -> Iterator[tuple[int | None, int, int, int]]:
    """Of each part: the node (None for an Input), its first row in the kernel, its first column or unit, its size."""
    row = 0
    for part in summand.parts:
        if part.input is not None:
            first, size = columns[part.input]
        else:
            assert part.node is not None
            first, size = 0, units[part.node]
        yield part.node, row, first, size
        row += size


def _regions(
    layer: int,
    sources: Iterator[tuple[int | None, int, int, int]],
    target: int | None,
    units: int,
    width: int,
) -> Iterator[Region]:
    for node, kernel_row, first, size in sources:
        if target is None:
            array, row, column = (LINEAR, first, 0) if node is None else (OUTPUT, node * width, 0)
        elif node is None:
            array, row, column = INPUT, first, target * width
        else:
            array, row, column = INNER + node, 0, (target - node - 1) * width
        yield Region(layer, kernel_row, array, row, column, size, units)


def _place(arrays: Sequence[np.ndarray], region: Region) -> np.ndarray:
    rows = slice(region.row, region.row + region.rows)
    return arrays[region.array][:, rows, region.column : region.column + region.columns]

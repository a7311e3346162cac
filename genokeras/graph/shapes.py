"""What shape each tensor of a graph has; errors name the layer that does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from genokeras.errors import GraphError
from genokeras.graph.layer import Layer
from genokeras.graph.specs import Add, Concat, Dense, Input, Shape, plain_ints
from genokeras.support.checks import check_whole

# Width of each Input, or of all of them; the shape of the only one.
InputUnits = int | Sequence[int] | Mapping[int, int]


@dataclass(frozen=True)
class Width:
    """Width of a tensor: a number of units, and how often the width of each Input comes on top.

    Attributes
    ----------
    units : int
    inputs : mapping of int to int
        Input id to the number of times its width counts; never 0.
    """

    units: int
    inputs: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: Width) -> Width:
        return self._with(other, 1)

    def __sub__(self, other: Width) -> Width:
        return self._with(other, -1)

    def _with(self, other: Width, sign: int) -> Width:
        counts = Counter(self.inputs)
        for id, n in other.inputs.items():
            counts[id] += sign * n
        return Width(self.units + sign * other.units, {id: n for id, n in counts.items() if n})


def affine_widths(layers: Sequence[Layer]) -> dict[int, Width]:
    """Return the width of every tensor, as it depends on those of the Inputs.

    Raises
    ------
    GraphError
        If an Add reads different fixed widths, or a layer needs to know the shape of the Input.
    """
    widths: dict[int, Width] = {}
    for layer in layers:
        read = [widths[source] for source in layer.inputs]
        if layer.spec.needs_shape:
            raise GraphError(f"{layer} needs an Input that says its shape, such as Input((300, 4)).")
        if isinstance(layer.spec, Input):
            widths[layer.id] = Width(0, {layer.id: 1})
        elif isinstance(layer.spec, Dense):
            widths[layer.id] = Width(layer.spec.units)
        elif isinstance(layer.spec, Concat):
            widths[layer.id] = sum(read[1:], read[0])
        elif isinstance(layer.spec, Add):
            fixed = [width for width in read if not width.inputs]
            if len({width.units for width in fixed}) > 1:
                raise GraphError(
                    _mismatch(layers, layer, {source: widths[source] for source in layer.inputs})
                )
            widths[layer.id] = fixed[0] if fixed else read[0]
        else:
            widths[layer.id] = read[0]
    return widths


def sum_equations(layers: Sequence[Layer], widths: Mapping[int, Width]) -> list[Width]:
    """Return what the sums of a graph say about its Inputs: widths (some negative) that must be zero."""
    sums = (layer.inputs for layer in layers if isinstance(layer.spec, Add))
    return [widths[source] - widths[first] for first, *others in sums for source in others]


def solved_inputs(equations: Iterable[Width]) -> dict[int, int]:
    """Return the widths of Inputs that make these zero, as far as one after the other follows from them."""
    pending, known = list(equations), dict[int, int]()
    while True:
        single = [
            (equation, unknown[0])
            for equation in pending
            if len(unknown := [id for id in equation.inputs if id not in known]) == 1
        ]
        if not single:
            return known
        equation, id = single[0]
        others = sum(n * known[other] for other, n in equation.inputs.items() if other != id)
        known[id] = -(equation.units + others) // equation.inputs[id]


def vector_widths(layers: Sequence[Layer], input_units: int | Mapping[int, int]) -> dict[int, int]:
    """Return the width of every tensor for Inputs of ``input_units`` features, or raise GraphError."""
    units: dict[int, int] = {}
    for layer in layers:
        if isinstance(layer.spec, Input):
            units[layer.id] = _input_width(layer, input_units)
            continue
        read = {source: units[source] for source in layer.inputs}
        if isinstance(layer.spec, Add) and len(set(read.values())) > 1:
            raise GraphError(_mismatch(layers, layer, read))
        units[layer.id] = layer.spec.output_units(tuple(units[source] for source in layer.inputs))
    return units


def tensor_shapes(layers: Sequence[Layer], input_shape: Shape) -> dict[int, Shape]:
    """Return the shape of every tensor, without the samples' axis, or raise GraphError."""
    shapes: dict[int, Shape] = {}
    for layer in layers:
        if isinstance(layer.spec, Input):
            shapes[layer.id] = plain_ints(input_shape, "the shape of the Input", lengths=(1, 2, 3))
            continue
        try:
            shapes[layer.id] = layer.spec.output_shape(tuple(shapes[source] for source in layer.inputs))
        except GraphError as error:
            sources = ", ".join(f"layer {source}" for source in layer.inputs)
            raise GraphError(f"layer {layer.id}, which reads {sources}: {error}") from None
    return shapes


def _input_width(layer: Layer, input_units: int | Mapping[int, int]) -> int:
    if isinstance(input_units, Mapping):
        if layer.id not in input_units:
            raise GraphError(
                f"input_units lacks the width of {layer}; it has those of {sorted(input_units)}."
            )
        input_units = input_units[layer.id]
    return check_whole(input_units, "input_units", error=GraphError)


def _mismatch(layers: Sequence[Layer], layer: Layer, widths: Mapping[int, Width | int]) -> str:
    def shown(width: Width | int) -> str:
        if isinstance(width, int):
            return f"{width} units"
        return f"{width.units} units" if not width.inputs else "as wide as the Input"

    by_id = {other.id: other for other in layers}
    parts = [f"{by_id[source]}: {shown(width)}" for source, width in widths.items()]
    return f"{layer} needs inputs of one width, but reads {'; '.join(parts)}."

"""What shape each tensor of a graph has; errors name the layer that does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from genokeras.errors import GraphError
from genokeras.graph.layer import Layer
from genokeras.graph.specs import Add, Concat, Dense, Input, Shape, plain_ints
from genokeras.support.checks import check_whole

Affine = tuple[int, int]


def affine_widths(layers: Sequence[Layer]) -> dict[int, Affine]:
    """Return the width of every tensor as (a, b): a times the width of the Input plus b.

    Raises
    ------
    GraphError
        If an Add reads different fixed widths, or a layer needs to know the shape of the Input.
    """
    widths: dict[int, Affine] = {}
    for layer in layers:
        read = [widths[source] for source in layer.inputs]
        if layer.spec.needs_shape:
            raise GraphError(f"{layer} needs an Input that says its shape, such as Input((300, 4)).")
        if isinstance(layer.spec, Input):
            widths[layer.id] = (1, 0)
        elif isinstance(layer.spec, Dense):
            widths[layer.id] = (0, layer.spec.units)
        elif isinstance(layer.spec, Concat):
            widths[layer.id] = (sum(a for a, _ in read), sum(b for _, b in read))
        elif isinstance(layer.spec, Add):
            fixed = [width for width in read if width[0] == 0]
            if len(set(fixed)) > 1:
                raise GraphError(
                    _mismatch(layers, layer, {source: widths[source] for source in layer.inputs})
                )
            widths[layer.id] = fixed[0] if fixed else read[0]
        else:
            widths[layer.id] = read[0]
    return widths


def required_width(layers: Sequence[Layer], widths: Mapping[int, Affine]) -> int | None:
    """Return the only width of the Input that the sums allow, or None where they allow any."""
    for layer in layers:
        if isinstance(layer.spec, Add):
            read = [widths[source] for source in layer.inputs]
            fixed = [units for multiple, units in read if not multiple]
            varying = [width for width in read if width[0]]
            if fixed and varying:
                return (fixed[0] - varying[0][1]) // varying[0][0]
    return None


def vector_widths(layers: Sequence[Layer], input_units: int) -> dict[int, int]:
    """Return the width of every tensor for an Input of ``input_units`` features, or raise GraphError."""
    units: dict[int, int] = {}
    for layer in layers:
        if isinstance(layer.spec, Input):
            units[layer.id] = check_whole(input_units, "input_units", error=GraphError)
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


def _mismatch(layers: Sequence[Layer], layer: Layer, widths: Mapping[int, Affine | int]) -> str:
    def shown(width: Affine | int) -> str:
        if isinstance(width, int):
            return f"{width} units"
        return f"{width[1]} units" if not width[0] else "as wide as the Input"

    by_id = {other.id: other for other in layers}
    parts = [f"{by_id[source]}: {shown(width)}" for source, width in widths.items()]
    return f"{layer} needs inputs of one width, but reads {'; '.join(parts)}."

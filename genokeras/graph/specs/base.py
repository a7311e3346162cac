"""What every kind of layer has in common: shapes, arrays, JSON."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from math import prod
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from genokeras.errors import GraphError
from genokeras.support.checks import check_whole

Shape = tuple[int, ...]

S = TypeVar("S", bound="LayerSpec")


class LayerSpec(ABC):
    """What a layer does, apart from where it stands in a graph.

    Tensors have the channels on their last axis; those of vectors are also called units. Whatever concerns channels
    alone (widths, arrays, morphisms) is therefore alike for vectors, sequences and images.

    Attributes
    ----------
    kind : str
        Name of the kind in JSON.
    n_inputs : tuple of (int, int or None)
        Fewest and most tensors the layer reads; None is any number.
    width_field : str or None
        Name of the field that says how many channels the output has; None where that depends on what is read.
    array_axes : mapping of str to (int or None, int)
        For each array the axis along which its numbers belong to channels read (or None) and the one of channels
        put out, counted from the end.
    statistics : frozenset of str
        Names of the arrays that training counts up and no gradient moves.
    measures : frozenset of str
        Names of further fields that are sizes: near values make layers alike.
    ends_block : bool
        Whether blocks pass such a layer's output on.
    needs_shape : bool
        Whether the layer is for graphs whose Input has a shape.
    """

    kind: ClassVar[str]
    n_inputs: ClassVar[tuple[int, int | None]] = (1, 1)
    width_field: ClassVar[str | None] = None
    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType({})
    statistics: ClassVar[frozenset[str]] = frozenset()
    measures: ClassVar[frozenset[str]] = frozenset()
    ends_block: ClassVar[bool] = False
    needs_shape: ClassVar[bool] = False

    @property
    def own_units(self) -> int | None:
        """The number of channels the layer itself decides on, or None where it passes on what it reads."""
        return None if self.width_field is None else int(getattr(self, self.width_field))

    def with_units(self: S, units: int) -> S:
        """Return the spec with another number of channels; only for those with a `width_field`."""
        return replace(self, **{str(self.width_field): units})  # type: ignore[type-var]

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the number of channels of the output, given that of the input.

        Raises
        ------
        GraphError
            If the layer does not take that many inputs, or not of those widths.
        """
        self.check_n_inputs(len(input_units))
        return input_units[0] if self.own_units is None else self.own_units

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the shape of the output, without the samples' axis, for inputs of these shapes.

        Raises
        ------
        GraphError
            If the layer does not take inputs of these shapes.
        """
        units = self.output_units(tuple(shape[-1] for shape in inputs))
        return (*inputs[0][:-1], units)

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return the shape of each array of one member, by name, given the number of input channels."""
        return {}

    def n_operations(self, source: int | Shape, output: int | Shape, kernel: Shape) -> int:
        """Return how many multiplications the kernel costs for one sample."""
        return prod(kernel) * (1 if isinstance(output, int) else prod(output[:-1]))

    def check_n_inputs(self, n: int) -> None:
        """Raise GraphError unless the layer reads `n` tensors."""
        fewest, most = self.n_inputs
        if n < fewest or (most is not None and n > most):
            expected = str(fewest) if most == fewest else f"at least {fewest}"
            raise GraphError(f"{self} reads {expected} input(s), got {n}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as a JSON object with its ``kind``; fields left at None are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        listed = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
        return {"kind": self.kind, **{name: value for name, value in listed.items() if value is not None}}

    def __str__(self) -> str:
        values = [str(value) for name, value in self.to_dict().items() if name != "kind"]
        return f"{type(self).__name__}({', '.join(values)})" if values else type(self).__name__


def plain_ints(value: object, name: str, *, lengths: tuple[int, ...]) -> Shape:
    """Return one or several integers of 1 or more as a tuple, or raise GraphError.

    Parameters
    ----------
    value : int or sequence of int
    name : str
        What to call it in messages.
    lengths : tuple of int
        How many numbers there may be; a single number is repeated as often as the first of these, and so is a
        tuple of one where there is no other choice.
    """
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        listed = tuple(check_whole(number, f"each number of {name}", error=GraphError) for number in value)
    else:
        listed = (check_whole(value, name, error=GraphError),) * lengths[0]
    if len(listed) == len(lengths) == 1:
        listed *= lengths[0]
    if len(listed) not in lengths:
        wanted = " or ".join(map(str, lengths))
        raise GraphError(f"{name} must be {wanted} number(s), got {len(listed)}: {listed}.")
    return listed


def checked_view(value: object, name: str) -> str:
    """Return `value` where it is the name of a view, or raise GraphError."""
    if not isinstance(value, str) or not value:
        raise GraphError(f"{name} must be the name of a view, got {value!r}.")
    return value


def checked_flag(value: object, name: str) -> bool:
    """Return `value` where it is True or False, or raise GraphError."""
    if not isinstance(value, bool):
        raise GraphError(f"{name} must be True or False, got {value!r}.")
    return value

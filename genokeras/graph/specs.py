"""The kinds of layers a graph is made of: frozen values with shapes, without arrays and without Keras."""

from __future__ import annotations

import difflib
import operator
from abc import ABC
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from genokeras.errors import GraphError

ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "selu", "sigmoid", "linear")
LAYER_NORM_EPSILON = 1e-3


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the known name nearest to `name`, or an empty string."""
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


class LayerSpec(ABC):
    """What a layer does, apart from where it stands in a graph.

    Attributes
    ----------
    kind : str
        Name of the kind in JSON.
    n_inputs : tuple of (int, int or None)
        Fewest and most tensors the layer reads; None is any number.
    """

    kind: ClassVar[str]
    n_inputs: ClassVar[tuple[int, int | None]] = (1, 1)

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the width of the output for inputs of these widths.

        Raises
        ------
        GraphError
            If the layer does not take that many inputs, or not of those widths.
        """
        self.check_n_inputs(len(input_units))
        return input_units[0]

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return the shape of each trainable array of one member, by name; empty for most kinds."""
        return {}

    def check_n_inputs(self, n: int) -> None:
        """Raise GraphError unless the layer reads `n` tensors."""
        fewest, most = self.n_inputs
        if n < fewest or (most is not None and n > most):
            expected = str(fewest) if most == fewest else f"at least {fewest}"
            raise GraphError(f"{self} reads {expected} input(s), got {n}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the spec as a JSON object with its ``kind``; fields left at None are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **{name: value for name, value in values.items() if value is not None}}

    def __str__(self) -> str:
        values = [str(value) for name, value in self.to_dict().items() if name != "kind"]
        return f"{type(self).__name__}({', '.join(values)})" if values else type(self).__name__


@dataclass(frozen=True)
class Input(LayerSpec):
    """The features a network reads, of any width."""

    kind: ClassVar[str] = "input"
    n_inputs: ClassVar[tuple[int, int | None]] = (0, 0)

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Refuse: the width of the Input is the data's, not the graph's."""
        raise GraphError("Input has no width of its own; give input_units to Graph.shapes.")


@dataclass(frozen=True)
class Dense(LayerSpec):
    """A fully connected layer with bias and without activation, ``x @ kernel + bias``.

    Parameters
    ----------
    units : int
        Width of the output, 1 or more.
    """

    units: int
    kind: ClassVar[str] = "dense"

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", plain_int(self.units, "Dense.units", at_least=1))

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the layer's own width."""
        self.check_n_inputs(len(input_units))
        return self.units

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return ``{"kernel": (n_inputs, units), "bias": (units,)}``."""
        self.check_n_inputs(len(input_units))
        return {"kernel": (input_units[0], self.units), "bias": (self.units,)}


@dataclass(frozen=True)
class LayerNorm(LayerSpec):
    """Layer normalisation over the units (Ba et al. 2016), without scale and centre, epsilon 1e-3."""

    kind: ClassVar[str] = "layer_norm"


@dataclass(frozen=True)
class Activation(LayerSpec):
    """An elementwise function.

    Parameters
    ----------
    function : str or None, default=None
        One of `ACTIVATIONS`; None is the activation of the proposal's hyper-parameters.
    """

    function: str | None = None
    kind: ClassVar[str] = "activation"

    def __post_init__(self) -> None:
        if self.function is not None and self.function not in ACTIVATIONS:
            raise GraphError(
                f"Activation.function must be one of {', '.join(ACTIVATIONS)} or None; "
                f"got {self.function!r}{did_you_mean(self.function, ACTIVATIONS)}."
            )


@dataclass(frozen=True)
class Dropout(LayerSpec):
    """Dropout while training (Srivastava et al. 2014), identity otherwise.

    Parameters
    ----------
    rate : float or None, default=None
        Share of the units dropped, in [0, 1); None is the rate of the proposal's hyper-parameters.
    """

    rate: float | None = None
    kind: ClassVar[str] = "dropout"

    def __post_init__(self) -> None:
        if self.rate is None:
            return
        if isinstance(self.rate, (bool, str)) or not 0 <= self.rate < 1:
            raise GraphError(f"Dropout.rate must be a number in [0, 1) or None, got {self.rate!r}.")
        object.__setattr__(self, "rate", float(self.rate))


@dataclass(frozen=True)
class Add(LayerSpec):
    """The sum of two or more tensors of one width."""

    kind: ClassVar[str] = "add"
    n_inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the common width, or raise GraphError where the widths differ."""
        self.check_n_inputs(len(input_units))
        if len(set(input_units)) > 1:
            raise GraphError(f"Add needs inputs of one width, got widths {', '.join(map(str, input_units))}.")
        return input_units[0]


@dataclass(frozen=True)
class Concat(LayerSpec):
    """Two or more tensors side by side, in the order of the inputs."""

    kind: ClassVar[str] = "concat"
    n_inputs: ClassVar[tuple[int, int | None]] = (2, None)

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the sum of the widths."""
        self.check_n_inputs(len(input_units))
        return sum(input_units)


SPECS: dict[str, type[LayerSpec]] = {
    spec.kind: spec for spec in (Input, Dense, LayerNorm, Activation, Dropout, Add, Concat)
}


def spec_from_dict(data: Mapping[str, Any]) -> LayerSpec:
    """Read what `LayerSpec.to_dict` wrote.

    Raises
    ------
    GraphError
        If the kind is missing or unknown, or its fields are not those of the kind.
    """
    kind = data.get("kind")
    if not isinstance(kind, str) or kind not in SPECS:
        raise GraphError(
            f"unknown layer kind {kind!r}{did_you_mean(kind, SPECS)}; known kinds: {', '.join(SPECS)}."
        )
    spec = SPECS[kind]
    values = {name: value for name, value in data.items() if name != "kind"}
    try:
        return spec(**values)
    except TypeError as error:
        raise GraphError(f"a layer of kind {kind!r} cannot be made from {values}: {error}.") from error


def plain_int(value: object, name: str, *, at_least: int) -> int:
    """Return `value` as a plain Python int (Keras refuses numpy's), or raise GraphError."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = at_least - 1
    if isinstance(value, bool) or number < at_least:
        raise GraphError(f"{name} must be an integer of {at_least} or more, got {value!r}.")
    return int(number)

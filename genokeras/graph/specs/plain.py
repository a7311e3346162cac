"""Layers that work on the channels of vectors, and of sequences and images position by position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from genokeras.errors import GraphError
from genokeras.graph.specs.base import LayerSpec, Shape, checked_view, plain_ints
from genokeras.support.checks import check_choice, check_number, check_whole

ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "selu", "sigmoid", "square", "linear")
LAYER_NORM_EPSILON = 1e-3
BATCH_NORM_EPSILON = 1e-3


@dataclass(frozen=True)
class Input(LayerSpec):
    """The features a network reads.

    Parameters
    ----------
    shape : tuple of int or None, default=None
        ``(length, channels)``, ``(height, width, channels)``, or ``(length,)`` of token ids or features; None is a
        vector of any width.
    view : str or None, default=None
        Name of the view of the features that this Input reads; None is the view of the proposal's hyper-parameters.
        Only vectors have views.
    """

    shape: Shape | None = None
    view: str | None = None
    kind: ClassVar[str] = "input"
    n_inputs: ClassVar[tuple[int, int | None]] = (0, 0)
    measures: ClassVar[frozenset[str]] = frozenset({"shape"})

    def __post_init__(self) -> None:
        if self.shape is not None:
            object.__setattr__(self, "shape", plain_ints(self.shape, "Input.shape", lengths=(1, 2, 3)))
        if self.view is not None:
            checked_view(self.view, "Input.view")
            if self.shape is not None:
                raise GraphError(f"an Input of shape {self.shape} has no view, got {self.view!r}.")

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Refuse: the width of the Input is the data's, not the graph's."""
        raise GraphError("Input has no width of its own; give input_units to Graph.shapes.")


@dataclass(frozen=True)
class Dense(LayerSpec):
    """A fully connected layer with bias and without activation, ``x @ kernel + bias``, over the last axis.

    On sequences and images it is a convolution of kernel size 1.

    Parameters
    ----------
    units : int
        Width of the output, 1 or more.
    """

    units: int
    kind: ClassVar[str] = "dense"
    width_field: ClassVar[str | None] = "units"
    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType(
        {"kernel": (-2, -1), "bias": (None, -1)}
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", check_whole(self.units, "Dense.units", error=GraphError))

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return ``{"kernel": (n_inputs, units), "bias": (units,)}``."""
        self.check_n_inputs(len(input_units))
        return {"kernel": (input_units[0], self.units), "bias": (self.units,)}


@dataclass(frozen=True)
class LayerNorm(LayerSpec):
    """Layer normalisation over the last axis (Ba et al. 2016), without scale and centre, epsilon 1e-3."""

    kind: ClassVar[str] = "layer_norm"


@dataclass(frozen=True)
class BatchNorm(LayerSpec):
    """Batch normalisation of each channel (Ioffe & Szegedy 2015), epsilon 1e-3, with scale and centre.

    In inference ``gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta``.
    """

    kind: ClassVar[str] = "batch_norm"
    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType(
        dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (None, -1))
    )
    statistics: ClassVar[frozenset[str]] = frozenset({"moving_mean", "moving_variance"})

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return ``(channels,)`` for gamma, beta, moving_mean and moving_variance."""
        self.check_n_inputs(len(input_units))
        return dict.fromkeys(self.array_axes, (input_units[0],))


@dataclass(frozen=True)
class Activation(LayerSpec):
    """An elementwise function.

    Parameters
    ----------
    function : str or None, default=None
        One of `ACTIVATIONS`; None is the activation of the proposal's hyper-parameters. A sum of squares of linear units holds all
        products of pairs.
    """

    function: str | None = None
    kind: ClassVar[str] = "activation"
    ends_block: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_choice(self.function, "Activation.function", (*ACTIVATIONS, None), error=GraphError)


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
    ends_block: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.rate is not None:
            rate = check_number(self.rate, "Dropout.rate", least=0, below=1, error=GraphError)
            object.__setattr__(self, "rate", rate)


@dataclass(frozen=True)
class Add(LayerSpec):
    """The sum of two or more tensors of one shape."""

    kind: ClassVar[str] = "add"
    n_inputs: ClassVar[tuple[int, int | None]] = (2, None)
    ends_block: ClassVar[bool] = True

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the common width, or raise GraphError where the widths differ."""
        self.check_n_inputs(len(input_units))
        if len(set(input_units)) > 1:
            raise GraphError(f"Add needs inputs of one width, got widths {', '.join(map(str, input_units))}.")
        return input_units[0]

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the common shape, or raise GraphError where the shapes differ."""
        self.check_n_inputs(len(inputs))
        if len(set(inputs)) > 1:
            raise GraphError(f"Add needs inputs of one shape, got {', '.join(map(str, inputs))}.")
        return inputs[0]


@dataclass(frozen=True)
class Concat(LayerSpec):
    """Two or more tensors side by side along the channels, in the order of the inputs."""

    kind: ClassVar[str] = "concat"
    n_inputs: ClassVar[tuple[int, int | None]] = (2, None)
    ends_block: ClassVar[bool] = True

    def output_units(self, input_units: tuple[int, ...]) -> int:
        """Return the sum of the widths."""
        self.check_n_inputs(len(input_units))
        return sum(input_units)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the shape with all channels, or raise GraphError where the positions differ."""
        if len({shape[:-1] for shape in inputs}) > 1:
            raise GraphError(
                f"Concat needs as many positions in each input, got {', '.join(map(str, inputs))}."
            )
        return super().output_shape(inputs)

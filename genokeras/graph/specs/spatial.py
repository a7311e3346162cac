"""Layers of sequences ``(length, channels)`` and images ``(height, width, channels)``.

Notation
--------
symbol        meaning
n, m          positions along an axis before and after
k, s, d       kernel size (or pool size), stride, dilation along it
e             extent of the kernel, (k - 1) d + 1

"valid"  m = floor((n - e) / s) + 1
"same"   m = ceil(n / s), with max((m - 1) s + e - n, 0) zeros around, the smaller half of them in front
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import ClassVar

from genokeras.errors import GraphError
from genokeras.graph.specs.base import (
    LayerSpec,
    Shape,
    checked_flag,
    plain_ints,
)
from genokeras.support.checks import check_choice, check_whole

PADDINGS = ("same", "valid")
POOLS = ("max", "average", "attention")
N_BASES = 4


def padding_before_after(n: int, size: int, stride: int, dilation: int, padding: str) -> tuple[int, int]:
    """Return how many zeros stand in front of and behind `n` positions; see the notation above."""
    if padding == "valid":
        return 0, 0
    total = max((-(-n // stride) - 1) * stride + (size - 1) * dilation + 1 - n, 0)
    return total // 2, total - total // 2


def _positions(spec: object, n: int, size: int, stride: int, dilation: int, padding: str) -> int:
    extent = (size - 1) * dilation + 1
    if padding == "same":
        return -(-n // stride)
    if n < extent:
        raise GraphError(f"{spec} needs at least {extent} positions along each axis it covers, got {n}.")
    return (n - extent) // stride + 1


class _Windowed(LayerSpec):
    """What convolutions share: a kernel that moves over one or two axes of positions."""

    kernel_size: Shape
    strides: Shape
    dilation: Shape
    padding: str
    bias: bool

    measures: ClassVar[frozenset[str]] = frozenset({"kernel_size", "strides", "dilation"})
    needs_shape: ClassVar[bool] = True

    def __post_init__(self) -> None:
        name = type(self).__name__
        size = plain_ints(self.kernel_size, f"{name}.kernel_size", lengths=(1, 2))
        object.__setattr__(self, "kernel_size", size)
        for field in ("strides", "dilation"):
            value = plain_ints(getattr(self, field), f"{name}.{field}", lengths=(len(size),))
            object.__setattr__(self, field, value)
        check_choice(self.padding, f"{name}.padding", PADDINGS, error=GraphError)
        checked_flag(self.bias, f"{name}.bias")
        if max(self.strides) > 1 and max(self.dilation) > 1:
            raise GraphError(
                f"{name} has strides {self.strides} and dilation {self.dilation}; one of them must be 1."
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the shape behind the kernel, or raise GraphError where it does not fit the positions."""
        units = self.output_units(tuple(shape[-1] for shape in inputs))
        positions = inputs[0][:-1]
        if len(positions) != len(self.kernel_size):
            raise GraphError(
                f"{self} has a kernel of {len(self.kernel_size)} axes, so that it reads a tensor of "
                f"{len(self.kernel_size) + 1}, channels last; got shape {inputs[0]}."
            )
        windows = zip(positions, self.kernel_size, self.strides, self.dilation, strict=True)
        return (*(_positions(self, n, k, s, d, self.padding) for n, k, s, d in windows), units)

    def __str__(self) -> str:
        parts = [] if self.own_units is None else [str(self.own_units)]
        parts.append("x".join(map(str, self.kernel_size)))
        parts += [f"strides {self.strides}"] if max(self.strides) > 1 else []
        parts += [f"dilation {self.dilation}"] if max(self.dilation) > 1 else []
        parts += ["valid"] if self.padding == "valid" else []
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True)
class Conv(_Windowed):
    """A convolution over one or two axes of positions, without activation.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or tuple of int
        One number for sequences, two for images.
    strides, dilation : int or tuple of int, default=1
        At most one of the two may be above 1.
    padding : {"same", "valid"}, default="same"
    bias : bool, default=True
    both_strands : bool, default=False
        Whether each filter answers with the larger of what it gives for the sequence and for its reverse complement,
        read back in the order of the sequence (Shrikumar et al. 2017, doi:10.1101/103663, share weights alike). The
        first four channels read must be A, C, G and T; any others stay what they are, in reverse order.
    """

    filters: int
    kernel_size: Shape
    strides: Shape = (1,)
    dilation: Shape = (1,)
    padding: str = "same"
    bias: bool = True
    both_strands: bool = False
    kind: ClassVar[str] = "conv"
    width_field: ClassVar[str | None] = "filters"
    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType(
        {"kernel": (-2, -1), "bias": (None, -1)}
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", check_whole(self.filters, "Conv.filters", error=GraphError))
        super().__post_init__()
        checked_flag(self.both_strands, "Conv.both_strands")
        if self.both_strands and (len(self.kernel_size) > 1 or max(self.strides) > 1):
            raise GraphError(
                f"both strands are read along one axis without strides; got kernel_size {self.kernel_size} "
                f"and strides {self.strides}."
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the shape behind the kernel, or raise GraphError where it does not fit what is read."""
        if self.both_strands and inputs[0][-1] < N_BASES:
            raise GraphError(f"{self} reads both strands: A, C, G, T and others, but got shape {inputs[0]}.")
        return super().output_shape(inputs)

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return ``{"kernel": (*kernel_size, channels, filters), "bias": (filters,)}``."""
        self.check_n_inputs(len(input_units))
        kernel = {"kernel": (*self.kernel_size, input_units[0], self.filters)}
        return {**kernel, "bias": (self.filters,)} if self.bias else kernel

    def n_operations(self, source: int | Shape, output: int | Shape, kernel: Shape) -> int:
        """Return how many multiplications the kernel costs for one sample; both strands cost twice as much."""
        return super().n_operations(source, output, kernel) * (2 if self.both_strands else 1)


@dataclass(frozen=True)
class DepthwiseConv(_Windowed):
    """A convolution of each channel by itself, with one kernel each; parameters as for `Conv`."""

    kernel_size: Shape
    strides: Shape = (1,)
    dilation: Shape = (1,)
    padding: str = "same"
    bias: bool = True
    kind: ClassVar[str] = "depthwise_conv"
    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType(
        {"kernel": (None, -2), "bias": (None, -1)}
    )

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return ``{"kernel": (*kernel_size, channels, 1), "bias": (channels,)}``."""
        self.check_n_inputs(len(input_units))
        kernel = {"kernel": (*self.kernel_size, input_units[0], 1)}
        return {**kernel, "bias": (input_units[0],)} if self.bias else kernel


class _Pooling(LayerSpec):
    """What the two kinds of pooling share: attention has a kernel, the others no arrays."""

    function: str

    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType({"kernel": (-2, -1)})
    ends_block: ClassVar[bool] = True
    needs_shape: ClassVar[bool] = True

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return ``{"kernel": (channels, channels)}`` for attention and nothing otherwise."""
        self.check_n_inputs(len(input_units))
        return {"kernel": (input_units[0], input_units[0])} if self.function == "attention" else {}

    def n_operations(self, source: int | Shape, output: int | Shape, kernel: Shape) -> int:
        """Return how many multiplications the kernel costs for one sample: it meets every position read."""
        return super().n_operations(source, source, kernel)


@dataclass(frozen=True)
class Pool(_Pooling):
    """One value for each channel and window, without padding: positions left over at the end are not read.

    Parameters
    ----------
    function : {"max", "average", "attention"}
        Attention is a mean weighted by the softmax over the window of ``x @ kernel``, for each channel its own
        (Avsec et al. 2021, "Enformer", doi:10.1038/s41592-021-01252-x); its windows stand side by side.
    size : int or tuple of int
        One number for sequences, two for images.
    strides : int or tuple of int, optional
        The size by default.
    """

    function: str
    size: Shape
    strides: Shape | None = None
    kind: ClassVar[str] = "pool"
    measures: ClassVar[frozenset[str]] = frozenset({"size", "strides"})

    def __post_init__(self) -> None:
        check_choice(self.function, "Pool.function", POOLS, error=GraphError)
        size = plain_ints(self.size, "Pool.size", lengths=(1, 2))
        object.__setattr__(self, "size", size)
        strides = size if self.strides is None else self.strides
        object.__setattr__(self, "strides", plain_ints(strides, "Pool.strides", lengths=(len(size),)))
        if self.function == "attention" and self.strides != size:
            raise GraphError(
                f"attention pools windows side by side: its strides must be its size {size}, got {self.strides}."
            )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return the shape with one position for each window, or raise GraphError where none fits."""
        self.check_n_inputs(len(inputs))
        positions, strides = inputs[0][:-1], self.strides or self.size
        if len(positions) != len(self.size):
            raise GraphError(
                f"{self} has windows of {len(self.size)} axes, so that it reads a tensor of {len(self.size) + 1}, "
                f"channels last; got shape {inputs[0]}."
            )
        windows = zip(positions, self.size, strides, strict=True)
        return (*(_positions(self, n, k, s, 1, "valid") for n, k, s in windows), inputs[0][-1])


@dataclass(frozen=True)
class GlobalPool(_Pooling):
    """One value for each channel, over all positions; `function` as for `Pool`."""

    function: str = "max"
    kind: ClassVar[str] = "global_pool"

    def __post_init__(self) -> None:
        check_choice(self.function, "GlobalPool.function", POOLS, error=GraphError)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return ``(channels,)``, or raise GraphError where there are no positions."""
        self.check_n_inputs(len(inputs))
        if len(inputs[0]) == 1:
            raise GraphError(f"{self} pools over positions, but got shape {inputs[0]}.")
        return inputs[0][-1:]


@dataclass(frozen=True)
class Embedding(LayerSpec):
    """A vector for each token id, ``(length,)`` -> ``(length, units)``; only the Input holds ids.

    Parameters
    ----------
    vocabulary : int
        Ids are 0 to `vocabulary` - 1.
    units : int
        Width of the vectors.
    """

    vocabulary: int
    units: int
    kind: ClassVar[str] = "embedding"
    width_field: ClassVar[str | None] = "units"
    array_axes: ClassVar[Mapping[str, tuple[int | None, int]]] = MappingProxyType({"embeddings": (None, -1)})
    measures: ClassVar[frozenset[str]] = frozenset({"vocabulary"})
    ends_block: ClassVar[bool] = True
    needs_shape: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("vocabulary", "units"):
            number = check_whole(getattr(self, name), f"Embedding.{name}", error=GraphError)
            object.__setattr__(self, name, number)

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return ``(length, units)``, or raise GraphError where ids are no vector."""
        self.check_n_inputs(len(inputs))
        if len(inputs[0]) != 1:
            raise GraphError(f"{self} reads one token id at each position, (length,); got shape {inputs[0]}.")
        return (*inputs[0], self.units)

    def weight_shapes(self, input_units: tuple[int, ...]) -> dict[str, Shape]:
        """Return ``{"embeddings": (vocabulary, units)}``."""
        self.check_n_inputs(len(input_units))
        return {"embeddings": (self.vocabulary, self.units)}


@dataclass(frozen=True)
class Flatten(LayerSpec):
    """All positions and channels as one vector, channels fastest."""

    kind: ClassVar[str] = "flatten"
    ends_block: ClassVar[bool] = True
    needs_shape: ClassVar[bool] = True

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """Return ``(positions * channels,)``."""
        self.check_n_inputs(len(inputs))
        return (prod(inputs[0]),)


def is_attention(spec: LayerSpec) -> bool:
    """Return whether a layer pools with a kernel."""
    return isinstance(spec, _Pooling) and spec.function == "attention"

"""Morphisms of convolutions alone: one more that starts as the identity, and larger kernels with a border of zeros.

Notation
--------
symbol   meaning
k, d     kernel size and dilation along an axis
p(k)     zeros that padding "same" puts in front of the first position

A larger kernel k' with the old one in it from place (p(k') - p(k)) / d on meets the same positions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms.base import (
    Limits,
    Morphism,
    chain,
    edited,
    is_block_end,
    missing_layers,
    plain_fields,
    with_fresh,
)
from genokeras.graph.morphisms.blocks import USUAL_KERNEL, n_axes
from genokeras.graph.reference import Weights
from genokeras.graph.specs import (
    BATCH_NORM_EPSILON,
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    DepthwiseConv,
    Dropout,
    Pool,
    padding_before_after,
)


@dataclass(frozen=True)
class InsertConv(Morphism):
    """Put Conv, BatchNorm and ReLU behind a hidden tensor with positions that is nowhere negative.

    The kernel is the identity at its centre (Wei et al. 2016, "Network morphism"), and so is the normalisation.

    Parameters
    ----------
    layer : int
        Id of a ReLU, or of a sum, concatenation, pool or dropout of what is nowhere negative.
    """

    layer: int
    name: ClassVar[str] = "insert_conv"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[InsertConv]:
        """Yield one instance for each tensor that blocks pass on."""
        return (cls(layer.id) for layer in graph.layers if is_block_end(graph, layer.id))

    def problem(self, graph: Graph) -> str | None:
        """Return why no convolution can stand behind the layer, or None."""
        if missing := missing_layers(graph, self.layer):
            return missing
        if self.layer not in graph.hidden:
            return f"{graph.layer(self.layer)} is no hidden tensor"
        if not n_axes(graph, self.layer):
            return f"{graph.layer(self.layer)} makes a vector"
        if not _is_never_negative(graph, self.layer):
            return f"what {graph.layer(self.layer)} makes may be negative, which a ReLU would not pass on"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the three layers; all who read the layer read the last of them."""
        block = self._block(graph)
        return edited(graph, block, redirect={self.layer: block[-1].id})

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with those of two identities."""
        block = self._block(graph)
        carried = with_fresh(graph, edited, weights, rng, widths, zero=[block[0].id])
        kernel = carried[block[0].id]["kernel"]
        centre = tuple((k - 1) // 2 for k in kernel.shape[1:-2])
        kernel[(slice(None), *centre)] = np.eye(kernel.shape[-1], dtype=kernel.dtype)
        carried[block[1].id]["gamma"] *= kernel.dtype.type(np.sqrt(1 + BATCH_NORM_EPSILON))
        return carried

    def _block(self, graph: Graph) -> list[Layer]:
        rank = n_axes(graph, self.layer)
        conv = Conv(graph.known_units(self.layer) or 0, (USUAL_KERNEL[rank],) * rank, bias=False)
        return chain(graph.next_id(), self.layer, (conv, BatchNorm(), Activation("relu")))


@dataclass(frozen=True)
class GrowKernel(Morphism):
    """Give a convolution a larger kernel along each axis, with zeros around the old one.

    A kernel of fewer than 8 places grows by 2, and a larger one by half of its size.

    Parameters
    ----------
    layer : int
        Id of a Conv or DepthwiseConv with padding "same".
    """

    layer: int
    name: ClassVar[str] = "grow_kernel"

    def __post_init__(self) -> None:
        plain_fields(self)

    @classmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterator[GrowKernel]:
        """Yield one instance for each convolution."""
        return (cls(la.id) for la in graph.layers if isinstance(la.spec, (Conv, DepthwiseConv)))

    def problem(self, graph: Graph) -> str | None:
        """Return why the kernel cannot grow, or None."""
        if missing := missing_layers(graph, self.layer):
            return missing
        layer = graph.layer(self.layer)
        spec = layer.spec
        if not isinstance(spec, (Conv, DepthwiseConv)):
            return f"{layer} is no convolution"
        if spec.padding != "same":
            return f"{layer} would put out fewer positions"
        positions = graph.shapes()[layer.inputs[0]][:-1]
        sizes = zip(positions, _grown(spec.kernel_size), spec.dilation, strict=True)
        if any((k - 1) * d + 1 > n for n, k, d in sizes):
            return f"the larger kernel of {layer} would cover more than the {positions} positions there are"
        return None

    def edit(self, graph: Graph) -> Graph:
        """Return the graph with the larger kernel."""
        spec = graph.layer(self.layer).spec
        assert isinstance(spec, (Conv, DepthwiseConv))
        return edited(graph, changed={self.layer: replace(spec, kernel_size=_grown(spec.kernel_size))})

    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return the weights with zeros around the kernel."""
        old, new = graph.layer(self.layer).spec, edited.layer(self.layer).spec
        assert isinstance(old, (Conv, DepthwiseConv)) and isinstance(new, (Conv, DepthwiseConv))
        positions = graph.shapes()[graph.layer(self.layer).inputs[0]][:-1]
        borders = []
        for axis, n in enumerate(positions):
            stride, dilation = old.strides[axis], old.dilation[axis]
            sizes = (old.kernel_size[axis], new.kernel_size[axis])
            first, second = (padding_before_after(n, k, stride, dilation, "same")[0] for k in sizes)
            before = (second - first) // dilation
            borders.append((before, sizes[1] - sizes[0] - before))
        kernel = np.pad(weights[self.layer]["kernel"], [(0, 0), *borders, (0, 0), (0, 0)])
        return {**weights, self.layer: {**weights[self.layer], "kernel": kernel}}


def _grown(kernel_size: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(k + 2 * max(1, k // 4) for k in kernel_size)


def _is_never_negative(graph: Graph, id: int) -> bool:
    layer = graph.layer(id)
    if isinstance(layer.spec, Activation):
        return layer.spec.function in ("relu", "sigmoid")
    passes = isinstance(layer.spec, (Add, Concat, Dropout, Pool))
    return passes and all(_is_never_negative(graph, source) for source in layer.inputs)

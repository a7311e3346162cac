"""Random graphs of sequences, images and token ids, and random inputs, to test with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from genokeras.errors import GraphError
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.morphisms import mutations
from genokeras.graph.specs import (
    Activation,
    Add,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    Dropout,
    Embedding,
    Flatten,
    GlobalPool,
    Input,
    LayerNorm,
    LayerSpec,
    Pool,
    Shape,
)

VOCABULARY = 11


def random_spatial_graph(rng: np.random.Generator, n_morphisms: int = 0) -> Graph:
    """Return a small random graph with positions: two to four random steps, a head, and random morphisms."""
    graph = _Growing(rng).finished()
    for _ in range(n_morphisms):
        drawn = mutations(graph, rng, 1)
        graph = drawn[0].edit(graph) if drawn else graph
    return graph


def random_inputs(
    graph: Graph, n_samples: int, rng: np.random.Generator, input_units: int | Mapping[int, int] = 1
) -> NDArray[np.float32] | dict[int, NDArray[np.float32]]:
    """Return normal numbers, or token ids, for a graph; `input_units` counts where it reads vectors of any width.

    Where that is a mapping from the ids of Inputs to their widths, so is what comes back, with arrays.
    """
    if isinstance(input_units, Mapping):
        return {
            id: rng.standard_normal((n_samples, units), dtype=np.float32) for id, units in input_units.items()
        }
    shape = (n_samples, *(graph.input_shape or (input_units,)))
    if graph.reads_tokens:
        return rng.integers(0, VOCABULARY, size=shape).astype(np.float32)
    return rng.standard_normal(shape).astype(np.float32)


class _Growing:
    """A graph under construction: the last tensor, its shape, and steps to choose from at random."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._input: Shape = (
            (int(rng.integers(9, 16)), 4),
            (int(rng.integers(9, 16)), 5),
            (7, 6, 2),
            (6, 8, 1),
            (int(rng.integers(6, 12)),),
        )[int(rng.integers(5))]
        self.layers = [Layer(0, Input(self._input))]
        self.shapes: dict[int, Shape] = {0: self._input}
        if len(self._input) == 1:
            self._append(Embedding(VOCABULARY, 3))

    @property
    def last(self) -> int:
        return self.layers[-1].id

    @property
    def shape(self) -> Shape:
        return self.shapes[self.last]

    @property
    def rank(self) -> int:
        return len(self.shape) - 1

    def finished(self) -> Graph:
        """Take the steps and append the head."""
        self._convolution()
        steps: list[Callable[[], None]] = [
            self._convolution,
            self._pool,
            self._residual,
            self._concat,
            self._depthwise,
        ]
        for _ in range(int(self._rng.integers(1, 4))):
            step = steps[int(self._rng.integers(len(steps)))]
            try:
                step()
            except GraphError:
                # There were too few positions left for it; what it appended before stays.
                continue
        self._append(self._choice(Flatten(), *(GlobalPool(f) for f in ("max", "average", "attention"))))
        if self._rng.random() < 0.5:
            for spec in (Dense(self._width()), LayerNorm(), Activation(), Dropout()):
                self._append(spec)
        self._append(Dense(int(self._rng.integers(1, 4))))
        return Graph.build(self.layers)

    def _append(self, spec: LayerSpec, *inputs: int) -> int:
        read = inputs or (self.last,)
        shape = spec.output_shape(tuple(self.shapes[source] for source in read))
        self.layers.append(Layer(len(self.layers), spec, read))
        self.shapes[self.last] = shape
        return self.last

    def _choice(self, *options: LayerSpec) -> LayerSpec:
        return options[int(self._rng.integers(len(options)))]

    def _width(self) -> int:
        return int(self._rng.integers(2, 5))

    def _size(self) -> Shape:
        return tuple(int(k) for k in self._rng.integers(1, 5, size=self.rank))

    def _function(self) -> str | None:
        return (None, "relu")[int(self._rng.integers(2))]

    def _convolution(self) -> None:
        both = self._input[-1:] in ((4,), (5,)) and len(self._input) == 2 and len(self.layers) == 1
        plain = Conv(self._width(), self._size(), bias=bool(self._rng.integers(2)))
        self._append(
            self._choice(
                plain,
                replace(plain, both_strands=True) if both else replace(plain, strides=(2,) * self.rank),
                replace(plain, dilation=(2,) * self.rank),
                replace(plain, padding="valid"),
            )
        )
        self._normalise()

    def _normalise(self) -> None:
        norm = self._choice(BatchNorm(), BatchNorm(), LayerNorm(), Activation("tanh"))
        self._append(norm)
        self._append(Activation(self._function()))

    def _depthwise(self) -> None:
        self._append(DepthwiseConv(self._size(), bias=bool(self._rng.integers(2))))
        self._normalise()

    def _pool(self) -> None:
        function = ("max", "average", "attention")[int(self._rng.integers(3))]
        self._append(Pool(function, (2,) * self.rank))

    def _residual(self) -> None:
        start, width = self.last, self.shape[-1]
        self._convolution_like(width)
        self._append(Add(), start, self.last)

    def _concat(self) -> None:
        start = self.last
        self._convolution_like(self._width())
        self._append(Concat(), self.last, start)

    def _convolution_like(self, width: int) -> None:
        self._append(Conv(width, self._size()))
        self._append(BatchNorm())
        self._append(Activation(self._function()))

"""A graph as a ``torch.nn.Module``, whatever Keras runs on; fresh weights, to be trained by PyTorch alone."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from genokeras.graph import Graph, HyperParameters, fresh_arrays
from genokeras.graph.specs import (
    BATCH_NORM_EPSILON,
    LAYER_NORM_EPSILON,
    N_BASES,
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
    padding_before_after,
)

_MOMENTUM = 0.1
_STATISTICS = ("moving_mean", "moving_variance")


def torch_module(
    graph: Graph, hyper: HyperParameters, input_units: Any = None, seed: int | None = None
) -> Any:
    """A module of fresh weights.

    It reads what the graph reads, ``(n, features)`` or ``(n, *positions, channels)``, as in Keras with the channels last; a graph of
    several Inputs takes one argument for each, the main one first. Its outputs are logits, or numbers.

    Parameters
    ----------
    graph : Graph
    hyper : HyperParameters
        Its activation and dropout are those of layers that name none.
    input_units : int or mapping of int to int, optional
        Features, where the graph does not know them.
    seed : int, optional
    """
    units, rng = graph.units(input_units), np.random.default_rng(seed)
    arrays = {
        layer.id: fresh_arrays(layer.spec, tuple(units[source] for source in layer.inputs), 1, rng)
        for layer in graph.layers
        if not isinstance(layer.spec, Input)
    }
    own = {id: {name: array[0] for name, array in named.items()} for id, named in arrays.items()}
    return _module_type()(graph, hyper, own)


@functools.cache
def _module_type() -> Any:
    torch: Any = import_module("torch")
    base: Any = torch.nn.Module

    class GraphModule(base):
        """The layers of a graph, by their ids."""

        def __init__(
            self, graph: Graph, hyper: HyperParameters, arrays: Mapping[int, Mapping[str, np.ndarray]]
        ) -> None:
            super().__init__()
            self.graph, self.hyper = graph, hyper
            for id, named in arrays.items():
                for name, array in named.items():
                    tensor = torch.as_tensor(np.array(array))
                    if name in _STATISTICS:
                        self.register_buffer(f"layer{id}_{name}", tensor)
                    else:
                        self.register_parameter(f"layer{id}_{name}", torch.nn.Parameter(tensor))

        def forward(self, *inputs: Any) -> Any:
            """Logits, or numbers."""
            tensors = dict(zip(self.graph.inputs, inputs, strict=True))
            if self.graph.input_shape is None:  # features, of which an image or array has one for each value
                tensors = {id: x.reshape(len(x), -1) for id, x in tensors.items()}
            for layer in self.graph.layers:
                if layer.id not in tensors:
                    read = [tensors[source] for source in layer.inputs]
                    tensors[layer.id] = _applied(self, layer.id, layer.spec, read)
            return tensors[self.graph.output]

    return GraphModule


def _applied(module: Any, id: int, spec: LayerSpec, read: list[Any]) -> Any:
    torch, x = import_module("torch"), read[0]
    functional = torch.nn.functional

    def own(name: str) -> Any:
        return getattr(module, f"layer{id}_{name}")

    match spec:
        case Dense():
            return x @ own("kernel") + own("bias")
        case Add():
            return sum(read[1:], start=x)
        case Concat():
            return torch.cat(read, dim=-1)
        case Activation(function=function):
            return _FUNCTIONS[function or module.hyper.activation](functional, x)
        case Dropout(rate=rate):
            return functional.dropout(x, module.hyper.dropout if rate is None else rate, module.training)
        case LayerNorm():
            return functional.layer_norm(x, x.shape[-1:], eps=LAYER_NORM_EPSILON)
        case BatchNorm():
            statistics = (own("moving_mean"), own("moving_variance"), own("gamma"), own("beta"))
            first = x.movedim(-1, 1)
            normed = functional.batch_norm(first, *statistics, module.training, _MOMENTUM, BATCH_NORM_EPSILON)
            return normed.movedim(1, -1)
        case Conv():
            kernel = own("kernel").movedim(-1, 0).movedim(-1, 1)  # filters, channels, positions
            found = _convolved(functional, spec, x, kernel, 1)
            if spec.both_strands:
                channels = [*range(N_BASES - 1, -1, -1), *range(N_BASES, x.shape[-1])]
                other = _convolved(functional, spec, x.flip(1)[..., channels], kernel, 1)
                found = torch.maximum(found, other.flip(1))
            return found + own("bias") if spec.bias else found
        case DepthwiseConv():
            kernel = own("kernel").movedim(-2, 0).movedim(-1, 1)
            found = _convolved(functional, spec, x, kernel, x.shape[-1])
            return found + own("bias") if spec.bias else found
        case Pool():
            values = torch.stack(list(_windows(x, spec.size, spec.strides or spec.size)))
            scores = values @ own("kernel") if spec.function == "attention" else None
            return _gathered(torch, spec.function, values, scores, (0,))
        case GlobalPool():
            scores = x @ own("kernel") if spec.function == "attention" else None
            return _gathered(torch, spec.function, x, scores, tuple(range(1, x.ndim - 1)))
        case Embedding():
            return own("embeddings")[x.long()]
        case Flatten():
            return x.reshape(len(x), -1)
    raise NotImplementedError(f"PyTorch has no twin of {spec}")


def _convolved(functional: Any, spec: Conv | DepthwiseConv, x: Any, kernel: Any, groups: int) -> Any:
    along = zip(x.shape[1:-1], spec.kernel_size, spec.strides, spec.dilation, strict=True)
    pads = [padding_before_after(n, k, s, d, spec.padding) for n, k, s, d in along]
    padded = functional.pad(x.movedim(-1, 1), [size for pair in reversed(pads) for size in pair])
    convolve = functional.conv1d if len(spec.kernel_size) == 1 else functional.conv2d
    return convolve(padded, kernel, stride=spec.strides, dilation=spec.dilation, groups=groups).movedim(1, -1)


def _windows(x: Any, size: tuple[int, ...], strides: tuple[int, ...]) -> Iterator[Any]:
    """For each place in a window what stands there in all the windows."""
    counts = [(n - k) // s + 1 for n, k, s in zip(x.shape[1:-1], size, strides, strict=True)]
    for offsets in itertools.product(*map(range, size)):
        steps = (slice(o, o + (m - 1) * s + 1, s) for o, m, s in zip(offsets, counts, strides, strict=True))
        yield x[(slice(None), *steps)]


def _gathered(torch: Any, function: str, values: Any, scores: Any, axes: tuple[int, ...]) -> Any:
    if function == "max":
        return torch.amax(values, dim=axes)
    if function == "average":
        return torch.mean(values, dim=axes)
    shares = torch.exp(scores - torch.amax(scores, dim=axes, keepdim=True))
    return (values * shares).sum(dim=axes) / shares.sum(dim=axes)


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "relu": lambda functional, x: functional.relu(x),
    "tanh": lambda functional, x: x.tanh(),
    "gelu": lambda functional, x: functional.gelu(x),
    "silu": lambda functional, x: functional.silu(x),
    "selu": lambda functional, x: functional.selu(x),
    "sigmoid": lambda functional, x: x.sigmoid(),
    "square": lambda functional, x: x.square(),
    "linear": lambda functional, x: x,
}

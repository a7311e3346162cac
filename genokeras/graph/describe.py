"""A graph in one short line, for tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from genokeras.graph.layer import Layer
from genokeras.graph.specs import (
    Activation,
    Add,
    Concat,
    Conv,
    Dense,
    DepthwiseConv,
    Embedding,
    Flatten,
    GlobalPool,
    Input,
    LayerSpec,
    Pool,
)


def describe_layers(layers: Sequence[Layer], ancestors: Callable[[int], frozenset[int]]) -> str:
    """Return the line that `Graph.describe` documents, for layers in topological order."""
    last = layers[-1]
    ids = last.inputs if isinstance(last.spec, Add) else (last.id,)
    by_id = {layer.id: layer for layer in layers}
    parts = [_term(layers, by_id[id], ancestors(id)) for id in ids]
    counts = Counter(sorted(parts, key=lambda part: part != "linear"))
    return " + ".join(part if n == 1 else f"{n} x {part}" for part, n in counts.items())


def _term(layers: Sequence[Layer], term: Layer, ancestors: frozenset[int]) -> str:
    before = [layer for layer in layers if layer.id in ancestors]
    if isinstance(term.spec, Dense) and all(isinstance(layer.spec, (Input, Flatten)) for layer in before):
        return "linear"
    summands = {source for la in layers if isinstance(la.spec, Add) for source in la.inputs}
    read_otherwise = {source for la in layers if not isinstance(la.spec, Add) for source in la.inputs}
    hidden = [
        size
        for la in before
        if la.id not in summands - read_otherwise and (size := _size(la.spec)) is not None
    ]
    words = ["-".join(hidden)] if hidden else []
    words += sorted(
        {la.spec.function for la in before if isinstance(la.spec, Activation) and la.spec.function}
    )
    for kind, word in ((Add, "add"), (Concat, "concat")):
        n = sum(isinstance(la.spec, kind) for la in before)
        words += [f"{n} {word}{'s' if n > 1 else ''}"] if n else []
    return f"[{' '.join(words)}]"


def _size(spec: LayerSpec) -> str | None:
    """The word for a layer that changes widths or positions; None for others."""
    match spec:
        case Dense(units=units):
            return str(units)
        case Embedding(vocabulary=vocabulary, units=units):
            return f"embed{vocabulary}x{units}"
        case Conv() | DepthwiseConv():
            size = "x".join(str(k) for k in (spec.own_units or "dw", *dict.fromkeys(spec.kernel_size)))
            strands = "rc" if isinstance(spec, Conv) and spec.both_strands else ""
            strides = f"s{max(spec.strides)}" if max(spec.strides) > 1 else ""
            return size + strands + strides + (f"d{max(spec.dilation)}" if max(spec.dilation) > 1 else "")
        case Pool(function=function, size=size_):
            return f"{function}{'x'.join(map(str, dict.fromkeys(size_)))}"
        case GlobalPool(function=function):
            return f"global-{function}"
        case Flatten():
            return "flatten"
    return None

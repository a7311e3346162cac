"""A graph in one short line, for tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

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
    parts = [_term(by_id, by_id[id], ancestors(id)) for id in ids]
    counts = Counter(sorted(parts, key=lambda part: not part.startswith("linear")))
    return " + ".join(part if n == 1 else f"{n} x {part}" for part, n in counts.items())


def _term(by_id: Mapping[int, Layer], term: Layer, ancestors: frozenset[int]) -> str:
    layers = by_id.values()
    before = [layer for layer in layers if layer.id in ancestors]
    if isinstance(term.spec, Dense) and all(isinstance(layer.spec, (Input, Flatten)) for layer in before):
        return "linear" + _views(before)
    fused = {la.id: units for la in before if (units := _fused_units(la, by_id)) is not None}
    summands = {source for la in layers if isinstance(la.spec, Add) for source in la.inputs}
    read_otherwise = {source for la in layers if not isinstance(la.spec, Add) for source in la.inputs}
    hidden = [
        size
        for la in before
        if la.id not in summands - read_otherwise and (size := fused.get(la.id) or _size(la.spec)) is not None
    ]
    words = ["-".join(hidden)] if hidden else []
    words += sorted(
        {la.spec.function for la in before if isinstance(la.spec, Activation) and la.spec.function}
    )
    for kind, word in ((Add, "add"), (Concat, "concat")):
        n = sum(isinstance(la.spec, kind) for la in before if la.id not in fused)
        words += [f"{n} {word}{'s' if n > 1 else ''}"] if n else []
    return f"[{' '.join(words)}]{_views(before)}"


def _fused_units(layer: Layer, by_id: Mapping[int, Layer]) -> str | None:
    """The width of a sum of Dense layers on several Inputs: one hidden layer that reads them all; None for others."""
    parts = [by_id[id] for id in layer.inputs]
    read = {part.inputs[0] for part in parts if isinstance(part.spec, Dense)}
    fused = isinstance(layer.spec, Add) and all(isinstance(part.spec, Dense) for part in parts)
    on_inputs = all(isinstance(by_id[id].spec, Input) for id in read)
    return _size(parts[0].spec) if fused and on_inputs and len(read) > 1 else None


def _views(before: Sequence[Layer]) -> str:
    """The views that a summand reads, behind a colon; nothing where it reads the main Input alone."""
    views = {layer.spec.view for layer in before if isinstance(layer.spec, Input)}
    names = ["main"] * (None in views) + sorted(view for view in views if view)
    return "" if names == ["main"] else f":{','.join(names)}"


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

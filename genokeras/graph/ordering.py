"""What makes a list of layers a graph: checks with messages, and topological order."""

from __future__ import annotations

import heapq
from collections import Counter

from genokeras.errors import GraphError
from genokeras.graph.layer import Layer
from genokeras.graph.specs import Add, Concat, Dense, Embedding, Input


def check_ids(layers: tuple[Layer, ...]) -> None:
    """Raise GraphError unless ids are unique, all inputs exist, and the Inputs are one main one and others with views."""
    if not layers:
        raise GraphError("a graph needs at least an Input and a Dense layer, got no layers.")
    repeated = sorted(id for id, n in Counter(layer.id for layer in layers).items() if n > 1)
    if repeated:
        raise GraphError(f"every layer needs an id of its own; repeated: {repeated}.")
    ids = {layer.id for layer in layers}
    for layer in layers:
        unknown = sorted(set(layer.inputs) - ids)
        if unknown:
            raise GraphError(f"{layer} reads {unknown}, but there is no such layer; there are {sorted(ids)}.")
    _check_inputs(layers)


def _check_inputs(layers: tuple[Layer, ...]) -> None:
    specs = {layer.id: layer.spec for layer in layers if isinstance(layer.spec, Input)}
    main = [id for id, spec in specs.items() if spec.view is None]
    if len(main) != 1:
        raise GraphError(
            f"a graph needs exactly one Input without a view, got {len(main)} (layers {main}); further ones "
            f"name the view that they read."
        )
    if len(specs) > 1 and any(spec.shape is not None for spec in specs.values()):
        raise GraphError(
            f"a graph whose Input has a shape has no other, got {len(specs)} (layers {list(specs)})."
        )
    repeated = sorted(
        view for view, n in Counter(spec.view for spec in specs.values()).items() if view and n > 1
    )
    if repeated:
        raise GraphError(f"no two Inputs read one view; repeated: {', '.join(map(repr, repeated))}.")


def check_ends(layers: tuple[Layer, ...]) -> None:
    """Raise GraphError unless all layers lead to one output that can be logits."""
    read = {source for layer in layers for source in layer.inputs}
    ends = [layer for layer in layers if layer.id not in read]
    if len(ends) != 1:
        names = ", ".join(map(str, ends))
        raise GraphError(
            f"all layers must lead to one output, but nothing reads {names}; remove or join all but one."
        )
    if not isinstance(ends[0].spec, (Dense, Add, Concat)):
        raise GraphError(f"the output must be logits: a Dense, Add or Concat, not {ends[0]}.")


def check_input(layers: tuple[Layer, ...]) -> None:
    """Raise GraphError where token ids and numbers are mixed up."""
    embeddings = [layer for layer in layers if isinstance(layer.spec, Embedding)]
    for layer in embeddings:
        if layer.inputs != (layers[0].id,):
            raise GraphError(
                f"{layer} reads token ids, which only the Input holds, but it reads {layer.inputs}."
            )
    for layer in layers:
        if embeddings and layers[0].id in layer.inputs and not isinstance(layer.spec, Embedding):
            raise GraphError(
                f"{layer} reads the Input as numbers, but {embeddings[0]} reads it as token ids."
            )


def is_main(layer: Layer) -> bool:
    """Whether a layer is the Input that reads the view of the hyper-parameters, or the only one."""
    return isinstance(layer.spec, Input) and layer.spec.view is None


def topological_order(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the layers, each behind those it reads, the main Input first, ties by id (Kahn 1962); GraphError on a cycle."""
    by_id = {layer.id: layer for layer in layers}
    waiting = {layer.id: len(set(layer.inputs)) for layer in layers}
    readers: dict[int, list[int]] = {id: [] for id in by_id}
    for layer in layers:
        for source in set(layer.inputs):
            readers[source].append(layer.id)
    ready = [(not is_main(by_id[id]), id) for id, n in waiting.items() if n == 0]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, id = heapq.heappop(ready)
        ordered.append(by_id[id])
        for reader in readers[id]:
            waiting[reader] -= 1
            if waiting[reader] == 0:
                heapq.heappush(ready, (True, reader))
    if len(ordered) < len(layers):
        stuck = sorted(id for id, n in waiting.items() if n)
        raise GraphError(f"the layers form a cycle: layers {stuck} are on it or behind it.")
    return tuple(ordered)

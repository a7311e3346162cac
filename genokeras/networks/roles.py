"""What each Dense layer is to the network: it decides its start and its learning rate."""

from __future__ import annotations

from enum import Enum

from genokeras.graph import Activation, Add, Dense, Graph, Input, LayerNorm


class DenseRole(Enum):
    """LINEAR: an Input straight to the logits. CLOSING: ends a branch, in a sum or the logits. HIDDEN: the rest."""

    LINEAR = "linear"
    CLOSING = "closing"
    HIDDEN = "hidden"


def dense_roles(graph: Graph) -> dict[int, DenseRole]:
    """The role of every Dense layer, by layer id."""
    roles = {}
    fused = {i for parts in fused_layers(graph) for i in parts}
    for layer in graph.layers:
        if not isinstance(layer.spec, Dense):
            continue
        consumers = [graph.layer(i) for i in graph.consumers(layer.id)]
        ends = all(isinstance(c.spec, Add) for c in consumers)
        to_logits = _only_summed(graph, layer.id)
        reads_input = isinstance(graph.layer(layer.inputs[0]).spec, Input)
        if ends and to_logits and reads_input:
            roles[layer.id] = DenseRole.LINEAR
        else:
            roles[layer.id] = DenseRole.CLOSING if ends and layer.id not in fused else DenseRole.HIDDEN
    return roles


def fused_layers(graph: Graph) -> list[tuple[int, ...]]:
    """Dense layers that are one hidden layer together: their sum is what a normalisation or an activation reads.

    Only graphs with several Inputs have any.
    """
    if len(graph.inputs) == 1:
        return []
    found = []
    for layer in graph.layers:
        dense = all(isinstance(graph.layer(i).spec, Dense) for i in layer.inputs)
        readers = [graph.layer(i).spec for i in graph.consumers(layer.id)]
        read = any(isinstance(spec, (LayerNorm, Activation)) for spec in readers)
        if isinstance(layer.spec, Add) and dense and read:
            found.append(layer.inputs)
    return found


def _only_summed(graph: Graph, layer_id: int) -> bool:
    """Whether only sums stand between a layer and the logits."""
    readers = [graph.layer(i) for i in graph.consumers(layer_id)]
    return all(isinstance(reader.spec, Add) and _only_summed(graph, reader.id) for reader in readers)

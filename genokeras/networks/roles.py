"""What each Dense layer is to the network: it decides its start and its learning rate."""

from __future__ import annotations

from enum import Enum

from genokeras.graph import Add, Dense, Graph, Input


class DenseRole(Enum):
    """LINEAR: input straight to the logits. CLOSING: ends a branch, in a sum or the logits. HIDDEN: the rest."""

    LINEAR = "linear"
    CLOSING = "closing"
    HIDDEN = "hidden"


def dense_roles(graph: Graph) -> dict[int, DenseRole]:
    """The role of every Dense layer, by layer id."""
    roles = {}
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
            roles[layer.id] = DenseRole.CLOSING if ends else DenseRole.HIDDEN
    return roles


def _only_summed(graph: Graph, layer_id: int) -> bool:
    """Whether only sums stand between a layer and the logits."""
    readers = [graph.layer(i) for i in graph.consumers(layer_id)]
    return all(isinstance(reader.spec, Add) and _only_summed(graph, reader.id) for reader in readers)

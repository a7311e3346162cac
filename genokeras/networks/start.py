"""Fresh weights for a network of sequences, images or token ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genokeras.graph import Add, Graph, Weights, fresh_arrays
from genokeras.networks.initialise import CLOSING_SCALE


def start_weights(
    graph: Graph, rng: np.random.Generator, members: int = 1, input_shape: Sequence[int] | None = None
) -> Weights:
    """Draw what a network starts from; the same on every backend.

    See :func:`genokeras.graph.fresh_arrays`; kernels that end a branch, in a sum or the logits, start at a tenth.

    Parameters
    ----------
    graph : Graph
    rng : numpy.random.Generator
    members : int, default=1
    input_shape : sequence of int, optional
        Needed where the graph does not know it.

    Returns
    -------
    Weights
        Float32 arrays by layer id and name, with a leading member axis.
    """
    units = graph.units(input_shape)
    weights: Weights = {}
    for layer in graph.layers[1:]:
        ends = all(isinstance(graph.layer(reader).spec, Add) for reader in graph.consumers(layer.id))
        read = tuple(units[source] for source in layer.inputs)
        arrays = fresh_arrays(layer.spec, read, members, rng, CLOSING_SCALE if ends else 1.0)
        if arrays:
            weights[layer.id] = {name: array for name, array in arrays.items()}
    return weights

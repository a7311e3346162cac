"""Fresh weights for a graph, one independent draw for every member."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genokeras.graph import Graph, Weights
from genokeras.networks.roles import DenseRole, dense_roles, fused_layers

CLOSING_SCALE = 0.1


def initial_weights(
    graph: Graph, input_units: int | Mapping[int, int], members: int, rng: np.random.Generator
) -> Weights:
    """He-normal hidden kernels (He et al. 2015, eq. 10), closing ones a tenth of that, a linear path from zero.

    Starting the layers that end a branch small makes the network begin as little more than its linear path; zero is
    the natural start of that path, being the only minimum that shrinkage alone would choose. Layers on several Inputs
    that are one hidden layer together are scaled as one kernel with all of their rows.

    Parameters
    ----------
    graph : Graph
    input_units : int or mapping of int to int
        Width of every Input, or of each by its id.
    members : int
    rng : numpy.random.Generator

    Returns
    -------
    Weights
        ``kernel`` ``(members, in, out)`` and ``bias`` ``(members, out)`` of every Dense layer, float32.
    """
    roles = dense_roles(graph)
    every = graph.weight_shapes(input_units)
    rows = {i: shapes["kernel"][0] for i, shapes in every.items()}
    rows |= {i: sum(rows[j] for j in parts) for parts in fused_layers(graph) for i in parts}
    weights: Weights = {}
    for layer_id, shapes in every.items():
        kernel = np.zeros((members, *shapes["kernel"]), dtype="float32")
        if roles[layer_id] is not DenseRole.LINEAR:
            scale = np.sqrt(2.0 / rows[layer_id])
            scale *= CLOSING_SCALE if roles[layer_id] is DenseRole.CLOSING else 1.0
            kernel = (scale * rng.standard_normal(kernel.shape, dtype="float32")).astype("float32")
        weights[layer_id] = {"kernel": kernel, "bias": np.zeros((members, *shapes["bias"]), dtype="float32")}
    return weights

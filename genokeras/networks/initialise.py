"""Fresh weights for a graph, one independent draw for every member."""

from __future__ import annotations

import numpy as np

from genokeras.graph import Graph, Weights
from genokeras.networks.roles import DenseRole, dense_roles

CLOSING_SCALE = 0.1


def initial_weights(graph: Graph, input_units: int, members: int, rng: np.random.Generator) -> Weights:
    """He-normal hidden kernels (He et al. 2015, eq. 10), closing ones a tenth of that, a linear path from zero.

    Starting the layers that end a branch small makes the network begin as little more than its linear path; zero is
    the natural start of that path, being the only minimum that shrinkage alone would choose.

    Parameters
    ----------
    graph : Graph
    input_units : int
        Width of the input.
    members : int
    rng : numpy.random.Generator

    Returns
    -------
    Weights
        ``kernel`` ``(members, in, out)`` and ``bias`` ``(members, out)`` of every Dense layer, float32.
    """
    roles = dense_roles(graph)
    weights: Weights = {}
    for layer_id, shapes in graph.weight_shapes(input_units).items():
        if not shapes:
            continue
        kernel = np.zeros((members, *shapes["kernel"]), dtype="float32")
        if roles[layer_id] is not DenseRole.LINEAR:
            scale = np.sqrt(2.0 / shapes["kernel"][0])
            scale *= CLOSING_SCALE if roles[layer_id] is DenseRole.CLOSING else 1.0
            kernel = (scale * rng.standard_normal(kernel.shape, dtype="float32")).astype("float32")
        weights[layer_id] = {"kernel": kernel, "bias": np.zeros((members, *shapes["bias"]), dtype="float32")}
    return weights

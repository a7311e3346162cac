"""Run under one Keras backend by ``test_morphisms_on_every_backend.py``: ``python -m tests.graph.morphisms_on_one_backend OUT.npz``.

Packed Keras networks of random graphs with several Inputs, before and after every kind of morphism.
"""

from __future__ import annotations

import sys

import keras
import numpy as np
from keras import ops

from genokeras.graph import ACTIVATIONS, MORPHISMS, Graph, Limits, Weights
from genokeras.graph.testing import (
    VIEW_WIDTHS,
    random_graph,
    random_weights,
    random_widths,
    relative_difference,
)
from genokeras.networks import build_packed, slot_array

GRAPHS, MEMBERS, ROWS, UNITS = 4, 2, 5, 7


def outputs(graph: Graph, weights: Weights, x: dict[str, np.ndarray], activation: str) -> np.ndarray:
    """Logits of every member, from what each view holds."""
    network = build_packed(graph, random_widths(graph, UNITS), MEMBERS, activation)
    params = [ops.convert_to_tensor(slot_array(weights, slot)) for slot in network.slots]
    read = [x[view] for view in graph.views("").values()]
    ones = [np.ones((MEMBERS, ROWS, units), dtype="float32") for _, units in network.masks]
    given = [ops.convert_to_tensor(array) for array in (*read, *ones)]
    logits = network.model.stateless_call(params, [], given)[0]
    return np.asarray(ops.convert_to_numpy(ops.stop_gradient(logits)))


def main(path: str) -> None:
    """Write by how much each kind changed each graph's outputs, and how many Inputs the graph had."""
    names, errors, n_inputs = [], [], []
    for seed in range(GRAPHS):
        rng = np.random.default_rng(seed)
        graph = random_graph(rng, 2 + seed, views=tuple(VIEW_WIDTHS))
        weights = random_weights(graph, random_widths(graph, UNITS), MEMBERS, rng)
        activation = ACTIVATIONS[seed % len(ACTIVATIONS)]
        x = {
            view: rng.standard_normal((MEMBERS, ROWS, units)).astype("float32")
            for view, units in {"": UNITS, **VIEW_WIDTHS}.items()
        }
        before = outputs(graph, weights, x, activation)
        for kind in MORPHISMS:
            for morphism in kind.sites(graph, rng, limits=Limits(views=tuple(VIEW_WIDTHS)))[:1]:
                grown, carried = morphism.apply(graph, weights, rng, VIEW_WIDTHS)
                assert carried is not None
                names.append(kind.name)
                errors.append(relative_difference(outputs(grown, carried, x, activation), before))
        n_inputs.append(len(graph.inputs))
    np.savez(
        path,
        backend=np.array(keras.backend.backend()),
        names=np.array(names),
        errors=np.array(errors),
        n_inputs=np.array(n_inputs),
    )


if __name__ == "__main__":
    main(sys.argv[1])

"""Run under one Keras backend by ``test_supernet_backends.py``: ``python -m tests.enas.enas_on_one_backend OUT.npz``."""

from __future__ import annotations

import sys

import keras
import numpy as np
from keras import ops

from genokeras.enas import SharedWeights, Supernet, SupernetSettings, sliced_weights
from genokeras.enas.network import encode, supernet_outputs, weight_shapes
from genokeras.graph import ACTIVATIONS, reference_forward
from genokeras.graph.arcs import ArcSpace, arc_to_graph
from genokeras.graph.testing import relative_difference
from tests.enas.search_data import FOLDS, small_data


def largest_error(space: ArcSpace, activation: str, seed: int) -> float:
    """How far the masked supernet is from the arcs' own networks with the weights cut out for them."""
    rng = np.random.default_rng(seed)
    shapes = weight_shapes(space, FOLDS, 7, 3)
    params = [(rng.standard_normal(s) / np.sqrt(s[1])).astype("float32") for s in shapes]
    shared = SharedWeights(space, tuple(params))
    arcs = [space.random(rng) for _ in range(6)]
    x = rng.standard_normal((FOLDS, 9, 7)).astype("float32")
    tensors = [ops.convert_to_tensor(array) for array in (x, *encode(arcs, space))]
    outputs = supernet_outputs([ops.convert_to_tensor(p) for p in params], *tensors, activation)
    found = np.asarray(ops.convert_to_numpy(outputs))
    errors = []
    for number, arc in enumerate(arcs):
        own = reference_forward(arc_to_graph(arc, space, 3), sliced_weights(shared, arc), x, activation)
        errors.append(relative_difference(found[:, number], own))
    return max(errors)


def main(path: str) -> None:
    """Write errors, scores behind training, and numbers of compilations."""
    cases = [(ArcSpace(1 + i % 4, 5 + 4 * i), name, i) for i, name in enumerate(ACTIVATIONS)]
    if keras.backend.backend() != "tensorflow":
        cases = cases[1::3]  # a shape costs a compilation or many small steps there
    errors = [largest_error(*case) for case in cases]
    space, data = ArcSpace(3, 10), small_data()
    arcs = list(space.all_arcs())[::97]
    found: dict[str, np.ndarray] = {"backend": np.array(keras.backend.backend()), "errors": np.array(errors)}
    for name, batch_size in (("full", 100), ("batched", 8)):
        net = Supernet(space, data, SupernetSettings(steps=24, chunk_steps=10, batch_size=batch_size))
        net.train()
        found[name] = net.score(arcs).loss
        net.score(arcs[:1])
        found[f"{name}_compilations"] = np.array(net.compilations)
    np.savez(path, **found)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])

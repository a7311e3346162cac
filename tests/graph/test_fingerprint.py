"""Isomorphic graphs share a fingerprint; others do not."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.graph import (
    Add,
    AddBranch,
    Concat,
    Dense,
    Graph,
    Input,
    Layer,
    LayerSpec,
    Widen,
    linear,
    mlp,
)
from genokeras.graph.testing import random_graph


def relabelled(graph: Graph, rng: np.random.Generator) -> Graph:
    """Return an isomorphic graph: other ids, another order of listing and of the inputs of sums."""
    ids = rng.permutation(100)[: len(graph.layers)].tolist()
    names = dict(zip((layer.id for layer in graph.layers), ids, strict=True))
    layers = []
    for layer in graph.layers:
        inputs = [names[source] for source in layer.inputs]
        if isinstance(layer.spec, Add):
            rng.shuffle(inputs)
        layers.append(Layer(names[layer.id], layer.spec, tuple(inputs)))
    return Graph.build(layers[k] for k in rng.permutation(len(layers)))


@given(seed=st.integers(0, 2**20), n_morphisms=st.integers(1, 6))
@settings(derandomize=True, deadline=None, max_examples=60, database=None)
def test_relabelling_and_reordering_change_nothing(seed: int, n_morphisms: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, n_morphisms)
    assert relabelled(graph, rng).fingerprint() == graph.fingerprint()


def joined(joint: LayerSpec, *inputs: int) -> Graph:
    return Graph.build(
        [
            Layer(0, Input()),
            Layer(1, Dense(4), (0,)),
            Layer(2, Dense(4), (1,)),
            Layer(3, joint, inputs),
            Layer(4, Dense(2), (3,)),
        ]
    )


def test_the_order_of_a_sum_does_not_count() -> None:
    assert joined(Add(), 1, 2).fingerprint() == joined(Add(), 2, 1).fingerprint()


def test_the_order_of_a_concatenation_counts() -> None:
    assert joined(Concat(), 1, 2).fingerprint() != joined(Concat(), 2, 1).fingerprint()


def test_a_shared_layer_is_not_two_equal_ones() -> None:
    shared = Graph.build([Layer(0, Input()), Layer(1, Dense(4), (0,)), Layer(2, Add(), (1, 1))])
    layers = [Layer(0, Input()), Layer(1, Dense(4), (0,)), Layer(2, Dense(4), (0,)), Layer(3, Add(), (1, 2))]
    assert shared.fingerprint() != Graph.build(layers).fingerprint()


def test_which_of_two_tensors_is_read_counts() -> None:
    def crossed(third: int, fourth: int) -> Graph:
        layers = [
            Layer(0, Input()),
            Layer(1, Dense(4), (0,)),
            Layer(2, Dense(4), (0,)),
            Layer(3, Add(), (1, 2)),
            Layer(5, Dense(2), (third,)),
            Layer(6, Dense(2), (fourth,)),
            Layer(7, Dense(2), (3,)),
            Layer(8, Add(), (5, 6, 7)),
        ]
        return Graph.build(layers)

    assert crossed(1, 2).fingerprint() == crossed(2, 1).fingerprint()
    assert crossed(1, 1).fingerprint() != crossed(1, 2).fingerprint()


def test_widths_count() -> None:
    graph = mlp(2, widths=(8,))
    assert Widen(1).edit(graph).fingerprint() == mlp(2, widths=(16,)).fingerprint() != graph.fingerprint()


def test_branches_grown_in_another_order_are_the_same_graph() -> None:
    rng = np.random.default_rng(0)
    first, second = linear(2), linear(2)
    for units in (16, 32, 64):
        first, _ = AddBranch(units).apply(first, None, rng)
    for units in (64, 16, 32):
        second, _ = AddBranch(units).apply(second, None, rng)
    assert first.fingerprint() == second.fingerprint()


def test_the_fingerprint_is_the_same_in_another_process() -> None:
    graph = mlp(3)
    assert hash(graph) == hash(mlp(3))  # and is remembered
    code = (
        "from genokeras.graph import mlp; import pickle, sys; sys.stdout.write(mlp(3).fingerprint())\n"
        f"assert hash(pickle.loads({pickle.dumps(graph)!r})) == hash(mlp(3))"
    )
    env = {
        **os.environ,
        "PYTHONHASHSEED": "77",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout == mlp(3).fingerprint()

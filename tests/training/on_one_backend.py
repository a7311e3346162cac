"""Run under one Keras backend by ``test_backends_agree.py``: ``python -m tests.training.on_one_backend OUT.npz``."""

from __future__ import annotations

import sys

import keras
import numpy as np

from genokeras.graph import ACTIVATIONS, mlp, reference_forward
from genokeras.graph.testing import random_graph, random_weights, relative_difference
from genokeras.networks import build_packed, slot_array
from genokeras.training import PackedTrainer, TrainingSettings
from tests.backends import at_once
from tests.training.mixed_tasks import difference_from_alone
from tests.training.small_tasks import small_task


def forward_error(seed: int, activation: str) -> float:
    """How far a packed network is from what its graph means."""
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, seed % 5)
    weights = random_weights(graph, 7, 3, rng)
    x = rng.standard_normal((3, 9, 7)).astype("float32")
    network = build_packed(graph, 7, 3, activation)
    arrays = [x, *(np.ones((3, 9, units), dtype="float32") for _, units in network.masks)]
    params = [keras.ops.convert_to_tensor(slot_array(weights, slot)) for slot in network.slots]
    compute = at_once(lambda params, arrays: network.model.stateless_call(params, [], arrays)[0])
    logits = compute(params, [keras.ops.convert_to_tensor(a) for a in arrays])
    found = np.asarray(keras.ops.convert_to_numpy(logits))
    return relative_difference(found, reference_forward(graph, weights, x, activation))


def main(path: str) -> None:
    """Write losses, curves and forward errors."""
    dumped: dict[str, np.ndarray] = {"backend": np.array(keras.backend.backend())}
    dumped["forward"] = np.array([forward_error(3 + i, name) for i, name in enumerate(ACTIVATIONS)])
    task = small_task(mlp(3, (8,)), (0.01, 0.03), dropout=0.25)
    still = small_task(mlp(3, (8,)), (0.0, 0.0))
    trainer = PackedTrainer(TrainingSettings(max_steps=32, chunk_steps=12, score_every=5, patience=99))
    dumped["still"] = trainer.run(still).curves[0]
    full = trainer.run(task)
    again = trainer.run(task)
    dumped["curves"], dumped["logits"] = full.curves, full.logits
    dumped["repeatable"] = np.array(np.array_equal(full.logits, again.logits))
    dumped["compilations"] = np.array(trainer.compilations)
    batched = PackedTrainer(TrainingSettings(max_steps=15, batch_size=10, patience=99)).run(task)
    dumped["batched"] = batched.curves
    dumped["mixed"] = np.array(difference_from_alone())
    np.savez(path, **dumped)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(sys.argv[1])

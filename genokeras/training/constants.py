"""What does not change during a packed run, as tensors of the backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from genokeras.graph import Dropout
from genokeras.networks import PackedNetwork
from genokeras.training.noise import NOISE_LEVELS, dropout_threshold
from genokeras.training.rows import ScoringBlocks
from genokeras.training.task import PackedTask

LINEAR_RATE_FACTOR = 10.0


def constants_of(
    task: PackedTask, scored: ScoringBlocks, n_trained: int, network: PackedNetwork, batch_size: int
) -> dict[str, Any]:
    """Tensors by name; ``n_trained`` rows are what mini-batches are drawn from."""
    membership = np.eye(task.n_trials, dtype="float32")[task.trial_of_member].T
    threshold = dropout_threshold(_dropout_rates(network, task))
    linear_rate = LINEAR_RATE_FACTOR * task.learning_rate / np.sqrt(task.input_rank)
    values = {
        **_inputs(task, batch_size),
        "targets": task.targets[None],
        "train_weights": task.train_weights,
        "share": n_trained / batch_size,
        "scored_rows": scored.blocks(scored.rows),
        "scored_targets": scored.blocks(task.targets[scored.rows]),
        "scored_train": scored.blocks(scored.train_weights),
        "scored_held_out": scored.blocks(scored.score_weights),
        "membership": membership,
        "mean_of_members": membership / membership.sum(axis=1, keepdims=True),
        "learning_rate": task.learning_rate[:, None, None],
        "linear_rate": linear_rate[:, None, None],
        "decay": (task.learning_rate * task.weight_decay)[:, None, None],
        "threshold": threshold[:, :, None, None],
        "inverse_keep": (NOISE_LEVELS / (NOISE_LEVELS - threshold))[:, :, None, None],
    }
    return {name: as_tensor(value) for name, value in values.items()}


def _inputs(task: PackedTask, batch_size: int) -> dict[str, np.ndarray]:
    """Every member's own ``(M, n, r)``; with mini-batches all the inputs ``(g n, r)`` and where those of a member begin."""
    different, n_rows, width = task.inputs.shape
    seen = task.inputs_seen()
    if n_rows <= batch_size:
        return {"x": task.inputs if different == task.n_members else task.inputs[seen]}
    return {"x": task.inputs.reshape(-1, width), "first_row": (n_rows * seen[:, None]).astype("int32")}


def _dropout_rates(network: PackedNetwork, task: PackedTask) -> np.ndarray:
    """``(dropout layers, members)``: the layer's own rate, or else that of the member's trial."""
    rates = np.empty((len(network.masks), task.n_members))
    for row, (layer_id, _) in zip(rates, network.masks, strict=True):
        spec = task.graph.layer(layer_id).spec
        row[:] = spec.rate if isinstance(spec, Dropout) and spec.rate is not None else task.dropout
    return rates


def as_tensor(value: Any) -> Any:
    """``value`` as it is where it is int32, otherwise as float32."""
    array = np.asarray(value)
    return ops.convert_to_tensor(array if array.dtype == "int32" else array.astype("float32", copy=False))

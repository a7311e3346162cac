"""What does not change during a packed run, as tensors of the backend."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from genokeras.training.architectures import Architecture, member_axis
from genokeras.training.noise import NOISE_LEVELS, dropout_threshold
from genokeras.training.rows import ScoringBlocks
from genokeras.training.task import MemberTask

# The axis of the members, for constants that have it elsewhere than in front.
_MEMBER_AXES = {
    "scored_rows": 1,
    "scored_targets": 1,
    "scored_train": 1,
    "scored_held_out": 1,
    "membership": 1,
    "mean_of_members": 1,
    "threshold": 1,
    "inverse_keep": 1,
}
_WITHOUT_MEMBERS = ("targets", "share", "one", "nothing", "function_sizes")


def constants_of(
    task: MemberTask, scored: ScoringBlocks, n_trained: int, architecture: Architecture, batch_size: int
) -> dict[str, Any]:
    """Tensors by name; ``n_trained`` rows are what mini-batches are drawn from."""
    membership = np.eye(task.n_trials, dtype="float32")[task.trial_of_member].T
    threshold = dropout_threshold(architecture.dropout_rates(task))
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
        "threshold": threshold[:, :, None, None],
        "inverse_keep": (NOISE_LEVELS / (NOISE_LEVELS - threshold))[:, :, None, None],
        **architecture.constants(task),
    }
    return {name: as_tensor(value) for name, value in values.items()}


def free_axes(name: str) -> tuple[int, ...]:
    """Axes of a constant that are as long as there are members or trials."""
    if name in _WITHOUT_MEMBERS:
        return ()
    if name in ("membership", "mean_of_members"):
        return 0, 1
    if name == "x":
        return (0,)
    return (_MEMBER_AXES.get(name, member_axis(name)),)


def _inputs(task: MemberTask, batch_size: int) -> dict[str, np.ndarray]:
    """Every member's own ``(M, n, r)``; with mini-batches all the inputs ``(g n, r)`` and where those of a member begin."""
    different, n_rows, width = task.inputs.shape
    seen = task.inputs_seen()
    if n_rows <= batch_size:
        alike = different == task.n_members and bool((seen == np.arange(different)).all())
        return {"x": task.inputs if alike else task.inputs[seen]}
    return {"x": task.inputs.reshape(-1, width), "first_row": (n_rows * seen[:, None]).astype("int32")}


def as_tensor(value: Any) -> Any:
    """``value`` as it is where it is int32, otherwise as float32."""
    array = np.asarray(value)
    return ops.convert_to_tensor(array if array.dtype == "int32" else array.astype("float32", copy=False))

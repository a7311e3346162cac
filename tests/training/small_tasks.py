"""Small packed tasks to test training with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import log_softmax

from genokeras.graph import Graph, Weights, reference_forward
from genokeras.networks import initial_weights
from genokeras.training import PackedTask

FOLDS = 3


def small_task(
    graph: Graph,
    learning_rates: Sequence[float] = (0.02,),
    *,
    n: int = 24,
    rank: int = 6,
    dropout: float = 0.0,
    weight_decay: float = 0.1,
    signal: float = 1.0,
    seed: int = 0,
) -> PackedTask:
    """One trial of three fold members for every learning rate, on classes that ``signal`` tells apart."""
    rng = np.random.default_rng(seed)
    classes, members = graph.n_outputs, FOLDS * len(learning_rates)
    codes = np.arange(n) % classes
    x = rng.standard_normal((FOLDS, n, rank)) + signal * np.eye(classes, rank)[codes]
    train = (rng.permutation(n) % FOLDS != np.arange(FOLDS)[:, None]).astype("float32")
    held_out = 1 - train
    weights = initial_weights(graph, rank, FOLDS, rng)
    return PackedTask(
        graph=graph,
        activation="relu",
        inputs=np.tile(x.astype("float32"), (len(learning_rates), 1, 1)),
        targets=np.eye(classes, dtype="float32")[codes],
        train_weights=np.tile(train / train.sum(axis=1, keepdims=True), (len(learning_rates), 1)),
        score_weights=np.tile(held_out / held_out.sum(), (len(learning_rates), 1)),
        trial_of_member=np.repeat(np.arange(len(learning_rates)), FOLDS),
        learning_rate=np.repeat(np.asarray(learning_rates), FOLDS),
        weight_decay=np.full(members, weight_decay),
        dropout=np.full(members, dropout),
        input_rank=np.full(members, rank),
        weights={
            i: {name: np.tile(a, (len(learning_rates),) + (1,) * (a.ndim - 1)) for name, a in named.items()}
            for i, named in weights.items()
        },
        seed=seed,
    )


def some_members(task: PackedTask, members: slice) -> PackedTask:
    """These members alone, as one trial."""
    return replace(
        task,
        inputs=task.inputs[members],
        train_weights=task.train_weights[members],
        score_weights=task.score_weights[members],
        trial_of_member=np.zeros(len(task.trial_of_member[members]), dtype=int),
        learning_rate=task.learning_rate[members],
        weight_decay=task.weight_decay[members],
        dropout=task.dropout[members],
        input_rank=task.input_rank[members],
        weights=weights_of(task.weights, members),
    )


def weights_of(weights: Weights, members: slice) -> Weights:
    """The weights of these members."""
    return {i: {name: array[members] for name, array in named.items()} for i, named in weights.items()}


def held_out_loss(task: PackedTask, weights: Weights) -> np.ndarray:
    """``(trials,)`` mean held-out log loss, computed in plain numpy."""
    logits = reference_forward(task.graph, weights, task.inputs, task.activation)
    entropy = -(task.targets * log_softmax(logits, axis=-1)).sum(axis=-1)
    return np.bincount(task.trial_of_member, (task.score_weights * entropy).sum(axis=1))


def largest_difference(a: Weights, b: Weights) -> float:
    """Over all the weights."""
    return max(float(np.abs(a[i][name] - b[i][name]).max()) for i in a for name in a[i])

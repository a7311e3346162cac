"""Small packs of different graphs to test training with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from genokeras.graph import AddBranch, Deepen, Graph, linear, mlp, rfcn_densenet
from genokeras.networks import ShapeClass, initial_weights
from genokeras.training import MixedTask, PackedTask, PackedTrainer, TrainingSettings, TrialNetwork
from tests.training.small_tasks import FOLDS, small_task

RANK, CLASSES = 6, 3
SETTINGS = TrainingSettings(max_steps=10, chunk_steps=5, score_every=5, min_steps=0, patience=99)


def grown() -> list[Graph]:
    small = mlp(CLASSES, (8,))
    return [
        small,
        Deepen.sites(small)[0].edit(small),
        AddBranch(16).edit(small),
        mlp(CLASSES, (5, 4), normalise=False, linear_path=False),
        linear(CLASSES),
        rfcn_densenet(CLASSES, n_latent=6, n_blocks=1),
    ]


ACTIVATIONS = ("relu", "tanh", "gelu", "silu", "relu", "gelu")
SHAPE = ShapeClass(RANK, 4, 4, 16, CLASSES)


def one_graph(graph: Graph, activation: str, seed: int, dropout: float = 0.0) -> PackedTask:
    task = small_task(graph, n=24, rank=RANK, dropout=dropout)
    weights = initial_weights(graph, RANK, FOLDS, np.random.default_rng(seed))
    # Ranks differ between folds, and the linear path's rate with them.
    return replace(task, activation=activation, weights=weights, input_rank=np.array([6, 5, 4]))


def mixed(tasks: list[PackedTask], shape: ShapeClass = SHAPE, seeds: list[int] | None = None) -> MixedTask:
    first = tasks[0]
    networks = tuple(
        TrialNetwork(task.graph, task.activation, task.weights, {task.graph.input: (0, RANK)}, seed)
        for seed, task in zip(seeds or range(len(tasks)), tasks, strict=True)
    )
    wide = np.pad(first.inputs, ((0, 0), (0, 0), (0, shape.input_units - RANK)))
    joined = {
        name: np.concatenate([getattr(task, name) for task in tasks])
        for name in (
            "train_weights",
            "score_weights",
            "learning_rate",
            "weight_decay",
            "dropout",
            "input_rank",
        )
    }
    return MixedTask(
        inputs=wide,
        targets=first.targets,
        trial_of_member=np.repeat(np.arange(len(tasks)), FOLDS),
        seed=0,
        input_of_member=np.tile(np.arange(FOLDS), len(tasks)),
        shape=shape,
        networks=networks,
        **joined,
    )


def all_graphs(dropout: float = 0.0) -> list[PackedTask]:
    """A task of each graph alone."""
    pairs = zip(grown(), ACTIVATIONS, strict=True)
    return [one_graph(graph, name, number, dropout) for number, (graph, name) in enumerate(pairs)]


def difference_from_alone() -> float:
    """The largest difference of logits between a pack of different graphs and each graph alone, relative to the largest logit."""
    # Two of two nodes: JAX takes several times as long to compile a program for four, and two seconds for each graph alone.
    tasks = all_graphs()[2:4]
    settings = replace(SETTINGS, max_steps=5)
    together = PackedTrainer(settings).run(mixed(tasks, ShapeClass(RANK, 2, 2, 16, CLASSES))).logits
    alone = np.concatenate([PackedTrainer(settings).run(task).logits for task in tasks])
    return float(np.abs(together - alone).max() / np.abs(alone).max())

"""Packs of different graphs train as each of them would alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.graph import AddBranch, Deepen, Graph, linear, mlp, rfcn_densenet
from genokeras.networks import ShapeClass, class_of, initial_weights
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


def test_a_pack_of_different_graphs_trains_as_each_graph_alone() -> None:
    tasks = [one_graph(g, a, n) for n, (g, a) in enumerate(zip(grown(), ACTIVATIONS, strict=True))]
    together = PackedTrainer(SETTINGS).run(mixed(tasks))
    for number, task in enumerate(tasks):
        alone = PackedTrainer(SETTINGS).run(task)
        members = slice(FOLDS * number, FOLDS * (number + 1))
        np.testing.assert_allclose(together.logits[members], alone.logits, atol=1e-5, rtol=1e-4)
        np.testing.assert_allclose(together.curves[:, number], alone.curves[:, 0], atol=1e-5)
        for layer, named in alone.weights.items():
            kernel = together.networks[number][layer]["kernel"]
            np.testing.assert_allclose(kernel, named["kernel"], atol=1e-5, rtol=1e-3)


def test_dropout_is_the_same_in_any_pack_and_any_class() -> None:
    tasks = [
        one_graph(g, a, n, dropout=0.4) for n, (g, a) in enumerate(zip(grown(), ACTIVATIONS, strict=True))
    ]
    trainer = PackedTrainer(SETTINGS)
    together = trainer.run(mixed(tasks))
    for number in (1, 3, 5):
        smallest = class_of(tasks[number].graph, RANK)
        assert smallest is not None
        alone = trainer.run(mixed([tasks[number]], smallest, [number]))
        members = slice(FOLDS * number, FOLDS * (number + 1))
        np.testing.assert_allclose(together.logits[members], alone.logits, atol=1e-5, rtol=1e-4)
    dry = trainer.run(mixed([replace(task, dropout=np.zeros(FOLDS)) for task in tasks]))
    assert np.abs(dry.logits[:FOLDS] - together.logits[:FOLDS]).max() > 1e-3


def test_one_compilation_serves_packs_of_other_graphs_and_sizes() -> None:
    tasks = [one_graph(g, a, n) for n, (g, a) in enumerate(zip(grown(), ACTIVATIONS, strict=True))]
    usual = [task for task in tasks if task.activation != "silu"]
    trainer = PackedTrainer(SETTINGS)
    for part in (usual, usual[1:3], usual[::-1]):
        result = trainer.run(mixed(part))
        assert len(result.networks) == len(part) and len(result.logits) == FOLDS * len(part)
    assert trainer.compilations == (1 if trainer.frees_axes else 2)


def test_mini_batches_train_a_mixed_pack_too() -> None:
    tasks = [one_graph(g, a, n) for n, (g, a) in enumerate(zip(grown()[:3], ACTIVATIONS, strict=False))]
    settings = replace(SETTINGS, batch_size=10)
    together = PackedTrainer(settings).run(mixed(tasks))
    for number, task in enumerate(tasks):
        alone = PackedTrainer(settings).run(task)
        members = slice(FOLDS * number, FOLDS * (number + 1))
        np.testing.assert_allclose(together.logits[members], alone.logits, atol=1e-5, rtol=1e-4)


def test_a_trial_that_diverges_leaves_the_others_alone() -> None:
    tasks = [one_graph(g, a, n) for n, (g, a) in enumerate(zip(grown(), ACTIVATIONS, strict=True))]
    healthy = PackedTrainer(SETTINGS).run(mixed(tasks))
    wild = replace(tasks[0], learning_rate=np.full(FOLDS, 1e30))
    result = PackedTrainer(SETTINGS).run(mixed([wild, *tasks[1:]]))
    np.testing.assert_allclose(result.logits[FOLDS:], healthy.logits[FOLDS:], atol=1e-6)


@pytest.mark.parametrize("columns", [(0, 6), (3, 6)])
def test_columns_that_a_graph_does_not_read_change_nothing(columns: tuple[int, int]) -> None:
    task = one_graph(mlp(CLASSES, (8,)), "relu", 0)
    shape = ShapeClass(9, 1, 1, 8, CLASSES)
    plain = PackedTrainer(SETTINGS).run(task)
    first, n = columns
    network = TrialNetwork(task.graph, "relu", task.weights, {task.graph.input: columns}, 0)
    noisy = np.random.default_rng(0).standard_normal((FOLDS, 24, 9)).astype("float32")
    noisy[:, :, first : first + n] = task.inputs
    wide = replace(mixed([task], shape), inputs=noisy, networks=(network,))
    result = PackedTrainer(SETTINGS).run(wide)
    np.testing.assert_allclose(result.logits, plain.logits, atol=1e-5)


def test_a_trial_that_settles_goes_and_the_others_go_on_as_before() -> None:
    tasks = [
        one_graph(g, a, n, dropout=0.3) for n, (g, a) in enumerate(zip(grown(), ACTIVATIONS, strict=True))
    ]
    settings = replace(SETTINGS, max_steps=60, chunk_steps=10, patience=2)
    fast = [
        replace(task, learning_rate=np.full(FOLDS, 0.3 if n % 2 else 0.002)) for n, task in enumerate(tasks)
    ]
    together = PackedTrainer(settings).run(mixed(fast))
    assert len(set(together.n_scorings)) > 1
    for number, task in enumerate(fast):
        alone = PackedTrainer(settings).run(mixed([task], seeds=[number]))
        assert together.n_scorings[number] == alone.n_scorings[0]
        assert together.best_step[number] == alone.best_step[0]
        members = slice(FOLDS * number, FOLDS * (number + 1))
        np.testing.assert_allclose(together.logits[members], alone.logits, atol=1e-3)
        shown = slice(int(alone.n_scorings[0]))
        np.testing.assert_allclose(together.curves[shown, number], alone.curves[shown, 0], atol=1e-3)
        assert np.isnan(together.curves[together.n_scorings[number] :, number]).all()

"""Packs of different graphs train as each of them would alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.graph import mlp
from genokeras.networks import ShapeClass, class_of
from genokeras.training import PackedTrainer, TrialNetwork
from tests.training.mixed_tasks import CLASSES, RANK, SETTINGS, all_graphs, mixed, one_graph
from tests.training.small_tasks import FOLDS


def test_a_pack_of_different_graphs_trains_as_each_graph_alone() -> None:
    tasks = all_graphs()
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
    tasks = all_graphs(dropout=0.4)
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
    tasks = all_graphs()
    usual = [task for task in tasks if task.activation != "silu"]
    trainer = PackedTrainer(SETTINGS)
    for part in (usual, usual[1:3], usual[::-1]):
        result = trainer.run(mixed(part))
        assert len(result.networks) == len(part) and len(result.logits) == FOLDS * len(part)
    assert trainer.compilations == (1 if trainer.frees_axes else 2)


def test_mini_batches_train_a_mixed_pack_too() -> None:
    tasks = all_graphs()[:3]
    settings = replace(SETTINGS, batch_size=10)
    together = PackedTrainer(settings).run(mixed(tasks))
    for number, task in enumerate(tasks):
        alone = PackedTrainer(settings).run(task)
        members = slice(FOLDS * number, FOLDS * (number + 1))
        np.testing.assert_allclose(together.logits[members], alone.logits, atol=1e-5, rtol=1e-4)


def test_a_trial_that_diverges_leaves_the_others_alone() -> None:
    tasks = all_graphs()
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
    tasks = all_graphs(dropout=0.3)
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

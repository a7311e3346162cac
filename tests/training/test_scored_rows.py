"""Mini-batches: who is scored on which rows, and inputs that members share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.graph import mlp, reference_forward
from genokeras.training import PackedTask, PackedTrainer, TrainingSettings
from genokeras.training.rows import scored_rows, trained_rows
from tests.training.small_tasks import FOLDS, held_out_loss, largest_difference, small_task

GRAPH = mlp(3, (8,))
BATCHED = TrainingSettings(max_steps=20, batch_size=4, patience=99, min_steps=0, chunk_steps=10)


def batched_task(n: int = 60, learning_rates: tuple[float, ...] = (0.02,)) -> PackedTask:
    return small_task(GRAPH, learning_rates, n=n)


def test_a_task_of_one_batch_is_scored_on_all_rows_by_its_own_weights() -> None:
    task = batched_task()
    scored = scored_rows(task, 60)
    assert scored.n_blocks == 1
    np.testing.assert_array_equal(scored.rows, np.tile(np.arange(60), (FOLDS, 1)))
    assert scored.train_weights is task.train_weights and scored.score_weights is task.score_weights


def test_a_member_is_scored_on_every_row_it_does_not_train_on_and_on_a_batch_of_others() -> None:
    task = batched_task()
    scored = scored_rows(task, 4)
    for rows, train in zip(scored.rows, task.train_weights, strict=True):
        assert set(np.flatnonzero(train == 0)) <= set(rows)
        assert len(set(rows) & set(np.flatnonzero(train > 0))) == 4


def test_the_weights_of_scored_rows_add_up_to_those_of_all() -> None:
    task = batched_task(n=61)  # folds of unequal size, so that one member has rows to spare
    scored = scored_rows(task, 4)
    np.testing.assert_allclose(scored.score_weights.sum(), 1.0, rtol=1e-5)
    np.testing.assert_allclose(scored.train_weights.sum(axis=1), np.ones(FOLDS), rtol=1e-5)


def test_blocks_are_put_together_again() -> None:
    scored = scored_rows(batched_task(), 4)
    assert scored.n_blocks > 1
    np.testing.assert_array_equal(scored.joined(scored.blocks(scored.rows)), scored.rows)


def test_rows_that_nobody_trains_on_are_in_no_mini_batch() -> None:
    task = batched_task()
    one = replace(task, train_weights=task.train_weights[:1])
    np.testing.assert_array_equal(trained_rows(one, 4), np.flatnonzero(task.train_weights[0]))
    assert len(trained_rows(one, 50)) == 60  # too few to fill a batch


def test_scorings_in_blocks_say_what_the_held_out_rows_say() -> None:
    task = batched_task(learning_rates=(0.02, 0.05))
    result = PackedTrainer(BATCHED).run(task)
    np.testing.assert_allclose(held_out_loss(task, result.weights), result.best_loss, rtol=1e-4)
    logits = reference_forward(GRAPH, result.weights, task.inputs, "relu")
    expected = np.take_along_axis(logits, result.rows[:, :, None], axis=1)
    np.testing.assert_allclose(result.logits, expected, atol=1e-4)


@pytest.mark.parametrize("batch_size", [4, 60])
def test_members_that_see_the_same_inputs_need_no_copies_of_them(batch_size: int) -> None:
    task = batched_task(learning_rates=(0.02, 0.05))
    which = np.array([1, 0, 1, 1, 0, 0])
    shared = replace(task, inputs=task.inputs[:2], input_of_member=which)
    copied = replace(task, inputs=task.inputs[which])
    trainer = PackedTrainer(replace(BATCHED, batch_size=batch_size))
    a, b = trainer.run(shared), trainer.run(copied)
    assert largest_difference(a.weights, b.weights) == 0
    np.testing.assert_array_equal(a.logits, b.logits)


def test_without_a_word_members_take_the_inputs_in_turn() -> None:
    task = batched_task(learning_rates=(0.02, 0.05))
    folds = replace(task, inputs=task.inputs[:FOLDS])
    assert folds.inputs_seen().tolist() == [0, 1, 2, 0, 1, 2]
    np.testing.assert_array_equal(
        PackedTrainer(BATCHED).run(folds).logits, PackedTrainer(BATCHED).run(task).logits
    )

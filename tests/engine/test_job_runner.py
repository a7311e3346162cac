"""From a job to a packed task and back: shared inputs, out-of-fold predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from genokeras.encoders import by_sample
from genokeras.engine import Deadline, PackedRunner, Problem
from genokeras.engine.jobs import pack
from genokeras.engine.packed_runner import out_of_fold
from genokeras.engine.testing import linear_job, small_problem, small_runner, table_problem
from genokeras.graph import HyperParameters, get_father
from genokeras.searchers import Proposal
from genokeras.tasks.classes import Classes
from genokeras.tasks.objectives import get_objective
from genokeras.training import TrainingSettings

HELD_OUT = np.array([[True, False, False, True], [False, True, False, False]])


def two_views() -> Problem:
    """Both views are 32 wide, so that their trials train in one job."""
    problem = small_problem(n=24, p=28)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((24, 28)).astype("float32")
    return table_problem(x, problem.targets, Classes(2), problem.train, problem.held_out, ("all", "top5"))


def mixed_job(problem: Problem):
    views = ("top5", "all", "top5")
    hypers = [HyperParameters(weight_decay=0.1 + i, view=view) for i, view in enumerate(views)]
    return pack([Proposal(get_father("linear", 2), h) for h in hypers], 0, 6, problem.widths)[0]


def test_trials_of_one_view_share_its_inputs() -> None:
    runner = small_runner()
    task = runner._task(linear_job(0, 0.1, 0.3, 1.0))
    assert np.shares_memory(task.inputs, runner.problem.rows["all"])
    assert task.inputs_seen().tolist() == [0, 1, 2] * 3


def test_a_trial_of_another_view_in_the_job_sees_its_own_inputs() -> None:
    problem = two_views()
    task = small_runner(problem)._task(mixed_job(problem))
    assert len(task.inputs) == 2 * problem.n_folds
    seen = task.inputs[task.inputs_seen()]
    np.testing.assert_array_equal(
        seen, np.concatenate([by_sample(problem.rows[v]) for v in ("top5", "all", "top5")])
    )


def test_a_trial_of_a_mixed_job_scores_as_if_it_were_alone() -> None:
    problem = two_views()
    runner, job = small_runner(problem), mixed_job(problem)
    together = runner.run(job, Deadline())
    for number, outcome in enumerate(together):
        alone = runner.run(pack([job.proposals[number]], number, 1, problem.widths)[0], Deadline())[0]
        np.testing.assert_allclose(alone.answers, outcome.answers, atol=1e-5)


def test_out_of_fold_probabilities_are_those_of_the_folds_that_hold_a_row_out() -> None:
    logits = np.random.default_rng(0).standard_normal((2, 4, 3))
    rows = np.tile(np.arange(4), (2, 1))
    found = out_of_fold(Classes(3), logits, rows, HELD_OUT)
    np.testing.assert_allclose(found[[0, 3]], softmax(logits[0], axis=1)[[0, 3]], rtol=1e-6)
    np.testing.assert_allclose(found[1], softmax(logits[1, 1]), rtol=1e-6)
    assert np.isnan(found[2]).all()


def test_out_of_fold_rows_may_come_in_any_order_and_twice() -> None:
    logits = np.random.default_rng(0).standard_normal((2, 4, 3))
    rows = np.tile(np.arange(4), (2, 1))
    order = np.array([3, 0, 1, 3, 3])
    shuffled = out_of_fold(Classes(3), logits[:, order], rows[:, order], HELD_OUT)
    np.testing.assert_array_equal(shuffled, out_of_fold(Classes(3), logits, rows, HELD_OUT))


def test_a_row_of_two_folds_gets_their_mean() -> None:
    logits = np.random.default_rng(0).standard_normal((2, 1, 3))
    found = out_of_fold(Classes(3), logits, np.zeros((2, 1), int), np.ones((2, 1), bool))
    np.testing.assert_allclose(found, softmax(logits, axis=2).mean(axis=0), rtol=1e-6)


@pytest.mark.parametrize("weightless", [False, True])
def test_mini_batches_predict_every_held_out_row(weightless: bool) -> None:
    problem = small_problem()
    weight = np.where(np.arange(24) == 5, 0.0, 1.0) if weightless else problem.sample_weight
    settings = TrainingSettings(max_steps=10, batch_size=4, loss=problem.task)
    runner = PackedRunner(replace(problem, sample_weight=weight), get_objective("log_loss"), settings)
    for outcome in runner.run(linear_job(0, 0.1, 0.3), Deadline()):
        assert outcome.result.status == "ok", outcome.result.error
        assert np.isfinite(outcome.answers).all()
        np.testing.assert_allclose(outcome.answers.sum(axis=1), 1.0, rtol=1e-5)

"""From a job to a packed task and back: shared inputs, out-of-fold predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import Ridge

from genokeras.encoders import by_sample
from genokeras.engine import Deadline, PackedRunner, Problem
from genokeras.engine.jobs import Father, Job, Outcome
from genokeras.engine.outcomes import PERTURB, SHRINK, shrunk_and_perturbed
from genokeras.engine.packed_runner import out_of_fold
from genokeras.engine.packing import GraphPacker, pack_size
from genokeras.engine.testing import linear_job, small_problem, small_runner, table_problem
from genokeras.graph import HyperParameters, get_father, mlp
from genokeras.searchers import Proposal
from genokeras.tasks.classes import Classes
from genokeras.tasks.numbers import _RIDGE_PENALTY, Numbers
from genokeras.tasks.objectives import get_objective
from genokeras.training import PackedTask, TrainingSettings
from tests.engine.runs import linear_proposal, mlp_proposal, problem_of_numbers

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
    return GraphPacker(6, problem.widths).jobs([Proposal(get_father("linear", 2), h) for h in hypers], 0)[0]


def task_of(runner: PackedRunner, job: Job) -> PackedTask:
    return runner._task(job, [runner._start(proposal, None) for proposal in job.proposals])


def test_trials_of_one_view_share_its_inputs() -> None:
    runner = small_runner()
    task = task_of(runner, linear_job(0, 0.1, 0.3, 1.0))
    assert np.shares_memory(task.inputs, runner.problem.rows["all"])
    assert task.inputs_seen().tolist() == [0, 1, 2] * 3


def test_a_trial_of_another_view_in_the_job_sees_its_own_inputs() -> None:
    problem = two_views()
    task = task_of(small_runner(problem), mixed_job(problem))
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
        alone = runner.run(
            GraphPacker(1, problem.widths).jobs([job.proposals[number]], number)[0], Deadline()
        )[0]
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


# ---- numbers: linear models are solved


def numbers_runner(weight: np.ndarray | None = None) -> PackedRunner:
    problem = problem_of_numbers(("all", "top5"), weight)
    return PackedRunner(problem, get_objective("r2"), TrainingSettings(max_steps=10, loss=problem.task))


def solved(runner: PackedRunner, *decays: float, view: str = "all") -> list[Outcome]:
    proposals = [linear_proposal(2, decay, view) for decay in decays]
    return runner.run(GraphPacker(len(decays)).jobs(proposals, 0)[0], Deadline())


@pytest.mark.parametrize("view", ["all", "top5"])
@pytest.mark.parametrize("weight", [None, np.linspace(0, 2, 24)])
def test_a_linear_model_of_numbers_is_ridge_regression_on_the_training_rows(
    view: str, weight: np.ndarray | None
) -> None:
    runner = numbers_runner(weight)
    outcome = solved(runner, 0.3, view=view)[0]
    problem, task = runner.problem, runner.problem.task
    wanted = np.full((24, 2), np.nan)
    for fold, (train, held) in enumerate(zip(problem.train, problem.held_out, strict=True)):
        z = problem.rows[view][:, fold].astype("float64")
        w = problem.sample_weight[train]
        peer = Ridge(_RIDGE_PENALTY * 0.3 * w.sum(), solver="cholesky")
        peer.fit(z[train], (problem.targets[train] - task.mean) / task.sd, sample_weight=w)
        wanted[held] = peer.predict(z[held]) * task.sd + task.mean
    np.testing.assert_allclose(outcome.answers, wanted, rtol=1e-4)


def test_solved_models_have_a_member_for_each_fold_and_one_step() -> None:
    runner = numbers_runner()
    outcome = solved(runner, 0.1)[0]
    width = runner.problem.widths["all"]
    assert outcome.weights[1]["kernel"].shape == (2, width, 2)
    assert outcome.weights[1]["bias"].shape == (2, 2)
    assert outcome.result.step == 1 and outcome.curve.shape == (1, 3)
    assert outcome.result.n_parameters == 2 * (width + 1)
    assert outcome.curve[0, 1] < outcome.curve[0, 2]


def test_each_trial_of_a_job_has_its_own_penalty() -> None:
    weak, strong = solved(numbers_runner(), 0.001, 10.0)
    assert abs(weak.weights[1]["kernel"]).mean() > 5 * abs(strong.weights[1]["kernel"]).mean()
    assert np.ptp(strong.answers[:, 0]) < np.ptp(weak.answers[:, 0])


def test_columns_beyond_the_rank_of_a_fold_have_no_weight() -> None:
    runner = numbers_runner()
    kernel = solved(runner, 0.1)[0].weights[1]["kernel"]
    for member, rank in enumerate(runner.problem.encoder.ranks("all")):
        assert not kernel[member, rank:].any() and kernel[member, :rank].any()


def test_networks_of_numbers_are_trained_and_answer_in_units() -> None:
    runner = numbers_runner()
    outcome = runner.run(GraphPacker(1).jobs([mlp_proposal(2)], 0)[0], Deadline())[0]
    assert outcome.result.status == "ok", outcome.result.error
    assert outcome.result.step >= 1 and 20 < outcome.answers[:, 0].mean() < 120


def test_the_held_out_targets_of_a_fold_do_not_touch_its_ridge() -> None:
    runner = numbers_runner()
    problem = runner.problem
    changed = np.where(problem.held_out[0][:, None], problem.targets + 100, problem.targets)
    other = PackedRunner(replace(problem, targets=changed), runner.objective, TrainingSettings(max_steps=10))
    first, second = solved(runner, 0.1)[0], solved(other, 0.1)[0]
    for name in ("kernel", "bias"):
        np.testing.assert_array_equal(first.weights[1][name][0], second.weights[1][name][0])
    assert (first.weights[1]["bias"][1] != second.weights[1]["bias"][1]).any()


def test_out_of_fold_numbers_are_brought_to_their_units() -> None:
    task = Numbers((10.0,), (2.0,))
    outputs = np.array([[[0.0], [1.0]], [[2.0], [3.0]]])
    held_out = np.array([[True, False], [True, False]])
    found = out_of_fold(task, outputs, None, held_out)
    assert found[0, 0] == 10 + 2 * 1.0 and np.isnan(found[1, 0])


# ---- how many trials a job has


@pytest.mark.parametrize(("rows", "size"), [(24, 24), (20_000, 4)])
def test_small_problems_train_many_trials_at_once_and_large_ones_few(rows: int, size: int) -> None:
    problem = small_problem()
    held_out = np.zeros((3, rows), dtype=bool)
    large = replace(problem, targets=np.zeros(rows, dtype=int), held_out=held_out)
    assert pack_size(large) == size


def test_a_deadline_that_is_over_ends_training_behind_the_first_steps() -> None:
    problem = small_problem()
    settings = TrainingSettings(max_steps=5000, patience=5000, loss=problem.task)
    runner = PackedRunner(problem, get_objective("log_loss"), settings)
    outcome = runner.run(mlp_job(), Deadline.after(-1))[0]
    assert outcome.result.status == "ok", outcome.result.error
    assert outcome.curve[-1, 0] == settings.chunk_steps


def mlp_job() -> Job:
    return Job((1,), (Proposal(mlp(2, (4,)), HyperParameters(learning_rate=0.1)),))


@pytest.mark.parametrize("solves", [True, False])
def test_where_there_is_no_time_to_compile_linear_models_are_fitted_without(
    monkeypatch: pytest.MonkeyPatch, solves: bool
) -> None:
    monkeypatch.setattr(Classes, "solves_linear", lambda self, n_samples, width: solves)
    runner = small_runner()
    first, other = linear_job(0, 0.1), mlp_job()
    job = Job((0, 1, 2), (*first.proposals, *other.proposals, *first.proposals))
    linear, late, further = runner.run(job, Deadline.after(-1))
    assert linear.result.status == "ok" and runner.trainer.compilations == 0
    assert linear.answers is not None and linear.result.score < 0.69
    assert late.result.error == further.result.error == "the time was over before this network was trained"


def test_a_linear_model_of_classes_takes_the_decay_that_is_best_on_the_rows_held_out() -> None:
    runner = small_runner()
    (found,) = runner.run(linear_job(0, 0.1), Deadline())
    decays = runner.problem.solved_decays(found.result.proposal.hyper)
    alone = []
    for decay in decays:
        outputs = np.zeros((runner.problem.n_samples, 2))
        z = runner.problem.rows["all"]
        for fold, rank in enumerate(runner.problem.encoder.ranks("all")):
            train = runner.problem.train[fold] * runner.problem.sample_weight
            kernel, bias = runner.problem.task.solve_linear(
                z[:, fold, :rank], runner.problem.targets, train, decay
            )
            held = runner.problem.held_out[fold]
            outputs[held] = z[held, fold, :rank] @ kernel + bias
        alone.append(runner.problem.task.answers_of(outputs))
    losses = [runner.objective.loss(answers, runner.problem.targets) for answers in alone]
    best = int(np.argmin(losses))
    assert found.result.step == best + 1 and runner.trainer.compilations == 0
    np.testing.assert_allclose(found.answers, alone[best], atol=1e-6)
    assert len(found.curve) <= min(len(decays), best + 3)
    assert found.curve[:, 0].tolist() == list(range(1, len(found.curve) + 1))


def test_a_linear_model_of_numbers_is_solved_whatever_it_grew_from() -> None:
    runner = numbers_runner()
    (parent,) = solved(runner, 0.1)
    child = replace(linear_proposal(2, 0.3), father=0)
    father = Father(child.graph, parent.weights)
    (found,) = runner.run(Job((1,), (child,), (father,)), Deadline())
    (alone,) = solved(runner, 0.3)
    np.testing.assert_array_equal(found.answers, alone.answers)


def test_inherited_weights_are_shrunk_and_fresh_ones_added() -> None:
    inherited = {1: {"kernel": np.full((2, 3, 2), 4.0), "bias": np.ones((2, 2))}}
    fresh = {1: {"kernel": np.full((2, 3, 2), 1.0), "bias": np.zeros((2, 2))}}
    found = shrunk_and_perturbed(inherited, fresh)
    np.testing.assert_allclose(found[1]["kernel"], SHRINK * 4.0 + PERTURB)
    np.testing.assert_allclose(found[1]["bias"], SHRINK)

"""What a run delivers of its trials, and what it says that is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from genokeras.engine import Deadline, TrialStore, deliver, ensemble_out_of_fold
from genokeras.engine.delivery import Delivery, deliver_best, limits_of, single_best
from genokeras.engine.delivery_time import DeliveryTime
from genokeras.engine.jobs import Outcome
from genokeras.engine.problem import ScoredRows
from genokeras.graph import HyperParameters, linear, mlp
from genokeras.searchers import (
    GEOMETRIC,
    LARGEST_ENSEMBLE,
    MEAN,
    History,
    HyperSpace,
    Proposal,
    TrialResult,
    combine,
    posterior_best,
)
from genokeras.support import RunFolder
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.objectives import Objective, get_objective

LOG_LOSS, R2 = get_objective("log_loss"), get_objective("r2")
N = 60
CODES = np.arange(N) % 2


def rows_of(targets: np.ndarray = CODES, weight: np.ndarray | None = None, folds: int = 3) -> ScoredRows:
    n = len(targets)
    held_out = np.arange(n) // 2 % folds == np.arange(folds)[:, None]
    return ScoredRows(targets, held_out, np.ones(n) if weight is None else weight)


def probabilities(skill: float, seed: int, codes: np.ndarray = CODES) -> np.ndarray:
    """Of a trial that knows this much."""
    noise = np.random.default_rng(seed).normal(size=(len(codes), 2))
    return softmax(noise + skill * np.eye(2)[codes], axis=1)


def stored(
    tmp_path, answers: list[np.ndarray], rows: ScoredRows, objective: Objective = LOG_LOSS, linears=()
) -> tuple[TrialStore, History]:
    """A run folder with a trial for each set of answers; which of them are linear models."""
    store = TrialStore(RunFolder.create(tmp_path / "run", {}))
    k = answers[0].shape[1]
    outcomes = []
    for number, found in enumerate(answers):
        graph = linear(k) if number in linears else mlp(k, (4,))
        proposal = Proposal(graph, HyperParameters(weight_decay=0.1 + number))
        known = rows.scored
        score = objective.loss(found[known], rows.targets[known], rows.sample_weight[known])
        outcomes.append(
            Outcome(TrialResult(number, proposal, "ok", score, score_se=0.1), {}, found.astype("float32"))
        )
    store.write(*outcomes)
    return store, History(tuple(outcome.result for outcome in outcomes))


def delivered(tmp_path, answers, rows=None, objective=LOG_LOSS, linears=(), **options) -> Delivery:
    rows = rows or rows_of()
    store, history = stored(tmp_path, answers, rows, objective, linears)
    return deliver(store, rows, history, objective, seed=0, time=DeliveryTime(Deadline.after(0.5)), **options)


# ---- the ensemble


def test_shares_sum_to_one_and_favour_what_predicts_better(tmp_path):
    found = delivered(tmp_path, [probabilities(3, 1), probabilities(0, 2), probabilities(3, 3)])
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.shares[0] > found.shares.get(1, 0) and found.shares[2] > found.shares.get(1, 0)


def test_failed_trials_are_no_part_of_it(tmp_path):
    rows = rows_of()
    store, history = stored(tmp_path, [probabilities(2, 1), probabilities(2, 2)], rows)
    failure = TrialResult.failure(2, history.trials[0].proposal, "no")
    store.write(Outcome(replace(failure, proposal=Proposal(linear(2), HyperParameters()))))
    found = deliver(store, rows, store.history(), LOG_LOSS, 0, time=DeliveryTime(Deadline.after(0.5)))
    assert set(found.shares) <= {0, 1} and found.estimate["n_trials"] == 2


def test_no_more_trials_are_delivered_than_the_largest_ensemble_has(tmp_path):
    found = delivered(tmp_path, [probabilities(1, seed) for seed in range(9)], largest=4)
    assert len(found.shares) == 4


def test_the_one_that_is_handed_out_alone_is_like_the_others_and_not_the_luckiest(tmp_path):
    rows = rows_of()
    usual = [probabilities(1.5, 7) * 0.98 + 0.02 * probabilities(1.5, seed) for seed in range(8)]
    lucky = softmax(2.4 * np.eye(2)[CODES] + np.random.default_rng(9).normal(size=(N, 2)), axis=1)
    store, history = stored(tmp_path, [lucky, *usual], rows)
    delivery = deliver(store, rows, history, LOG_LOSS, 0, time=DeliveryTime(Deadline.after(0.5)))
    assert history.best() == history.trials[0] and max(delivery.shares, key=delivery.shares.get) == 0
    whole = ensemble_out_of_fold(store, rows, delivery).answers
    chosen = single_best(store, rows, history, delivery, LOG_LOSS, ("all",))
    assert chosen != 0
    apart = [
        np.abs(
            LOG_LOSS.answers.calibration(p, CODES, rows.sample_weight[rows.scored]).apply(p) - whole
        ).mean()
        for p in (lucky, usual[chosen - 1])
    ]
    assert apart[1] < apart[0]


def test_of_numbers_the_posterior_decides_which_is_handed_out_alone(tmp_path):
    targets = np.random.default_rng(0).normal(size=(N, 1))
    answers = [targets + np.random.default_rng(seed).normal(size=(N, 1)) for seed in range(3)]
    rows = rows_of(targets)
    store, history = stored(tmp_path, answers, rows, R2)
    delivery = deliver(store, rows, history, R2, 0, time=DeliveryTime(Deadline.after(0.5)))
    found = posterior_best(history, HyperSpace(views=("all",)))
    assert found is not None and single_best(store, rows, history, delivery, R2, ("all",)) == found[0].id


def test_of_a_hundred_samples_classes_are_multiplied():
    limits = limits_of(100, LOG_LOSS, 50)
    assert limits["pooling"] == GEOMETRIC and limits["largest"] == 50
    assert limits_of(100, LOG_LOSS, 50, quick=True)["pooling"] == MEAN


def test_of_few_samples_classes_are_averaged():
    assert limits_of(99, LOG_LOSS, 50)["pooling"] == MEAN


def test_numbers_are_averaged():
    assert limits_of(5000, R2, LARGEST_ENSEMBLE)["pooling"] == MEAN


def test_of_few_rows_differences_in_numbers_count_more_than_in_probabilities():
    assert limits_of(100, R2, 50)["discount"] < limits_of(100, LOG_LOSS, 50)["discount"]


@pytest.mark.parametrize(("rows", "discount"), [(10, 8.0), (800, 8.0), (1000, 10.0), (5000, 50.0)])
def test_differences_of_a_hundredth_count_little_however_many_rows_there_are(rows, discount):
    assert limits_of(rows, LOG_LOSS, 50)["discount"] == pytest.approx(discount)


def test_from_a_thousand_rows_on_trials_that_know_different_halves_are_both_kept(tmp_path):
    codes = np.arange(1000) % 2
    first, second = (probabilities(2.5, seed, codes) for seed in (1, 2))
    half = np.arange(1000) // 2 % 2 == 0
    blind = np.full((1000, 2), 0.5)
    answers = [np.where(half[:, None], first, blind), np.where(half[:, None], blind, second)]
    found = delivered(tmp_path, answers, rows_of(codes))
    assert found.shares[0] == pytest.approx(0.5, abs=0.1)
    assert set(found.shares) == {0, 1}


def test_rows_without_weight_do_not_choose(tmp_path):
    right, wrong = probabilities(6, 1), probabilities(-6, 2)
    half = np.arange(N) < N // 2
    answers = [np.where(half[:, None], right, wrong), np.where(half[:, None], wrong, right)]
    found = delivered(tmp_path, answers, rows_of(weight=np.where(half, 1.0, 0.0)))
    assert found.shares[0] > 0.95


def test_probabilities_are_calibrated_and_numbers_are_not(tmp_path):
    timid = 0.8 * np.full((N, 2), 0.5) + 0.2 * np.eye(2)[CODES]
    found = delivered(tmp_path / "a", [timid])
    assert found.calibration.sharpness > 1.2 and found.calibration.doubt == pytest.approx(1 / (N + 1))
    y = np.random.default_rng(0).normal(size=(N, 1))
    (tmp_path / "b").mkdir()
    assert delivered(tmp_path / "b", [y + 0.1], rows_of(y), R2).calibration == Calibration()


# ---- the estimate


def test_the_estimate_says_what_it_is_of(tmp_path):
    found = delivered(tmp_path, [probabilities(2, 1), probabilities(1, 2)], linears=(1,)).estimate
    assert found["metric"] == "log_loss" and not found["greater_is_better"]
    assert (found["n_samples"], found["n_trials"]) == (N, 2)
    low, high = found["interval"]
    assert low < found["value"] < high < found["chance"]
    assert {"accuracy", "balanced_accuracy", "roc_auc"} <= set(found["also"])


def test_the_linear_models_have_an_estimate_of_their_own(tmp_path):
    found = delivered(tmp_path, [probabilities(4, 1), probabilities(0.5, 2)], linears=(1,)).estimate
    assert found["linear_baseline"] > found["value"]


def test_without_a_linear_model_there_is_no_baseline(tmp_path):
    assert delivered(tmp_path, [probabilities(2, 1)]).estimate["linear_baseline"] is None


def test_the_best_of_many_guesses_is_seen_through(tmp_path):
    found = delivered(tmp_path, [probabilities(0, seed) for seed in range(30)], largest=1).estimate
    assert found["value"] > found["uncorrected"]


def test_the_same_seed_gives_the_same_delivery(tmp_path):
    answers = [probabilities(1, seed) for seed in range(4)]
    rows = rows_of()
    store, history = stored(tmp_path, answers, rows)
    first, second = (deliver(store, rows, history, LOG_LOSS, seed=3) for _ in range(2))
    assert first == second


def test_groups_are_resampled_whole(tmp_path):
    answers = [probabilities(2, 1)]
    groups = np.arange(N) // 20
    rows = rows_of()
    store, history = stored(tmp_path, answers, rows)
    alone = deliver(store, rows, history, LOG_LOSS, 0).estimate
    grouped = deliver(store, rows, history, LOG_LOSS, 0, groups).estimate
    assert grouped["interval"] != alone["interval"]


def test_rows_that_no_fold_holds_out_are_left_out(tmp_path):
    rows = rows_of()
    held_out = rows.held_out.copy()
    held_out[:, :10] = False
    answers = probabilities(2, 1)
    answers[:10] = np.nan
    assert delivered(tmp_path, [answers], replace(rows, held_out=held_out)).estimate["n_samples"] == N - 10


# ---- the best trial alone


def test_the_best_trial_alone_says_only_what_it_scored():
    proposal = Proposal(linear(2), HyperParameters())
    history = History((TrialResult(0, proposal, "ok", 0.4), TrialResult(1, proposal, "ok", 0.3)))
    found = deliver_best(history, get_objective("accuracy"))
    assert found.shares == {1: 1.0} and found.calibration == Calibration()
    assert found.estimate == {"metric": "accuracy", "uncorrected": pytest.approx(0.7)}


# ---- out of fold


def test_out_of_fold_answers_are_the_calibrated_mixture(tmp_path):
    rows, answers = rows_of(), [probabilities(2, 1), probabilities(2, 2)]
    store, _ = stored(tmp_path, answers, rows)
    delivery = Delivery({0: 0.25, 1: 0.75}, Calibration(sharpness=1.3, doubt=0.1))
    found = ensemble_out_of_fold(store, rows, delivery)
    mixed = 0.25 * answers[0].astype("float32") + 0.75 * answers[1].astype("float32")
    np.testing.assert_allclose(found.answers, delivery.calibration.apply(mixed), rtol=1e-5)
    np.testing.assert_array_equal(found.targets, CODES)
    np.testing.assert_array_equal(found.fold, np.arange(N) // 2 % 3)


def test_probabilities_of_classes_are_multiplied(tmp_path):
    codes = np.arange(1200) % 2
    rows, answers = rows_of(codes), [probabilities(2, 1, codes), probabilities(2, 2, codes)]
    store, history = stored(tmp_path, answers, rows)
    found = deliver(store, rows, history, LOG_LOSS, 0, largest=6)
    assert found.pooling == GEOMETRIC and found.shares[0] == pytest.approx(0.5, abs=0.1)
    stack = np.stack(answers).astype("float32")
    mixed = found.calibration.apply(combine(stack, list(found.shares.values()), GEOMETRIC))
    of_run = ensemble_out_of_fold(store, rows, found)
    np.testing.assert_allclose(of_run.answers, mixed, rtol=1e-5)
    alone = LOG_LOSS.loss(answers[0], codes, rows.sample_weight)
    assert found.estimate["value"] < alone - 0.02


def test_of_rows_held_out_twice_the_first_fold_is_named(tmp_path):
    held_out = np.ones((2, N), dtype=bool)
    held_out[0, :5] = False
    held_out[:, -1] = False
    rows = ScoredRows(CODES, held_out, np.ones(N))
    store, _ = stored(tmp_path, [probabilities(1, 1)], rows)
    found = ensemble_out_of_fold(store, rows, Delivery({0: 1.0}))
    assert found.fold.tolist() == [1] * 5 + [0] * (N - 6)
    assert len(found.answers) == len(found.targets) == N - 1

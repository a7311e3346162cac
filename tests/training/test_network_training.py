"""One network on one fold, the linear father, and what a trial may use."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from genokeras.data import load_sequences, make_folds
from genokeras.encoders import fit_sequence_encoder
from genokeras.engine import Deadline, Job, NetworkRunner, Problem
from genokeras.errors import ParameterError
from genokeras.graph import HyperParameters, small_cnn
from genokeras.graph.templates import linear
from genokeras.networks import build_network, start_weights
from genokeras.searchers import Proposal
from genokeras.tasks.classes import Classes
from genokeras.tasks.linear import fit_logistic
from genokeras.tasks.objectives import get_objective
from genokeras.training import Allotment, NetworkSettings, Plan, Samples, Trainee, train_member
from genokeras.training.device_steps import card_generation, training_precision
from genokeras.training.members import rate_share
from tests.encoders.planted import planted_sequences

HYPER = HyperParameters(0.01, 0.01, 0.1, "relu", "tensor")


@pytest.fixture(scope="module")
def problem():
    x, codes, _ = planted_sequences(120, 32)
    data = load_sequences(x)
    encoder, _ = fit_sequence_encoder(data, strands=False)
    folds = make_folds(codes, 2, seed=0)
    return Problem(
        codes, folds.held_out, np.ones(len(x)), encoder, encoder.rows(data), Classes(2), folds.train
    )


@pytest.fixture(scope="module")
def trainee():
    return Trainee(small_graph(), HYPER, Classes(2).training_loss(0.0))


def small_graph():
    return small_cnn((32, 4), 2, filters=(8,), units=0, head="max")


def samples_of(problem, rows):
    samples = Samples(problem.task, problem.encoder, problem.rows, problem.targets, problem.sample_weight)
    return samples.take(rows)


def trained(problem, trainee, steps=60, **options):
    weights = start_weights(trainee.graph, np.random.default_rng(0))
    trainee.restart(weights, 0, 1)
    return train_member(
        trainee,
        samples_of(problem, problem.train[0]),
        samples_of(problem, problem.held_out[0]),
        plan=Plan(steps, None),
        rate=0.01,
        seed=0,
        settings=NetworkSettings(patience=100),
        **options,
    )


def test_a_network_learns_a_planted_motif(problem, trainee):
    scorings = trained(problem, trainee, 120)
    assert scorings[-1].step == 120
    assert min(s.held_out_loss for s in scorings) < 0.45


def test_the_same_seed_trains_the_same_network_again(problem, trainee):
    first, second = trained(problem, trainee, 20), trained(problem, trainee, 20)
    assert [s.held_out_loss for s in first] == [s.held_out_loss for s in second]


def test_only_the_best_scoring_keeps_its_weights(problem, trainee):
    scorings = trained(problem, trainee)
    best = min(scorings, key=lambda s: s.held_out_loss)
    assert [s for s in scorings if s.weights] == [best]


def test_a_network_that_is_stopped_at_once_is_scored_all_the_same(problem, trainee):
    scorings = trained(problem, trainee, should_stop=lambda: True)
    assert [s.step for s in scorings] == [1]
    assert scorings[0].weights


def test_seconds_that_run_out_end_the_training(problem, trainee):
    scorings = trained(problem, trainee, 100_000, remaining=lambda: 0.3)
    assert 0 < scorings[-1].step < 100_000


def test_training_that_no_longer_improves_ends_in_the_second_half(problem, trainee):
    trainee.restart(start_weights(trainee.graph, np.random.default_rng(0)), 0, 1)
    scorings = train_member(
        trainee,
        samples_of(problem, problem.train[0]),
        samples_of(problem, problem.held_out[0]),
        plan=Plan(100, None),
        rate=0.01,
        seed=0,
        settings=NetworkSettings(patience=2, min_improvement=10.0),
    )
    assert 40 <= scorings[-1].step < 60


def test_the_rate_rises_shortly_and_falls_to_nearly_nothing():
    shares = [rate_share(used) for used in np.linspace(0, 1, 101)]
    assert shares[0] < 0.3
    assert max(shares) > 0.98
    assert shares.index(max(shares)) == 5
    assert shares[-1] == pytest.approx(0.01)


def test_the_linear_father_is_logistic_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 6)).astype("float32")
    codes = (x[:, 0] + 0.5 * rng.normal(size=80) > 0).astype(int)
    kernel, bias, _ = fit_logistic(x, codes, np.ones(80), 2, weight_decay=1 / 80, scaling=0.0)
    peer = LogisticRegression(C=1.0).fit(x, codes)
    np.testing.assert_allclose(kernel[:, 1] - kernel[:, 0], peer.coef_[0], rtol=0.02, atol=0.01)
    assert bias[1] - bias[0] == pytest.approx(peer.intercept_[0], abs=0.01)


def test_a_class_without_training_rows_is_never_predicted():
    x = np.eye(4, dtype="float32")
    kernel, bias, _ = fit_logistic(x, np.array([0, 2, 0, 2]), np.ones(4), 3, 0.1, scaling=0.0)
    assert (x @ kernel + bias).argmax(axis=1).tolist() == [0, 2, 0, 2]


def test_a_network_that_was_sent_on_may_train_three_times_as_long():
    allotment = Allotment(epoch=50, time_limit=600.0)
    seconds = [allotment.plan(rung).seconds for rung in range(3)]
    assert seconds == [30, 90, 270]
    assert allotment.plan(1, grown=True) == allotment.plan(0)


def test_on_a_slow_machine_a_first_training_takes_some_epochs_within_a_sixth_of_the_limit():
    plan = Allotment(epoch=50, time_limit=600.0).plan(0)
    assert [plan.allowed(per_step) for per_step in (0.01, 0.2, 4.0)] == pytest.approx([30, 50, 100])
    assert Allotment(epoch=50, time_limit=600.0, members=5).plan(0).allowed(4.0) == pytest.approx(100 / 3)


def test_a_step_that_takes_long_is_given_its_time(problem, trainee):
    plan = Plan(100_000, 0.05, least_steps=45, most_seconds=30.0)
    trainee.restart(start_weights(trainee.graph, np.random.default_rng(0)), 0, 1)
    parts = samples_of(problem, problem.train[0]), samples_of(problem, problem.held_out[0])
    found = train_member(
        trainee, *parts, plan=plan, rate=0.01, seed=0, settings=NetworkSettings(patience=100)
    )
    assert found[-1].step >= 40


def test_without_a_time_limit_training_is_counted_in_epochs():
    assert Allotment(epoch=50, time_limit=None).plan(1) == Plan(450, None)
    assert Allotment(epoch=50, time_limit=None, most_epochs=5).plan(2) == Plan(250, None)


@pytest.mark.parametrize("epochs", [0, 2.5, True])
def test_max_iter_num_must_be_a_number_of_epochs(epochs):
    with pytest.raises(ParameterError, match="max_iter_num"):
        Allotment(epoch=1, time_limit=None, most_epochs=epochs)


def a_runner(problem):
    settings = NetworkSettings(patience=3)
    return NetworkRunner(problem, get_objective("log_loss"), Allotment(2, None, most_epochs=10), settings)


def test_a_job_gives_out_of_fold_probabilities_and_a_member_for_each_fold(problem):
    outcome = a_runner(problem).run(Job((3,), (Proposal(small_graph(), HYPER),)), Deadline())[0]
    assert outcome.result.status == "ok"
    assert outcome.result.id == 3
    assert outcome.answers.shape == (120, 2)
    np.testing.assert_allclose(outcome.answers.sum(axis=1), 1, atol=1e-5)
    assert {len(a) for arrays in outcome.weights.values() for a in arrays.values()} == {2}
    assert outcome.curve.shape[1] == 3


def test_the_linear_father_reads_counts(problem):
    hyper = HyperParameters(0.01, 0.1, 0.0, "relu", "counts")
    outcome = a_runner(problem).run(Job((0,), (Proposal(linear(2), hyper),)), Deadline())[0]
    assert outcome.result.status == "ok"
    assert outcome.result.n_parameters == 2 * (problem.encoder.n_counts + 1)
    assert outcome.weights[1]["kernel"].shape == (2, problem.encoder.n_counts, 2)


def test_a_network_that_diverges_is_a_failed_trial_that_says_so(problem):
    wild = HyperParameters(1e30, 0.01, 0.1, "relu", "tensor")
    outcome = a_runner(problem).run(Job((0,), (Proposal(small_graph(), wild),)), Deadline())[0]
    assert outcome.result.status == "failed"
    assert "never finite" in outcome.result.error


# ---- rows on the device


def trained_weights(problem, trainee, **options):
    scorings = trained(problem, trainee, 20, **options)
    return [s.held_out_loss for s in scorings]


def test_data_that_do_not_fit_on_the_device_train_the_same_network(problem, trainee, monkeypatch):
    first = trained_weights(problem, trainee)
    monkeypatch.setattr("genokeras.training.samples.MOST_ON_DEVICE", 0)
    np.testing.assert_allclose(trained_weights(problem, trainee), first, rtol=1e-4)


def test_dropout_and_weight_decay_change_without_another_network(problem):
    shared = Trainee(small_graph(), HYPER, Classes(2).training_loss(0.0))
    other = replace(HYPER, dropout=0.5, weight_decay=0.1)
    first = trained_weights(problem, shared)
    shared.use(other)
    changed = trained_weights(problem, shared)
    alone = trained_weights(problem, Trainee(small_graph(), other, Classes(2).training_loss(0.0)))
    shared.use(HYPER)
    assert changed == alone != first
    assert trained_weights(problem, shared) == first


def test_reduced_precision_is_for_graphics_cards_and_ends_with_the_network():
    with training_precision():
        assert card_generation() is not None or keras.config.dtype_policy().name == "float32"
    with training_precision("mixed_bfloat16"):
        model = build_network(small_graph(), None, HYPER, logits=True)
    assert model.get_layer(index=1).compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"

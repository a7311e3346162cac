"""The two ways to train and merge, and what users may ask of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.encoders import predict
from genokeras.engine import (
    NetworkMethod,
    NetworkRunner,
    PackedMethod,
    PackedRunner,
    Problem,
    method_of,
    row_trial,
)
from genokeras.engine.training_options import (
    MOST_STEPS,
    TRAINER_ARGS,
    network_settings,
    scaled_training,
    training_settings,
)
from genokeras.errors import ParameterError
from genokeras.networks import TrainedNetwork, initial_weights, start_weights
from genokeras.searchers import LARGEST_ENSEMBLE
from genokeras.tasks.calibration import Calibration
from genokeras.training import TrainingSettings
from tests.engine.runs import (
    cnn_proposal,
    expression,
    mlp_proposal,
    problem_of_classes,
    problem_of_images,
    problem_of_numbers,
)
from tests.tasks.poisson import PoissonCounts


@pytest.fixture(scope="module")
def genes() -> Problem:
    return problem_of_classes(("all", "top5"))


@pytest.fixture(scope="module")
def images() -> Problem:
    return problem_of_images()


def runner_of(
    problem: Problem, trainer_args: dict[str, Any] | None = None, limit: float | None = None
) -> Any:
    return method_of(problem).runner(problem, problem.task.objective(), trainer_args, limit)


def test_tables_are_packed_and_everything_else_goes_by_mini_batches(genes, images):
    assert isinstance(method_of(genes), PackedMethod) and isinstance(runner_of(genes), PackedRunner)
    assert isinstance(method_of(images), NetworkMethod) and isinstance(runner_of(images), NetworkRunner)


def test_networks_train_one_by_one(genes, images):
    assert method_of(images).pack_size(images) == 1
    assert method_of(genes).pack_size(genes) == 24


@pytest.mark.parametrize(("folds", "largest"), [(1, 12), (2, 12), (3, 10), (5, 6), (10, 3)])
def test_an_ensemble_of_networks_has_few_trials_where_each_has_many_members(images, folds, largest):
    held_out = np.zeros((folds, 24), dtype=bool)
    assert NetworkMethod().largest_ensemble(replace(images, held_out=held_out)) == largest


def test_an_ensemble_in_row_space_may_be_large(genes):
    assert PackedMethod().largest_ensemble(genes) == LARGEST_ENSEMBLE


@pytest.mark.parametrize("method", [PackedMethod(), NetworkMethod()])
def test_arguments_of_training_are_checked_before_anything_is_read(method):
    method.check(None)
    method.check({"max_iter_num": 5, "max_no_improvement_num": 2, "min_loss_dec": 0.1, "batch_size": 8})
    with pytest.raises(ParameterError, match="unknown trainer_args 'batchsize'. Did you mean 'batch_size'"):
        method.check({"batchsize": 8})


@pytest.mark.parametrize("method", [PackedMethod(), NetworkMethod()])
@pytest.mark.parametrize("name", TRAINER_ARGS)
def test_values_out_of_range_are_refused(method, name):
    with pytest.raises(ParameterError):
        method.check({name: -1})


def test_what_was_asked_reaches_the_packed_runner(genes):
    settings = runner_of(genes, {"max_iter_num": 7, "max_no_improvement_num": 3}).trainer.settings
    assert (settings.max_steps, settings.patience, settings.loss) == (7, 3, genes.task)


def test_what_was_asked_reaches_the_network_runner(images):
    runner = runner_of(images, {"max_iter_num": 7, "batch_size": 5, "min_loss_dec": 0.5}, limit=60.0)
    assert (runner.settings.batch_size, runner.settings.min_improvement) == (5, 0.5)
    allotment = runner.allotment
    # Twelve training rows of a fold in batches of five.
    assert (allotment.epoch, allotment.most_epochs, allotment.members) == (3, 7, 2)
    assert allotment.time_limit == 60.0


def test_labels_are_smoothed_as_asked(images):
    objective = images.task.objective()
    usual = NetworkMethod().runner(images, objective, None, None)
    none = NetworkMethod().runner(images, objective, None, None, 0.0)
    assert usual.settings.label_smoothing == 0.05 and none.settings.label_smoothing == 0.0


# ---- losses that are no sum over rows


@dataclass(frozen=True)
class Together(PoissonCounts):
    """As if the loss were of all rows together."""

    kind = "together"
    additive = False


@pytest.mark.parametrize(("task", "batch"), [(PoissonCounts(2), 8), (Together(2), 24)])
def test_a_loss_of_all_rows_together_is_never_cut_into_batches(task, batch):
    problem = replace(problem_of_numbers(), task=task)
    settings = runner_of(problem, {"batch_size": 8}).trainer.settings
    assert settings.batch_size == batch


# ---- merging


def test_a_merged_table_model_reads_raw_features(genes):
    proposal = mlp_proposal()
    weights = initial_weights(proposal.graph, genes.widths["all"], 2, np.random.default_rng(0))
    network = TrainedNetwork("a", proposal.graph, proposal.hyper, weights)
    model = PackedMethod().merge(genes, [network], Calibration(doubt=0.5))
    found = np.asarray(keras.ops.convert_to_numpy(model(expression(seed=1)[0])))
    assert found.shape == (24, 2) and found.min() >= 0.25
    trial = row_trial(genes, network)
    assert trial.spaces[proposal.graph.input] is genes.encoder.spaces["all"] and trial.share == 1.0


def test_a_merged_network_reads_samples_as_they_come(images):
    proposal = cnn_proposal()
    weights = start_weights(proposal.graph, np.random.default_rng(0), 2)
    model = NetworkMethod().merge(images, [TrainedNetwork("a", proposal.graph, proposal.hyper, weights)])
    assert [tensor.name for tensor in model.inputs] == ["pixels"]
    np.testing.assert_allclose(predict(model, images.encoder, images.rows).sum(axis=1), 1, atol=1e-5)


# ---- steps and scorings of many rows


def masks(n: int, folds: int = 1) -> tuple[np.ndarray, np.ndarray]:
    held_out = np.arange(n) % 5 == np.arange(folds)[:, None]
    return ~held_out, held_out


def test_settings_stay_as_they_are_where_every_step_uses_all_rows():
    settings = TrainingSettings()
    assert scaled_training(settings, *masks(1024)) is settings


def test_many_rows_train_for_25_epochs_of_mini_batches():
    settings = scaled_training(TrainingSettings(), *masks(50_000))
    assert settings.max_steps == 25 * -(-40_000 // 512)
    assert settings.score_every > TrainingSettings().score_every


def test_very_many_rows_train_for_no_more_steps_than_there_is_time_for():
    assert scaled_training(TrainingSettings(), *masks(400_000)).max_steps == MOST_STEPS


def test_steps_that_were_asked_for_are_kept():
    asked = TrainingSettings(max_steps=30)
    assert scaled_training(asked, *masks(50_000), steps_given=True).max_steps == 30
    assert scaled_training(asked, *masks(50_000), steps_given=True).score_every <= 30


def test_scorings_cost_a_tenth_of_the_training():
    settings = scaled_training(TrainingSettings(), *masks(50_000))
    batch = settings.batch_of(50_000)
    scored, trained = 10_000 + batch, 3 * batch * settings.score_every
    assert 0.05 < scored / trained <= 0.11


def test_names_of_classic_autokeras_become_settings():
    given = {"max_iter_num": 9, "max_no_improvement_num": 4, "min_loss_dec": 0.2, "batch_size": 16}
    packed = training_settings(given)
    assert (packed.max_steps, packed.patience, packed.min_improvement, packed.batch_size) == (9, 4, 0.2, 16)
    settings, epochs = network_settings(given, label_smoothing=0.1)
    assert epochs == {"most_epochs": 9}
    assert (settings.patience, settings.min_improvement, settings.batch_size) == (4, 0.2, 16)
    assert settings.label_smoothing == 0.1
    assert network_settings(None)[1] == {}

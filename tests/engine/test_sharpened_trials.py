"""Trials of mini-batch training are as sure as they are right before they are scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.engine.outcomes import scored_outcome, sharpened
from genokeras.engine.problem import Problem
from genokeras.searchers import TrialResult
from genokeras.tasks.calibration import Calibration
from tests.engine.runs import cnn_proposal, linear_proposal, problem_of_classes, problem_of_images

N = 400


@pytest.fixture(scope="module")
def images() -> Problem:
    return problem_of_images(N)


def right_but_timid(codes: np.ndarray, n_right: float = 0.9) -> np.ndarray:
    """Probabilities near 0.55 for the true class of nine rows in ten, and for the other one of the tenth."""
    rng = np.random.default_rng(0)
    said = np.where(rng.random(len(codes)) < n_right, codes, 1 - codes)
    positive = 0.5 + (said - 0.5) * rng.uniform(0.05, 0.15, size=len(codes))
    return np.column_stack([1 - positive, positive]).astype("float32")


def score(problem: Problem, answers: np.ndarray, proposal=None) -> TrialResult:
    curve, objective = np.zeros((1, 3)), problem.task.objective()
    given = (problem, objective, 0, proposal or cnn_proposal(), {}, answers, curve, 1, 1.0)
    return scored_outcome(*given).result


def test_a_timid_network_is_scored_by_what_it_knows(images):
    trial = score(images, right_but_timid(images.targets))
    assert trial.score < 0.42  # 0.325 is the entropy of nine in ten; as it came it was 0.65
    assert trial.sharpness > 5


def test_a_fold_is_changed_by_what_the_other_folds_say(images):
    answers, first = right_but_timid(images.targets), images.held_out[0]
    other = replace(images, targets=np.where(first, 1 - images.targets, images.targets))
    found, again = sharpened(images, answers)[0], sharpened(other, answers)[0]
    np.testing.assert_array_equal(found[first], again[first])
    assert (found[~first] != again[~first]).all()


def test_of_one_fold_one_half_changes_the_other(images):
    first = images.held_out[0]
    single = replace(images, held_out=images.held_out[:1], train=images.train[:1])
    answers = np.where(first[:, None], right_but_timid(images.targets), np.nan).astype("float32")
    found, whole = sharpened(single, answers)
    assert np.isnan(found[~first]).all()
    powers = [
        np.log(p[1] / p[0]) / np.log(q[1] / q[0]) for p, q in zip(found[first], answers[first], strict=True)
    ]
    halves = np.unique(np.round(powers, 2))
    assert len(halves) == 2 and halves[0] < whole < halves[1]
    flipped = replace(single, targets=1 - images.targets)
    assert sharpened(flipped, answers)[1] < 1 < whole


def test_a_trial_of_which_one_fold_is_known_is_changed_there_alone(images):
    """As in a race, where the other folds train later."""
    answers = right_but_timid(images.targets)
    answers[images.held_out[1]] = np.nan
    found, whole = sharpened(images, answers)
    assert np.isnan(found[images.held_out[1]]).all() and whole > 5
    assert np.isfinite(found[images.held_out[0]]).all()


def test_tables_are_left_as_they_are():
    problem = problem_of_classes()
    assert score(problem, right_but_timid(problem.targets), linear_proposal()).sharpness == 1.0


def test_a_network_that_is_right_but_unsure_beats_one_that_is_sure_and_wrong_more_often(images):
    timid = score(images, right_but_timid(images.targets))
    sure = Calibration(15.0).apply(right_but_timid(images.targets, 0.85)).astype("float32")
    assert timid.score < score(images, sure).score


def test_the_sharpness_is_kept_with_the_trial_and_old_trials_have_none(images):
    trial = score(images, right_but_timid(images.targets))
    held = trial.to_dict()
    assert TrialResult.from_dict(held) == trial
    del held["sharpness"]
    assert TrialResult.from_dict(held).sharpness == 1.0

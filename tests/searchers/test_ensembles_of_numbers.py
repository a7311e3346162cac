"""Weights and estimates of trials whose answers are numbers."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.searchers import combine, estimate_performance, select_ensemble
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.objectives import NUMBER_OBJECTIVES


def stack_of(
    errors: tuple[float, ...], n: int = 60, k: int = 1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Trials with such standard errors about ``(n, k)`` targets of unit variance."""
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(n, k))
    return np.stack([targets + error * rng.normal(size=(n, k)) for error in errors]), targets


@pytest.mark.parametrize("name", NUMBER_OBJECTIVES)
def test_the_trial_with_smaller_errors_weighs_more(name: str) -> None:
    stack, targets = stack_of((1.0, 0.5, 1.0))
    weights = select_ensemble(stack, targets, name)
    assert weights.sum() == pytest.approx(1)
    assert weights[1] > 0.9


def test_weights_are_the_discounted_gaussian_evidence() -> None:
    stack, targets = np.array([[[1.0], [-1.0]], [[2.0], [-2.0]]]), np.zeros(2)
    # The best trial's mean squared error is 1, so that the sums are 2 / 2 and 8 / 2.
    weights = select_ensemble(stack, targets, "mse", discount=3.0)
    assert np.log(weights[0] / weights[1]) == pytest.approx((4 - 1) / 3)


def test_units_and_numbers_of_targets_change_no_weights() -> None:
    stack, targets = stack_of((1.0, 0.8, 1.2))
    weights = select_ensemble(stack, targets, "r2")
    scaled = select_ensemble(1000 * stack + 5, 1000 * targets + 5, "r2")
    twice = select_ensemble(np.tile(stack, 2), np.tile(targets, 2), "r2")
    np.testing.assert_allclose(scaled, weights)
    np.testing.assert_allclose(twice, weights)


def test_a_trial_without_any_error_has_all_the_weight() -> None:
    stack, targets = stack_of((0.0, 0.5))
    np.testing.assert_allclose(select_ensemble(stack, targets, "r2"), [1.0, 0.0], atol=1e-9)


def test_resamples_of_numbers_are_weighted_as_each_alone() -> None:
    stack, targets = stack_of((1.0, 0.9, 1.1, 1.0), k=2)
    rows = np.random.default_rng(1).integers(0, 3, (4, 60)).astype(float)
    together = select_ensemble(stack, targets, "r2", sample_weight=rows, families=[0, 0, 1, 1])
    for row, weights in zip(rows, together, strict=True):
        alone = select_ensemble(stack, targets, "r2", sample_weight=row, families=[0, 0, 1, 1])
        np.testing.assert_allclose(weights, alone, atol=1e-12)


def test_a_crowd_of_like_trials_does_not_outvote_another_family_of_numbers() -> None:
    stack, targets = stack_of((1.0, 1.0))
    crowd = np.concatenate([stack[:1], np.repeat(stack[1:], 30, axis=0)])
    weights = select_ensemble(crowd, targets, "r2", families=["one"] + 30 * ["many"])
    assert weights[0] == pytest.approx(select_ensemble(stack, targets, "r2")[0])


def test_numbers_are_estimated_as_they_do_on_new_rows() -> None:
    stack, targets = stack_of((0.5,), n=400)
    found = estimate_performance(stack, targets, "r2", rng=np.random.default_rng(0), n_resamples=60)
    assert list(found) == ["r2", "rmse", "mae", "spearman"]
    assert found["r2"].value == pytest.approx(0.75, abs=0.05)
    assert found["r2"].low < found["r2"].value < found["r2"].high
    assert found["r2"].chance == pytest.approx(0.0)
    assert found["rmse"].value == pytest.approx(0.5, abs=0.05)
    assert found["rmse"].chance == pytest.approx(1.0, abs=0.1)


def test_the_best_of_many_trials_that_know_nothing_is_no_better_than_the_mean() -> None:
    naive, corrected = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        stack, targets = 0.5 * rng.normal(size=(60, 40, 1)), rng.normal(size=(40, 1))
        found = estimate_performance(stack, targets, "pearson", rng=rng, n_resamples=40)["pearson"]
        naive.append(found.naive)
        corrected.append(found.value)
    assert np.mean(naive) > 0.3
    assert np.mean(corrected) < 0.12


def test_groups_of_numbers_are_left_out_together() -> None:
    stack, targets = stack_of((0.5, 0.6), n=40)
    groups = np.repeat(np.arange(10), 4)
    found = estimate_performance(stack, targets, "r2", rng=np.random.default_rng(0), groups=groups)
    assert found["r2"].n_resamples > 100


def test_objectives_of_classes_are_no_metrics_of_numbers() -> None:
    stack, targets = stack_of((0.5,))
    with pytest.raises(ParameterError, match="which is of classes"):
        estimate_performance(stack, targets, "r2", metrics=["accuracy"], rng=np.random.default_rng(0))


def test_shapes_of_numbers_that_do_not_fit_are_named() -> None:
    stack, targets = stack_of((0.5,))
    with pytest.raises(ParameterError, match="expected answers .* targets"):
        select_ensemble(stack[:, :5], targets, "r2")


def test_the_neutral_calibration_leaves_numbers_alone() -> None:
    stack, _ = stack_of((1.0, 2.0))
    mixture = combine(stack, [0.5, 0.5])
    np.testing.assert_array_equal(Calibration().apply(mixture), mixture)

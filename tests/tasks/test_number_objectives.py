"""Objectives of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from genokeras.errors import ParameterError
from genokeras.tasks.objectives import NUMBER_OBJECTIVES, get_objective
from genokeras.tasks.rows import resample_counts

ANSWERS = np.array([[1.0], [2.0], [4.0], [3.0]])
TARGETS = np.array([1.0, 2.0, 3.0, 4.0])
BY_HAND = {"r2": 1 - 2 / 5, "mse": 0.5, "rmse": np.sqrt(0.5), "mae": 0.5, "pearson": 0.8, "spearman": 0.8}


def random_case(n: int = 30, k: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = rng.normal([5.0, -2.0][:k], 3.0, size=(n, k)).round()
    return targets + rng.normal(size=(n, k)).round(1), targets, rng.integers(1, 4, n).astype(float)


def by_others(name: str, a: np.ndarray, t: np.ndarray, w: np.ndarray) -> float:
    if name in ("pearson", "spearman"):
        repeated = np.repeat(np.arange(len(t)), w.astype(int))
        function = stats.pearsonr if name == "pearson" else stats.spearmanr
        return np.mean([function(a[repeated, j], t[repeated, j])[0] for j in range(t.shape[1])])
    return {
        "r2": metrics.r2_score,
        "mse": metrics.mean_squared_error,
        "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error,
    }[name](t, a, sample_weight=w)


@pytest.mark.parametrize("name", NUMBER_OBJECTIVES)
def test_value_of_numbers_is_what_one_gets_by_hand(name: str) -> None:
    assert NUMBER_OBJECTIVES[name].value(ANSWERS, TARGETS) == pytest.approx(BY_HAND[name])


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("name", NUMBER_OBJECTIVES)
def test_weighted_value_of_numbers_agrees_with_scikit_learn_and_scipy(name: str, k: int) -> None:
    case = random_case(40, k)
    assert NUMBER_OBJECTIVES[name].value(*case) == pytest.approx(by_others(name, *case))


@pytest.mark.parametrize("name", NUMBER_OBJECTIVES)
def test_many_trials_and_weightings_are_scored_as_one_by_one(name: str) -> None:
    objective = NUMBER_OBJECTIVES[name]
    stack = np.stack([random_case(seed=seed)[0] for seed in range(3)])
    _, targets, _ = random_case()
    counts = resample_counts(np.zeros(30), 4, np.random.default_rng(0))
    each = [objective.value(a, targets) for a in stack]
    np.testing.assert_allclose(objective.values(stack, targets), each, rtol=1e-12)
    each = [objective.value(stack[0], targets, w) for w in counts]
    np.testing.assert_allclose(objective.values(stack[0], targets, counts), each, rtol=1e-12)


@pytest.mark.parametrize("name", NUMBER_OBJECTIVES)
def test_chance_is_the_value_of_the_mean(name: str) -> None:
    objective = NUMBER_OBJECTIVES[name]
    expected = {"mse": 1.25, "rmse": np.sqrt(1.25), "mae": 1.0}.get(name, 0.0)
    assert objective.chance(TARGETS, 1) == pytest.approx(expected)


@pytest.mark.parametrize("name", NUMBER_OBJECTIVES)
def test_better_numbers_have_a_lower_loss(name: str) -> None:
    targets = random_case()[1]
    objective = NUMBER_OBJECTIVES[name]
    assert objective.loss(targets, targets) < objective.loss(-targets, targets)
    assert objective.value_of_loss(objective.loss(targets, targets)) == pytest.approx(
        objective.value(targets, targets)
    )


def test_r2_is_undefined_where_a_target_is_the_same_for_all_rows() -> None:
    assert np.isnan(NUMBER_OBJECTIVES["r2"].value([[1.0], [2.0]], [3.0, 3.0]))


def test_correlation_with_a_constant_is_nothing() -> None:
    for name in ("pearson", "spearman"):
        assert NUMBER_OBJECTIVES[name].value(np.full((4, 1), 0.1), TARGETS) == 0.0


def test_standard_errors_of_means_and_of_others_agree_with_theory() -> None:
    rng = np.random.default_rng(0)
    targets, noise = rng.normal(size=400), rng.normal(size=400)
    answers = (targets + noise)[:, None]
    assert NUMBER_OBJECTIVES["mse"].standard_error(answers, targets) == pytest.approx(
        (noise**2).std(ddof=1) / 20
    )
    expected = (1 - np.corrcoef(answers[:, 0], targets)[0, 1] ** 2) / 20
    assert NUMBER_OBJECTIVES["pearson"].standard_error(answers, targets) == pytest.approx(expected, rel=0.2)


def test_objectives_of_numbers_are_found_by_name_and_alias() -> None:
    names = [get_objective(name).name for name in ("R2", "mean_squared_error", "RMSE", "correlation")]
    assert names == ["r2", "mse", "rmse", "pearson"]


@pytest.mark.parametrize(
    ("name", "answers", "message"),
    [
        ("r2", "classes", "one of log_loss, .* which are of classes: got 'r2', which is of numbers"),
        ("auc", "numbers", "one of r2, .* which are of numbers: got 'roc_auc', which is of classes"),
        (
            "pearsn",
            "numbers",
            "one of r2, mse, rmse, mae, pearson, spearman: got 'pearsn'. Did you mean 'pearson'",
        ),
        ("acuracy", "classes", "one of log_loss, .*mcc: got 'acuracy'. Did you mean 'accuracy'"),
    ],
)
def test_an_objective_of_something_else_or_unknown_is_refused(name: str, answers: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        get_objective(name, answers)


@pytest.mark.parametrize(
    ("answers", "targets", "message"),
    [
        (ANSWERS[:3], TARGETS, r"got \(3, 1\) and \(4, 1\)"),
        (ANSWERS, [1.0, 2.0, np.nan, 4.0], "targets must be finite"),
    ],
)
def test_numbers_that_do_not_fit_are_named(answers, targets, message) -> None:
    with pytest.raises(ParameterError, match=message):
        NUMBER_OBJECTIVES["mse"].value(answers, targets)

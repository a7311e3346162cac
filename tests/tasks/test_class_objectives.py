from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from genokeras.errors import ParameterError
from genokeras.tasks.objectives import OBJECTIVES, get_objective
from genokeras.tasks.rows import resample_counts

P = np.array([[0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.9, 0.1]])
CODES = np.array([0, 1, 1, 0])

BY_HAND = {
    "log_loss": -np.log([0.8, 0.4, 0.7, 0.9]).mean(),
    "brier": (0.2**2 + 0.6**2 + 0.3**2 + 0.1**2) / 4,
    "accuracy": 0.75,
    "balanced_accuracy": 0.75,
    "roc_auc": 1.0,
    "f1": (0.8 + 2 / 3) / 2,
    "mcc": 2 / np.sqrt(12),
}


def random_case(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(k), size=n).round(2)
    p[:, -1] = 1 - p[:, :-1].sum(1)
    return p, np.arange(n) % k, rng.integers(1, 4, n).astype(float)


def by_sklearn(name: str, p: np.ndarray, codes: np.ndarray, w: np.ndarray) -> float:
    k = p.shape[1]
    predicted, labels = p.argmax(1), list(range(k))
    if name == "log_loss":
        return metrics.log_loss(codes, np.clip(p, 1e-7, 1), sample_weight=w, labels=labels)
    if name == "roc_auc":
        score = p[:, 1] if k == 2 else p
        return metrics.roc_auc_score(codes, score, sample_weight=w, multi_class="ovr")
    if name == "brier":
        one_hot = np.eye(k)[codes]
        return np.average(((p - one_hot) ** 2).sum(1), weights=w) / (2 if k == 2 else 1)
    return {
        "accuracy": metrics.accuracy_score(codes, predicted, sample_weight=w),
        "balanced_accuracy": metrics.balanced_accuracy_score(codes, predicted, sample_weight=w),
        "f1": metrics.f1_score(codes, predicted, sample_weight=w, average="macro"),
        "mcc": metrics.matthews_corrcoef(codes, predicted, sample_weight=w),
    }[name]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_value_is_what_one_gets_by_hand(name: str) -> None:
    assert OBJECTIVES[name].value(P, CODES) == pytest.approx(BY_HAND[name])


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_weighted_value_agrees_with_scikit_learn(name: str, k: int) -> None:
    p, codes, w = random_case(40, k)
    p = np.maximum(p, 1e-7)
    p = p / p.sum(1, keepdims=True)
    assert OBJECTIVES[name].value(p, codes, w) == pytest.approx(by_sklearn(name, p, codes, w), rel=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_many_trials_are_scored_as_one_by_one(name: str) -> None:
    objective = OBJECTIVES[name]
    cases = [random_case(30, 3, seed)[0] for seed in range(4)]
    _, codes, w = random_case(30, 3)
    expected = [objective.loss(p, codes, w) for p in cases]
    np.testing.assert_allclose(objective.losses(np.stack(cases), codes, w), expected, rtol=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_many_weightings_are_scored_as_one_by_one(name: str) -> None:
    objective = OBJECTIVES[name]
    p, codes, _ = random_case(30, 3)
    counts = resample_counts(codes, 5, np.random.default_rng(0))
    expected = [objective.value(p, codes, w) for w in counts]
    np.testing.assert_allclose(objective.values(p, codes, counts), expected, rtol=1e-12)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_integer_weights_act_as_repeated_rows(name: str) -> None:
    p, codes, w = random_case(30, 3)
    repeated = np.repeat(np.arange(30), w.astype(int))
    value = OBJECTIVES[name].value(p[repeated], codes[repeated])
    assert OBJECTIVES[name].value(p, codes, w) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("log_loss", -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))),
        ("brier", 0.75 * 0.25**2 + 0.25 * 0.75**2),
        ("accuracy", 0.75),
        ("balanced_accuracy", 0.5),
        ("roc_auc", 0.5),
        ("f1", (6 / 7) / 2),
        ("mcc", 0.0),
    ],
)
def test_chance_is_the_value_of_the_class_frequencies(name: str, expected: float) -> None:
    assert OBJECTIVES[name].chance([0, 0, 0, 1], 2) == pytest.approx(expected)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_loss_and_value_convert_into_each_other(name: str) -> None:
    objective = OBJECTIVES[name]
    assert objective.value_of_loss(objective.loss(P, CODES)) == pytest.approx(objective.value(P, CODES))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_better_prediction_has_a_lower_loss(name: str) -> None:
    good = np.eye(2)[CODES] * 0.98 + 0.01
    assert OBJECTIVES[name].loss(good, CODES) < OBJECTIVES[name].loss(1 - good, CODES)


def test_auc_is_undefined_where_a_class_has_no_rows() -> None:
    assert np.isnan(OBJECTIVES["roc_auc"].value(P[:2], [0, 0]))


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    assert OBJECTIVES["log_loss"].value([[1.0, 0.0]], [1]) == pytest.approx(-np.log(1e-7))


def test_standard_error_of_log_loss_is_that_of_a_mean() -> None:
    rows = -np.log([0.8, 0.4, 0.7, 0.9])
    assert OBJECTIVES["log_loss"].standard_error(P, CODES) == pytest.approx(rows.std(ddof=1) / 2)


def test_bootstrapped_standard_error_matches_the_closed_form() -> None:
    # With as many rows in each class, balanced accuracy is a mean of two independent proportions.
    rng = np.random.default_rng(0)
    codes = np.arange(400) % 2
    score = rng.random(400) + 0.3 * codes
    p = np.stack([1 - score / 2, score / 2], axis=1)
    hits = [(p[codes == c].argmax(1) == c).mean() for c in (0, 1)]
    expected = np.sqrt(sum(h * (1 - h) / 200 for h in hits)) / 2
    assert OBJECTIVES["balanced_accuracy"].standard_error(p, codes) == pytest.approx(expected, rel=0.15)


def test_objectives_are_found_by_name_and_alias() -> None:
    names = [get_objective(name).name for name in ("auc", "Acc", "balanced-accuracy", "log_loss")]
    assert names == ["roc_auc", "accuracy", "balanced_accuracy", "log_loss"]


def test_an_unknown_objective_is_named_with_a_suggestion() -> None:
    with pytest.raises(ParameterError, match="got 'log_los'. Did you mean 'log_loss'"):
        get_objective("log_los")


def test_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(ParameterError, match=r"got \(4, 2\) and \(3,\)"):
        OBJECTIVES["log_loss"].value(P, CODES[:3])


def test_a_code_without_a_column_is_an_error() -> None:
    with pytest.raises(ParameterError, match=r"codes must lie in 0\.\.1.*got 0\.\.2"):
        OBJECTIVES["log_loss"].value(P, [0, 1, 2, 0])


def test_resamples_keep_the_size_of_each_stratum() -> None:
    strata = np.array([0, 0, 0, 1, 1])
    counts = resample_counts(strata, 10, np.random.default_rng(0))
    assert (counts[:, :3].sum(1) == 3).all() and (counts[:, 3:].sum(1) == 2).all()

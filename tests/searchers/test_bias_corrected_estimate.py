from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.searchers.estimate import (
    Estimate,
    estimate_performance,
    few_groups,
    few_groups_note,
    row_counts,
)

CODES = np.arange(60) % 2


def noise(seed: int, t: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet([1, 1], size=(t, 60))


def informative(seed: int, t: int = 20) -> np.ndarray:
    generator = np.random.default_rng(seed)
    logits = (2 * CODES - 1) * 1.5 + generator.normal(size=(t, 60)) * 1.5
    p = 1 / (1 + np.exp(-logits))
    return np.stack([1 - p, p], axis=-1)


def estimate(p: np.ndarray, seed: int = 0, **kwargs: object) -> dict[str, Estimate]:
    options: dict[str, object] = {"n_resamples": 60, "rng": np.random.default_rng(seed)} | kwargs
    return estimate_performance(p, CODES, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def on_noise() -> list[dict[str, Estimate]]:
    """Estimates of selecting among 60 trials that know nothing, for 12 data sets."""
    return [estimate(noise(seed), objective="balanced_accuracy", seed=seed) for seed in range(12)]


@pytest.mark.parametrize("metric", ["balanced_accuracy", "accuracy", "roc_auc"])
def test_interval_holds_chance_where_labels_say_nothing(
    on_noise: list[dict[str, Estimate]], metric: str
) -> None:
    covered = [found[metric].low <= 0.5 <= found[metric].high for found in on_noise]
    assert all(covered)


def test_naive_value_flatters_itself_and_the_corrected_one_does_not(
    on_noise: list[dict[str, Estimate]],
) -> None:
    naive = np.mean([found["balanced_accuracy"].naive for found in on_noise])
    corrected = np.mean([found["balanced_accuracy"].value for found in on_noise])
    assert naive > 0.65
    assert corrected == pytest.approx(0.5, abs=0.04)


def test_trials_that_know_something_are_estimated_above_chance() -> None:
    found = estimate(informative(0))
    assert found["roc_auc"].low > 0.5
    assert found["log_loss"].high < found["log_loss"].chance


def test_one_trial_has_nothing_to_correct() -> None:
    found = estimate(informative(0, t=1), n_resamples=200)["accuracy"]
    assert found.value == pytest.approx(found.naive, abs=0.02)


def test_value_lies_in_its_interval_for_every_metric() -> None:
    for found in estimate(informative(1)).values():
        assert found.low <= found.value <= found.high


def test_objective_comes_first_and_metrics_follow() -> None:
    assert list(estimate(noise(0), objective="mcc", metrics=("auc", "mcc"))) == ["mcc", "roc_auc"]


def test_same_seed_gives_the_same_estimate() -> None:
    assert estimate(noise(0), seed=4) == estimate(noise(0), seed=4)


def test_late_resamples_are_left_out_but_twenty_always_run() -> None:
    seconds = itertools.count(0.0, 10.0)
    found = estimate(noise(0), max_seconds=1.0, clock=lambda: next(seconds))
    assert found["log_loss"].n_resamples == 20


def test_rows_of_a_group_are_left_out_together() -> None:
    # Twins of every row: were they split, what is drawn would tell all about what is left out.
    generator = np.random.default_rng(0)
    twins = np.repeat(np.arange(30), 2)
    codes = np.repeat(np.arange(30) % 2, 2)
    p = np.repeat(generator.dirichlet([1, 1], size=(60, 30)), 2, axis=1)
    options = {"objective": "accuracy", "metrics": (), "n_resamples": 60}
    grouped = estimate_performance(p, codes, rng=np.random.default_rng(1), groups=twins, **options)
    split = estimate_performance(p, codes, rng=np.random.default_rng(1), **options)
    assert grouped["accuracy"].value < split["accuracy"].value - 0.05


@pytest.mark.parametrize("n_groups", [2, 4, 5])
def test_fewer_than_five_groups_do_not_say_how_much_scores_vary(n_groups: int) -> None:
    for found in estimate(informative(2), groups=np.arange(60) // 2 % n_groups).values():
        assert np.isfinite(found.value)
        assert np.isfinite([found.low, found.high]).tolist() == [n_groups >= 5] * 2


def test_groups_without_weight_do_not_count() -> None:
    groups, weight = np.arange(60) % 5, np.ones(60)
    assert few_groups(groups, weight) == 0 and few_groups_note(groups, weight) == ()
    weight[groups == 0] = 0
    assert few_groups(groups, weight) == 4 and few_groups(None, weight) == 0
    (note,) = few_groups_note(groups, weight, "studies")
    assert note.startswith("4 studies say how it went in these, not how much that varies: ")


@pytest.mark.parametrize("rare", [1, 2, 3, 4, 5, 12])
@pytest.mark.parametrize("grouped", [False, True])
def test_a_constant_answer_scores_what_it_is_worth_however_rare_a_class_is(rare: int, grouped: bool) -> None:
    codes = np.array([0] * (40 - rare) + [1] * rare + [2] * 20)
    p = np.full((1, 60, 3), [0.6, 0.1, 0.3])
    groups = np.arange(60) // 2 if grouped else None
    metrics = ["accuracy", "balanced_accuracy", "log_loss", "roc_auc"]
    found = estimate_performance(
        p, codes, rng=np.random.default_rng(0), groups=groups, metrics=metrics, n_resamples=40
    )
    for name in ("accuracy", "balanced_accuracy", "roc_auc"):
        assert found[name].value == pytest.approx(found[name].naive, abs=1e-12), name
        assert found[name].n_resamples == 40
    # Its calibration is that of each resample's rows.
    assert found["log_loss"].value == pytest.approx(found["log_loss"].naive, abs=0.01)


def test_of_each_class_of_two_rows_one_is_left_out() -> None:
    counts = row_counts(np.array([0] * 20 + [1] * 2 + [2] * 3), None, 100, np.random.default_rng(0))
    for rows in (slice(0, 20), slice(20, 22), slice(22, 25)):
        assert (counts[:, rows] == 0).any(axis=1).all()
        assert (counts[:, rows].sum(axis=1) == rows.stop - rows.start).all()


def test_a_class_of_one_row_is_drawn_with_the_largest_class() -> None:
    codes = np.array([0] * 10 + [1])
    p = np.random.default_rng(0).dirichlet([1, 1], size=(5, 11))
    found = estimate_performance(p, codes, rng=np.random.default_rng(0), n_resamples=50)
    assert found["log_loss"].n_resamples == 50
    assert np.isfinite(found["balanced_accuracy"].value)


def test_two_rows_of_one_group_leave_nothing_out_and_say_so() -> None:
    p = np.random.default_rng(0).dirichlet([1, 1], size=(3, 2))
    with pytest.raises(ParameterError, match="too few rows for an estimate"):
        estimate_performance(p, [0, 1], rng=np.random.default_rng(0), groups=["a", "a"])


def test_undefined_numbers_become_null_in_json() -> None:
    found = Estimate("roc_auc", np.nan, np.nan, np.nan, 0.5, 0.5, True, 0).to_dict()
    assert found["value"] is None
    json.dumps(found, allow_nan=False)

"""Weights by discounted evidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.errors import ParameterError
from genokeras.searchers.ensemble import combine, select_ensemble
from genokeras.tasks.objectives import OBJECTIVES


def random_stack(t: int, n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.ones(k), size=(t, n)), generator.permutation(np.arange(n) % k)


def test_one_trial_has_all_the_weight() -> None:
    p, codes = random_stack(1, 5, 2)
    assert select_ensemble(p, codes) == pytest.approx([1.0])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_perfect_trial_among_bad_ones_gets_nearly_all(name: str) -> None:
    codes = np.arange(40) % 2
    good = np.eye(2)[codes] * 0.98 + 0.01
    weights = select_ensemble(np.stack([1 - good, good, 1 - good]), codes, name)
    assert weights[1] > 0.98


def test_weights_are_the_discounted_evidence() -> None:
    p = np.array([[[0.8, 0.2], [0.5, 0.5]], [[0.4, 0.6], [0.5, 0.5]]])
    weights = select_ensemble(p, [0, 0], discount=2.0)
    assert weights[0] / weights[1] == pytest.approx((0.4 / 0.2) ** 0.5)


def test_a_large_discount_gives_the_plain_mean() -> None:
    p, codes = random_stack(6, 20, 2)
    np.testing.assert_allclose(select_ensemble(p, codes, discount=1e9), np.full(6, 1 / 6), atol=1e-6)


def test_the_best_gets_more_as_rows_come_in() -> None:
    p, codes = random_stack(6, 20, 2)
    few = select_ensemble(p, codes)
    many = select_ensemble(np.tile(p, (1, 50, 1)), np.tile(codes, 50))
    assert many.max() > few.max()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(t=st.integers(1, 30), n=st.integers(4, 20), k=st.integers(2, 4), seed=st.integers(0, 999))
def test_weights_are_shares_and_beat_the_worst_trial(t: int, n: int, k: int, seed: int) -> None:
    p, codes = random_stack(t, n, k, seed)
    objective = OBJECTIVES["log_loss"]
    weights = select_ensemble(p, codes, objective)
    assert weights.shape == (t,) and weights.min() >= 0 and weights.sum() == pytest.approx(1)
    assert objective.loss(combine(p, weights), codes) <= objective.losses(p, codes).max() + 1e-12


def test_rows_of_weight_zero_play_no_part() -> None:
    p, codes = random_stack(30, 20, 2)
    weight = np.where(np.arange(20) < 12, 1.0, 0.0)
    np.testing.assert_allclose(
        select_ensemble(p, codes, sample_weight=weight), select_ensemble(p[:, :12], codes[:12])
    )


def test_many_resamples_at_once_equal_one_by_one() -> None:
    p, codes = random_stack(10, 20, 2)
    counts = np.random.default_rng(1).multinomial(20, np.full(20, 0.05), size=5).astype(float)
    together = select_ensemble(p, codes, sample_weight=counts)
    for row, weights in zip(counts, together, strict=True):
        np.testing.assert_allclose(weights, select_ensemble(p, codes, sample_weight=row), atol=1e-12)


def test_balanced_objectives_count_classes_alike() -> None:
    codes = np.array([0] * 18 + [1] * 2)
    for_zero = np.tile([0.9, 0.1], (20, 1))
    for_one = np.tile([0.1, 0.9], (20, 1))
    stack = np.stack([for_zero, for_one])
    assert select_ensemble(stack, codes, "log_loss")[0] > 0.8
    np.testing.assert_allclose(select_ensemble(stack, codes, "balanced_accuracy"), [0.5, 0.5], atol=1e-3)


def test_only_the_heaviest_trials_keep_a_weight() -> None:
    p, codes = random_stack(30, 20, 2)
    all_weights, few = select_ensemble(p, codes), select_ensemble(p, codes, largest=3)
    assert set(np.flatnonzero(few)) == set(np.argsort(-all_weights)[:3])
    assert few.sum() == pytest.approx(1)


def test_trials_that_are_not_finite_are_refused() -> None:
    p, codes = random_stack(3, 6, 2)
    p[1, 0, 0] = np.nan
    with pytest.raises(ParameterError, match="must be finite"):
        select_ensemble(p, codes)


def test_no_trials_is_an_error() -> None:
    with pytest.raises(ParameterError, match="expected probabilities"):
        select_ensemble(np.zeros((0, 4, 2)), [0, 1, 0, 1])


def test_combine_is_the_weighted_mean() -> None:
    p, _ = random_stack(3, 4, 2)
    np.testing.assert_allclose(combine(p, [0.25, 0.0, 0.75]), 0.25 * p[0] + 0.75 * p[2])


def test_a_family_of_many_like_trials_does_not_outvote_another() -> None:
    p, codes = random_stack(2, 20, 2)
    crowd = np.concatenate([p[:1], np.repeat(p[1:], 30, axis=0)])
    families = ["one"] + 30 * ["many"]
    pair = select_ensemble(p, codes)
    weights = select_ensemble(crowd, codes, families=families)
    assert weights[0] == pytest.approx(pair[0])
    np.testing.assert_allclose(weights[1:], pair[1] / 30)


def test_families_of_resamples_are_weighted_as_each_alone() -> None:
    p, codes = random_stack(6, 20, 2)
    rows = np.random.default_rng(1).integers(0, 3, (4, 20)) + np.eye(4, 20)
    families = [0, 0, 1, 1, 1, 2]
    together = select_ensemble(p, codes, sample_weight=rows, families=families)
    for row, weights in zip(rows, together, strict=True):
        alone = select_ensemble(p, codes, sample_weight=row, families=families)
        np.testing.assert_allclose(weights, alone, atol=1e-12)


def test_families_of_another_length_are_refused() -> None:
    p, codes = random_stack(3, 8, 2)
    with pytest.raises(ParameterError, match="one for each of 3 trials"):
        select_ensemble(p, codes, families=[0, 1])

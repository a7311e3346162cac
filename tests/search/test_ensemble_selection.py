from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.errors import ParameterError
from genokeras.search.ensemble import combine, select_ensemble
from genokeras.search.scores import OBJECTIVES


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def random_stack(t: int, n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.dirichlet(np.ones(k), size=(t, n)), generator.permutation(np.arange(n) % k)


def test_one_trial_has_all_the_weight() -> None:
    p, codes = random_stack(1, 5, 2)
    assert select_ensemble(p, codes, rng=rng()).tolist() == [1.0]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_perfect_trial_among_bad_ones_is_chosen_alone(name: str) -> None:
    codes = np.array([0, 1, 0, 1])
    good = np.eye(2)[codes] * 0.98 + 0.01
    p = np.stack([1 - good, good, 1 - good])
    assert select_ensemble(p, codes, name, rng=rng()).tolist() == [0.0, 1.0, 0.0]


def test_trials_that_make_up_for_each_other_are_mixed() -> None:
    # Each is sure of one half of the rows and wrong about the other; their mean is right everywhere.
    codes = np.array([0, 0])
    p = np.array([[[0.99, 0.01], [0.45, 0.55]], [[0.45, 0.55], [0.99, 0.01]]])
    np.testing.assert_allclose(select_ensemble(p, codes, "log_loss", rng=rng()), [0.5, 0.5])


def test_greedy_picks_are_those_made_by_hand() -> None:
    # First pick: trial 0 (.6, .6). Then with 1: (.75, .4), with 2: (.45, .75), alone: (.6, .6), products
    # .30, .3375 and .36: trial 0 again.
    codes = np.array([0, 0])
    true = np.array([[0.6, 0.6], [0.9, 0.2], [0.3, 0.9]])
    p = np.stack([true, 1 - true], axis=-1)
    weights = select_ensemble(p, codes, rng=rng(), picks=2, fraction=1.0)
    np.testing.assert_allclose(weights, [1.0, 0.0, 0.0])


def test_fast_path_for_log_loss_picks_what_the_general_one_does() -> None:
    p, codes = random_stack(40, 25, 3)
    slow = OBJECTIVES["log_loss"]
    slow = type(slow)("log_loss_slow", slow.greater_is_better, slow.function, slow.rows)
    np.testing.assert_array_equal(
        select_ensemble(p, codes, "log_loss", rng=rng()), select_ensemble(p, codes, slow, rng=rng())
    )


@settings(max_examples=25, deadline=None, derandomize=True)
@given(t=st.integers(1, 30), n=st.integers(4, 20), k=st.integers(2, 4), seed=st.integers(0, 999))
def test_weights_are_shares_and_beat_the_worst_trial(t: int, n: int, k: int, seed: int) -> None:
    p, codes = random_stack(t, n, k, seed)
    objective = OBJECTIVES["log_loss"]
    weights = select_ensemble(p, codes, objective, rng=np.random.default_rng(seed))
    assert weights.shape == (t,) and weights.min() >= 0 and weights.sum() == pytest.approx(1)
    worst = objective.losses(p, codes).max()
    assert objective.loss(combine(p, weights), codes) <= worst + 1e-12


def test_rows_of_weight_zero_play_no_part() -> None:
    p, codes = random_stack(30, 20, 2)
    weight = np.where(np.arange(20) < 12, 1.0, 0.0)
    with_all = select_ensemble(p, codes, rng=rng(), sample_weight=weight)
    np.testing.assert_array_equal(with_all, select_ensemble(p[:, :12], codes[:12], rng=rng()))


def test_only_the_shortlist_stands_for_selection() -> None:
    p, codes = random_stack(30, 20, 2)
    weights = select_ensemble(p, codes, rng=rng(), shortlist=3)
    best = np.argsort(OBJECTIVES["log_loss"].losses(p, codes))[:3]
    assert set(np.flatnonzero(weights)) <= set(best)


def test_same_seed_gives_the_same_weights() -> None:
    p, codes = random_stack(30, 20, 2)
    first, second = (select_ensemble(p, codes, "auc", rng=rng()) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_ties_in_accuracy_are_broken_by_log_loss() -> None:
    codes = np.array([0, 1])
    timid, sure = np.eye(2)[codes] * 0.02 + 0.49, np.eye(2)[codes] * 0.9 + 0.05
    weights = select_ensemble(np.stack([timid, sure]), codes, "accuracy", rng=rng())
    assert weights.tolist() == [0.0, 1.0]


def test_trials_that_are_not_finite_are_named() -> None:
    p, codes = random_stack(3, 6, 2)
    p[1, 0, 0] = np.nan
    with pytest.raises(ParameterError, match=r"trials \[1\]"):
        select_ensemble(p, codes, rng=rng())


def test_no_trials_is_an_error() -> None:
    with pytest.raises(ParameterError, match="at least one trial"):
        select_ensemble(np.zeros((0, 4, 2)), [0, 1, 0, 1], rng=rng())


def test_combine_is_the_weighted_mean() -> None:
    p, _ = random_stack(3, 4, 2)
    np.testing.assert_allclose(combine(p, [0.25, 0.0, 0.75]), 0.25 * p[0] + 0.75 * p[2])

"""Linear models that are solved: what they return is where the penalised loss is lowest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from genokeras.tasks.classes import Classes
from genokeras.tasks.linear import solve_logistic

_RNG = np.random.default_rng(3)
_N, _R, _K, _PENALTY = 40, 12, 3, 0.05
_Z = _RNG.normal(size=(_N, _R)).astype("float32")
_CODES = (_Z[:, 0] + _RNG.normal(size=_N)).argsort().argsort() * _K // _N
_WEIGHT = np.where(np.arange(_N) % 7 == 0, 0.0, _RNG.uniform(0.5, 3.0, size=_N))


def _loss(kernel: np.ndarray, bias: np.ndarray) -> float:
    rows = log_softmax(_Z @ kernel + bias, axis=1)[np.arange(_N), _CODES]
    return float(-np.average(rows, weights=_WEIGHT) + _PENALTY / 2 * np.sum(kernel**2))


def test_no_step_makes_the_penalised_loss_smaller() -> None:
    kernel, bias = solve_logistic(_Z, _CODES, _WEIGHT, _K, _PENALTY)
    lowest = _loss(kernel, bias)
    rng = np.random.default_rng(0)
    for size in (0.3, 0.03):
        for _ in range(30):
            moved = kernel + size * rng.normal(size=kernel.shape), bias + size * rng.normal(size=_K)
            assert _loss(*moved) > lowest - 1e-5


def test_rows_without_weight_play_no_part() -> None:
    with_them = solve_logistic(_Z, _CODES, _WEIGHT, _K, _PENALTY)
    counted = _WEIGHT > 0
    without = solve_logistic(_Z[counted], _CODES[counted], _WEIGHT[counted], _K, _PENALTY)
    for one, other in zip(with_them, without, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("present", [(0, 2), (1,)])
def test_a_class_that_a_fold_lacks_is_never_expected(present: tuple[int, ...]) -> None:
    weight = np.where(np.isin(_CODES, present), 1.0, 0.0)
    task = Classes(_K)
    kernel, bias = task.solve_linear(_Z, _CODES, weight, 0.1)
    answers = task.answers_of(_Z @ kernel + bias)
    assert np.delete(answers, present, axis=1).max() < 1e-6
    assert answers[:, present].min() > 1e-6


def test_stronger_decay_holds_the_kernel_back() -> None:
    task = Classes(_K)
    lengths = [np.linalg.norm(task.solve_linear(_Z, _CODES, _WEIGHT, decay)[0]) for decay in (0.01, 0.1, 1.0)]
    assert lengths[0] > 1.5 * lengths[1] > 2 * lengths[2]


def test_large_tables_are_not_solved() -> None:
    assert Classes(10).solves_linear(700, 700)
    assert not Classes(10).solves_linear(20_000, 2_000)


def test_the_larger_a_table_the_fewer_penalties_are_tried() -> None:
    tried = [Classes(2).solved_decays(n, n) for n in (100, 1_000, 3_000, 30_000)]
    assert [len(decays) for decays in tried] == [5, 3, 1, 0]
    assert all(list(decays) == sorted(decays, reverse=True) for decays in tried)

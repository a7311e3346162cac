"""Sets and intervals hold the truth as often as was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.errors import ParameterError
from genokeras.tasks.conformal import class_limits, error_limits, fewest, limit, row_weights


def test_the_limit_is_the_score_that_the_asked_share_of_the_rows_and_one_more_reaches() -> None:
    scores = np.array([0.5, 0.1, 0.3, 0.2, 0.4, 0.7, 0.6, 0.9, 0.8])
    ones = np.ones(9)
    assert limit(scores, ones, 0.9) == 0.9  # 9 of 10
    assert limit(scores, ones, 0.8) == 0.8
    assert limit(scores, ones, 0.91) == np.inf
    assert fewest(0.9) == 9 and fewest(0.95) == 19


def test_rows_of_a_group_count_as_one() -> None:
    assert row_weights(4, np.array([7, 7, 2, 7])) == pytest.approx([1 / 3, 1 / 3, 1, 1 / 3])
    scores, groups = np.repeat(np.arange(9) / 10, 3), np.repeat(np.arange(9), 3)
    assert limit(scores, row_weights(27, groups), 0.9) == pytest.approx(0.8)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_new_rows_are_covered_as_often_as_was_asked_for(coverage: float) -> None:
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        p = rng.dirichlet(np.ones(3), size=41)
        codes = np.array([rng.choice(3, p=row) for row in p])
        limits = class_limits(p[:40], codes[:40], np.ones(40), coverage, by_class=False)
        held.append(1 - p[40, codes[40]] <= limits[codes[40]])
    assert np.mean(held) == pytest.approx(coverage + 0.01, abs=0.035)


def test_by_class_a_class_with_few_rows_has_a_limit_of_its_own_or_is_in_every_set() -> None:
    p = np.array([[0.9, 0.1]] * 20 + [[0.6, 0.4]] * 3)
    codes = np.array([0] * 20 + [1] * 3)
    limits = class_limits(p, codes, np.ones(23), 0.9, by_class=True)
    assert limits[0] == pytest.approx(0.1) and limits[1] == np.inf


def test_each_target_has_an_interval_by_its_errors() -> None:
    targets = np.stack([np.arange(9.0), 10 * np.arange(9.0)], axis=1)
    assert error_limits(np.zeros((9, 2)), targets, np.ones(9), 0.9) == pytest.approx([8, 80])


def test_a_coverage_that_needs_more_rows_says_how_many() -> None:
    with pytest.raises(ParameterError, match=r"coverage=0.95 needs 19 samples or more .* the run has 5"):
        error_limits(np.zeros((5, 1)), np.ones((5, 1)), np.ones(5), 0.95)


def test_rows_that_count_differently_are_as_many_as_their_effective_number() -> None:
    weight = row_weights(3, None, np.array([2.0, 1.0, 1.0]))
    assert weight == pytest.approx(np.array([2.0, 1.0, 1.0]) * 4 / 6)
    # Scales do not matter, and rows that count alike count as ever.
    assert row_weights(3, None, np.array([4.0, 2.0, 2.0])) == pytest.approx(weight)
    assert row_weights(3, np.array([1, 1, 2]), np.full(3, 7.0)) == pytest.approx([0.5, 0.5, 1.0])
    assert row_weights(3, None, np.array([1.0, 1.0, 0.0])) == pytest.approx([1.0, 1.0, 0.0])


def test_within_classes_rows_are_compared_with_their_class_only() -> None:
    importance, codes = np.array([0.1, 0.1, 5.0, 5.0]), np.array([0, 0, 1, 1])
    assert row_weights(4, None, importance, codes) == pytest.approx(np.ones(4))
    assert row_weights(2, None, np.zeros(2), np.zeros(2, dtype=int)).tolist() == [0.0, 0.0]


def test_limits_of_weighted_rows_are_those_of_what_the_rows_stand_for() -> None:
    # The five rows of a small error stand for few samples, the large errors for many.
    scores = np.arange(1.0, 41.0)
    few_small = np.where(scores <= 20, 0.5, 1.5)
    alike = limit(scores, row_weights(40, None), 0.5)
    weighted = limit(scores, row_weights(40, None, few_small), 0.5)
    assert alike == 21.0 and weighted > 25.0

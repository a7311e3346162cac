"""A budget keeps its promise."""

from __future__ import annotations

import pytest

from genokeras import ParameterError
from genokeras.engine import Budget


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_search_time_is_what_remains_without_the_reserve():
    clock = Clock()
    budget = Budget(60, reserve=5, clock=clock)
    clock.now += 10
    assert budget.elapsed == 10
    assert budget.remaining == 50
    assert budget.search_remaining == 45


def test_a_job_is_afforded_while_the_dearest_of_late_fits_with_a_margin():
    clock = Clock()
    budget = Budget(60, reserve=0, clock=clock)
    budget.observe(4.0)
    clock.now += 54
    assert budget.affords_another()
    clock.now += 1.5
    assert not budget.affords_another()


def test_an_old_dear_job_is_forgotten():
    clock = Clock()
    budget = Budget(60, clock=clock)
    for cost in (50.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        budget.observe(cost)
    clock.now += 50
    assert budget.affords_another()


def test_a_budget_is_exhausted_when_only_the_reserve_is_left():
    clock = Clock()
    budget = Budget(60, reserve=5, clock=clock)
    clock.now += 55
    assert budget.exhausted()


def test_no_limit_never_ends():
    budget = Budget(None, reserve=5)
    budget.observe(1e9)
    assert budget.affords_another() and not budget.exhausted()


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_is_no_time_is_refused(limit):
    with pytest.raises(ParameterError, match="time_limit must be a number of seconds above 0"):
        Budget(limit)

"""A budget keeps its promise."""

from __future__ import annotations

import math

import pytest

from genokeras import ParameterError
from genokeras.engine import Budget, Deadline, NetworkMethod, PackedMethod, search_budget


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
    assert budget.affordable_share() == 1
    clock.now += 1.5
    assert budget.affordable_share() < 1


def test_some_of_a_job_is_afforded_where_a_quarter_or_more_of_it_fits():
    clock = Clock()
    budget = Budget(60, reserve=0, clock=clock)
    budget.observe(8.0)
    clock.now += 55
    assert budget.affordable_share() == pytest.approx(5 / (1.25 * 8))
    assert Budget(60, clock=clock, least=70).affordable_share() == 0
    clock.now += 2.6
    assert budget.affordable_share() == 0
    clock.now += 10
    assert budget.affordable_share() == 0 and Budget(1, clock=clock).affordable_share() == 1


def test_what_cannot_begin_to_train_in_time_is_not_begun():
    clock = Clock()
    budget = Budget(60, clock=clock, pace=lambda: 2.0)
    clock.now += 55
    assert budget.affordable_share(1.9) == 1 and budget.affordable_share(2.1) == 0
    # What was measured on this machine counts where it is longer.
    assert budget.affordable_share(0.7, measured=3.9) == 1 and budget.affordable_share(0.7, measured=4.1) == 0
    assert Budget(None).affordable_share(0.7, measured=1e9) == 1


def test_an_old_dear_job_is_forgotten():
    clock = Clock()
    budget = Budget(60, clock=clock)
    for cost in (50.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        budget.observe(cost)
    clock.now += 50
    assert budget.affordable_share() == 1


def test_a_budget_is_exhausted_when_only_the_reserve_is_left():
    clock = Clock()
    budget = Budget(60, reserve=5, clock=clock)
    clock.now += 55
    assert budget.exhausted()


def test_no_limit_never_ends():
    budget = Budget(None, reserve=5)
    budget.observe(1e9)
    assert budget.affordable_share() == 1 and not budget.exhausted()


@pytest.mark.parametrize("limit", [0, -1, float("nan")])
def test_a_limit_that_is_no_time_is_refused(limit):
    with pytest.raises(ParameterError, match="time_limit must be a number of seconds above 0"):
        Budget(limit)


def test_the_search_ends_where_the_reserve_begins():
    assert 54 < Budget(60, reserve=5).deadline().left <= 55
    assert Budget(None).deadline() == Deadline()


def test_what_is_kept_back_may_change_as_more_is_known():
    clock = Clock()
    budget = Budget(60, reserve=5, clock=clock)
    budget.keep(12.0)
    assert budget.search_remaining == 48


def test_the_pace_is_measured_anew_after_some_seconds():
    clock, paces = Clock(), iter([1.0, 3.0])
    budget = Budget(60, clock=clock, pace=lambda: next(paces))
    assert budget.slowness() == budget.slowness() == 1.0
    clock.now += 6
    assert budget.slowness() == 3.0


def test_a_job_that_fits_itself_into_the_time_needs_no_more_than_was_said():
    clock = Clock()
    budget = Budget(60, clock=clock, least=3.0)
    budget.observe(50.0)
    clock.now += 56
    assert budget.affordable_share() == 1
    clock.now += 1.5
    assert budget.affordable_share() < 1


@pytest.mark.parametrize(
    ("limit", "reserve"),
    [(2, 0.6), (5, 1.5), (10, 1.5), (18.75, 1.5), (60, 4.8), (300, 24.0), (312.5, 25.0), (3600, 25.0)],
)
def test_a_search_keeps_back_eight_hundredths_within_bounds(limit, reserve):
    budget = search_budget(limit)
    assert budget.time_limit == limit
    assert budget.remaining - budget.search_remaining == pytest.approx(reserve, abs=1e-3)


def test_a_search_without_a_limit_keeps_nothing_back():
    assert search_budget(None).search_remaining == float("inf")


@pytest.mark.parametrize("method", [PackedMethod(), NetworkMethod()])
def test_both_ways_to_train_keep_the_same_back(method):
    for limit in (5, 60, 600):
        budget = method.budget(limit)
        assert budget.remaining - budget.search_remaining == pytest.approx(
            search_budget(limit).remaining - search_budget(limit).search_remaining, abs=1e-2
        )


@pytest.mark.parametrize(("limit", "least"), [(10, 1.0), (60, 3.0), (600, 6.0)])
def test_a_network_needs_a_twentieth_of_the_limit_within_bounds(limit, least):
    budget = NetworkMethod().budget(limit)
    budget.observe(1e9)
    assert budget.affordable_share() == 1
    spent = Budget(limit, clock=(clock := Clock()), least=least)
    clock.now += limit - least + 0.01
    assert spent.affordable_share() < 1
    assert budget._least == least


def test_what_is_left_is_in_seconds_of_the_reference_machine() -> None:
    now = [0.0]
    budget = Budget(10.0, clock=lambda: now[0], steady_pace=lambda: 2.5)
    now[0] = 5.0
    assert budget.seconds_of_reference() == pytest.approx(2.0)
    assert Budget(None, steady_pace=lambda: 2.5).seconds_of_reference() == math.inf

"""What delivering takes is predicted from the trials, and what there is no time for is left out."""

from __future__ import annotations

import pytest

from genokeras.engine import Budget, Deadline, deliver
from genokeras.engine.delivery_forecast import DeliveryForecast
from genokeras.engine.delivery_time import Bill, DeliveryTime
from genokeras.engine.problem import Problem
from genokeras.graph import HyperParameters, linear, mlp
from genokeras.searchers import History, Proposal
from tests.engine.runs import problem_of_classes
from tests.engine.test_delivery import CODES, LOG_LOSS, probabilities, rows_of, stored


@pytest.fixture(scope="module")
def problem() -> Problem:
    return problem_of_classes(("all", "leading3", "top5"))


def proposals(count: int, view: str = "all") -> list[Proposal]:
    """Networks of different widths, which cannot be packed together."""
    return [Proposal(mlp(2, (4 + number,)), HyperParameters(view=view)) for number in range(count)]


def seconds_of(problem: Problem, *found: Proposal) -> float:
    bill = Bill(problem)
    for proposal in found:
        bill.add(proposal)
    return bill.seconds


def test_every_further_graph_and_view_takes_time(problem):
    one, two = proposals(2)
    assert seconds_of(problem, one) < seconds_of(problem, one, two)
    shared, own = proposals(1, "leading3")[0], proposals(1, "top5")[0]
    assert seconds_of(problem, one, one) - seconds_of(problem, one) < 1e-3
    assert seconds_of(problem, one) < seconds_of(problem, one, shared) < seconds_of(problem, one, own)


def test_a_trial_that_reads_what_there_is_not_costs_nothing(problem):
    assert seconds_of(problem, *proposals(1, "top99")) == seconds_of(problem)


def test_a_search_keeps_back_what_its_trials_need_within_bounds(problem):
    budget = Budget(60, pace=lambda: 8.0)
    forecast = DeliveryForecast(problem, budget)
    kept = []
    for count in (1, 20, 400):
        forecast.trying(proposals(count), History())
        kept.append(budget.remaining - budget.search_remaining)
    assert 0.5 < kept[0] < kept[1] < kept[2] == pytest.approx(24, abs=1e-3)


def test_a_model_has_as_many_trials_as_there_is_time_for(tmp_path, problem):
    _, history = stored(tmp_path, [probabilities(2, seed) for seed in range(6)], rows_of())
    trials = list(history.ok())
    assert DeliveryTime(Deadline()).members(problem, trials) == 6
    assert DeliveryTime(Deadline.after(3), slowness=1e6).members(problem, trials) == 1


def test_what_there_is_no_time_for_is_left_out_of_the_ensemble(tmp_path):
    class Two:
        def members(self, rows, trials):
            return 2

        def for_estimate(self, rows, trials):
            assert len(trials) == 2
            return 0.5

    rows = rows_of()
    store, history = stored(tmp_path, [probabilities(2, seed) for seed in range(5)], rows)
    found = deliver(store, rows, history, LOG_LOSS, 0, time=Two())
    assert len(found.shares) == 2 and sum(found.shares.values()) == pytest.approx(1)
    assert found.estimate["n_trials"] == 5 and len(CODES) == found.estimate["n_samples"]


def test_linear_trials_alone_are_their_own_baseline(tmp_path):
    rows = rows_of()
    store, history = stored(tmp_path, [probabilities(1, 0)], rows, linears=(0,))
    assert history.ok()[0].proposal.graph == linear(2)
    estimate = deliver(store, rows, history, LOG_LOSS, 0).estimate
    assert estimate["linear_baseline"] == estimate["value"]

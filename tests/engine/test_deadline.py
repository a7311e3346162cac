"""A deadline, a job and an outcome are values: they travel to another process and back."""

from __future__ import annotations

import math
import pickle
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from genokeras.engine import Deadline, Father, LocalExecutor
from genokeras.engine.jobs import Job, Outcome, weights_from_arrays, weights_to_arrays
from genokeras.engine.testing import linear_job
from genokeras.graph import Deepen, HyperParameters, get_father
from genokeras.searchers import Proposal
from tests.engine.fakes import FakeRunner, pretend, run_from_bytes


def grown_job() -> Job:
    """A job with all that one can hold: a father, its weights, and a morphism."""
    graph = get_father("mlp", 2)
    site = Deepen.sites(graph)[0]
    child, _ = site.apply(graph, None, np.random.default_rng(0))
    proposal = Proposal(child, HyperParameters(), father=3, morphisms=(site,), seed=7, origin="random")
    weights = {1: {"kernel": np.arange(6, dtype="float32").reshape(1, 2, 3), "bias": np.zeros((1, 3))}}
    return Job((4,), (proposal,), (Father(graph, weights),))


def test_there_is_none_by_default():
    deadline = Deadline()
    assert deadline.at == math.inf and deadline.left == math.inf
    assert not deadline.passed()


def test_it_counts_down_to_what_was_said():
    deadline = Deadline.after(100)
    assert 99 < deadline.left <= 100
    assert not deadline.passed()


def test_it_is_over_once_its_time_has_come():
    assert Deadline.after(-1).passed()
    assert Deadline(time.time() - 5).left < -4


def test_equal_deadlines_are_equal_values():
    assert Deadline(5.0) == Deadline(5.0) != Deadline(6.0)
    assert len({Deadline(5.0), Deadline(5.0)}) == 1


def test_it_cannot_be_moved():
    with pytest.raises(AttributeError):
        Deadline(5.0).at = 6.0  # type: ignore[misc]


@pytest.mark.parametrize("deadline", [Deadline(), Deadline(5.0), Deadline.after(60)])
def test_a_pickled_deadline_is_the_same(deadline):
    assert pickle.loads(pickle.dumps(deadline)) == deadline


def test_a_pickled_job_is_the_same():
    job = grown_job()
    again = pickle.loads(pickle.dumps(job))
    assert (again.ids, again.proposals) == (job.ids, job.proposals)
    assert again.fathers[0].graph == job.fathers[0].graph
    np.testing.assert_array_equal(again.fathers[0].weights[1]["kernel"], job.fathers[0].weights[1]["kernel"])


def test_a_pickled_outcome_is_the_same():
    outcome = pretend(linear_job(0, 0.1))[0]
    again = pickle.loads(pickle.dumps(outcome))
    assert again.result.to_dict() == outcome.result.to_dict()
    np.testing.assert_array_equal(again.answers, outcome.answers)
    np.testing.assert_array_equal(again.curve, outcome.curve)


def test_a_job_runs_in_another_process_within_its_deadline():
    job, deadline = grown_job(), Deadline.after(600)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        answer = pool.submit(run_from_bytes, pickle.dumps((job, deadline))).result(timeout=280)
    outcomes, left, passed = pickle.loads(answer)
    here: list[Outcome] = FakeRunner().run(job, deadline)
    assert [o.result.to_dict() for o in outcomes] == [o.result.to_dict() for o in here]
    np.testing.assert_array_equal(outcomes[0].weights[1]["kernel"], here[0].weights[1]["kernel"])
    # Both processes read the same clock.
    assert 300 < left < 600 and not passed


def test_an_executor_hands_the_deadline_on_with_its_job():
    runner = FakeRunner()
    executor = LocalExecutor(lambda: runner)
    executor.submit(linear_job(0, 0.1), Deadline(5.0))
    executor.submit(linear_job(1, 0.2), Deadline(6.0))
    executor.collect()
    executor.collect()
    assert runner.deadlines == [Deadline(5.0), Deadline(6.0)]


def test_a_closed_executor_runs_nothing_more():
    runner = FakeRunner()
    executor = LocalExecutor(lambda: runner)
    executor.submit(linear_job(0, 0.1), Deadline())
    executor.close()
    assert executor.collect() == [] and runner.jobs == []


def test_weights_come_back_from_flat_names():
    weights = {1: {"kernel": np.ones((2, 3)), "bias": np.zeros(3)}, 12: {"gamma": np.arange(2)}}
    flat = weights_to_arrays(weights)
    assert sorted(flat) == ["1.bias", "1.kernel", "12.gamma"]
    again = weights_from_arrays(flat)
    assert list(again) == [1, 12]
    np.testing.assert_array_equal(again[12]["gamma"], [0, 1])

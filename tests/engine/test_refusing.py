"""Trials that memory does not suffice for are refused and counted; the others of their job are trained."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.engine import Deadline, LocalExecutor
from genokeras.engine.jobs import Job
from genokeras.engine.refusing import RefusingExecutor, memory_of
from genokeras.engine.testing import small_problem
from genokeras.graph import HyperParameters, mlp
from genokeras.searchers import Proposal
from tests.engine.fakes import FakeRunner


def proposal(units: int) -> Proposal:
    return Proposal(mlp(2, (units,)), HyperParameters())


def test_wider_networks_need_more():
    problem = small_problem()
    assert 0 < memory_of(problem, proposal(8)) < memory_of(problem, proposal(800))
    unknown = Proposal(mlp(2, (8,)), HyperParameters(view="top7"))
    assert memory_of(problem, unknown) == 0


def test_too_large_trials_fail_and_others_are_trained_in_parts_that_fit():
    problem, runner = small_problem(), FakeRunner()
    one = memory_of(problem, proposal(8))
    executor = RefusingExecutor(LocalExecutor(lambda: runner), problem, 2.5 * one)
    job = Job((4, 5, 6, 7), tuple(map(proposal, (8, 8, 5000, 8))))
    with pytest.warns(UserWarning, match="A trial was refused because it would need about"):
        executor.submit(job, Deadline())
    found = []
    while len(found) < 4:
        found += executor.collect()
    by_id = {outcome.result.id: outcome.result for outcome in found}
    assert sorted(by_id) == [4, 5, 6, 7] and executor.n_refused == 1
    assert by_id[6].status == "failed" and "of memory, and there is" in by_id[6].error
    assert all(by_id[trial].status == "ok" for trial in (4, 5, 7))
    assert executor.slots == 1 and not np.isfinite(by_id[6].score)
    executor.close()

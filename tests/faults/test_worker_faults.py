"""What workers of a pool may do to it: they die, hang, grow and raise, and the search goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from genokeras.engine import Deadline, Job, Outcome, PoolExecutor, PoolSettings
from genokeras.engine.testing import linear_job
from genokeras.support.processes import own_memory
from tests.faults.runners import Faulty, faulty_job

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pool() -> Iterator[PoolExecutor]:
    executor = PoolExecutor(Faulty, PoolSettings(workers=2, threads=1, timeout=30.0, memory=1.5))
    yield executor
    executor.close()


def outcomes(pool: PoolExecutor, *jobs: Job, deadline: Deadline | None = None) -> dict[int, tuple[str, str]]:
    """Status and error by trial."""
    found: list[Outcome] = []
    for job in jobs:
        pool.submit(job, deadline or Deadline())
    until = time.monotonic() + 200
    while len(found) < sum(len(job.ids) for job in jobs) and time.monotonic() < until:
        found += pool.collect(timeout=1.0)
    return {outcome.result.id: (outcome.result.status, outcome.result.error or "") for outcome in found}


@pytest.mark.parametrize("fault", ["die", "crash", "hang", "grow"])
def test_a_worker_that_fails_once_costs_no_trial(pool, tmp_path, fault):
    found = outcomes(pool, faulty_job(0, f"once {tmp_path / 'seen'} {fault}"), linear_job(1, 0.1))
    assert {trial: status for trial, (status, _) in found.items()} == {0: "ok", 1: "ok"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("die", ["failed twice", "ended by itself (signal 9)"]),
        ("crash", ["failed twice", "(signal 6)", "Fatal Python error: Aborted", "in _do"]),
        ("hang", ["failed twice", "was still at it after", "sleep_on_and_on"]),
        ("grow", ["failed twice", "grew past 1.5 GiB of memory"]),
        ("bad luck", ["Traceback", "ValueError: bad luck"]),
    ],
)
def test_a_job_that_fails_again_is_recorded_with_what_happened(pool, fault, words):
    found = outcomes(pool, faulty_job(0, fault, 0.1, 0.2), linear_job(2, 0.1))
    assert {trial: status for trial, (status, _) in found.items()} == {0: "failed", 1: "failed", 2: "ok"}
    for word in words:
        assert word in found[0][1]


def test_a_job_that_hangs_past_the_end_of_the_search_is_ended(pool):
    began = time.monotonic()
    assert outcomes(pool, linear_job(5, 0.1), linear_job(6, 0.1))
    found = outcomes(pool, faulty_job(0, "hang"), deadline=Deadline.after(0.5))
    assert found[0][0] == "failed"
    assert time.monotonic() - began < 60


def test_all_workers_are_back_at_the_end(pool):
    found = outcomes(pool, *(linear_job(number, 0.1) for number in range(6)))
    assert all(status == "ok" for status, _ in found.values()) and len(found) == 6
    assert len(pool.processes) == 2
    assert all((own_memory(pid) or 0) > 0 for pid in pool.processes)

"""The queue of a run: a job is trained by one process, and by another one where that has ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from genokeras import ParameterError
from genokeras.engine import Deadline, Job
from genokeras.engine.executors import check_executor
from genokeras.engine.job_queue import JobQueue
from genokeras.engine.testing import linear_job
from genokeras.support import RunFolder
from genokeras.support.leases import Lease, Watch
from genokeras.support.processes import place
from tests.engine.fakes import pretend

HELD_BY_ANOTHER = """
import sys
from pathlib import Path
from genokeras.support.leases import Lease
assert Lease.take(Path(sys.argv[1])) is not None
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", {})


def test_a_job_comes_back_as_it_was_trained(folder: RunFolder) -> None:
    queue, job = JobQueue(folder), linear_job(7, 0.1, 0.3)
    queue.put(job, Deadline(5.0))
    assert queue.outcomes(job) is None
    found = queue.taken()
    assert found is not None
    taken, deadline, lease = found
    assert (taken, deadline) == (job, Deadline(5.0))
    assert queue.taken() is None
    queue.give(taken, pretend(taken))
    lease.release()
    assert queue.taken() is None
    for outcome, expected in zip(queue.outcomes(job) or [], pretend(job), strict=True):
        assert outcome.result == expected.result
        np.testing.assert_array_equal(outcome.answers, expected.answers)
        np.testing.assert_array_equal(outcome.weights[1]["kernel"], expected.weights[1]["kernel"])
    queue.remove(job)
    assert not list((folder.path / "queue").iterdir())


def test_what_was_left_of_another_run_is_no_outcome(folder: RunFolder) -> None:
    queue, job = JobQueue(folder), linear_job(7, 0.1)
    queue.give(job, pretend(job))
    assert queue.outcomes(linear_job(7, 0.2)) is None
    assert queue.outcomes(job) is None


def test_a_lease_of_a_process_that_ended_is_over(folder: RunFolder) -> None:
    queue, job = JobQueue(folder), linear_job(0, 0.1)
    queue.put(job, Deadline())
    path = folder.path / "queue" / "000000.lease"
    command = [sys.executable, "-c", HELD_BY_ANOTHER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        assert queue.taken() is None and not queue.lost(job)
        process.kill()
        process.wait()
    assert queue.lost(job) and not queue.lost(job)
    assert queue.taken() is not None


def test_a_lease_from_elsewhere_is_over_when_nobody_touches_it(tmp_path: Path) -> None:
    path = tmp_path / "lease"
    path.write_text('{"pid": 1, "start": "", "place": "another machine", "token": "t"}')
    patient, impatient = Watch(60.0), Watch(0.0)
    assert not patient.is_over(path) and not impatient.is_over(path)
    assert not patient.is_over(path) and impatient.is_over(path)
    os.utime(path, ns=(1, 1))
    assert not impatient.is_over(path)


def test_a_lease_is_held_once_and_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "queue" / "lease"
    lease = Lease.take(path)
    assert lease is not None and Lease.take(path) is None and lease.is_held()
    assert not Watch().is_over(path)
    lease.release()
    assert not lease.is_held() and Watch().is_over(path)


def test_members_are_counted_while_they_are_there(folder: RunFolder) -> None:
    queue = JobQueue(folder)
    members = [queue.join(), queue.join()]
    ended = folder.path / "queue" / "member-ended"
    ended.write_text(json.dumps({"pid": 2**22 + 1, "start": "", "place": place(), "token": "t"}))
    assert queue.members() == 2 and not ended.exists()
    for member in members:
        member.release()
    assert queue.members() == 0


def test_a_shared_search_takes_threads_and_no_workers() -> None:
    check_executor("shared", {"threads": 2})
    with pytest.raises(ParameterError, match="unknown executor_args 'workers' for 'shared'"):
        check_executor("shared", {"workers": 2})


def test_a_shared_search_needs_a_place_that_all_know() -> None:
    with pytest.raises(ParameterError, match='executor "shared" needs a path'):
        gk.GenomeClassifier(executor="shared").fit([[0.0]], [0])


def test_a_job_without_trials_to_inherit_from_is_read_without_files(folder: RunFolder) -> None:
    queue, job = JobQueue(folder), linear_job(3, 0.1)
    queue.put(job, Deadline())
    found = queue.taken()
    assert found is not None and isinstance(found[0], Job) and found[1] == Deadline()

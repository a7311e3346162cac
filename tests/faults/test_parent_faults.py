"""A search with workers that is killed or stopped leaves no process behind and goes on to the trials that it would have had."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Trials
from tests.faults.stopping import search, trials, wait_for, workers_of

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize(
    ("number", "there"), [(signal.SIGKILL, 0), (signal.SIGKILL, 9), (signal.SIGKILL, 30)]
)
def test_a_killed_search_leaves_no_worker_and_goes_on_to_the_trials_of_one_process(
    number: signal.Signals, there: int, expected: Trials, tmp_path: Path
) -> None:
    folder, place = tmp_path / "run", tmp_path / "temporary"
    with search(folder, place) as process:
        wait_for(there, folder, process)
        while process.poll() is None and not workers_of(place):
            time.sleep(0.02)
        process.send_signal(number)
    until = time.monotonic() + 60
    while workers_of(place) and time.monotonic() < until:
        time.sleep(0.1)
    assert not workers_of(place)
    assert not list(place.glob("genokeras-*"))
    kept = trials(folder)
    with search(folder, place) as process:
        assert process.wait() == 0
    assert trials(folder)[: len(kept)] == kept
    assert trials(folder) == expected
    assert not workers_of(place)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_stopped_search_delivers_and_leaves_no_worker(number: signal.Signals, tmp_path: Path) -> None:
    folder, place = tmp_path / "run", tmp_path / "temporary"
    with search(folder, place) as process:
        wait_for(12, folder, process)
        for target in (*workers_of(place), process.pid):
            # As a terminal and a cluster do: to all processes.
            os.kill(target, number)
        assert process.wait(timeout=120) == 0
    assert (folder / "best.keras").exists() and len(trials(folder)) >= 12
    assert not workers_of(place)
    assert not list(place.glob("genokeras-*"))

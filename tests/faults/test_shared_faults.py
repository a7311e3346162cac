"""Several processes search one run: whichever ends, the others go on to the same trials."""

from __future__ import annotations

import json
import os
import signal
from contextlib import ExitStack
from pathlib import Path

import pytest

from genokeras.engine import Recipe
from genokeras.engine.shared_executor import SharedExecutor, SharedSettings
from genokeras.engine.testing import ExecutorContract
from genokeras.support import RunFolder
from tests.faults.conftest import Trials
from tests.faults.stopping import search, trials, wait_for

pytestmark = pytest.mark.slow


class TestSharedExecutor(ExecutorContract):
    @pytest.fixture(autouse=True)
    def _in_a_folder(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        type(self).place = tmp_path_factory.mktemp("shared") / "run"

    def make_executor(self, recipe: Recipe) -> SharedExecutor:
        return SharedExecutor(recipe, SharedSettings(threads=1), RunFolder.create(self.place, {}))


@pytest.mark.parametrize("victim", ["leader", "another"])
def test_a_process_that_is_killed_costs_no_trial(victim: str, expected: Trials, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with ExitStack() as stack:
        processes = [
            stack.enter_context(search(folder, tmp_path / f"temporary-{number}", "shared"))
            for number in range(3)
        ]
        wait_for(9, folder, processes[0])
        leader = int(json.loads((folder / "run.lock").read_text())["pid"])
        others = [process.pid for process in processes if process.pid != leader]
        assert len(others) == 2
        os.kill(leader if victim == "leader" else others[0], signal.SIGKILL)
        codes = sorted(process.wait() for process in processes)
    assert codes == [-signal.SIGKILL, 0, 0]
    assert trials(folder) == expected
    assert (folder / "best.keras").exists()
    assert not (folder / "queue").exists()

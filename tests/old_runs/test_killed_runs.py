"""Runs that the operating system kills lose no finished trial, and go on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import genokeras as gk
from genokeras.support import RunFolder
from tests.old_runs import samples, settings
from tests.old_runs.killed import KINDS, fit, train_project

# Long, and what it tests is met by others in passing: `make test-slow`.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MOST = 40
# Trials that there are, and seconds since then.
MOMENTS = [(1, 0.1), (25, 0.05), (0, 0.2), (MOST - 1, 0.0)]


def kill(kind: str, folder: Path, count: int) -> None:
    command = [sys.executable, "-m", "tests.old_runs.killed", kind, str(folder), str(count)]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] if kind == "sequences" else []) for kind in KINDS]
)
def test_a_killed_search_keeps_its_trials_and_goes_on(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    kill(kind, folder, 2)
    shutil.copytree(folder, tmp_path / "copy")
    before = gk.load_estimator(tmp_path / "copy")
    assert before.stop_reason_ == "killed"
    kept = before.leaderboard().set_index("model_id")["score"]
    assert len(kept) >= 2

    est = fit(kind, folder, len(kept) + 2, resume=True)
    found = est.leaderboard().set_index("model_id")["score"]
    assert est.n_trials_ == len(kept) + 2
    np.testing.assert_array_equal(found[kept.index], kept)
    name = KINDS[kind]
    new = getattr(samples, settings.estimator_kinds()[name][1])(new=True)
    x = settings.samples(name, new)
    np.testing.assert_array_equal(gk.load_estimator(folder).predict(x), est.predict(x))


def trials(folder: Path) -> tuple[list[tuple[int, str]], list[float]]:
    """Numbers and fingerprints, and scores, in the order of the journal."""
    events = RunFolder(folder).journal() if RunFolder.exists(folder) else []
    found = [event for event in events if event["event"] == "trial"]
    return [(event["trial"], event["fingerprint"]) for event in found], [event["score"] for event in found]


@pytest.mark.filterwarnings("ignore:the run has 40 trials already")
@pytest.mark.parametrize("kind", KINDS)
def test_runs_killed_at_any_moment_end_with_the_trials_of_one_that_was_not(kind: str, tmp_path: Path) -> None:
    fit(kind, tmp_path / "whole", MOST)
    expected, scores = trials(tmp_path / "whole")
    # A trial that was trained on one fold at first has a second line behind the others.
    assert len({number for number, _ in expected}) == MOST
    for number, (there, seconds) in enumerate(MOMENTS):
        folder = tmp_path / str(number)
        command = [sys.executable, "-m", "tests.old_runs.killed", kind, str(folder), "0", str(MOST)]
        with subprocess.Popen(command, cwd=ROOT, env=dict(os.environ)) as process:
            while process.poll() is None and not (folder / "run.json").exists():
                time.sleep(0.01)
            while process.poll() is None and len(trials(folder)[0]) < there:
                time.sleep(0.01)
            time.sleep(seconds)
            process.kill()
        assert len(trials(folder)[0]) >= there
        fit(kind, folder, MOST, resume=True)
        found, again = trials(folder)
        assert found == expected
        # Another process may round otherwise.
        np.testing.assert_allclose(again, scores, rtol=1e-4)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a project that nothing was trained in."""
    old = Path(__file__).parents[1] / "fixtures" / "runs" / "project_resnet"
    shutil.copytree(old, tmp_path / "whole", ignore=shutil.ignore_patterns("experiments"))
    return tmp_path / "whole"


def test_a_killed_project_goes_on_to_the_same_model(project: Path) -> None:
    killed = project.with_name("killed")
    shutil.copytree(project, killed)
    kill("project", killed, 3)
    (selection,) = killed.rglob("selection.json")
    assert json.loads(selection.read_text(encoding="utf-8"))["state"] is not None

    whole, resumed = train_project(project).trained, train_project(killed).trained
    assert killed.joinpath(resumed.path).parent.parent == selection.parent
    assert resumed.record.parameters == whole.record.parameters
    assert resumed.record.metrics == whole.record.metrics

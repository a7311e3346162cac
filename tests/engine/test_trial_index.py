"""A run of many trials is opened from one file; a trial whose own files changed since is read from them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from genokeras.engine import Run, TrialStore, open_run
from genokeras.engine.keeping import keep_best
from genokeras.engine.trial_index import FILE, WORTHWHILE
from genokeras.support import RunFolder
from tests.engine.runs import linear_proposal, mlp_proposal, problem_of_classes, trained

N_TRIALS = 4


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run with an index, though it has few trials."""
    for module in ("store", "reopening"):
        monkeypatch.setattr(f"genokeras.engine.{module}.WORTHWHILE", N_TRIALS)
    proposals = [linear_proposal(), mlp_proposal(), linear_proposal(decay=1.0), mlp_proposal(father=1)]
    return trained(tmp_path / "run", problem_of_classes(), proposals)


def read(folder: RunFolder) -> TrialStore:
    """A store that has read its history, which is that of the trials' own files."""
    store = TrialStore(RunFolder(folder.path))
    found = store.history()
    index = folder.path / FILE
    aside = index.rename(index.with_suffix(".aside"))
    try:
        assert found == TrialStore(RunFolder(folder.path)).history()
    finally:
        aside.rename(index)
    return store


def test_a_finished_run_is_read_from_its_index(run: Run) -> None:
    assert read(run.folder).read_singly == 0
    assert open_run(RunFolder(run.folder.path)).history == run.history


def test_few_trials_need_no_index(tmp_path: Path) -> None:
    found = trained(tmp_path / "run", problem_of_classes(), [linear_proposal()])
    assert WORTHWHILE > 1 and not found.folder.has(FILE)


@pytest.mark.parametrize("name", ["weights.npz", "predictions.npz", "graph.json"])
def test_a_trial_whose_file_was_cut_short_since_is_found_out(run: Run, name: str) -> None:
    path = run.folder.path / run.folder.trial_name(2) / name
    path.write_bytes(path.read_bytes()[:-40])
    store = read(run.folder)
    assert store.read_singly == 1 and set(store.damage) == {2}


def test_a_trial_that_was_written_again_is_read_again(run: Run) -> None:
    path = run.folder.path / run.folder.trial_name(1) / "graph.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["trial"]["score"] = 0.125
    path.write_text(json.dumps(content), encoding="utf-8")
    store = read(run.folder)
    assert store.read_singly == 1 and store.history().get(1).score == 0.125


def test_a_trial_that_was_removed_is_not_there(run: Run) -> None:
    (run.folder.path / run.folder.trial_name(3) / "graph.json").unlink()
    store = read(run.folder)
    assert [trial.id for trial in store.history()] == [0, 1, 2] and not store.damage


def test_trials_without_their_weights_are_read_from_the_index(run: Run) -> None:
    removed = keep_best(run)
    assert read(run.folder).read_singly == 0
    store = TrialStore(run.folder)
    assert sum(not store.has_weights(trial.id) for trial in store.history()) == removed


def test_an_index_of_other_times_is_written_again_where_the_run_is_opened(run: Run) -> None:
    for path in (run.folder.path / "trials").glob("*/*"):
        os.utime(path, ns=(10**18, 10**18))
    assert read(run.folder).read_singly == N_TRIALS
    assert open_run(RunFolder(run.folder.path)).history == run.history
    assert read(run.folder).read_singly == 0


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 1}',
        '{"format": 9, "files": [], "states": [], "history": {"format": 1, "trials": []}}',
        '{"format": 1, "files": ["graph.json"], "states": [], "history": {"format": 9, "trials": []}}',
        '{"format": 1, "files": ["graph.json"], "states": [[null]], "history": {"format": 1, "trials": []}}',
        '{"format": 1, "files": 3, "states": [3], "history": {"format": 1, "trials": [3]}}',
    ],
)
def test_a_damaged_index_counts_as_none(run: Run, content: str) -> None:
    (run.folder.path / FILE).write_text(content, encoding="utf-8")
    store = read(run.folder)
    assert store.read_singly == N_TRIALS and not store.damage

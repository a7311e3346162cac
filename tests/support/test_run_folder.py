"""The run folder survives what happens to folders."""

from __future__ import annotations

import os

import numpy as np
import pytest

from genokeras import RunFolderError
from genokeras.engine import Deadline, TrialStore, read_problem, write_problem
from genokeras.engine.testing import linear_job, small_problem, small_runner
from genokeras.support import RunFolder


def test_a_journal_line_cut_short_by_a_crash_is_left_out(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {"seed": 1})
    folder.record("trial", trial=0)
    folder.record("trial", trial=1)
    journal = folder.path / "journal.jsonl"
    journal.write_text(journal.read_text()[:-5])
    assert [event["trial"] for event in folder.journal()] == [0]


def test_the_journal_goes_on_behind_a_line_cut_short_by_a_crash(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    folder.record("trial", trial=0)
    journal = folder.path / "journal.jsonl"
    journal.write_text(journal.read_text()[:-5])
    folder.record_all([{"event": "resumed"}, {"event": "trial", "trial": 1, "origin": "a\u2028b"}])
    assert [event["event"] for event in folder.journal()] == ["resumed", "trial"]
    assert list(folder.journal())[-1]["origin"] == "a\u2028b"


def test_a_line_of_the_journal_cut_short_by_a_crash_is_cut_off(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    folder.record("trial", trial=0)
    journal = folder.path / "journal.jsonl"
    whole = journal.read_bytes()
    for tail in (b'{"event": "tri', b"\0" * 100_000, b'\xff"}', b""):
        journal.write_bytes(whole + tail)
        folder.record("trial", trial=1)
        assert journal.read_bytes().startswith(whole + b'{"event": "trial", "trial": 1, "crc": "')
        assert journal.read_bytes().count(b"\n") == 2 and not folder.damaged_lines()
    journal.write_bytes(whole[:-1])  # only the end of the line is missing
    folder.record("trial", trial=1)
    assert [event["trial"] for event in folder.journal()] == [0, 1]


def test_a_damaged_line_of_the_journal_is_left_out(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    for trial in range(3):
        folder.record("trial", trial=trial)
    journal = folder.path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"trial": 1', b'"trial": 7'))
    assert [event["trial"] for event in folder.journal()] == [0, 2]
    assert folder.damaged_lines() == [2]


def test_lines_of_a_journal_without_checksums_count(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    (folder.path / "journal.jsonl").write_text('{"event": "trial", "trial": 0}\n{"event": "tr\n\n')
    folder.record("trial", trial=1)
    assert [event["trial"] for event in folder.journal()] == [0, 1]
    assert folder.damaged_lines() == [2]


def test_files_of_a_run_are_written_together(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    content = {"a/b.npz": {"x": np.arange(2)}, "a/c.json": {"score": np.float64("nan")}, "a/d.txt": "text"}
    folder.write(content)
    np.testing.assert_array_equal(folder.read_arrays("a/b.npz")["x"], [0, 1])
    assert folder.read_json("a/c.json") == {"format": 1, "score": None}
    assert (folder.path / "a" / "d.txt").read_text() == "text"
    assert sorted(path.name for path in (folder.path / "a").iterdir()) == ["b.npz", "c.json", "d.txt"]


def test_damaged_arrays_are_an_error_of_the_run(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    folder.write_arrays("data.npz", {"x": np.arange(2)})
    path = folder.path / "data.npz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(RunFolderError, match="cannot read '.*data.npz': it is damaged or no npz file"):
        folder.read_arrays("data.npz")


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunFolderError, match="is not a run folder made by GenoKeras: it has no run.json"):
        RunFolder(tmp_path)


def test_a_run_of_an_unknown_format_is_refused(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    (folder.path / "run.json").write_text('{"format": 99}')
    with pytest.raises(RunFolderError, match="format 99; this version of GenoKeras reads 1"):
        RunFolder(folder.path)


def test_a_trial_whose_record_is_incomplete_does_not_count(tmp_path):
    store = TrialStore(RunFolder.create(tmp_path / "run", {}))
    for outcome in small_runner().run(linear_job(0, 0.1, 0.3), Deadline()):
        store.write(outcome)
    (store.folder.path / "trials" / "000001" / "graph.json").unlink()
    assert [trial.id for trial in store.history()] == [0]


def test_trials_come_back_as_they_were_written(tmp_path):
    store = TrialStore(RunFolder.create(tmp_path / "run", {}))
    outcome = small_runner().run(linear_job(7, 0.1), Deadline())[0]
    store.write(outcome)
    read = store.history().trials[0]
    assert read == outcome.result
    np.testing.assert_array_equal(store.answers((read,))[0], outcome.answers)
    for layer, arrays in store.father(read).weights.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, outcome.weights[layer][name])


def test_a_problem_comes_back_as_it_was_written(tmp_path):
    problem = small_problem(n=24, p=200)
    names = list(problem.encoder.feature_names)
    folder = RunFolder.create(tmp_path / "run", {"feature_names": names})
    write_problem(folder, problem)
    again = read_problem(folder)
    assert list(again.encoder.spaces) == list(problem.encoder.spaces)
    x = np.random.default_rng(1).normal(size=(3, 200))
    for space, other in zip(problem.encoder.spaces["all"], again.encoder.spaces["all"], strict=True):
        np.testing.assert_array_equal(space.transform(x), other.transform(x))
    assert again.encoder.spaces["all"][0].basis is again.encoder.spaces["all"][1].basis


def test_a_copy_goes_nowhere_where_another_run_is(tmp_path):
    first = RunFolder.create(tmp_path / "a", {})
    RunFolder.create(tmp_path / "b", {})
    with pytest.raises(RunFolderError, match="holds another run"):
        first.copy_to(tmp_path / "b")


def test_a_copy_leaves_hidden_files_behind_and_other_files_alone(tmp_path):
    first = RunFolder.create(tmp_path / "a", {})
    first.write_text(".half.npz", "")
    again = first.copy_to(tmp_path / "b")
    again.write_text("report.html", "page")
    first.write_text("result.json", "{}")
    first.copy_to(tmp_path / "b")
    assert sorted(path.name for path in again.path.iterdir()) == [
        "report.html",
        "result.json",
        "run.json",
        "trials",
    ]


def test_what_a_killed_process_left_is_removed_after_an_hour(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    left = [".best.0123456789ab.keras", "trials/000001/.weights.0123456789ab.npz", ".best.ba9876543210.keras"]
    for name in (*left, ".DS_Store", "trials/000001/graph.json"):
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text("")
    for name in (*left[:2], ".DS_Store"):
        os.utime(folder.path / name, (0, 0))
    folder.tidy()
    files = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("*") if path.is_file()}
    assert files == {"run.json", ".DS_Store", left[2], "trials/000001/graph.json"}


def test_a_run_in_the_place_of_another_finds_nothing_of_it(tmp_path):
    first = RunFolder.create(tmp_path / "run", {})
    first.write(
        {name: "" for name in ("arcs.json", "final.npz", "split_1_view_0.npz", "trials/000000/graph.json")}
    )
    again = RunFolder.create(first.path, {}, replace=first.run_id)
    assert sorted(path.name for path in again.path.rglob("*")) == ["run.json", "trials"]

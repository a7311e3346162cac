"""A run goes on, is loaded and is delivered without what is damaged in its folder, and says so."""

from __future__ import annotations

import json
import resource
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from genokeras.engine import Run, finish_run, open_run, read_record
from genokeras.engine.afterwards import done_since
from genokeras.engine.resuming import _sound_history
from genokeras.engine.run import MODEL_FILE, RESULT_FILE
from genokeras.errors import NewerFormatError, RunFolderError
from genokeras.support import RunFolder
from tests.engine.runs import expression, in_use, linear_proposal, mlp_proposal, problem_of_classes, trained

TRIAL_FILES = ("weights.npz", "predictions.npz", "graph.json")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    proposals = [linear_proposal(), mlp_proposal(), linear_proposal(decay=1.0), mlp_proposal(father=1)]
    return trained(tmp_path_factory.mktemp("runs") / "run", problem_of_classes(), proposals)


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> RunFolder:
    return run.folder.copy_to(tmp_path / "copy")


def cut(path: Path) -> None:
    """Leave out the last third of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def flip(path: Path) -> None:
    """Change a byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 255
    path.write_bytes(bytes(content))


def trial_file(folder: RunFolder, trial: int, name: str) -> Path:
    return folder.path / folder.trial_name(trial) / name


def answers(run: Run) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(run.model(expression(seed=3)[0])))


def whole(run: Run) -> list[int]:
    return [trial.id for trial in run.history.ok()]


def opened(folder: RunFolder, match: str) -> Run:
    """The run, read back with one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = open_run(RunFolder(folder.path))
    said = [str(warning.message) for warning in caught if "Of the run" in str(warning.message)]
    assert len(said) == 1 and match in said[0], said
    return found


@pytest.mark.parametrize("name", TRIAL_FILES)
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_a_damaged_trial_is_left_out_of_a_run_that_goes_on(
    copy: RunFolder, name: str, damage: Callable[[Path], None]
) -> None:
    damage(trial_file(copy, 1, name))
    if (damage, name) == (Path.unlink, "graph.json"):
        assert [trial.id for trial in _sound_history(copy)] == [0, 2, 3]  # it was never complete
        return
    for _ in range(2):
        with pytest.warns(UserWarning, match=rf"damaged and were left out: trial 1 \({name}"):
            history = _sound_history(copy)
    assert [trial.id for trial in history.ok()] == [0, 2, 3]
    assert history.get(3).proposal.father == 1
    assert [event["event"] for event in copy.journal()].count("damage") == 1


def test_a_trial_that_is_damaged_while_the_search_runs_is_not_delivered(copy: RunFolder, run: Run) -> None:
    flip(trial_file(copy, 1, "weights.npz"))
    flip(trial_file(copy, 2, "predictions.npz"))
    with pytest.warns(UserWarning, match=r"trial 1 \(.*trial 2 \("):
        found = finish_run(copy, run.problem, run.history, run.objective, "trials")
    assert whole(found) == [0, 3]
    assert set(found.delivery.shares) <= {0, 3}
    assert np.isfinite(answers(found)).all()
    assert open_run(RunFolder(copy.path)).delivery == found.delivery


def test_a_run_whose_ensemble_names_a_damaged_trial_is_delivered_without_it(
    copy: RunFolder, run: Run
) -> None:
    member = next(iter(run.delivery.shares))
    flip(trial_file(copy, member, "weights.npz"))
    found = opened(copy, "the ensemble was chosen anew, without them")
    assert member not in found.delivery.shares and found.stop_reason == "trials"
    assert np.isfinite(answers(found)).all()
    again = read_record(copy)
    assert again.delivery == found.delivery and len(again.out_of_fold().answers) == 24


def test_a_record_of_a_run_with_a_damaged_member_says_what_to_do(copy: RunFolder, run: Run) -> None:
    flip(trial_file(copy, next(iter(run.delivery.shares)), "predictions.npz"))
    with pytest.raises(
        RunFolderError, match=r"are damaged .*gk.load_estimator\(path\): it then goes on without"
    ):
        read_record(copy).out_of_fold()


@pytest.mark.parametrize("damage", [cut, Path.unlink])
def test_a_lost_model_is_made_again_from_the_trials(
    copy: RunFolder, run: Run, damage: Callable[[Path], None]
) -> None:
    damage(copy.path / MODEL_FILE)
    found = opened(copy, "best.keras was made again")
    assert found.delivery == run.delivery and found.stop_reason == "trials"
    np.testing.assert_allclose(answers(found), answers(run), atol=1e-6)
    np.testing.assert_allclose(answers(open_run(RunFolder(copy.path))), answers(run), atol=1e-6)
    assert list(copy.journal())[-1]["event"] == "damage"


@pytest.mark.parametrize("content", ["", '{"format": 1, "shares": {"x": 1}, "stop_reason": ""}'])
def test_a_damaged_result_is_chosen_anew(copy: RunFolder, run: Run, content: str) -> None:
    (copy.path / RESULT_FILE).write_text(content)
    found = opened(copy, "result.json is damaged: what is delivered was chosen anew")
    assert found.delivery.shares == run.delivery.shares and found.stop_reason == "trials"
    assert open_run(RunFolder(copy.path)).delivery == found.delivery


def test_what_was_trained_further_stays_where_the_ensemble_is_chosen_anew(copy: RunFolder, run: Run) -> None:
    further = replace(run, folder=copy).with_model(run.model, {"fine_tuning": {"before": 1.0}})
    flip(trial_file(copy, next(iter(run.delivery.shares)), "weights.npz"))
    found = opened(copy, "the ensemble was chosen anew")
    np.testing.assert_allclose(answers(found), answers(further), atol=1e-6)
    assert copy.read_json(RESULT_FILE)["fine_tuning"] == {"before": 1.0}
    (copy.path / MODEL_FILE).unlink()
    opened(copy, "what fine_tuning had trained is lost: call it again")
    assert "fine_tuning" not in copy.read_json(RESULT_FILE)


def test_a_run_with_no_whole_trial_says_what_is_damaged(copy: RunFolder) -> None:
    for trial in range(4):
        cut(trial_file(copy, trial, "predictions.npz"))
    with pytest.raises(
        RunFolderError, match=r"no trial .* has finished: these trials are damaged.*trial 3 \("
    ):
        open_run(RunFolder(copy.path))


@pytest.mark.parametrize("name", ["run.json", RESULT_FILE, "task.json", "trials/000001/graph.json"])
def test_a_run_of_a_newer_version_is_said_to_be_one(copy: RunFolder, name: str) -> None:
    path = copy.path / name
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 7}))
    with pytest.raises(NewerFormatError, match=rf"{name}' has format 7.*made by a newer GenoKeras"):
        open_run(RunFolder(copy.path))


def test_entries_that_are_not_of_a_run_are_ignored(copy: RunFolder, run: Run) -> None:
    trials = copy.path / "trials"
    for name in ("000001 (copy)", "6", "000002~", "\u0660\u0660\u0660\u0660\u0660\u0663", ".cache"):
        (trials / name).mkdir()
        (trials / name / "graph.json").write_text("{")
    for path in (
        copy.path / ".DS_Store",
        trials / ".DS_Store",
        copy.path / "run.json~",
        trials / "000001" / "#a#",
    ):
        path.write_text("")
    assert open_run(RunFolder(copy.path)).history == run.history
    assert _sound_history(copy) == run.history


def test_a_copy_of_a_trial_under_another_number_is_left_out(copy: RunFolder, run: Run) -> None:
    (copy.path / "trials" / "000001").rename(copy.path / "trials" / "000009")
    with pytest.warns(UserWarning, match=r"trial 9 \(graph.json: it is of trial 1\)"):
        assert [trial.id for trial in _sound_history(copy)] == [0, 2, 3]


def test_a_run_that_another_process_writes_to_is_loaded_as_it_is(copy: RunFolder, run: Run) -> None:
    (copy.path / RESULT_FILE).unlink()
    with in_use(copy.path):
        before = {path: path.stat().st_mtime_ns for path in copy.path.rglob("*")}
        found = open_run(RunFolder(copy.path))
        assert {path: path.stat().st_mtime_ns for path in copy.path.rglob("*")} == before
    assert found.delivery.shares == run.delivery.shares and found.stop_reason == "killed"
    assert done_since(found) == {} and found.final_network() is None


def test_a_run_that_was_loaded_without_a_result_is_whole_when_it_is_trained_further(
    copy: RunFolder, run: Run
) -> None:
    (copy.path / RESULT_FILE).unlink()
    with in_use(copy.path):
        found = open_run(RunFolder(copy.path))
    found.with_model(found.model, {"fine_tuning": {"before": 1.0}})
    assert read_record(copy).delivery == run.delivery
    assert copy.read_json(RESULT_FILE)["fine_tuning"] == {"before": 1.0}


@contextmanager
def a_disk_without_room(most: int) -> Iterator[None]:
    """No file can grow beyond `most` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("lost", [(MODEL_FILE, RESULT_FILE), (MODEL_FILE,)])
def test_a_run_is_read_from_a_disk_that_is_full(copy: RunFolder, run: Run, lost: tuple[str, ...]) -> None:
    for name in lost:
        (copy.path / name).unlink()
    before = sorted(copy.path.rglob("*"))
    with a_disk_without_room(2000):
        found = opened(copy, "in memory alone, and is made again by every load (cannot write")
    np.testing.assert_allclose(answers(found), answers(run), atol=1e-6)
    assert found.delivery.shares == run.delivery.shares
    assert sorted(copy.path.rglob("*")) == before

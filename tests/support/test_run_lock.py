"""One process at a time writes to a run folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import genokeras as gk
from genokeras.errors import RunInUseError
from genokeras.support import RunFolder
from genokeras.support.processes import place, started
from genokeras.support.run_lock import LOCK_FILE, check_unlocked, holding_lock, run_lock


@pytest.fixture(scope="module")
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process, which does nothing for a while."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def written(folder: Path, pid: int, **changed: str) -> Path:
    """A lock that a process made."""
    path = folder / LOCK_FILE
    content = {
        "pid": pid,
        "start": started(pid) or "",
        "place": place(),
        "path": str(path),
        "since": "2026-01-31T12:00:00+00:00",
        "token": "its own",
        **changed,
    }
    path.write_text(json.dumps(content))
    return path


def test_a_folder_is_locked_while_it_is_written_to(tmp_path: Path) -> None:
    with run_lock(tmp_path):
        held = json.loads((tmp_path / LOCK_FILE).read_text())
        assert held["pid"] == os.getpid() and held["start"] == started(os.getpid())
        with (
            pytest.raises(RunInUseError, match="is in use: this process itself has been writing"),
            run_lock(tmp_path),
        ):
            pass
    assert not list(tmp_path.iterdir())
    check_unlocked(tmp_path)


def test_a_folder_that_another_process_writes_to_is_refused_at_once(tmp_path: Path, other) -> None:
    lock = written(tmp_path, other.pid)
    words = rf"process {other.pid} of this machine has been writing to it since 2026.* Wait until it ends, or give another path"
    with pytest.raises(RunInUseError, match=words), run_lock(tmp_path):
        pass
    with pytest.raises(gk.RunFolderError, match=words):
        gk.GenomeClassifier(tmp_path).fit("no such file.csv")
    assert lock.exists()


def test_a_lock_of_a_process_that_ended_is_taken_over(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        time.sleep(0.05)
        assert started(ended.pid) is None  # nobody has waited for it yet
        written(tmp_path, ended.pid)
        with run_lock(tmp_path):
            assert json.loads((tmp_path / LOCK_FILE).read_text())["pid"] == os.getpid()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changed",
    [{"start": "another boot 7"}, {"token": "lost", "pid": os.getpid()}],
    ids=["other start", "own"],
)
def test_a_number_that_went_to_another_process_holds_nothing(tmp_path: Path, other, changed) -> None:
    written(tmp_path, **{"pid": other.pid, **changed})
    with run_lock(tmp_path):
        assert json.loads((tmp_path / LOCK_FILE).read_text())["token"] != "its own"


def test_a_lock_of_another_machine_is_refused_with_what_to_delete(tmp_path: Path) -> None:
    lock = written(tmp_path, 1, place="node7 pid:[1]")
    words = rf"process 1 of the machine 'node7' since 2026.*if it does not, delete '{lock}' and try again"
    with pytest.raises(RunInUseError, match=words), run_lock(tmp_path):
        pass
    assert lock.exists()


def test_a_lock_that_was_copied_with_its_folder_holds_nothing(tmp_path: Path, other) -> None:
    (tmp_path / "run").mkdir()
    written(tmp_path / "run", other.pid)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    with run_lock(tmp_path / "copy"):
        pass
    (tmp_path / "run").rename(tmp_path / "moved")
    with pytest.raises(RunInUseError), run_lock(tmp_path / "moved"):
        pass


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]"])
def test_a_lock_that_was_never_completed_holds_nothing_after_a_while(tmp_path: Path, content: str) -> None:
    lock = tmp_path / LOCK_FILE
    lock.write_text(content)
    os.utime(lock, (0, 0))
    with run_lock(tmp_path):
        pass


def test_of_several_that_find_a_lock_left_behind_one_takes_it_over(tmp_path: Path) -> None:
    written(tmp_path, os.getpid(), token="lost")
    begun, over, found = threading.Barrier(8), threading.Event(), []

    def lock() -> None:
        begun.wait()
        try:
            with run_lock(tmp_path):
                found.append("held")
                over.wait(20)
        except RunInUseError:
            found.append("refused")
            if len(found) == 8:
                over.set()

    threads = [threading.Thread(target=lock) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["held", *["refused"] * 7]
    assert not list(tmp_path.iterdir())


def test_a_folder_that_was_made_for_a_lock_alone_is_removed_again(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    with pytest.raises(ZeroDivisionError), run_lock(folder, make=True):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
    with run_lock(folder, make=True):
        RunFolder.create(folder, {})
    assert sorted(path.name for path in folder.iterdir()) == ["run.json", "trials"]


def test_what_is_no_folder_is_left_to_who_writes_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "missing"):
        with run_lock(path, make=path.exists()):
            pass
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_function_runs_alone(tmp_path: Path) -> None:
    @holding_lock(lambda folder, *_, **__: folder)
    def work(folder: Path, content: str) -> list[str]:
        return [path.name for path in folder.iterdir()] + [content]

    assert work(tmp_path, content="done") == [LOCK_FILE, "done"]
    assert not list(tmp_path.iterdir())


def test_a_copy_of_a_run_is_not_locked(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", {})
    with run_lock(folder.path):
        assert not folder.copy_to(tmp_path / "copy").has(LOCK_FILE)

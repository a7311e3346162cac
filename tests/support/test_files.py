"""Files are whole or what they were before, whoever else writes them and whenever a process ends."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from genokeras.errors import DataError, RunFolderError
from genokeras.support.files import (
    append_lines,
    read_arrays,
    unwritable,
    write_arrays,
    write_bytes,
    write_text,
    written_aside,
    written_together,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "model.keras"
    with written_aside(target) as aside:
        aside.write_text("new")
        assert not target.exists()
        assert aside.parent == target.parent and aside.suffix == ".keras" and aside.name.startswith(".")
    assert target.read_text() == "new"
    assert names(target.parent) == ["model.keras"]


def test_what_was_there_stays_where_writing_fails(tmp_path: Path) -> None:
    target = write_text(tmp_path / "a.txt", "old")
    with pytest.raises(ZeroDivisionError), written_aside(target) as aside:
        aside.write_text("half")
        raise ZeroDivisionError
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_what_was_there_stays_where_the_process_is_killed(tmp_path: Path) -> None:
    target = write_text(tmp_path / "a.txt", "old")
    code = (
        "import os, signal, sys\n"
        "from genokeras.support.files import written_aside\n"
        "with written_aside(sys.argv[1]) as aside:\n"
        "    aside.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert target.read_text() == "old"
    write_text(target, "new")
    assert target.read_text() == "new"


def test_threads_that_write_one_path_leave_one_whole_file(tmp_path: Path) -> None:
    target, begun = tmp_path / "a.bin", threading.Barrier(4)

    def write(content: bytes) -> None:
        begun.wait()
        for _ in range(20):
            write_bytes(target, content)

    contents = [bytes([number]) * 100_000 for number in range(4)]
    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents
    assert names(tmp_path) == ["a.bin"]


def test_files_written_together_take_their_names_only_when_all_are_whole(tmp_path: Path) -> None:
    paths = [tmp_path / "weights.npz", tmp_path / "graph.json"]
    with pytest.raises(KeyError), written_together(paths) as asides:
        asides[0].write_text("whole")
        raise KeyError
    assert names(tmp_path) == []
    with written_together(paths) as asides:
        for aside in asides:
            aside.write_text("whole")
    assert names(tmp_path) == ["graph.json", "weights.npz"]


def test_a_folder_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    target = write_text(tmp_path / "model" / "old", "").parent
    with written_aside(target) as aside:
        write_text(aside / "part" / "new", "")
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "part", "new"]


def test_an_earlier_folder_comes_back_when_the_new_one_cannot_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = write_text(tmp_path / "model" / "old", "").parent
    with pytest.raises(RunFolderError, match="cannot write '.*model': stuck"), written_aside(target) as aside:
        write_text(aside / "new", "")
        moved = os.replace

        def replace(source: Path, to: Path) -> None:
            if source == aside:
                raise OSError("stuck")
            moved(source, to)

        monkeypatch.setattr(os, "replace", replace)
    assert [path.name for path in tmp_path.rglob("*")] == ["model", "old"]


def test_an_error_says_what_cannot_be_written_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        RunFolderError, match=r"cannot write '.*a\.txt': .*\. Give a path that can be written\."
    ):
        write_text(tmp_path / "file" / "a.txt", "text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RunFolderError, match=r"cannot write '.*folder': "):
        write_text(tmp_path / "folder", "text")
    assert names(tmp_path) == ["file", "folder"]


def test_an_error_of_a_full_disk_asks_for_space() -> None:
    error = unwritable("a.txt", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert str(error).endswith("No space left on device. Free some space, or give another path.")


def test_an_error_of_ours_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such sample"), written_aside(tmp_path / "a.txt"):
        raise DataError("no such sample")


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    write_text(tmp_path / "far" / "a.txt", "old")
    (tmp_path / "a.txt").symlink_to(tmp_path / "far" / "a.txt")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").is_symlink()
    assert (tmp_path / "far" / "a.txt").read_text() == "new"


def test_a_device_is_written_to_and_not_replaced() -> None:
    write_text(os.devnull, "text")
    assert Path(os.devnull).is_char_device()


def test_a_long_name_is_no_obstacle(tmp_path: Path) -> None:
    name = "ü" * 120 + ".json"
    write_text(tmp_path / name, "text")
    assert names(tmp_path) == [name]


def test_arrays_keep_the_name_that_they_are_given(tmp_path: Path) -> None:
    path = write_arrays(tmp_path / "net.keras.resume", {"a": np.arange(3)}, compressed=True)
    assert names(tmp_path) == ["net.keras.resume"]
    with np.load(path) as found:
        np.testing.assert_array_equal(found["a"], [0, 1, 2])


@pytest.mark.filterwarnings("ignore:Exception ignored in.*ZipFile:pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_while_an_array_is_begun_is_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    # Then a zip file refuses to be closed.
    monkeypatch.setattr(zipfile._ZipWriteFile, "__init__", pressed)  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        write_arrays(tmp_path / "a.npz", {"x": np.zeros(3)})
    monkeypatch.undo()
    assert names(tmp_path) == []


def test_lines_are_added_behind_one_that_was_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    append_lines(path, ["one", "two"])
    path.write_text("one\ntw")
    append_lines(path, ["three"])
    append_lines(path, ["four"])
    assert path.read_text() == "one\ntw\nthree\nfour\n"


def test_lines_that_cannot_be_added_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="cannot write"):
        append_lines(tmp_path, ["line"])


@pytest.mark.parametrize("content", [b"", b"no arrays", b"\x93NUMPY\x01\x00", b"PK\x03\x04" + b"\0" * 50])
def test_what_is_no_file_of_arrays_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(RunFolderError, match="cannot read '.*a.npz': it is damaged or no npz file"):
        read_arrays(path)


def test_a_single_array_is_no_file_of_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(RunFolderError, match="no npz file"):
        read_arrays(tmp_path / "a.npy")


def test_arrays_that_are_missing_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"cannot read '.*a\.npz': No such file or directory\."):
        read_arrays(tmp_path / "a.npz")

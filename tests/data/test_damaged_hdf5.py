"""An HDF5 file that hangs or crashes the library is refused; the check reads good files."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import h5py
import pytest

from genokeras.data.readers import hdf5_check
from genokeras.errors import DataFileError


def good(folder: Path) -> Path:
    with h5py.File(folder / "a.h5ad", "w") as file:
        file.attrs["encoding"] = "anndata"
        file.create_dataset("names", data=["a", "b"])
    return folder / "a.h5ad"


def test_a_good_file_passes(tmp_path: Path) -> None:
    hdf5_check.check_readable(good(tmp_path))


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        ("import time; time.sleep(60)", "could not be read in 0 seconds"),
        ("import os; os.abort()", "crashes HDF5"),
    ],
)
def test_what_hangs_or_crashes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walk: str, said: str
) -> None:
    program = tmp_path / "walk.py"
    program.write_text(walk)
    monkeypatch.setattr(hdf5_check, "_WALK", program)
    if "sleep" in walk:
        monkeypatch.setattr(hdf5_check, "_SECONDS", 0.3)
    with pytest.raises(DataFileError, match=said):
        hdf5_check.check_readable(good(tmp_path))


def test_where_no_process_can_be_started_the_file_is_read_unseen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("no processes here")

    monkeypatch.setattr(subprocess, "run", refuse)
    hdf5_check.check_readable(good(tmp_path))

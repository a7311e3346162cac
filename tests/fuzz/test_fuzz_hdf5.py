"""Damaged HDF5 files, read in a process of their own: the library can hang on them or die, which ours must notice."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.hdf5_files import hdf5_files
from tests.fuzz.mutations import damaged

INPUTS = int(os.environ.get("FUZZ_INPUTS", "2000"))
SEED = os.environ.get("FUZZ_SEED", "0")
ROOT = Path(__file__).parents[2]
FILES = hdf5_files()
# How often each is tried, so that all take about as long; MuData is read by what reads h5ad.
_WEIGHTS = {"dense.h5ad": 3, "sparse.h5ad": 3, "cells.h5": 4, "cells.loom": 5, "omics.h5mu": 1}
WEIGHTS = [_WEIGHTS[name] for name in FILES]


class Worker:
    """The process that reads the files."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.hdf5_worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return str(json.loads(self._process.stdout.readline()))

    def fault(self, path: Path) -> str:
        """What is wrong with how a file is read, or nothing."""
        assert self._process.stdin is not None
        print(path, file=self._process.stdin, flush=True)
        return self._answer()

    def close(self) -> None:
        """End the process, and with it the one that it has forked."""
        self._process.communicate()


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    made = Worker()
    yield made
    made.close()


@pytest.mark.timeout(120 + INPUTS // 20)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is measured as Linux tells it")
def test_damaged_hdf5_files_are_read_or_refused_in_our_words(worker: Worker, tmp_path: Path) -> None:
    draw = random.Random(f"hdf5 {SEED}")
    for number in range(INPUTS):
        (name,) = draw.choices(list(FILES), WEIGHTS)
        path = tmp_path / name
        path.write_bytes(damaged(draw, [FILES[name]]))
        said = worker.fault(path)
        assert not said, f"input {number}, {name}: {said}; FUZZ_INPUTS={number + 1} tries it again"


def test_files_that_are_whole_are_read(worker: Worker, tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        assert not worker.fault(tmp_path / name)

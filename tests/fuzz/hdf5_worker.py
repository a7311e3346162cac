"""Run as a program: reads the HDF5 files whose paths come in, one a line, and answers with a line of JSON for each.

A child reads them, forked once all is imported: where the library ends or hangs it, the next one takes milliseconds to make.

Our reader looks at a file from another process first, which takes half a second. The child skips that; where it is ended or takes
too long, another one does what that look does, and the file is refused as our reader refuses it.
"""

from __future__ import annotations

import importlib
import json
import logging
import multiprocessing
import signal
import sys
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from genokeras.data import load_dataset, register_reader
from genokeras.data.readers import hdf5_check, hdf5_walk
from genokeras.data.readers.hdf5 import read_checked_hdf5
from genokeras.errors import DataFileError
from tests.fuzz.trying import SECONDS, fault, forget_peak, limited_memory

# More than what is a fault: the system then ends the child, because nothing in Python ends a loop in C.
_MOST_SECONDS = 1.5 * SECONDS
# A child that another program has slowed down is no fault either.
_READINGS = 3
_SUFFIXES = (".h5", ".h5ad", ".h5mu", ".loom")
_FORK = multiprocessing.get_context("fork")


class Child:
    """A forked process that reads files, and is replaced where one ends it."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = _FORK.Pipe()
        self._process = _FORK.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def fault(self, path: Path) -> str:
        """What is wrong with how a file is read, or nothing."""
        said = ""
        for _ in range(_READINGS):
            said = self._said(path)
            if not said.startswith(("ended", "took")):
                return said
            if _is_refused(path):
                return ""
        return said

    def _said(self, path: Path) -> str:
        self._pipe.send(path)
        try:
            return self._pipe.recv() or ""
        except EOFError:
            self._process.join()
            said = f"ended the process ({self._process.exitcode})"
            self._start()
            return said


def main() -> None:
    """Answer until there are no more paths."""
    logging.getLogger("genokeras").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    for suffix in _SUFFIXES:
        register_reader(suffix, read_checked_hdf5)
    importlib.import_module("anndata.io")
    child = Child()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(child.fault(Path(line.rstrip("\n")))), flush=True)


def _serve(pipe: Connection) -> None:
    with limited_memory():
        while True:
            path = pipe.recv()
            forget_peak()
            pipe.send(_in_time(lambda path=path: fault(_read, path, None)))


def _in_time(function: Callable[[], Any]) -> Any:
    signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
    try:
        return function()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _read(path: Path) -> object:
    return load_dataset(path, missing="keep")


def _is_refused(path: Path) -> bool:
    most = hdf5_check.limits(path)
    process = _FORK.Process(target=hdf5_walk.walk, args=(str(path), most.processor, most.memory), daemon=True)
    process.start()
    process.join(most.seconds)
    if process.exitcode is None:
        process.kill()
        return True
    try:
        hdf5_check.refuse(path, most, process.exitcode)
    except DataFileError:
        return True
    return False


if __name__ == "__main__":
    main()

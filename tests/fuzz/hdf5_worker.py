"""Run as a program: reads the HDF5 files whose paths come in, one a line, and answers with a line of JSON for each.

Our reader looks at a file from another process first, which takes half a second. This process skips that; where it hangs or dies,
the test asks that look what it says.
"""

from __future__ import annotations

import importlib
import json
import logging
import signal
import sys
import warnings
from pathlib import Path

from genokeras.data import load_dataset, register_reader
from genokeras.data.readers.hdf5 import read_checked_hdf5
from tests.fuzz.trying import SECONDS, fault, forget_peak, limited_memory

# Twice what is a fault: the system then ends this process, because nothing in Python ends a loop in C.
_MOST_SECONDS = 2 * SECONDS
_SUFFIXES = (".h5", ".h5ad", ".h5mu", ".loom")


def main() -> None:
    """Answer until there are no more paths."""
    logging.getLogger("genokeras").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    for suffix in _SUFFIXES:
        register_reader(suffix, read_checked_hdf5)
    importlib.import_module("anndata.io")
    with limited_memory():
        print(json.dumps("ready"), flush=True)
        for line in sys.stdin:
            path = Path(line.rstrip("\n"))
            forget_peak()
            signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
            said = fault(_read, path, None)
            signal.setitimer(signal.ITIMER_PROF, 0)
            print(json.dumps(said), flush=True)


def _read(path: Path) -> object:
    return load_dataset(path, missing="keep")


if __name__ == "__main__":
    main()

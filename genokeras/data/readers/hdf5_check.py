"""A look at an HDF5 file from another process: damaged ones can hang or crash the library, which nothing in Python ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from genokeras.data.readers.hdf5_walk import TOO_LARGE
from genokeras.errors import DataFileError

# A disk may be slow; a processor that takes so long goes round in circles.
_SECONDS, _PROCESSOR_SECONDS = 5.0, 1.0
_BYTES_PER_SECOND = 20e6
# Texts take a few times the memory in Python that they take in a file.
_MEMORY, _MEMORY_PER_BYTE = 800e6, 20
_WALK = Path(__file__).with_name("hdf5_walk.py")


def check_readable(path: Path) -> None:
    """See that names, attributes and texts of a file can be read.

    Raises
    ------
    DataFileError
        Where that takes longer than a whole file takes from a slow disk, or much memory, or crashes.
    """
    size = path.stat().st_size
    more, memory = size / _BYTES_PER_SECOND, _MEMORY + _MEMORY_PER_BYTE * size
    program = [sys.executable, str(_WALK), str(path), str(_PROCESSOR_SECONDS + more), str(memory)]
    try:
        walk = subprocess.run(program, timeout=_SECONDS + more, capture_output=True, check=False)
    except subprocess.TimeoutExpired as error:
        raise _endless(path, _SECONDS + more) from error
    except OSError:  # no process can be started here: the file is read unseen
        return
    if hasattr(signal, "SIGPROF") and walk.returncode == -signal.SIGPROF:
        raise _endless(path, _PROCESSOR_SECONDS + more)
    if walk.returncode == TOO_LARGE:
        raise DataFileError(
            f"{path.name} is damaged: its names and texts take over {memory / 1e6:,.0f} MB. Write or copy it again."
        )
    if walk.returncode < 0:
        raise DataFileError(f"{path.name} is damaged: reading it crashes HDF5. Write or copy it again.")


def _endless(path: Path, seconds: float) -> DataFileError:
    return DataFileError(
        f"{path.name} is damaged: its names and texts could not be read in {seconds:.0f} seconds. Write or copy it again."
    )

"""A look at an HDF5 file from another process: damaged ones can hang or crash the library, which nothing in Python ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from genokeras.data.readers.hdf5_walk import TOO_LARGE
from genokeras.errors import DataFileError

# A disk may be slow; a processor that takes so long goes round in circles.
_SECONDS, _PROCESSOR_SECONDS = 5.0, 1.0
_BYTES_PER_SECOND = 20e6
# Texts take a few times the memory in Python that they take in a file.
_MEMORY, _MEMORY_PER_BYTE = 800e6, 20
_WALK = Path(__file__).with_name("hdf5_walk.py")


class Limits(NamedTuple):
    """What the look may take: seconds, seconds of the processor, and bytes."""

    seconds: float
    processor: float
    memory: float


def check_readable(path: Path) -> None:
    """See that names, attributes and texts of a file can be read.

    Raises
    ------
    DataFileError
        Where that takes longer than a whole file takes from a slow disk, or much memory, or crashes.
    """
    most = limits(path)
    try:
        walk = subprocess.run(
            [sys.executable, str(_WALK), str(path), str(most.processor), str(most.memory)],
            timeout=most.seconds,
            capture_output=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _endless(path, most.seconds) from error
    except OSError:  # no process can be started here: the file is read unseen
        return
    refuse(path, most, walk.returncode)


def limits(path: Path) -> Limits:
    """Return what the look at a file may take, by its size."""
    size = path.stat().st_size
    more = size / _BYTES_PER_SECOND
    return Limits(_SECONDS + more, _PROCESSOR_SECONDS + more, _MEMORY + _MEMORY_PER_BYTE * size)


def refuse(path: Path, most: Limits, code: int) -> None:
    """Raise where the exit code of the look says that it used up a limit, or was ended.

    Raises
    ------
    DataFileError
    """
    if hasattr(signal, "SIGPROF") and code == -signal.SIGPROF:
        raise _endless(path, most.processor)
    if code == TOO_LARGE:
        raise DataFileError(
            f"{path.name} is damaged: its names and texts take over {most.memory / 1e6:,.0f} MB. Write or copy it again."
        )
    if code < 0:
        raise DataFileError(f"{path.name} is damaged: reading it crashes HDF5. Write or copy it again.")


def _endless(path: Path, seconds: float) -> DataFileError:
    return DataFileError(
        f"{path.name} is damaged: its names and texts could not be read in {seconds:.0f} seconds. Write or copy it again."
    )

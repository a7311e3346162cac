"""A look at an HDF5 file from another process: damaged ones can hang or crash the library, which nothing in Python ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from genokeras.errors import DataFileError

_SECONDS = 5.0
_BYTES_PER_SECOND = 20e6
_WALK = Path(__file__).with_name("hdf5_walk.py")


def check_readable(path: Path) -> None:
    """See that names, attributes and texts of a file can be read.

    Raises
    ------
    DataFileError
        Where that takes longer than a whole file takes from a slow disk, or crashes.
    """
    limit = _SECONDS + path.stat().st_size / _BYTES_PER_SECOND
    try:
        walk = subprocess.run(
            [sys.executable, str(_WALK), str(path)], timeout=limit, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DataFileError(
            f"{path.name} is damaged: its names and texts could not be read in {limit:.0f} seconds. Write or copy it again."
        ) from error
    except OSError:  # no process can be started here: the file is read unseen
        return
    if walk.returncode < 0:
        raise DataFileError(f"{path.name} is damaged: reading it crashes HDF5. Write or copy it again.")

"""Idx, the format of MNIST: two zero bytes, the type, the number of axes, their lengths, the values; also gzipped."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np

from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.opening import bare_name, check_file, first_bytes, read_bytes, unpacking_errors
from genokeras.errors import DataFileError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(path: str | Path) -> bool:
    """Return whether a file is idx by its name, as ``train-images-idx3-ubyte.gz`` or ``digits.idx``, or by its first bytes."""
    name = bare_name(path)
    if "-idx" in name or ".idx" in name or name.endswith("ubyte"):
        return True
    file = os.path.expanduser(path)
    if not os.path.isfile(file):
        return False
    with unpacking_errors(Path(file)):
        return _begins_idx(first_bytes(Path(file), 4))


def _begins_idx(data: bytes) -> bool:
    return len(data) >= 4 and data[:2] == b"\0\0" and data[2] in _TYPES and data[3] > 0


def read_idx(path: str | Path) -> np.ndarray:
    """Read an array, in the byte order of this machine.

    Raises
    ------
    DataFileError
        Where the file is missing, truncated, longer than it says, or not idx.
    """
    file = check_file(path)
    with text_errors(file):
        data = read_bytes(file)
    if not _begins_idx(data):
        raise DataFileError(
            f"{file.name} is not idx: expected two zero bytes, a type ({', '.join(map(hex, _TYPES))}) and the "
            f"number of axes, got {data[:4].hex(' ') or 'nothing'}."
        )
    dtype, start = np.dtype(_TYPES[data[2]]), 4 + 4 * data[3]
    if len(data) < start:
        raise DataFileError(f"{file.name} is truncated: its header of {start} bytes ends after {len(data)}.")
    shape = tuple(int(length) for length in np.frombuffer(data[4:start], ">u4"))
    expected = math.prod(shape) * dtype.itemsize
    if len(data) - start != expected:
        what = "truncated" if len(data) - start < expected else "longer than its header says"
        raise DataFileError(
            f"{file.name} is {what}: shape {shape} takes {expected} bytes, it holds {len(data) - start}. "
            "Copy or download it again."
        )
    values = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="))

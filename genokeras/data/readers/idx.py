"""Idx, the format of MNIST: two zero bytes, the type, the number of axes, their lengths, the values; also gzipped."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from genokeras.data.readers.delimited import text_errors
from genokeras.data.readers.opening import bare_name, check_file, read_bytes
from genokeras.errors import DataFileError

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def is_idx(path: str | Path) -> bool:
    """Return whether a file's name says that it is idx: ``train-images-idx3-ubyte.gz``, ``digits.idx``."""
    name = bare_name(path)
    return "-idx" in name or ".idx" in name or name.endswith("ubyte")


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
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES or not data[3]:
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

"""Values on their way to worker processes: large arrays go by files, which all workers of a machine map into memory.

This is for processes that this one started; nothing that anybody else wrote is ever unpickled.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, final

import cloudpickle
import numpy as np

# Bytes from which on an array is written to a file of its own.
_LARGE = 1 << 18


@final
class Shipping:
    """Packs values; an array is written once, however often it is sent.

    Parameters
    ----------
    folder : pathlib.Path
        For the files of large arrays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The array is kept, lest another one gets its id.
        self._sent: dict[int, tuple[str, np.ndarray]] = {}

    def packed(self, value: Any) -> bytes:
        """A value as bytes, for :func:`unpacked`; functions and classes of a script travel by their code."""
        written = io.BytesIO()
        _Pickler(written, self).dump(value)
        return written.getvalue()

    def place_of(self, array: np.ndarray) -> str:
        """The file of an array."""
        if id(array) not in self._sent:
            path = str(self._folder / f"{len(self._sent)}.npy")
            np.save(path, array, allow_pickle=False)
            self._sent[id(array)] = (path, array)
        return self._sent[id(array)][0]


class _Pickler(cloudpickle.Pickler):
    def __init__(self, file: io.BytesIO, shipping: Shipping) -> None:
        super().__init__(file)
        self._shipping = shipping

    def persistent_id(self, value: Any) -> str | None:
        if type(value) is np.ndarray and value.nbytes >= _LARGE and not value.dtype.hasobject:
            return self._shipping.place_of(value)
        return None


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, place: Any) -> np.ndarray:
        return np.load(place, mmap_mode="r", allow_pickle=False)


def unpacked(packed: bytes) -> Any:
    """The inverse of `Shipping.packed`; large arrays can be read and not written."""
    return _Unpickler(io.BytesIO(packed)).load()

"""Run as a program: reads all names, attributes and texts of an HDF5 file, which are what loops when it is damaged.

``hdf5_walk.py FILE SECONDS BYTES``: the system ends it, where it can, once it has used these seconds of the processor and a
thousandth for each item; it ends itself with `TOO_LARGE` once it has taken these bytes.
"""

from __future__ import annotations

import importlib
import signal
import sys
import time
from contextlib import suppress
from typing import Any

TOO_LARGE = 3
_SECONDS_PER_ITEM = 1e-3


def walk(path: str, seconds: float, most: float) -> None:
    """Read what is not a plain number; errors are for the reader to tell."""
    import h5py

    start, before, seen = time.process_time(), _peak(), 0

    def limit_time() -> None:
        if hasattr(signal, "setitimer"):
            used = time.process_time() - start
            signal.setitimer(signal.ITIMER_PROF, max(1e-3, seconds + seen * _SECONDS_PER_ITEM - used))

    def read(item: Any) -> None:
        nonlocal seen
        seen += 1
        limit_time()
        with suppress(Exception):
            for key in list(item.attrs):
                with suppress(Exception):
                    item.attrs[key]
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "OSV":
            with suppress(Exception):
                item[()]
        if _peak() - before > most:
            sys.exit(TOO_LARGE)

    def visit(group: Any) -> None:
        """All that a group holds: an item that cannot be read hides none of those behind it, as it does in `visititems`."""
        read(group)
        with suppress(Exception):
            for name in list(group):
                with suppress(Exception):
                    item = group[name]
                    place = h5py.h5o.get_info(item.id).addr
                    if place not in known:
                        known.add(place)
                        (visit if isinstance(item, h5py.Group) else read)(item)

    known: set[int] = set()
    limit_time()
    with suppress(Exception), h5py.File(path, "r") as file:
        visit(file)


def _peak() -> float:
    """Bytes that this process has taken at most; 0 where the system does not say."""
    if sys.platform == "win32":
        return 0.0
    resource = importlib.import_module("resource")
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


if __name__ == "__main__":
    # The readers beside this file have names of packages, such as anndata.
    del sys.path[0]
    walk(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))

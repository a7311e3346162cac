"""Run as a program: reads all names, attributes and texts of an HDF5 file, which are what loops when it is damaged."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any


def walk(path: str) -> None:
    """Read what is not a plain number; errors are for the reader to tell."""
    import h5py

    def read(name: str, item: Any) -> None:
        for key in list(item.attrs):
            with suppress(Exception):
                item.attrs[key]
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "OSV":
            with suppress(Exception):
                item[()]

    with suppress(Exception), h5py.File(path, "r") as file:
        read("/", file)
        file.visititems(read)


if __name__ == "__main__":
    # The readers beside this file have names of packages, such as anndata.
    del sys.path[0]
    walk(sys.argv[1])

"""Folders of runs that were given no place: they last as long as the process."""

from __future__ import annotations

import shutil
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

made: dict[Path, Finalize] = {}


def temporary_folder() -> Path:
    """A new folder, which is removed when the process ends that made it; a fork of it removes nothing.

    It goes behind child processes, which may still use it. Worker processes leave by another door than ``atexit``, which :mod:`multiprocessing` watches too.
    """
    path = Path(tempfile.mkdtemp(prefix="genokeras-"))
    made[path] = Finalize(None, shutil.rmtree, (path,), {"ignore_errors": True}, exitpriority=-1)
    return path


def keep_folder(path: Path) -> None:
    """Let a folder stay, where :func:`temporary_folder` made it."""
    removal = made.pop(path, None)
    if removal is not None:
        removal.cancel()


def remove_folder(path: Path) -> None:
    """Remove a folder of :func:`temporary_folder` now."""
    removal = made.pop(path, None)
    if removal is not None:
        removal()

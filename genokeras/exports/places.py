"""Where exports go: made in a folder beside the target, moved into place whole, what was there before lost never."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from genokeras.errors import ExportError
from genokeras.support.wording import listed

_SAVED_MODEL = {"saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra"}


def check_target(target: Path, *, folder: bool) -> None:
    """Refuse a place that holds something else than an earlier export.

    Raises
    ------
    ExportError
    """
    if not folder:
        if target.is_dir():
            raise ExportError(f"{str(target)!r} is a folder: give the name of a file to write.")
        return
    if target.exists() and not target.is_dir():
        raise ExportError(f"{str(target)!r} is a file: give the name of a folder, new or empty.")
    held = {entry.name for entry in target.iterdir()} if target.is_dir() else set()
    foreign = sorted(held - _SAVED_MODEL)
    if foreign or (held and "saved_model.pb" not in held):
        raise ExportError(
            f"the folder {str(target)!r} holds other things than an earlier export ({listed(foreign or sorted(held))}), "
            "which would be lost: give a folder that is new or empty."
        )


@contextlib.contextmanager
def workshop(target: Path) -> Iterator[Path]:
    """A folder of one's own beside ``target``, on the same disk, gone at the end.

    Raises
    ------
    ExportError
        If nothing can be written there.
    """
    parent = Path(os.path.abspath(target)).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
    except OSError as error:
        raise ExportError(
            f"cannot write {str(target)!r}: {error.strerror or error}. Give a path that can be written."
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(made: Path, target: Path) -> None:
    """Move a file or folder to ``target``, in place of what is there.

    A folder cannot be renamed onto one that is not empty, so the older one steps aside first and comes back if that fails.
    """
    if not (made.is_dir() and target.is_dir()):
        made.replace(target)
        return
    # Not in the workshop, which is about to be removed: should it not come back, it is still there.
    aside = Path(f"{os.path.abspath(made.parent)}.earlier")
    target.rename(aside)
    try:
        made.rename(target)
    except BaseException:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)

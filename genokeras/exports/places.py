"""Where exports may go: what is there already, and is no export, is never lost."""

from __future__ import annotations

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

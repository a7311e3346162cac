"""What a command keeps beside a run for those that come later: what ``--target`` of ``fit`` was."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

COMMAND_FILE = "command.json"


def remember_target(run: Path, target: Sequence[str]) -> None:
    """Write down the columns, or the files of labels, that a run was fitted to; files by their whole path."""
    if not target:
        return
    import_module("genokeras.support").RunFolder(run).write_json(
        COMMAND_FILE, {"target": [_from_everywhere(name) for name in target]}
    )


def remembered_target(run: Path) -> tuple[str, ...]:
    """What `remember_target` wrote; nothing of runs that Python or an earlier version made.

    Raises
    ------
    RunFolderError
        If the file is damaged.
    """
    folder = import_module("genokeras.support").RunFolder(run)
    if not folder.has(COMMAND_FILE):
        return ()
    with folder.reading():
        target = folder.read_json(COMMAND_FILE)["target"]
        return tuple(name for name in target if isinstance(name, str))


def target_to_read(run: Path, estimator: Any, target: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of what is predicted in samples that are given with it: as named now, or else as in the fit."""
    if target:
        return target
    return tuple(estimator.columns_) if hasattr(estimator, "baseline_") else remembered_target(run)


def _from_everywhere(target: str) -> str:
    path = Path(target).expanduser()
    if path.is_file():
        return str(path.absolute())
    file, colon, column = target.rpartition(":")
    whole = Path(file).expanduser()
    return f"{whole.absolute()}{colon}{column}" if file and whole.is_file() else target

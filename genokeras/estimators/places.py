"""Where a fit writes its run: the path as it was given, or the next number in its ``{}``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from genokeras.engine.executors import SHARED
from genokeras.errors import ParameterError
from genokeras.support.files import unwritable

NUMBER = "{}"


def is_numbered(path: Any) -> bool:
    """Whether every fit gets a folder of its own: a path such as ``"runs/{}"``, which is no folder already."""
    return isinstance(path, str | os.PathLike) and NUMBER in str(path) and not Path(path).exists()


def check_numbered(path: Any, resume: bool, executor: Any) -> None:
    """Raise ``ParameterError`` where one run is meant, and the path stands for many."""
    if not is_numbered(path):
        return
    if str(path).count(NUMBER) > 1:
        raise ParameterError(f"path may have {NUMBER} once, for the number of the fit: got {str(path)!r}.")
    if resume:
        raise ParameterError(
            f"resume=True goes on with one run, and {str(path)!r} stands for a new one with every fit: give the folder of the run."
        )
    if executor == SHARED:
        raise ParameterError(
            f'executor "shared" needs one path for all processes, and {str(path)!r} stands for a new one with every fit.'
        )


def numbered_place(path: str | os.PathLike[str]) -> Path:
    """Make the folder with the first number, ``0001`` on, that no other fit has taken, also one of another process.

    Raises
    ------
    RunFolderError
        If it cannot be written.
    """
    parts = Path(path).expanduser().parts
    place = next(i for i, part in enumerate(parts) if NUMBER in part)
    parent = Path(*parts[:place])
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(parent, error) from error
    number = 0
    while True:
        number += 1
        found = parent / parts[place].replace(NUMBER, f"{number:04d}")
        try:
            found.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise unwritable(found, error) from error
        return found.joinpath(*parts[place + 1 :])

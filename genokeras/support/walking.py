"""The files below a folder, links to folders followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def shown_files(folder: Path) -> Iterator[Path]:
    """Files of a folder and of those below it, without hidden ones; links that lead nowhere are among them.

    Links to folders are followed. Below each folder in `folder` none is entered twice, nor `folder` itself, since links may lead
    in circles.
    """
    root = os.path.realpath(folder)
    entered: dict[tuple[str, ...], set[str]] = {}
    for at, folders, files in os.walk(folder, followlinks=True):
        place, real = Path(at), os.path.realpath(at)
        top = place.relative_to(folder).parts[:1]
        before = entered.setdefault(top, {root} if top else set())
        if real in before:
            folders.clear()
            continue
        before.add(real)
        folders[:] = sorted(_shown(folders))
        yield from (place / name for name in _shown(files))


def _shown(names: list[str]) -> list[str]:
    return [name for name in names if not name.startswith(".")]

"""One process at a time writes to a run folder: a file in it says which.

The file is made only where there is none (``O_EXCL``), which file systems without ``flock`` can do too. That of a process of this
machine that ended is taken over; that of another machine is not, since nobody here can see whether its process still runs. Who
only reads needs no lock.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from genokeras.errors import RunInUseError
from genokeras.support.files import PathLike, unwritable
from genokeras.support.json_files import parse_json, read_limited
from genokeras.support.processes import UNKNOWN, place, started

LOCK_FILE = "run.lock"

P = ParamSpec("P")
R = TypeVar("R")

# Seconds: a lock is written in a moment, so one that is incomplete longer than this was left so; and how long to wait for others.
_INCOMPLETE, _PATIENCE, _PAUSE = 10.0, 2.0, 0.02

_held: set[str] = set()


@dataclass(frozen=True)
class _Holder:
    """Who made a lock: `path` is that of the lock, which tells a copy of it from itself."""

    pid: int
    start: str
    place: str
    path: str
    since: str
    token: str

    @classmethod
    def own(cls, path: Path) -> _Holder:
        pid = os.getpid()
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        return cls(pid, started(pid) or UNKNOWN, place(), str(path), now, uuid.uuid4().hex)

    def writes(self, path: Path) -> bool:
        """Whether it may still write to the folder that the lock at `path` is in."""
        if self.place != place():
            return True
        original = Path(self.path)
        if original != path and original.parent.is_dir() and not _same_file(original, path):
            return False
        if self.pid == os.getpid():
            return self.token in _held
        now = started(self.pid)
        return now is not None and (UNKNOWN in (now, self.start) or now == self.start)

    def words(self, path: Path) -> str:
        folder = str(path.parent)
        if self.place != place():
            machine = self.place.split(" ")[0]
            return (
                f"the run folder {folder!r} is in use by process {self.pid} of the machine {machine!r} since {self.since}. Only there "
                f"one can see whether it still runs: if it does not, delete {str(path)!r} and try again. Or give another path."
            )
        who = "this process itself" if self.pid == os.getpid() else f"process {self.pid} of this machine"
        return (
            f"the run folder {folder!r} is in use: {who} has been writing to it since {self.since}. Wait until it ends, or give "
            "another path. Nothing was written."
        )


@contextmanager
def run_lock(folder: PathLike, make: bool = False) -> Iterator[None]:
    """Be the only process, and the only thread of it, that writes to a run folder.

    Parameters
    ----------
    folder : path-like
        Without a folder nothing is locked: who writes there has an error of its own to raise.
    make : bool
        Make the folder where there is none; if nothing else was written to it, it is removed again.

    Raises
    ------
    RunInUseError
        If another process writes to it.
    RunFolderError
        If the lock cannot be written.
    """
    path = Path(str(folder)).expanduser().absolute() / LOCK_FILE
    if path.parent.exists() != path.parent.is_dir() or not (make or path.parent.is_dir()):
        yield
        return
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            token = _take(path)
        except RunInUseError:
            raise
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            yield
        finally:
            _release(path, token)
    finally:
        for parent in missing:
            with suppress(OSError):
                parent.rmdir()


def check_unlocked(folder: PathLike | None) -> None:
    """See at once, before anything is computed, that no other process writes to a folder.

    Raises
    ------
    RunInUseError
        If one does.
    """
    if folder is None:
        return
    path = Path(str(folder)).expanduser().absolute() / LOCK_FILE
    found = _read(path)
    if found is not None and found.writes(path):
        raise RunInUseError(found.words(path))


def abandon_lock(folder: PathLike) -> None:
    """Remove the lock of a process that is known to have ended, on whatever machine it was."""
    path = Path(str(folder)).expanduser().absolute() / LOCK_FILE
    _remove_left(path, _read(path))


def holding_lock(
    folder: Callable[..., PathLike], make: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function run only while it holds the lock of the folder that its arguments name; see :func:`run_lock`."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def alone(*args: P.args, **kwargs: P.kwargs) -> R:
            with run_lock(folder(*args, **kwargs), make):
                return function(*args, **kwargs)

        return alone

    return decorate


def _take(path: Path) -> str:
    until, own = time.monotonic() + _PATIENCE, _Holder.own(path)
    while not _made(path, own):
        found = _read(path)
        if found is not None and found.writes(path):
            raise RunInUseError(found.words(path))
        if found is not None or _older(path, _INCOMPLETE):
            _remove_left(path, found)
        if time.monotonic() > until:
            raise RunInUseError(
                f"another process has just begun to write to {str(path.parent)!r}. Wait until it ends, or give another path."
            )
        time.sleep(_PAUSE)
    return own.token


def _made(path: Path, holder: _Holder) -> bool:
    _held.add(holder.token)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        _held.discard(holder.token)
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(json.dumps(asdict(holder)).encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _held.discard(holder.token)
        path.unlink(missing_ok=True)
        raise
    return True


def _remove_left(path: Path, found: _Holder | None) -> None:
    """Remove a lock that was left behind; under a lock of its own, lest the next holder's is removed by who looked earlier."""
    claim = path.with_name(f"{path.name}.taken")
    with suppress(RunInUseError):
        token = _take(claim)
        try:
            if _read(path) == found and (found is not None or _older(path, _INCOMPLETE)):
                path.unlink(missing_ok=True)
        finally:
            _release(claim, token)


def _release(path: Path, token: str) -> None:
    found = _read(path)
    if found is not None and found.token == token:
        with suppress(OSError):
            path.unlink()
    _held.discard(token)


def _read(path: Path) -> _Holder | None:
    """Who made a lock; None where there is none or it is not complete."""
    try:
        content: Any = parse_json(read_limited(path))
        holder = _Holder(**content)
    except (OSError, ValueError, TypeError):
        return None
    kinds = [type(value) for value in asdict(holder).values()]
    return holder if kinds == [int, *[str] * 5] else None


def _older(path: Path, seconds: float) -> bool:
    with suppress(OSError):
        return time.time() - path.stat().st_mtime > seconds
    return False


def _same_file(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False

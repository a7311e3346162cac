"""Files that say what a process is at: one holds at a time, and who ended without a word loses it.

A lease is made only where there is none (``O_EXCL``), as file systems of clusters can do it, and touched every few seconds while it is
held. Others see that its process ended where they are on the same machine; from elsewhere, that nobody has touched it for long. Only
their own clocks are compared.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, final

from genokeras.support.json_files import parse_json, read_limited
from genokeras.support.processes import UNKNOWN, place, started

# Seconds between two touches, and without any after which a lease is over.
_TOUCH = 5.0
PATIENCE = 90.0


@final
class Lease:
    """What this process holds, until it is released or the process ends.

    Attributes
    ----------
    path : pathlib.Path
    """

    def __init__(self, path: Path, token: str) -> None:
        self.path = path
        self._token = token
        self._over = threading.Event()
        threading.Thread(target=self._touch, daemon=True).start()

    @classmethod
    def take(cls, path: Path) -> Lease | None:
        """A lease, or None where another process holds it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        pid, token = os.getpid(), uuid.uuid4().hex
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return None
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"pid": pid, "start": started(pid) or UNKNOWN, "place": place(), "token": token}, file)
        return cls(path, token)

    def is_held(self) -> bool:
        """Whether it is still ours: a process that was stopped for long may have lost it."""
        return _content(self.path).get("token") == self._token

    def release(self) -> None:
        """Give it up."""
        self._over.set()
        if self.is_held():
            self.path.unlink(missing_ok=True)

    def _touch(self) -> None:
        while not self._over.wait(_TOUCH):
            with suppress(OSError):
                os.utime(self.path)


@final
class Watch:
    """Sees which leases of others are over.

    Parameters
    ----------
    patience : float
        Seconds.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        # When each file was seen to change last, by our clock, and its time then.
        self._seen: dict[Path, tuple[float, int]] = {}

    def is_over(self, path: Path) -> bool:
        """Whether nobody holds a lease, or who held it has ended."""
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            self._seen.pop(path, None)
            return True
        content = _content(path)
        if content.get("place") == place() and isinstance(content.get("pid"), int):
            now = started(content["pid"])
            return now is None or (UNKNOWN not in (now, content.get("start")) and now != content.get("start"))
        known = self._seen.get(path)
        if known is None or known[1] != changed:
            self._seen[path] = (time.monotonic(), changed)
            return False
        return time.monotonic() - known[0] > self._patience


def _content(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        content = parse_json(read_limited(path))
        if isinstance(content, dict):
            return content
    return {}

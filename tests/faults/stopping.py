"""Searches in processes that are stopped, and what is left of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genokeras.support import RunFolder

ROOT = Path(__file__).parents[2]
MOST = 40


@contextmanager
def search(folder: Path, place: Path, executor: str = "pool") -> Iterator[subprocess.Popen[bytes]]:
    """A search whose temporary files are at a place of their own."""
    place.mkdir(exist_ok=True)
    arguments: dict[str, Any] = {"pool": {"workers": 2, "threads": 1}, "shared": {"threads": 1}}.get(
        executor, {}
    )
    command = [sys.executable, "-m", "tests.faults.searching", str(folder), executor]
    command += [json.dumps(arguments), str(MOST)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TMPDIR": str(place)}) as process:
        yield process


def trials(folder: Path) -> list[tuple[int, str]]:
    events = RunFolder(folder).journal() if RunFolder.exists(folder) else []
    return [(event["trial"], event["fingerprint"]) for event in events if event["event"] == "trial"]


def workers_of(place: Path) -> list[int]:
    """Processes whose command line names the place of a search's temporary files."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if b"genokeras.engine.worker" in command and bytes(str(place), "utf-8") in command:
            found.append(int(path.parent.name))
    return found


def wait_for(there: int, folder: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and len(trials(folder)) < there:
        time.sleep(0.02)

"""One damaged file at a time: read in time and space, or refused in our words."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genokeras.errors import GenoKerasError

SECONDS, KILOBYTES = 1.0, 1_000_000
_READINGS = 3
_PEAK, _SIZE = Path("/proc/self/clear_refs"), Path("/proc/self/statm")


def forget_peak() -> None:
    """Let the peak of this process's memory begin anew, so that what others took before hides nothing; Linux alone can."""
    with suppress(OSError):
        _PEAK.write_text("5")


def fault(read: Callable[[Path], object], path: Path, content: bytes | None, number: int = 0) -> str | None:
    """What is wrong with how a file of this content (None: of the content that it has) is read, or None.

    Seconds are those of the processor in this thread, so that a busy machine is no fault; a slow file is read again, since two
    programs on one core can make each of them take several times as many.
    """
    if content is not None:
        path.write_bytes(content)
        # Readers remember a file's encoding by its time, and files here follow one another within a tick of the clock.
        os.utime(path, ns=(number, number))
    before = _peak()
    for _ in range(_READINGS):
        start, said = time.thread_time(), _said(read, path)
        seconds = time.thread_time() - start
        if seconds <= SECONDS:
            break
    grown = _peak() - before
    if seconds > SECONDS:
        return f"took {seconds:.1f} s"
    return f"took {grown} kB" if grown > KILOBYTES else said


def _said(read: Callable[[Path], object], path: Path) -> str | None:
    try:
        read(path)
    except GenoKerasError as error:
        return None if str(error).strip() else "an error without a word"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@contextmanager
def limited_memory() -> Iterator[None]:
    """Let this process take twice what is a fault and no more, so that the machine survives one; Linux alone can."""
    if not _SIZE.exists():
        yield
        return
    used = int(_SIZE.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 2 * 1024 * KILOBYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

"""How much memory there is: what a user allows, or what the machine and its cgroup have left."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from genokeras.errors import ParameterError

_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
_TEXT = re.compile(r"\s*(?P<number>\d+(\.\d+)?)\s*(?P<unit>[kmgt]?i?)b?\s*", re.IGNORECASE)
# Of what is left, others may want some.
_SHARE = 0.9
# Usage and limit, version 2 and version 1.
_CGROUPS = (
    ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.max"),
    ("/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def memory_limit_of(value: Any) -> float | None:
    """Bytes that may be used, of a number of bytes or a text such as "4 GB"; without one nine tenths of what is left.

    None where the system does not say what that is.

    Raises
    ------
    ParameterError
        If it is neither, or nothing.
    """
    if value is None:
        left = memory_left()
        return None if left is None else _SHARE * left
    number = float("nan")
    if isinstance(value, str) and (match := _TEXT.fullmatch(value)) and match["unit"].lower() in _UNITS:
        number = float(match["number"]) * _UNITS[match["unit"].lower()]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
    if not number > 0:
        raise ParameterError(
            f'memory_limit must be a number of bytes above 0, or a text such as "4 GB", got {value!r}.'
        )
    return number


def memory_left() -> int | None:
    """Bytes that the machine, and the cgroup of this process, have left; None where the system does not say."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found.append(1024 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]))
    for usage, limit in _CGROUPS:
        with suppress(OSError, ValueError):
            most = int(Path(limit).read_text(encoding="ascii"))
            found.append(most - int(Path(usage).read_text(encoding="ascii")))
    if not found and hasattr(os, "sysconf"):
        with suppress(OSError, ValueError):
            found.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return max(0, min(found)) if found else None


def size_text(size: float) -> str:
    """Bytes as people write them: "3.2 GB"."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} bytes"

"""Whether a process of this machine still runs: its number alone may have gone to another one."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

UNKNOWN = ""
# Of the fields of /proc/PID/stat behind the name, the state and the start in clock ticks since the machine started.
_STATE, _START = 0, 19
_ENDED = "ZX"
_STILL_ACTIVE, _MAY_ASK, _DENIED = 259, 0x1000, 5


def started(pid: int) -> str | None:
    """When a process started, as text that says only whether it is the same one; ``UNKNOWN`` where the system keeps it, None if it ended."""
    if sys.platform == "win32":
        return _started_on_windows(pid)
    with suppress(OSError, IndexError):
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return None if fields[_STATE] in _ENDED else f"{boot} {fields[_START]}"
    try:
        os.kill(pid, 0)
    except PermissionError:
        return UNKNOWN
    except (OSError, OverflowError):
        return None
    with suppress(OSError, subprocess.SubprocessError):
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        environment = {**os.environ, "LC_ALL": "C"}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    return UNKNOWN


def place() -> str:
    """What processes have in common that see each other by their numbers: the machine's name, on Linux with the namespace of numbers."""
    names = [os.environ.get("COMPUTERNAME", "windows") if sys.platform == "win32" else os.uname().nodename]
    with suppress(OSError):
        names.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(names)


def own_memory(pid: int) -> int | None:
    """Bytes of memory that a process has for itself, files that it maps left out; None where it ended or the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split())
        return (resident - shared) * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        command = ["ps", "-o", "rss=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
        return int(found.stdout) * 1024
    return None


def usable_cores() -> int:
    """Cores that this process may run on, by its affinity and the quota of its cgroup."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cores, round(int(quota) / int(period))))
    return cores


def _started_on_windows(pid: int) -> str | None:
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(_MAY_ASK, False, pid)
    if not handle:
        return UNKNOWN if kernel.GetLastError() == _DENIED else None
    try:
        code, times = ctypes.c_ulong(), [ctypes.c_ulonglong() for _ in range(4)]
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        if code.value != _STILL_ACTIVE:
            return None
        known = kernel.GetProcessTimes(handle, *map(ctypes.byref, times))
        return str(times[0].value) if known else UNKNOWN
    finally:
        kernel.CloseHandle(handle)

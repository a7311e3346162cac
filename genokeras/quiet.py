"""Hold back the noise that TensorFlow makes while it is imported."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

# How TensorFlow is told what to print. At 3 it prints no errors either: those that matter are exceptions, too.
LEVEL = "TF_CPP_MIN_LOG_LEVEL"
LOUD, _SILENT = "0", "3"

# Log lines of absl and of TensorFlow, which come before its log level counts.
_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|[IWE]\d{4} \d\d:\d\d:\d+\.\d+ +\d+ "
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
    rb"|To enable the following instructions: "
)
# Standard error is one for the whole process: whoever comes first holds it, for all that run meanwhile.
_LOCK = threading.Lock()
_held = False


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """As `quiet_start`, unless TensorFlow and Keras are there already, or ``TF_CPP_MIN_LOG_LEVEL`` is 0 or 1."""
    if "tensorflow" in sys.modules or os.environ.setdefault(LEVEL, _SILENT) in (LOUD, "1"):
        yield
        return
    with quiet_start():
        yield


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Hold back what native code writes to standard error, and pass on all but known log lines at the end.

    Python's ``sys.stderr`` cannot do that, because native code writes to the file descriptor. If the body raises,
    everything is passed on, log lines too. What a process says that dies in the body (a library built for another
    processor, say) is lost: ``--debug`` on the command line, or ``TF_CPP_MIN_LOG_LEVEL=0``, shows it.
    """
    original = _take()
    if original is None:
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            _flush()
            _give_back(original)
            held.seek(0)
            lines = [line for line in held if failed or not _CHATTER.match(line)]
            if lines:
                os.write(2, b"".join(lines))


def _take() -> int | None:
    """A copy of standard error; None where there is none to keep quiet, or somebody keeps it quiet already."""
    global _held
    with _LOCK:
        if _held:
            return None
        try:
            _flush()
            original = os.dup(2)
        except OSError:
            return None
        _held = True
        return original


def _give_back(original: int) -> None:
    global _held
    with _LOCK:
        os.dup2(original, 2)
        os.close(original)
        _held = False


def _flush() -> None:
    if sys.__stderr__ is not None:
        sys.__stderr__.flush()

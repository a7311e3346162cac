"""Where progress is shown."""

from __future__ import annotations

import sys

from rich.console import Console


def standard_error() -> Console:
    """A console on standard error: colours and bars on a terminal, plain text anywhere else."""
    # rich takes FORCE_COLOR for a terminal, and a log file then gets control codes.
    # Without a console (pythonw, some services) there is no standard error, and rich writes nothing.
    terminal = None if sys.stderr is not None and sys.stderr.isatty() else False
    return Console(stderr=True, highlight=False, force_terminal=terminal, force_jupyter=False)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython on a terminal is none."""
    # Nobody imports IPython to find out that it is not what runs here.
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")

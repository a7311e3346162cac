"""The command line: ``genokeras fit``, ``predict``, ``evaluate``, ``leaderboard``, ``report``, ``explain`` and more.

Data and tables go to standard output, progress and errors to standard error; of ``auto``, whose log is its result,
the log goes to standard output. Nothing heavy is imported before a command needs it, so that help and mistakes in the
arguments are answered at once.
"""

from genokeras.cli.commands import main

__all__ = ["main"]

"""The progress display that fits the place it is shown in."""

from __future__ import annotations

from rich.console import Console

from genokeras.engine.notebook_progress import NotebookProgress
from genokeras.engine.progress import LineProgress, LiveProgress, ProgressDisplay
from genokeras.support.console import in_notebook, standard_error
from genokeras.tasks.objectives import Objective, get_objective


def make_observer(
    verbose: int,
    time_limit: float | None,
    max_trials: int | None,
    objective: str | Objective,
    console: Console | None = None,
) -> ProgressDisplay | None:
    """Lines that change on a terminal, a table that changes in a notebook, short lines anywhere else.

    Parameters
    ----------
    verbose : int
        0 shows nothing.
    time_limit : float or None
        Seconds from now until the deadline.
    max_trials : int or None
        Trials at most, those of an earlier run included.
    objective : str or Objective
    console : Console, optional
        Standard error by default, so that it never mixes with data on standard output; in a notebook the cell.

    Returns
    -------
    ProgressDisplay or None
        None for ``verbose=0``.
    """
    if not verbose:
        return None
    aim = get_objective(objective)
    if console is None and in_notebook():
        return NotebookProgress(aim, time_limit, max_trials)
    shown = console if console is not None else standard_error()
    kind = LiveProgress if shown.is_terminal and not shown.is_dumb_terminal else LineProgress
    return kind(aim, time_limit, max_trials, shown)

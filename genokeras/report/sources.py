"""Where a picture's figures come from: a run, named by a path, an estimator or a run."""

from __future__ import annotations

import os
from typing import Any

from genokeras.engine import TrialStore
from genokeras.engine.run import RESULT_FILE, Run
from genokeras.errors import NotFittedError, ParameterError, RunFolderError
from genokeras.searchers import History, TrialResult
from genokeras.support import RunFolder


def run_folder(run: Any) -> RunFolder:
    """The folder of a run.

    Parameters
    ----------
    run : path-like, RunFolder, Run or fitted estimator

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    ParameterError
        If it is none of these.
    RunFolderError
        If the path holds no run.
    """
    if isinstance(run, RunFolder):
        return run
    if isinstance(run, Run):
        return run.folder
    if isinstance(run, str | os.PathLike):
        return RunFolder(run)
    if hasattr(run, "path_"):
        return RunFolder(run.path_)
    if hasattr(run, "fit") and not isinstance(run, type):
        raise NotFittedError(
            f"this {type(run).__name__} is not fitted yet: call fit(x, y), or load an earlier run."
        )
    raise ParameterError(
        f"expected a run: the path of its folder, or a fitted estimator; got {type(run).__name__}."
    )


def finished_history(run: Any) -> History:
    """The trials of a run, which one in memory has at hand and others are read from.

    Raises
    ------
    RunFolderError
        If none of them finished.
    """
    folder = run_folder(run)
    history = run.history if isinstance(run, Run) else TrialStore(folder).history()
    if not history.ok():
        failed = f" ({len(history)} failed: see error.txt of each)" if len(history) else ""
        raise RunFolderError(
            f"no trial of the run {str(folder.path)!r} has finished{failed}: there is nothing to draw."
        )
    return history


def chosen_best(folder: RunFolder, history: History) -> TrialResult | None:
    """The single best trial as the run chose it; the one of the best score where it chose none, None without any."""
    chosen = folder.read_json(RESULT_FILE).get("best") if folder.has(RESULT_FILE) else None
    return history.best() if chosen is None else history.get(int(chosen))


def ensemble_shares(folder: RunFolder) -> dict[int, float]:
    """Weights of the trials in what is delivered; empty for a run that never finished."""
    if not folder.has(RESULT_FILE):
        return {}
    return {int(trial): float(share) for trial, share in folder.read_json(RESULT_FILE)["shares"].items()}

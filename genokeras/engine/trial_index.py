"""What a run folder with many trials says of all of them in one file, so that it opens without reading each trial's own.

``history.json`` holds the records of trials, and of each one's files the size and the time of the last change. A trial whose files have others, which were
copied or changed since, is read from its own files.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from genokeras.errors import GenoKerasError
from genokeras.searchers import History, TrialResult
from genokeras.support.files import DAMAGED
from genokeras.support.folder import FORMAT, RunFolder
from genokeras.support.json_files import json_text

FILE = "history.json"
# Trials from which on reading one file in place of all is worth its writing: these are read in a fifth of a second.
WORTHWHILE = 1000

# Size and time of the last change in nanoseconds; None for a file that is not there.
_State = list[int] | None


def unchanged_trials(
    folder: RunFolder, needed: Callable[[TrialResult], Sequence[str]]
) -> dict[int, TrialResult]:
    """By its id, each trial of the index whose files are as they were when it was written; none where it is damaged or of another format.

    Parameters
    ----------
    folder : RunFolder
    needed : callable
        Names of the files that a trial is made of.
    """
    if folder.has(FILE):
        with suppress(GenoKerasError, *DAMAGED), _without_collection():
            return _unchanged(folder, needed)
    return {}


def _unchanged(folder: RunFolder, needed: Callable[[TrialResult], Sequence[str]]) -> dict[int, TrialResult]:
    content = folder.read_json(FILE)
    history, names = History.from_dict(content["history"]), content["files"]
    places = {name: number for number, name in enumerate(names)}
    trials, found = os.fspath(folder.path / "trials"), {}
    for trial, states in zip(history, content["states"], strict=True):
        place = f"{trials}/{trial.id:06d}"
        for name in needed(trial):
            state = states[places[name]]
            if state is None or _state(f"{place}/{name}") != state:
                break
        else:
            found[trial.id] = trial
    return found


@contextmanager
def _without_collection() -> Iterator[None]:
    """Make very many objects, none of which is to go, without looking for some that might: it takes as long again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def write_index(folder: RunFolder, trials: Sequence[TrialResult], files: Sequence[str]) -> None:
    """Write the index of all trials of a run.

    Parameters
    ----------
    folder : RunFolder
    trials : sequence of TrialResult
        As they are read from their own files.
    files : sequence of str
        Names of the files that a trial may have.
    """
    place = os.fspath(folder.path / "trials")
    states = [[_state(f"{place}/{trial.id:06d}/{name}") for name in files] for trial in trials]
    history = History(tuple(trials)).to_dict()
    content = {"format": FORMAT, "files": list(files), "states": states, "history": history}
    # Without line ends: with them it is twice as large.
    folder.write({FILE: json_text(content, indent=None)})


def _state(path: str) -> _State:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]

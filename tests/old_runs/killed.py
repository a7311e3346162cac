"""A run that is killed by the operating system, in a process of its own: ``python -m tests.old_runs.killed genes FOLDER 3``."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import genokeras as gk
from genokeras.engine.store import TrialStore
from genokeras.projects import training
from tests.old_runs import samples, settings

KINDS = {"genes": "genome_classifier", "sequences": "sequence_classifier"}


def fit(kind: str, folder: Path, max_trials: int, resume: bool = False) -> Any:
    """The estimator of a run of ``kind``, trained for a number of trials, earlier ones included."""
    name, source, options, further = settings.estimator_kinds()[KINDS[kind]]
    found = getattr(samples, source)()
    given = {**settings.COMMON, **options, "max_trials": max_trials, "resume": resume}
    est = getattr(gk, name)(folder, **given)
    return est.fit(
        settings.samples(KINDS[kind], found),
        found["y"],
        **{argument: found[argument] for argument in further},
    )


def train_project(folder: Path) -> Any:
    with contextlib.chdir(folder):
        return gk.auto("project.json", verbose=0).train()


def _kill_behind(function: Callable[..., None], count: int) -> Callable[..., None]:
    """The function, but for the kill that follows its call number ``count``."""
    calls = 0

    def called(*args: Any, **kwargs: Any) -> None:
        nonlocal calls
        function(*args, **kwargs)
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)

    return called


def main(kind: str, folder: Path, count: int, max_trials: int = 20) -> None:
    """Train, and be killed behind a number of jobs or steps; 0 is not at all."""
    if kind == "project":
        training.write_json = _kill_behind(training.write_json, count)  # type: ignore[assignment]
        train_project(folder)
    else:
        TrialStore.write = _kill_behind(TrialStore.write, count)  # type: ignore[method-assign]
        fit(kind, folder, max_trials)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))

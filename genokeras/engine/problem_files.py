"""The problem of a run in its folder.

::

    data.npz          targets ("codes"), folds, weights; of tables also n_classes, n_features, medians and further splits
    task.json         what is predicted; runs of tables before it was written are of classes
    features.npz      tables: coordinates and row spaces; or encoder.json and content.npz: see genokeras.encoders.files
    split_1_view_0.npz  those of a view in a further split, from when a trial first read it there
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genokeras.encoders import TableEncoder
from genokeras.encoders.files import has_samples, read_samples, write_samples
from genokeras.engine.problem import PARTS, Problem, ScoredRows
from genokeras.engine.splits import FurtherSplits
from genokeras.errors import RunFolderError
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from genokeras.tasks.known import read_task
from genokeras.tasks.task import Task

ROWS_FILE, TASK_FILE = "data.npz", "task.json"


def write_problem(folder: RunFolder, problem: Problem) -> None:
    """Write the rows' part, the task, and last encoder and samples."""
    data: dict[str, Any] = {
        "codes": problem.targets,
        "train": problem.train,
        "held_out": problem.held_out,
        "sample_weight": problem.sample_weight,
    }
    if problem.moved is not None:
        data["moved"] = problem.moved
    encoder = problem.encoder
    if isinstance(encoder, TableEncoder) and encoder.medians is not None:
        data["medians"] = encoder.medians
    if problem.further is not None:
        data["further_held_out"] = problem.further.held_out
    folder.write_arrays(ROWS_FILE, data)
    folder.write_json(TASK_FILE, problem.task.to_dict())
    write_samples(folder, encoder, problem.rows)


def has_problem(folder: RunFolder) -> bool:
    """Whether the problem of a run was written to the end."""
    return folder.has(ROWS_FILE) and has_samples(folder)


def read_problem(folder: RunFolder) -> Problem:
    """The inverse of :func:`write_problem`.

    Raises
    ------
    RunFolderError
        If a file is missing or damaged, or the task is a custom one that is not known.
    """
    with folder.reading():
        data = folder.read_arrays(ROWS_FILE)
        encoder, rows = read_samples(folder, data.get("medians"))
        try:
            return Problem(
                targets=data["codes"],
                held_out=data["held_out"],
                sample_weight=data["sample_weight"],
                encoder=encoder,
                rows=rows,
                task=_task(folder, data),
                train=data["train"],
                groups=read_groups(folder),
                moved=data.get("moved"),
                fingerprint=read_fingerprint(folder),
                further=FurtherSplits(data["further_held_out"], folder=folder)
                if "further_held_out" in data
                else None,
            )
        except KeyError as error:
            raise RunFolderError(
                f"{ROWS_FILE} or {TASK_FILE} of {str(folder.path)!r} lacks {error}."
            ) from error


def read_scored_rows(folder: RunFolder) -> ScoredRows:
    """The rows' part alone: no samples are read."""
    with folder.reading():
        data = folder.read_arrays(ROWS_FILE)
        return ScoredRows(data["codes"], data["held_out"], data["sample_weight"])


def read_task_of(folder: RunFolder) -> Task:
    """What a run predicts; no samples are read.

    Raises
    ------
    RunFolderError
        If it is a custom task that is not known, or its file is damaged.
    """
    with folder.reading():
        return _task(folder, folder.read_arrays(ROWS_FILE) if not folder.has(TASK_FILE) else {})


def read_groups(folder: RunFolder) -> np.ndarray | None:
    """``(n_samples,)`` group numbers of the run, or None."""
    groups = folder.settings.get("groups")
    return None if groups is None else np.asarray(groups)


def read_fingerprint(folder: RunFolder) -> dict[str, str]:
    """A digest of each part of the problem; empty where the run is older than these."""
    held = folder.settings.get("fingerprint") or {}
    return {name: str(held[name]) for name in PARTS if name in held}


def _task(folder: RunFolder, data: dict[str, np.ndarray]) -> Task:
    if not folder.has(TASK_FILE):
        return Classes(int(data["n_classes"]))
    try:
        return read_task(folder.read_json(TASK_FILE))
    except (KeyError, TypeError) as error:
        raise RunFolderError(f"{TASK_FILE} of {str(folder.path)!r} is incomplete: {error}.") from error

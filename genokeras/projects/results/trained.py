"""Trained models of a project: declared by a record written last, found again by the project's name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genokeras.engine.model_files import versions
from genokeras.errors import NotFittedError, RunFolderError
from genokeras.projects.results.outputs import MODEL_FILE, OutputFolder, check_save_dir
from genokeras.support.json_files import read_json, write_json
from genokeras.support.wording import counted, did_you_mean, listed

TRAINED_FILE = "trained.json"
FORMAT = 1


@dataclass(frozen=True)
class TrainedRecord:
    """What ``trained.json`` says of the model beside it.

    Parameters
    ----------
    model_type, task : str
        As in the configuration: "ResNet", "classification".
    parameters : mapping
        What was chosen, the learning rate among it.
    classes : sequence of str
        In the order of the model's outputs; empty without classes.
    feature_names : sequence of str
        In the order of the model's inputs.
    config : mapping
        The configuration, as JSON data.
    metrics : mapping
        What the model scored on the rows held out.
    seconds : float
        That training took.
    names_given : bool
        False where the feature names were made up.
    extra : mapping
        Whatever else is to be known of it, JSON values.
    """

    model_type: str
    task: str
    parameters: Mapping[str, Any]
    classes: Sequence[str]
    feature_names: Sequence[str]
    config: Mapping[str, Any]
    metrics: Mapping[str, Any]
    seconds: float
    names_given: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the numbers that are predicted, in the order of the model's outputs; one name without numbers."""
        return tuple(self.extra.get("targets") or ("value",))


@dataclass(frozen=True)
class TrainedModel:
    """A trained model on disk: its run's folders, its file, and what is known of it."""

    folder: OutputFolder
    path: Path
    record: TrainedRecord


def finish(path: Path, record: TrainedRecord) -> Path:
    """Declare a model trained: write ``trained.json`` beside it, the last of its files.

    Parameters
    ----------
    path : pathlib.Path
        The model's file.
    record : TrainedRecord

    Raises
    ------
    RunFolderError
        If the model is not there, or the record cannot be written.
    """
    if not path.is_file():
        raise RunFolderError(f"{str(path)!r} does not exist: save the model before its record is written.")
    when = datetime.now(UTC).isoformat(timespec="microseconds")
    content = {"format": FORMAT, "finished": when, **asdict(record), "versions": versions()}
    return write_json(path.with_name(TRAINED_FILE), content)


def newest(
    save_dir: str | os.PathLike[str],
    name: str,
    subfolder: str = "",
    model_type: str | None = None,
    task: str | None = None,
) -> TrainedModel:
    """Find the model of a project whose training finished last.

    Parameters
    ----------
    save_dir : path-like
    name : str
        The project's name.
    subfolder : str
        As in :class:`OutputFolder`.
    model_type, task : str, optional
        Models of another type, or that learnt something else, are passed over.

    Raises
    ------
    NotFittedError
        If there is none.
    RunFolderError
        If `save_dir` is a file.
    """
    check_save_dir(save_dir)
    models = Path(save_dir) / subfolder / "models"
    found: list[tuple[str, str, TrainedModel]] = []
    problems = []
    for path in sorted((models / name).glob(f"*/*/{TRAINED_FILE}")):
        folder = OutputFolder(Path(save_dir), name, path.parent.parent.name, subfolder)
        try:
            when, record = read_record(path)
        except RunFolderError as error:
            problems.append(str(error).rstrip("."))
            continue
        if task is not None and task != record.task:
            problems.append(f"{path}: learnt {record.task}, not {task}")
        elif model_type in (None, record.model_type):
            found.append((when, folder.stamp, TrainedModel(folder, path.with_name(MODEL_FILE), record)))
        else:
            problems.append(f"{path}: a {record.model_type}, not a {model_type}")
    if not found:
        raise NotFittedError(_none_found(models, name, problems))
    # By date, as the stamps of two runs say nothing of the year.
    return max(found, key=lambda one: one[:2])[2]


def read_record(path: Path) -> tuple[str, TrainedRecord]:
    """Return when training finished, and the record.

    Raises
    ------
    RunFolderError
        Where it cannot be used: it says why.
    """
    if not path.with_name(MODEL_FILE).is_file():
        raise RunFolderError(f"{path} has no {MODEL_FILE} beside it")
    return _read(path)


def input_names(model: Path) -> tuple[str, ...] | None:
    """Return the names of the features that a model reads, in its order, from the record beside it.

    None where there is no record, or the features had no names.

    Raises
    ------
    RunFolderError
        Where the record cannot be used: it says why.
    """
    path = model.with_name(TRAINED_FILE)
    if not path.is_file():
        return None
    _, record = _read(path)
    return tuple(record.feature_names) if record.names_given else None


def _read(path: Path) -> tuple[str, TrainedRecord]:
    content = read_json(path, format=FORMAT)
    names = [one.name for one in fields(TrainedRecord)]
    missing = [key for key in (*names, "finished") if key not in content]
    if missing:
        raise RunFolderError(f"{path} lacks {listed(missing)}")
    values = {key: content[key] for key in names}
    values |= {key: tuple(values[key]) for key in ("classes", "feature_names")}
    return str(content["finished"]), TrainedRecord(**values)


def _none_found(models: Path, name: str, problems: Sequence[str]) -> str:
    runs = [run for run in (models / name).glob("*") if run.is_dir()]
    if problems:
        state = f"What is there cannot be used: {'; '.join(problems)}."
    elif runs:
        state = f"There {'is' if len(runs) == 1 else 'are'} {counted(len(runs), 'run')}, none finished."
    else:
        others = sorted(other.name for other in models.glob("*") if other.is_dir())
        hint = f" There are models of {listed(map(repr, others))}." if others else ""
        state = f"There is no such folder.{did_you_mean(name, others) or hint}"
    return (
        f"project {name!r} has no trained model: looked for <MMDD_HHMMSS>/<parameters>/{TRAINED_FILE} in "
        f"{str((models / name).absolute())!r}. {state} Call train() first, or set trainer.save_dir to where it was called."
    )

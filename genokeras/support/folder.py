"""The run folder: everything a run is, as JSON, npz and ``.keras``; written aside, synced and renamed, never pickled.

::

    run.lock                 which process writes, while one does
    queue/                   jobs, where several processes search the run
    run.json                 settings, versions, seed, data fingerprint, classes, features
    data.npz, features.npz   class numbers and folds; the fitted views
    split_1_view_0.npz       a view in a further split into folds
    journal.jsonl            one line an event with its checksum, append-only
    trials/000017/           graph.json, weights.npz, predictions.npz; error.txt where it failed
    history.json             of a finished run of a thousand trials or more: what their graph.json say, in one file
    result.json              the estimate and the ensemble, once the run is finished
    best.keras, best.json    the delivered model, its classes and feature names
    command.json             what --target of genokeras fit was
"""

from __future__ import annotations

import copy
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.errors import GenoKerasError, RunFolderError
from genokeras.support.files import (
    DAMAGED,
    append_lines,
    copy_tree,
    read_arrays,
    remove_left,
    save_arrays,
    unwritable,
    written_together,
)
from genokeras.support.journal import event_of, line_of, read_journal
from genokeras.support.json_files import check_format, json_text, read_json, write_json
from genokeras.support.run_lock import LOCK_FILE
from genokeras.support.temporary import keep_folder
from genokeras.support.wording import cause

FORMAT = 1
_JOURNAL = "journal.jsonl"
# Of the processes that search one run.
QUEUE = "queue"
# What a folder may hold that is empty to its user: our lock and queue, and what systems leave to show it.
_NOT_OURS = (LOCK_FILE, QUEUE, ".DS_Store", "Thumbs.db", "desktop.ini")
# What a run may have written beside run.json and its trials.
_FILES = (
    *(
        "removed_weights.json",
        "history.json",
        "result.json",
        "best.keras",
        "best.json",
        "final.npz",
        _JOURNAL,
        "arcs.json",
        "panel.json",
        "command.json",
    ),
    *("data.npz", "features.npz", "task.json", "encoder.json", "backbone.keras", "content.npz"),
)


class RunFolder:
    """One run on disk.

    Parameters
    ----------
    path : path-like
        An existing run folder; see :meth:`create` for a new one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = _place(path)
        self.settings: dict[str, Any] = self._read_settings()

    def __getstate__(self) -> dict[str, Any]:
        # Who unpickles it, maybe in another process, will look for the folder.
        keep_folder(self.path)
        return dict(vars(self))

    def __deepcopy__(self, memo: dict[int, Any]) -> RunFolder:
        again = object.__new__(type(self))
        vars(again).update(copy.deepcopy(vars(self), memo))
        return again

    @classmethod
    def create(
        cls, path: str | os.PathLike[str], settings: Mapping[str, Any], replace: str | None = None
    ) -> RunFolder:
        """Make a new run folder.

        Parameters
        ----------
        path : path-like
        settings : mapping
            What ``run.json`` says, JSON values.
        replace : str, optional
            The ``run_id`` of a run that may be overwritten.

        Raises
        ------
        RunFolderError
            If the path cannot be written, holds another run, or holds files that are no run.
        """
        folder = _place(path)
        _refuse_foreign(folder, replace)
        try:
            if cls.exists(folder):
                _remove_run(folder)
            (folder / "trials").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from error
        write_json(folder / "run.json", {"format": FORMAT, "run_id": uuid.uuid4().hex, **settings})
        return cls(folder)

    @staticmethod
    def check_free(path: str | os.PathLike[str], replace: str | None = None) -> None:
        """See that a new run may be made at a place.

        Parameters
        ----------
        path : path-like
        replace : str, optional
            The ``run_id`` of a run that may be overwritten.

        Raises
        ------
        RunFolderError
            If it holds another run, or files that are no run.
        """
        _refuse_foreign(_place(path), replace)

    @staticmethod
    def exists(path: str | os.PathLike[str]) -> bool:
        """Whether ``path`` holds a run."""
        return (_place(path) / "run.json").exists()

    def _read_settings(self) -> dict[str, Any]:
        if not self.exists(self.path):
            raise RunFolderError(
                f"{str(self.path)!r} is not a run folder made by GenoKeras: it has no run.json."
            )
        return read_json(self.path / "run.json", format=FORMAT)

    @property
    def run_id(self) -> str:
        return str(self.settings["run_id"])

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say of values that are missing or of another kind than they should be that the folder is damaged.

        Raises
        ------
        RunFolderError
            In place of the errors of Python and its libraries.
        """
        try:
            yield
        except GenoKerasError:
            raise
        except DAMAGED as error:
            raise RunFolderError(
                f"the run folder {str(self.path)!r} is damaged ({type(error).__name__}: {cause(error)}). Copy it again from where "
                "it was made, or fit again with another path."
            ) from error

    def check_there(self) -> None:
        """See that the folder has not been moved or removed.

        Raises
        ------
        RunFolderError
            If it has.
        """
        if not self.exists(self.path):
            raise RunFolderError(
                f"the run folder {str(self.path)!r} is gone: it was moved or removed. Put it back, or load the run from where it "
                "is now with gk.load_estimator(path). Predictions need no run folder."
            )

    # ---- journal

    def record(self, event: str, **values: Any) -> None:
        """Append one line to the journal and wait until it is on the disk."""
        self.record_all([{"event": event, **values}])

    def record_all(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Append a line an event, and wait for the disk once."""
        append_lines(self.path / _JOURNAL, [line_of(event) for event in events], event_of)

    def journal(self) -> Iterator[dict[str, Any]]:
        """The events so far; damaged lines are left out."""
        return (event for _, event in read_journal(self.path / _JOURNAL) if event is not None)

    def damaged_lines(self) -> list[int]:
        """Numbers of the lines of the journal that are damaged, from 1."""
        return [number for number, event in read_journal(self.path / _JOURNAL) if event is None]

    # ---- values

    def write(self, files: Mapping[str, Any]) -> None:
        """Write several files: arrays as npz, mappings as JSON, text as it is; each whole, and one after the other.

        Parameters
        ----------
        files : mapping of str to mapping, str or callable
            Contents by name. The suffix, ``.npz`` or ``.json``, says what a mapping is; a callable writes to the path it is given.
        """
        with written_together([self.path / name for name in files]) as asides:
            for aside, content in zip(asides, files.values(), strict=True):
                if isinstance(content, str):
                    aside.write_text(content, encoding="utf-8")
                elif callable(content):
                    content(aside)
                elif aside.suffix == ".npz":
                    save_arrays(aside, content)
                else:
                    aside.write_text(json_text({"format": FORMAT, **content}) + "\n", encoding="utf-8")

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self.write({name: content})

    def read_json(self, name: str) -> dict[str, Any]:
        self.check_there()
        content = read_json(self.path / name)
        check_format(repr(str(self.path / name)), content.get("format", FORMAT), FORMAT)
        return content

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        self.write({name: arrays})

    def write_text(self, name: str, text: str) -> None:
        self.write({name: text})

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        self.check_there()
        return read_arrays(self.path / name)

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    # ---- trials

    def trial_name(self, trial_id: int) -> str:
        return f"trials/{trial_id:06d}"

    def begun_trials(self) -> list[int]:
        """Trials that have a folder, in order, whether their record is complete or not."""
        with suppress(FileNotFoundError):
            # Not "000006 (copy)", "6" or digits of other scripts.
            names = [name for name in os.listdir(self.path / "trials") if name.isdecimal()]
            return sorted(int(name) for name in names if f"{int(name):06d}" == name)
        return []

    def trial_ids(self) -> list[int]:
        """Trials whose record is complete, in order."""
        place = os.fspath(self.path)
        return [
            number
            for number in self.begun_trials()
            if os.path.exists(f"{place}/{self.trial_name(number)}/graph.json")
        ]

    def tidy(self) -> None:
        """Remove what processes left that were killed while they wrote."""
        for folder in (self.path, *(self.path / "trials").glob("*")):
            remove_left(folder)

    def copy_to(self, path: str | os.PathLike[str]) -> RunFolder:
        """A copy of the whole run at a new place.

        Raises
        ------
        RunFolderError
            If this run folder is gone, or the place is taken or cannot be written.
        """
        self.check_there()
        target = _place(path)
        if target.resolve() == self.path.resolve():
            return self
        _refuse_foreign(target, self.run_id)
        copy_tree(self.path, target, without=(LOCK_FILE, QUEUE))
        return RunFolder(target)


def _place(path: str | os.PathLike[str]) -> Path:
    """The path as it is from every folder: a program may change into another one later."""
    return Path(path).expanduser().absolute()


def _refuse_foreign(folder: Path, allowed: str | None) -> None:
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(
            f"the run folder {str(folder)!r} is a file. Give a path= that is a folder or does not exist yet."
        )
    if (folder / "run.json").exists():
        held = read_json(folder / "run.json").get("run_id")
        if allowed is None or held != allowed:
            raise RunFolderError(
                f"{str(folder)!r} holds another run, which would be lost. Give another path, one such as 'runs/{{}}' "
                "for a new number with every fit, resume=True to go on with that run, or remove the folder."
            )
    elif folder.exists() and not all(path.name in _NOT_OURS for path in folder.iterdir()):
        raise RunFolderError(
            f"{str(folder)!r} is not empty and holds no run. Give a path that is empty or does not exist yet."
        )


def _remove_run(folder: Path) -> None:
    """Remove what a run wrote but ``run.json``, which the next one replaces: without it the folder would be no run's."""
    for name in ("trials", "drawings", "tokenizer"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in [*folder.glob("split_*_view_*.npz"), *(folder / name for name in _FILES)]:
        path.unlink(missing_ok=True)

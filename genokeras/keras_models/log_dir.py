"""The folder of a training: its parameters, history, snapshot and model."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import keras

from genokeras.errors import RunFolderError
from genokeras.support.files import append_lines, unwritable, write_text, written_aside
from genokeras.support.json_files import plain_json, read_json, write_json
from genokeras.support.wording import listed
from genokeras.tuning import ParamSpec
from genokeras.visible import plain_cell

_FORMAT = 1


@final
class LogDir:
    """Paths of a training, and what is read from and written to them.

    Parameters
    ----------
    path : path-like
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.spec = self.path / "spec.json"
        self.history = self.path / "history.csv"
        self.snapshot = self.path / "snapshot.npz"
        self.model = self.path / "model.keras"

    def begin(self, settings: Mapping[str, Any], spec: ParamSpec) -> bool:
        """Make the folder, or find the training that is in it.

        Parameters
        ----------
        settings : mapping
            What else must be the same for a training to be resumed.
        spec : ParamSpec

        Returns
        -------
        bool
            Whether there is a snapshot to resume from.

        Raises
        ------
        RunFolderError
            If it is a file, holds a training of other parameters, or cannot be written.
        """
        if self.path.exists() and not self.path.is_dir():
            raise RunFolderError(
                f"log_dir must be a folder, but {str(self.path)!r} is a file: give another path. The folder is made where "
                "there is none."
            )
        here = plain_json({"format": _FORMAT, **settings, "param_spec": spec.to_dict()}, str)
        if self.snapshot.exists() and self.spec.exists():
            differing = _differing(self._settings(), here)
            if differing:
                raise RunFolderError(
                    f"{self.path} holds a training of other parameters: {listed(differing)}. Give another log_dir, or "
                    "remove this one to begin again."
                )
            return True
        write_json(self.spec, {**here, "reasons": spec.reasons})
        try:
            self.history.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self.history, error) from error
        return False

    def param_spec(self) -> ParamSpec:
        """The parameters of the training.

        Raises
        ------
        RunFolderError
            If the folder holds no training.
        """
        found = self._settings()
        return ParamSpec.from_dict(found["param_spec"], found.get("reasons"))

    def require_snapshot(self) -> Path:
        """The snapshot.

        Raises
        ------
        RunFolderError
            If there is none.
        """
        if not self.snapshot.exists():
            raise RunFolderError(
                f"{self.path} holds no trained weights: train with this log_dir first, or pass checkpoint_path=..."
            )
        return self.snapshot

    def cut_history(self, step: int) -> None:
        """Leave out the lines behind a step, which will be written again."""
        if self.history.exists():
            head, *rows = self.history.read_text(encoding="utf-8").splitlines()
            kept = [
                row for row in rows if row.count(",") == head.count(",") and int(row.split(",")[0]) <= step
            ]
            write_text(self.history, "\n".join([head, *kept]) + "\n")

    def add_history(self, row: Mapping[str, float]) -> None:
        """Add a line; the first one brings the names of the columns.

        Raises
        ------
        RunFolderError
            If the file cannot be written.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.history.exists():
            writer.writerow(map(plain_cell, row))
        writer.writerow(row.values())
        append_lines(self.history, text.getvalue().splitlines())

    def save_model(self, model: keras.Model) -> None:
        """Write the model, whole or not at all.

        Raises
        ------
        RunFolderError
            If the file cannot be written.
        """
        with written_aside(self.model) as aside:
            model.save(aside)

    def _settings(self) -> dict[str, Any]:
        if not self.spec.exists():
            raise RunFolderError(f"{self.path} holds no training: there is no {self.spec.name}.")
        found = read_json(self.spec, format=_FORMAT)
        if "param_spec" not in found:
            raise RunFolderError(f"{self.spec} is damaged: it holds no param_spec.")
        return found


def _differing(there: dict[str, Any], here: dict[str, Any]) -> list[str]:
    there, here = {**there, **there["param_spec"]}, {**here, **here["param_spec"]}
    names = [
        n for n in {**there, **here} if n not in ("param_spec", "reasons") and there.get(n) != here.get(n)
    ]
    return [f"{name} {there.get(name, 'not set')} there, {here.get(name, 'not set')} here" for name in names]

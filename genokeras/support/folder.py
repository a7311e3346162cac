"""The run folder: everything a run is, as JSON, npz and ``.keras``; written aside and renamed, never pickled.

::

    run.json                 settings, versions, seed, data fingerprint, classes, features
    data.npz, features.npz   class numbers and folds; the fitted views
    journal.jsonl            one line an event, append-only
    trials/000017/           graph.json, weights.npz, predictions.npz; error.txt where it failed
    result.json              the estimate and the ensemble, once the run is finished
    best.keras, best.json    the delivered model, its classes and feature names
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.errors import RunFolderError

FORMAT = 1


class RunFolder:
    """One run on disk.

    Parameters
    ----------
    path : path-like
        An existing run folder; see :meth:`create` for a new one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.settings: dict[str, Any] = self._read_settings()

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
        folder = Path(path)
        _refuse_foreign(folder, replace)
        try:
            if (folder / "run.json").exists():
                _remove_run(folder)
            (folder / "trials").mkdir(parents=True, exist_ok=True)
            content = {"format": FORMAT, "run_id": uuid.uuid4().hex, **settings}
            _write_json(folder / "run.json", content)
        except OSError as error:
            raise RunFolderError(
                f"cannot write the run folder {str(folder)!r}: {error.strerror or error}. Give a path= that can be written."
            ) from error
        return cls(folder)

    @staticmethod
    def exists(path: str | os.PathLike[str]) -> bool:
        """Whether ``path`` holds a run."""
        return (Path(path) / "run.json").exists()

    def _read_settings(self) -> dict[str, Any]:
        settings = _read_json(self.path / "run.json", "a run folder made by GenoKeras", self.path)
        if settings.get("format") != FORMAT:
            raise RunFolderError(
                f"{str(self.path / 'run.json')!r} has format {settings.get('format')!r}; this version of GenoKeras reads {FORMAT}."
            )
        return settings

    @property
    def run_id(self) -> str:
        return str(self.settings["run_id"])

    # ---- journal

    def record(self, event: str, **values: Any) -> None:
        """Append one line to the journal and flush it to the disk."""
        with (self.path / "journal.jsonl").open("a", encoding="utf-8") as journal:
            journal.write(json.dumps({"event": event, **values}, default=_plain) + "\n")
            journal.flush()

    def journal(self) -> Iterator[dict[str, Any]]:
        """The events so far; a last line that a crash cut short is left out."""
        path = self.path / "journal.jsonl"
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    yield json.loads(line)
                except json.JSONDecodeError:
                    return

    # ---- values

    def write_json(self, name: str, content: Mapping[str, Any]) -> None:
        _write_json(self.path / name, {"format": FORMAT, **content})

    def read_json(self, name: str) -> dict[str, Any]:
        return _read_json(self.path / name, f"{name} of a run", self.path)

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        with aside.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        os.replace(aside, path)

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        try:
            with np.load(self.path / name, allow_pickle=False) as arrays:
                return {key: arrays[key] for key in arrays.files}
        except (OSError, ValueError, EOFError) as error:
            raise RunFolderError(f"cannot read {str(self.path / name)!r} of the run: {error}.") from error

    def has(self, name: str) -> bool:
        return (self.path / name).exists()

    # ---- trials

    def trial_name(self, trial_id: int) -> str:
        return f"trials/{trial_id:06d}"

    def trial_ids(self) -> list[int]:
        """Trials whose record is complete, in order."""
        found = (self.path / "trials").glob("*/graph.json")
        return sorted(int(path.parent.name) for path in found)

    def write_text(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(path.name + ".part")
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, path)

    def copy_to(self, path: str | os.PathLike[str]) -> RunFolder:
        """A copy of the whole run at a new place."""
        target = Path(path)
        if target.resolve() == self.path.resolve():
            return self
        _refuse_foreign(target, self.run_id)
        shutil.copytree(self.path, target, dirs_exist_ok=True)
        return RunFolder(target)


def _refuse_foreign(folder: Path, allowed: str | None) -> None:
    if folder.exists() and not folder.is_dir():
        raise RunFolderError(
            f"the run folder {str(folder)!r} is a file. Give a path= that is a folder or does not exist yet."
        )
    if (folder / "run.json").exists():
        held = _read_json(folder / "run.json", "a run", folder).get("run_id")
        if allowed is None or held != allowed:
            raise RunFolderError(
                f"{str(folder)!r} holds another run, which would be lost. Give another path, resume=True to go on with that "
                "run, or remove the folder."
            )
    elif folder.exists() and any(folder.iterdir()):
        raise RunFolderError(
            f"{str(folder)!r} is not empty and holds no run. Give a path that is empty or does not exist yet."
        )


def _remove_run(folder: Path) -> None:
    for name in ("trials", "drawings"):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (
        "run.json",
        "journal.jsonl",
        "data.npz",
        "features.npz",
        "result.json",
        "best.keras",
        "best.json",
    ):
        (folder / name).unlink(missing_ok=True)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_text(json.dumps(content, indent=1, default=_plain, ensure_ascii=False), encoding="utf-8")
    os.replace(aside, path)


def _read_json(path: Path, what: str, folder: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunFolderError(f"{str(folder)!r} is not {what}: it has no {path.name}.") from None
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunFolderError(f"cannot read {str(path)!r}: {error}.") from error
    if not isinstance(content, dict):
        raise RunFolderError(f"{str(path)!r} should hold a JSON object, got {type(content).__name__}.")
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not a JSON value")

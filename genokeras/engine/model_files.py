"""A delivered model as a file, and beside it a JSON file with what its numbers mean."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from genokeras.support.files import written_aside
from genokeras.support.json_files import write_json


def write_model(model: Any, path: Path, sidecar: Mapping[str, Any], estimate: Mapping[str, Any]) -> None:
    """Save a delivered model and its sidecar.

    Parameters
    ----------
    model : keras.Model
    path : pathlib.Path
    sidecar : mapping
        What the model reads and answers.
    estimate : mapping

    Raises
    ------
    RunFolderError
        If the place cannot be written.
    """
    with written_aside(path) as aside:
        model.save(aside)
    write_sidecar(path, sidecar, estimate)


def sidecar_path(model: Path) -> Path:
    """The JSON file that belongs to an exported model: ``model.json``, beside a folder of that name too."""
    return model.with_name(f"{model.name}.json") if model.is_dir() else model.with_suffix(".json")


def write_sidecar(model: Path, sidecar: Mapping[str, Any], estimate: Mapping[str, Any]) -> Path:
    """Write what an exported model reads and answers, its estimate, and the versions it depends on.

    Raises
    ------
    RunFolderError
        If the place cannot be written.
    """
    content = {"format": 1, **sidecar, "estimate": dict(estimate), "versions": versions()}
    return write_json(sidecar_path(model), content)


def versions() -> dict[str, str]:
    """Versions of what a result depends on."""
    names = ("genokeras", "keras", "numpy", "scikit-learn", "scipy")
    found = {"backend": keras.backend.backend()}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found

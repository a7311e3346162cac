"""A delivered model as a file, and beside it a JSON file with what its numbers mean."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from genokeras.support.files import written_together
from genokeras.support.json_files import json_text, write_json

# Of the JSON file beside a model.
FORMAT = 1


def write_model(model: Any, path: Path, sidecar: Mapping[str, Any], estimate: Mapping[str, Any]) -> None:
    """Save a delivered model and its sidecar, both whole before either has its name.

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
    with written_together([path, sidecar_path(path)]) as (aside, beside):
        model.save(aside)
        beside.write_text(json_text(sidecar_content(sidecar, estimate)) + "\n", encoding="utf-8")


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
    return write_json(sidecar_path(model), sidecar_content(sidecar, estimate))


def sidecar_content(sidecar: Mapping[str, Any], estimate: Mapping[str, Any]) -> dict[str, Any]:
    """What :func:`write_sidecar` writes."""
    return {"format": FORMAT, **sidecar, "estimate": dict(estimate), "versions": versions()}


def reading_sidecar(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Of tables, how new ones are read: columns to leave out, the layer of single cells, blocks and their categories, and what becomes of gaps.

    Parameters
    ----------
    kind : str
    settings : mapping
        Of ``run.json``.
    """
    if kind != "genome":
        return {}
    asked = settings.get("settings", {})
    given = {name: settings[name] for name in ("drop_columns", "blocks", "adapt") if settings.get(name)}
    if asked.get("layer"):
        given["layer"] = asked["layer"]
    if "blocks" in given:
        given["missing_blocks"] = asked.get("missing_blocks", "drop")
        given["fills"] = asked.get("missing", "error") != "error"
    return {"reading": given}


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

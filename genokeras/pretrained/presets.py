"""Tasks of keras-hub by the name, address or folder of a preset, and plain words where one cannot be loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import keras

from genokeras.errors import DataFileError, ParameterError
from genokeras.support.hub import load_hub, loading, preset_source
from genokeras.support.json_files import read_json
from genokeras.support.wording import listed

Kind = Literal["ObjectDetector", "TextClassifier"]
_SPOKEN: dict[Kind, str] = {"ObjectDetector": "an object detector", "TextClassifier": "a text classifier"}


def load_task(kind: Kind, preset: str | os.PathLike[str]) -> Any:
    """The keras-hub task of a preset, with weights and preprocessing.

    Parameters
    ----------
    kind : {"ObjectDetector", "TextClassifier"}
        The task's class in ``keras_hub.models``.
    preset : str or path-like
        A name that keras-hub knows, an address (``kaggle://``, ``hf://``, ``modelscope://``, ``gs://``), or a folder that
        ``save_to_preset`` wrote.

    Raises
    ------
    ParameterError
        If keras-hub is missing, there is no such preset, or it holds another kind of model or an untrained head.
    DataFileError
        If the files cannot be downloaded or read.
    """
    hub = load_hub()
    source = preset_source(preset, getattr(hub.models, kind), _SPOKEN[kind])
    with loading(source, _SPOKEN[kind]):
        if os.path.isabs(source):
            _check_folder(hub, kind, Path(source))
        task = _from_preset(hub, kind, source)
    if task.preprocessor is None:
        raise ParameterError(
            f"{source!r} holds no preprocessing, so that it cannot read raw input: save a task that has a preprocessor."
        )
    return task


def _check_folder(hub: Any, kind: Kind, folder: Path) -> None:
    """Refuse a folder that holds another kind of model, or whose head keras-hub would fill with random numbers."""
    config = _held(folder / "config.json")
    if config is None:
        holds = listed(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise DataFileError(f"{folder} is no preset: it has no config.json. It holds {holds}.")
    tasks = (_held(folder / "metadata.json") or {}).get("tasks") or [kind]
    if kind not in tasks:
        raise ParameterError(
            f"{folder} is not {_SPOKEN[kind]}: its {config.get('class_name', 'model')} is for {listed(tasks)}."
        )
    task = _held(folder / "task.json") or {}
    if kind == "TextClassifier" and "registered_name" in config:
        found = keras.saving.get_registered_object(str(task.get("registered_name")))
        headed = isinstance(found, type) and issubclass(found, hub.models.TextClassifier)
        if not headed or not (folder / "task.weights.h5").is_file():
            raise _no_head(kind, str(folder))


def _held(path: Path) -> dict[str, Any] | None:
    return read_json(path, error=DataFileError) if path.is_file() else None


def _from_preset(hub: Any, kind: Kind, source: str) -> Any:
    task = getattr(hub.models, kind)
    try:
        return task.from_preset(source)
    except TypeError as error:
        if "num_classes" not in str(error):
            raise
        # D-FINE keeps its trained classes in the backbone and is published without the rest of the task.
        classes = getattr(hub.models.Backbone.from_preset(source, load_weights=False), "num_labels", None)
        if kind != "ObjectDetector" or not classes:
            raise _no_head(kind, source) from error
    return task.from_preset(source, num_classes=classes)


def _no_head(kind: Kind, source: str) -> ParameterError:
    return ParameterError(
        f"{source!r} holds a backbone without trained classes, so that {_SPOKEN[kind]} made of it would guess. Load a preset that was "
        "trained for your classes, or train one with keras-hub and save it by save_to_preset."
    )

"""Tasks of keras-hub by the name, address or folder of a preset, and plain words where one cannot be loaded."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any, Literal

import keras

from genokeras.errors import DataFileError, GenoKerasError, ParameterError
from genokeras.pretrained.downloads import check_hugging_face, remove_empty_folders
from genokeras.support.wording import did_you_mean, listed

Kind = Literal["ObjectDetector", "TextClassifier"]
_SPOKEN: dict[Kind, str] = {"ObjectDetector": "an object detector", "TextClassifier": "a text classifier"}
_LONGEST_CAUSE = 300


def load_hub() -> Any:
    """The package ``keras_hub``.

    Raises
    ------
    ParameterError
        If it is not installed or cannot be imported.
    """
    try:
        return importlib.import_module("keras_hub")
    except ImportError as error:
        raise ParameterError(
            f"pretrained models need keras-hub, which cannot be imported ({error}). Run: pip install 'genokeras[pretrained]'"
        ) from error


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
    source = _source(hub, kind, preset)
    try:
        if os.path.isabs(source):
            _check_folder(hub, kind, Path(source))
        else:
            check_hugging_face(source)
        task = _from_preset(hub, kind, source)
    except GenoKerasError:
        raise
    except (
        Exception
    ) as error:  # what kagglehub, huggingface_hub, TensorFlow and Keras raise has no parent in common
        remove_empty_folders(_address(hub, source))
        raise _explained(error, kind, source) from error
    if task.preprocessor is None:
        raise ParameterError(
            f"{source!r} holds no preprocessing, so that it cannot read raw input: save a task that has a preprocessor."
        )
    return task


def _source(hub: Any, kind: Kind, preset: str | os.PathLike[str]) -> str:
    """What keras-hub loads from: a name or an address as given, a folder as an absolute path."""
    if not isinstance(preset, str | os.PathLike) or not os.fspath(preset):
        raise ParameterError(f"preset must be a name, an address or a folder of a preset: got {preset!r}.")
    name = str(os.fspath(preset))
    if "://" in name:
        return name
    if isinstance(preset, str) and name in hub.models.Backbone.presets:
        _check_kind(kind, name, list(getattr(hub.models, kind).presets))
        return name
    path = Path(name).expanduser()
    if path.is_dir():
        return str(path.absolute())
    if path.exists():
        raise DataFileError(
            f"{path} is a file: a preset is a folder that save_to_preset of a keras-hub task wrote."
        )
    if not isinstance(preset, str) or path.name != name:
        raise DataFileError(
            f"there is no folder {name}: a preset is one that save_to_preset of a keras-hub task wrote."
        )
    close = did_you_mean(name, list(getattr(hub.models, kind).presets))
    raise ParameterError(
        f"keras-hub {hub.__version__} knows no preset {name!r}, and there is no such folder here.{close} All names: "
        f"keras_hub.models.{kind}.presets. Addresses look like 'hf://user/model'."
    )


def _check_kind(kind: Kind, name: str, fitting: list[str]) -> None:
    if name not in fitting:
        raise ParameterError(f"the preset {name!r} is not {_SPOKEN[kind]}. Those are: {listed(fitting)}.")


def _check_folder(hub: Any, kind: Kind, folder: Path) -> None:
    """Refuse a folder that holds another kind of model, or whose head keras-hub would fill with random numbers."""
    config = _read_json(folder / "config.json")
    if config is None:
        holds = listed(sorted(path.name for path in folder.iterdir())) or "nothing"
        raise DataFileError(f"{folder} is no preset: it has no config.json. It holds {holds}.")
    tasks = (_read_json(folder / "metadata.json") or {}).get("tasks") or [kind]
    if kind not in tasks:
        raise ParameterError(
            f"{folder} is not {_SPOKEN[kind]}: its {config.get('class_name', 'model')} is for {listed(tasks)}."
        )
    task = _read_json(folder / "task.json") or {}
    if kind == "TextClassifier" and "registered_name" in config:
        found = keras.saving.get_registered_object(str(task.get("registered_name")))
        headed = isinstance(found, type) and issubclass(found, hub.models.TextClassifier)
        if not headed or not (folder / "task.weights.h5").is_file():
            raise _no_head(kind, str(folder))


def _read_json(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataFileError(f"{path} is damaged: it is not JSON ({error}).") from error
    if not isinstance(content, dict):
        raise DataFileError(f"{path} is damaged: expected a JSON object, got {type(content).__name__}.")
    return content


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


def _address(hub: Any, source: str) -> str:
    known = hub.models.Backbone.presets.get(source)
    return known["kaggle_handle"] if known else source


def _explained(error: Exception, kind: Kind, source: str) -> GenoKerasError:
    cause = (" ".join(str(error).split()) or type(error).__name__)[:_LONGEST_CAUSE].rstrip(".")
    if isinstance(error, ValueError | TypeError | ImportError):
        return ParameterError(f"{source!r} cannot be loaded as {_SPOKEN[kind]}: {cause}.")
    if os.path.isabs(source):
        return DataFileError(f"{source} cannot be read as {_SPOKEN[kind]}: {cause}.")
    return DataFileError(
        f"the preset {source!r} cannot be downloaded: {cause}. Check the connection, or load a folder that save_to_preset wrote."
    )

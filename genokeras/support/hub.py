"""keras-hub and its presets: loaded in one place, with plain words where that fails (the extra ``genokeras[pretrained]``)."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genokeras.errors import DataFileError, GenoKerasError, ParameterError
from genokeras.support.downloads import check_hugging_face, remove_empty_folders
from genokeras.support.extras import install_command
from genokeras.support.wording import cause, did_you_mean, listed


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
            f"presets need keras-hub, which cannot be imported ({error}). Run: {install_command('pretrained')}"
        ) from error


def preset_source(preset: str | os.PathLike[str], kind: Any, spoken: str) -> str:
    """What keras-hub loads from: a name or an address as given, a folder as an absolute path.

    Parameters
    ----------
    preset : str or path-like
        A name that keras-hub knows, an address (``kaggle://``, ``hf://``, ``modelscope://``, ``gs://``), or a folder that
        ``save_to_preset`` wrote.
    kind : type
        The class of keras-hub that is to be loaded.
    spoken : str
        What messages call it, such as "a text classifier".

    Raises
    ------
    ParameterError
        If there is no such preset, or it is known to be of another kind.
    DataFileError
        If a folder is meant, but there is none.
    """
    if not isinstance(preset, str | os.PathLike) or not os.fspath(preset):
        raise ParameterError(f"preset must be a name, an address or a folder of a preset: got {preset!r}.")
    name, hub = str(os.fspath(preset)), load_hub()
    if "://" in name:
        return name
    if isinstance(preset, str) and name in hub.models.Backbone.presets:
        fitting = getattr(kind, "presets", {})
        if issubclass(kind, hub.models.Task) and name not in fitting:
            raise ParameterError(f"the preset {name!r} is not {spoken}. Those are: {listed(fitting)}.")
        return name
    path = Path(name).expanduser()
    if path.is_dir():
        return str(path.absolute())
    if path.exists():
        raise DataFileError(
            f"{path} is a file: a preset is a folder that save_to_preset of keras-hub wrote. A Keras model in a file is read "
            "by keras.saving.load_model."
        )
    if not isinstance(preset, str) or path.name != name:
        raise DataFileError(
            f"there is no folder {name}: a preset is one that save_to_preset of keras-hub wrote."
        )
    known = getattr(kind, "presets", {})
    raise ParameterError(
        f"keras-hub {hub.__version__} knows no preset {name!r}, and there is no such folder here.{did_you_mean(name, known)} "
        f"All names: keras_hub.models.{kind.__name__}.presets. Addresses look like 'hf://user/model'."
    )


@contextmanager
def loading(source: str, spoken: str) -> Iterator[None]:
    """Say in words why a preset cannot be loaded, and leave nothing of a download that failed.

    Parameters
    ----------
    source : str
        As :func:`preset_source` gives it.
    spoken : str
        What is loaded, such as "a text classifier".

    Raises
    ------
    ParameterError
        If it is something else.
    DataFileError
        If its files cannot be downloaded or read.
    """
    try:
        if not os.path.isabs(source):
            check_hugging_face(source)
        yield
    except GenoKerasError:
        raise
    except (
        Exception
    ) as error:  # kagglehub, huggingface_hub, TensorFlow and Keras raise what has no parent in common
        known = load_hub().models.Backbone.presets.get(source)
        remove_empty_folders(known["kaggle_handle"] if known else source)
        raise _explained(error, source, spoken) from error


def load_part(kind: Any, preset: str | os.PathLike[str], spoken: str, **options: Any) -> Any:
    """A part of a preset, such as its backbone or its tokenizer.

    Parameters
    ----------
    kind : type
        A class of keras-hub with ``from_preset``.
    preset : str or path-like
    spoken : str
        What messages call it.
    **options
        For ``from_preset``.

    Raises
    ------
    ParameterError
        If there is no such preset, or it is something else.
    DataFileError
        If its files cannot be downloaded or read.
    """
    source = preset_source(preset, kind, spoken)
    with loading(source, spoken):
        return kind.from_preset(source, **options)


def _explained(error: Exception, source: str, spoken: str) -> GenoKerasError:
    if isinstance(error, ValueError | TypeError | ImportError):
        return ParameterError(f"{source!r} cannot be loaded as {spoken}: {cause(error)}.")
    if os.path.isabs(source):
        return DataFileError(f"{source} cannot be read as {spoken}: {cause(error)}.")
    return DataFileError(
        f"the preset {source!r} cannot be downloaded: {cause(error)}. Check the connection, or load a folder that save_to_preset wrote."
    )

"""The formats: their suffixes, which backend can write them, and what has to be installed for it."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import keras

from genokeras.errors import ParameterError
from genokeras.support.checks import check_choice
from genokeras.support.extras import install_command
from genokeras.support.wording import did_you_mean

FORMATS = ("keras", "tf_saved_model", "onnx", "litert", "torchscript")
SUFFIXES = {"keras": ".keras", "onnx": ".onnx", "litert": ".tflite", "torchscript": ".pt"}
# Format -> backend that can write it -> packages that it takes to write and to check it.
_NEEDS: dict[str, dict[str, tuple[str, ...]]] = {
    "keras": {"tensorflow": (), "jax": (), "torch": ()},
    "tf_saved_model": {"tensorflow": ("tensorflow",), "jax": ("tensorflow",)},
    "onnx": {"tensorflow": ("onnx", "tf2onnx", "onnxruntime"), "torch": ("onnx", "onnxruntime")},
    "litert": {"tensorflow": ("tensorflow",)},
    "torchscript": {"torch": ("torch",)},
}


def choose_format(path: str | os.PathLike[str], format: str | None = None) -> tuple[str, Path]:
    """The format that a path and a format name mean together, and the path with its suffix.

    Parameters
    ----------
    path : path-like
        ``.keras``, ``.onnx``, ``.tflite`` and ``.pt`` are known; a name without suffix is a folder.
    format : str, optional
        One of ``FORMATS``; its suffix is added where the path has none.

    Raises
    ------
    ParameterError
        If the format or the suffix is unknown, or one contradicts the other.
    """
    target = Path(path)
    by_suffix = {suffix: name for name, suffix in SUFFIXES.items()}
    suggested = by_suffix.get(target.suffix.lower())
    if format is None:
        if suggested is None and target.suffix:
            raise ParameterError(
                f"the suffix {target.suffix!r} of {str(target)!r} belongs to no format; known are "
                f"{', '.join(f'{suffix} ({name})' for suffix, name in by_suffix.items())}; for a folder pass "
                f"format='tf_saved_model'.{did_you_mean(target.suffix, list(by_suffix))} Or pass format= by name, whose suffix "
                "is then added."
            )
        return suggested or "tf_saved_model", target
    check_choice(format, "format", FORMATS)
    if suggested not in (None, format):
        raise ParameterError(
            f"{str(target)!r} ends as a file of the format {suggested!r} does, but format={format!r} was asked for: "
            "change one of them."
        )
    if suggested is None and format in SUFFIXES:
        target = target.with_name(target.name + SUFFIXES[format])
    return format, target


def format_problem(format: str) -> str | None:
    """Why a model cannot be written in a format here, and what can be done about it; None if it can.

    Parameters
    ----------
    format : str
        One of ``FORMATS``.

    Raises
    ------
    ParameterError
        If there is no such format.
    """
    check_choice(format, "format", FORMATS)
    backend = keras.backend.backend()
    needed = _NEEDS[format].get(backend)
    if needed is None:
        able = [name for name in FORMATS if backend in _NEEDS[name]]
        others = " or ".join(_NEEDS[format])
        return (
            f"the backend {backend!r} cannot write the format {format!r}; it can write {', '.join(able)}. Save the model as "
            f".keras, and export that file in a process with the environment variable KERAS_BACKEND set to {others}."
        )
    missing = [name for name in needed if find_spec(name) is None]
    if missing:
        return (
            f"the format {format!r} needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            f"installed. Run: {install_command('export')}"
        )
    return None

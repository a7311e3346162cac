"""The model of a run as a file for other programs, and beside it what its numbers mean."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from genokeras.engine.fitted import FinishedRun, write_model, write_sidecar
from genokeras.exports import choose_format, export_model_as

_SUFFIXES = (".onnx", ".tflite", ".pt")


def export_run(
    run: FinishedRun,
    model: Any,
    path: str | os.PathLike[str],
    format: str | None = None,
    examples: Callable[[], Any] = lambda: None,
    answers_name: str = "probabilities",
) -> Path:
    """Write what a run delivers.

    Parameters
    ----------
    run : FinishedRun
    model : keras.Model
    path : path-like
        Where neither format nor suffix says otherwise, a ``.keras`` file.
    format : str, optional
        One of ``genokeras.exports.FORMATS``.
    examples : callable, optional
        Makes inputs to compare the export on.
    answers_name : str
        Of the model's output, in formats that name it.

    Returns
    -------
    pathlib.Path
        The file, or the folder of a ``tf_saved_model``.
    """
    known = format is not None or Path(path).suffix.lower() in _SUFFIXES
    chosen, target = choose_format(path, format if known else "keras")
    if chosen == "keras":
        write_model(model, target, run)
        return target
    done = export_model_as(model, target, chosen, examples=examples(), output_names=[answers_name])
    write_sidecar(done.path, run)
    return done.path

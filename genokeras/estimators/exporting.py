"""The model of a run as a file for other programs, and beside it what its numbers mean."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genokeras.engine import Run
from genokeras.engine.model_files import write_model, write_sidecar
from genokeras.exports import choose_format, export_model_as
from genokeras.exports.formats import SUFFIXES

_FOREIGN = (
    ".h5",
    ".hdf5",
    ".pb",
    ".pth",
    ".ckpt",
    ".pkl",
    ".joblib",
    ".safetensors",
    ".json",
    ".npz",
    ".lite",
)


def export_run(
    run: Run,
    path: str | os.PathLike[str],
    format: str | None = None,
    examples: Callable[[], Any] = lambda: None,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write what a run delivers.

    Parameters
    ----------
    run : Run
    path : path-like
        A name without the suffix of a format becomes a ``.keras`` file.
    format : str, optional
        One of ``genokeras.exports.FORMATS``.
    examples : callable, optional
        Makes inputs to compare the export on.
    about : mapping, optional
        Further entries of the file beside it, ``answers`` among them where the model's differ.

    Returns
    -------
    pathlib.Path
        The file, or the folder of a ``tf_saved_model``.

    Raises
    ------
    ParameterError
        If the suffix is that of another program's models, such as ``.h5``.
    """
    # "model.v2" is a name; "model.h5" asks for a format.
    if format is None and Path(path).suffix.lower() not in (*SUFFIXES.values(), *_FOREIGN):
        format = "keras"
    chosen, target = choose_format(path, format)
    sidecar = {**run.sidecar(), **(about or {})}
    if chosen == "keras":
        write_model(run.model, target, sidecar, run.delivery.estimate)
        return target
    done = export_model_as(
        run.model, target, chosen, examples=examples(), output_names=[str(sidecar["answers"])]
    )
    write_sidecar(done.path, sidecar, run.delivery.estimate)
    return done.path

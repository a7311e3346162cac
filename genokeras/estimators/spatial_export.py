"""The model of a run of sequences, images or texts as a file for other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.exports import choose_format, export_model_as
from genokeras.runs.fitted import write_model, write_sidecar
from genokeras.spatial import SpatialRun, take

_EXAMPLES = 32
_SUFFIXES = (".onnx", ".tflite", ".pt")


def export_spatial(run: SpatialRun, path: str | os.PathLike[str], format: str | None = None) -> Path:
    """Write what a run delivers; ``.keras`` where neither format nor suffix says otherwise.

    Parameters
    ----------
    run : SpatialRun
    path : path-like
    format : str, optional
        One of ``genokeras.exports.FORMATS``.

    Returns
    -------
    pathlib.Path
        The file, or the folder of a ``tf_saved_model``.
    """
    known = format is not None or Path(path).suffix.lower() in _SUFFIXES
    chosen, target = choose_format(path, format if known else "keras")
    if chosen == "keras":
        write_model(run.model, target, run)
        return target
    done = export_model_as(run.model, target, chosen, examples=_examples(run), output_names=["probabilities"])
    write_sidecar(done.path, run)
    return done.path


def _examples(run: SpatialRun) -> Any:
    encoder, rows = run.problem.encoder, run.problem.rows
    n = min(_EXAMPLES, len(run.problem.codes))
    inputs = encoder.model_inputs(take(rows, np.arange(n)))
    read = [inputs[tensor.name] for tensor in run.model.inputs]
    return read if len(read) > 1 else read[0]

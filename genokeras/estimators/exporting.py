"""The model of a run as a file for other programs, and beside it what its numbers mean."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from genokeras.errors import ParameterError
from genokeras.explain.runs import training_rows
from genokeras.exports import choose_format, export_model_as
from genokeras.runs.fitted import FittedRun, write_model, write_sidecar

_EXAMPLES = 64
_SUFFIXES = (".onnx", ".tflite", ".pt")


def export_run(run: FittedRun, path: str | os.PathLike[str], format: str | None = None) -> Path:
    """Write what a run delivers.

    Parameters
    ----------
    run : FittedRun
    path : path-like
        Where neither format nor suffix says otherwise, a ``.keras`` file.
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


def _examples(run: FittedRun) -> np.ndarray | None:
    """Training rows, one of them with a missing value where the model fills these in."""
    try:
        rows = training_rows(run.problem, most=_EXAMPLES)
    except ParameterError:  # no view of all features: random rows will have to do
        return None
    if run.problem.medians is not None:
        rows[0, 0] = np.nan
    return rows

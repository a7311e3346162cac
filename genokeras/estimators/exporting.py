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
from genokeras.support.wording import closest

# Of other programs' models, with a digit; those of letters alone ask for a format in any case.
_FOREIGN = (".h5", ".hdf5")
# ".pt2" is like ".pt", ".p2" is not.
_LIKE = 0.7


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
        A name without a suffix becomes a ``.keras`` file.
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
        If the suffix is that of no format, as ``.h5`` or ``.onxn``; one with digits, as in ``model.v2``, belongs to the name.
    """
    if format is None and not _asks_for_format(Path(path).suffix.lower()):
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


def _asks_for_format(suffix: str) -> bool:
    """Whether what stands behind the last dot is a format, well or badly spelled: "model.v2" and "model.2026" are names."""
    return (
        suffix[1:].isalpha() or suffix in _FOREIGN or bool(closest(suffix, SUFFIXES.values(), cutoff=_LIKE))
    )

"""The files a project leaves in a run's output folder: predictions, latent vectors, metrics, the confusion matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genokeras.data.numerals import ROUND_TRIP
from genokeras.errors import ParameterError
from genokeras.projects.results.outputs import OutputFolder
from genokeras.report.confusion import label_codes, plot_confusion
from genokeras.support.files import written_aside
from genokeras.support.json_files import write_json
from genokeras.visible import original_table, plain_table

SAMPLE_ID, PREDICTED, SOFTMAX = "sample_id", "predicted_result", "softmax_value"

_DIGITS = 7  # what a float32 holds


def write_predictions(
    folder: OutputFolder,
    model_type: str,
    sample_ids: Sequence[str],
    predicted: Sequence[Any] | np.ndarray,
    probabilities: np.ndarray | None,
    names: Sequence[str],
    ids_given: bool,
) -> Path:
    """Write what was predicted, a row a sample, as ``<model type>_predicted_result_data_frame.csv``.

    Columns: ``sample_id`` where the ids were given; ``predicted_result``, the class's name or the number, or
    ``predicted_<target>`` for each of several numbers; for classes also ``softmax_value``, the probabilities of all of them as in
    ``"[0.1, 0.9]"``, and ``probability_<class>`` each.

    Parameters
    ----------
    folder : OutputFolder
    model_type : str
    sample_ids : sequence of str, length n_samples
    predicted : array-like
        ``(n_samples,)`` codes or names of classes, or ``(n_samples, n_targets)`` numbers.
    probabilities : ndarray of shape (n_samples, n_classes), or None
        None for numbers.
    names : sequence of str
        Of the classes, or of the numbers.
    ids_given : bool

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ParameterError
        If the lengths differ or a prediction is no class.
    RunFolderError
        If it cannot be written.
    """
    table = _with_ids(sample_ids, ids_given, len(predicted), "predicted")
    if probabilities is None:
        numbers = np.asarray(predicted, dtype=float).reshape(len(predicted), -1)
        for name, column in zip(names, numbers.T, strict=True):
            head = PREDICTED if len(names) == 1 else f"predicted_{name}"
            table[head] = [_number(value) for value in column]
    else:
        chances = np.asarray(probabilities, dtype=float)
        if chances.shape != (len(predicted), len(names)):
            raise ParameterError(
                f"probabilities must have one row a sample and one column a class, shape ({len(predicted)}, "
                f"{len(names)}); got {chances.shape}."
            )
        rounded = [[_number(value) for value in row] for row in chances]
        table[PREDICTED] = [names[code] for code in label_codes(predicted, names, "predicted")]
        table[SOFTMAX] = [json.dumps(row) for row in rounded]
        for place, name in enumerate(names):
            table[f"probability_{name}"] = [row[place] for row in rounded]
    return _write_table(folder.outputs / f"{model_type}_predicted_result_data_frame.csv", table)


def write_latent(
    folder: OutputFolder, model_type: str, sample_ids: Sequence[str], latent: np.ndarray, ids_given: bool
) -> Path:
    """Write latent vectors, a row a sample, as ``<model type>_latent_vectors.csv``.

    Columns: ``sample_id`` where the ids were given; ``latent_0``, ``latent_1``...

    Parameters
    ----------
    folder : OutputFolder
    model_type : str
    sample_ids : sequence of str, length n_samples
    latent : ndarray of shape (n_samples, n_latent)
    ids_given : bool

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    RunFolderError
        If it cannot be written.
    """
    vectors = np.asarray(latent, dtype=float)
    if vectors.ndim != 2:
        raise ParameterError(f"latent must have shape (n_samples, n_latent); got {vectors.shape}.")
    table = _with_ids(sample_ids, ids_given, len(vectors), "latent")
    for place, column in enumerate(vectors.T):
        table[f"latent_{place}"] = [_number(value) for value in column]
    return _write_table(folder.outputs / f"{model_type}_latent_vectors.csv", table)


def write_metrics(folder: OutputFolder, model_type: str, metrics: Mapping[str, Any]) -> Path:
    """Write an evaluation's figures as ``<model type>_metrics.json``; one that is not finite becomes null."""
    return write_json(folder.outputs / f"{model_type}_metrics.json", metrics)


def write_confusion(
    folder: OutputFolder,
    model_type: str,
    truth: Sequence[Any] | np.ndarray,
    predicted: Sequence[Any] | np.ndarray,
    classes: Sequence[str],
    title: str | None = None,
) -> Path:
    """Draw the confusion matrix as ``<model type>_confusion_matrix.pdf``; see :func:`plot_confusion`."""
    path = folder.outputs / f"{model_type}_confusion_matrix.pdf"
    return plot_confusion(truth, predicted, classes, path, title)


def read_table(path: Path, classes: Sequence[str]) -> pd.DataFrame:
    """Read a table of this module back: ids and names of classes are what they were, without an apostrophe before formulas.

    Parameters
    ----------
    path : pathlib.Path
    classes : sequence of str
        Empty without classes. Where all are whole numbers, so are the predictions.
    """
    kinds: dict[str, Any] = {SAMPLE_ID: str}
    if not all(name.isdecimal() and str(int(name)) == name for name in classes):
        kinds[PREDICTED] = str
    # A class may be called "NA".
    return original_table(
        pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values=[""], float_precision=ROUND_TRIP)
    )


def _with_ids(sample_ids: Sequence[str], ids_given: bool, n_rows: int, what: str) -> dict[str, list[Any]]:
    if len(sample_ids) != n_rows:
        raise ParameterError(
            f"{what} must have one row per sample: expected {len(sample_ids)}, got {n_rows}."
        )
    return {SAMPLE_ID: list(sample_ids)} if ids_given else {}


def _write_table(path: Path, table: Mapping[str, list[Any]]) -> Path:
    with written_aside(path) as aside:
        plain_table(pd.DataFrame(table)).to_csv(aside, index=False, encoding="utf-8", lineterminator="\n")
    return path


def _number(value: float) -> float:
    """Without the digits that a float32 does not hold: 0.9, not 0.899999976."""
    return float(f"{value:.{_DIGITS}g}")

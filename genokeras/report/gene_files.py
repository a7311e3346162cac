"""An explanation as files: of genes a table of markers and a picture for each class; of places see ``place_files``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from genokeras.explain import (
    Explanation,
    Stability,
    marker_table,
    plot_output,
    plot_total,
    write_marker_tables,
)
from genokeras.report.genes import TOP_GENES
from genokeras.report.picture import rendered
from genokeras.report.place_files import Places, write_places
from genokeras.support.files import write_bytes

_ALL = "genes_of_all_classes.pdf"


def write_explanation(
    explanation: Explanation | Places,
    folder: str | os.PathLike[str],
    *,
    stability: Stability | None = None,
    plot_type: str = "dot",
    top: int = TOP_GENES,
    images: np.ndarray | None = None,
) -> list[Path]:
    """Write an explanation's marker tables and pictures, or its scores of letters, words or pixels.

    Parameters
    ----------
    explanation : Explanation or SampleExplanation
        What ``explain`` of any estimator gives.
    folder : path-like
        Made where it is missing; files of these names in it are replaced.
    stability : Stability, optional
        For a column of the tables.
    plot_type : {"bar", "dot", "violin", "layered_violin"}
    top : int, default=20
        Genes of a picture; the tables hold all.
    images : numpy.ndarray, optional
        Where images were explained: these, ``(n_samples, height, width[, channels])``, for the pictures.

    Returns
    -------
    list of pathlib.Path
        ``markers.csv``, a row for each gene and class; ``genes_of_all_classes.pdf``; ``genes_of_class_0.pdf`` and so on, in the
        order of the classes. Of letters and words ``scores.csv``, a row a place; of images ``scores.npz`` and ``pictures.pdf``.

    Raises
    ------
    ParameterError
        If there is no such plot type, or there are not as many images as explained samples.
    RunFolderError
        If the folder cannot be written.
    """
    if not isinstance(explanation, Explanation):
        return write_places(explanation, folder, images)
    target = Path(folder)
    pictures = {_ALL: plot_total(explanation, top)}
    for number, name in enumerate(explanation.output_names):
        pictures[f"genes_of_class_{number}.pdf"] = plot_output(explanation, name, plot_type, top)
    written = [write_marker_tables(marker_table(explanation, stability=stability), target / "markers.csv")]
    drawn = (write_bytes(target / name, rendered(picture, "pdf")) for name, picture in pictures.items())
    return [*written, *drawn]

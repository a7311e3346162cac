"""Latent vectors of samples as points in a plane: leading components, or UMAP where it is installed."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from genokeras.report.picture import house_style
from genokeras.report.plane import draw_plane, plane_of
from genokeras.support.files import write_bytes


def plot_latent(
    vectors: np.ndarray,
    path: str | os.PathLike[str],
    *,
    method: str = "pca",
    labels: Sequence[Any] | np.ndarray | None = None,
    seed: int = 0,
) -> Path:
    """Draw samples by their latent vectors into a PDF.

    Parameters
    ----------
    vectors : ndarray of shape (n_samples, n_latent)
    path : path-like
    method : {"pca", "umap"}
        Axes: the two leading principal components, with their shares of the variance; or a plane in which neighbours stay
        neighbours (McInnes et al. 2018, UMAP), whose distances far apart mean nothing.
    labels : sequence, optional
        A class for each sample, by which points are coloured.
    seed : int
        Of UMAP.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If there are fewer than 3 samples, the method is unknown, or UMAP is not installed.
    RunFolderError
        If the path cannot be written.

    Examples
    --------
    >>> plot_latent(vectors, "latent.pdf", labels=diagnoses)  # doctest: +SKIP
    """
    points = np.asarray(vectors, dtype="float64").reshape(len(vectors), -1)
    plane, names = plane_of(points, method, seed)
    content = io.BytesIO()
    with house_style():
        figure = Figure(figsize=(6, 5), layout="constrained")
        axes = figure.add_subplot()
        draw_plane(axes, plane, None if labels is None else np.asarray(labels).astype(str))
        axes.set(xlabel=names[0], ylabel=names[1])
        figure.savefig(content, format="pdf", metadata={"CreationDate": None})
    return write_bytes(path, content.getvalue())

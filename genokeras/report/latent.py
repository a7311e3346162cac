"""Latent vectors of samples as points in a plane: leading components, or UMAP where it is installed."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from genokeras.errors import ParameterError
from genokeras.report.picture import house_style, shown
from genokeras.support.checks import check_choice
from genokeras.support.extras import needs
from genokeras.support.files import write_bytes

METHODS = ("pca", "umap")
FEWEST_POINTS = 3
_NEIGHBOURS, _POINT = 15, 18


def latent_methods() -> tuple[str, ...]:
    """What can be drawn here: "umap" needs ``pip install 'genokeras[umap]'``."""
    return METHODS if find_spec("umap") is not None else METHODS[:1]


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
    check_choice(method, "method", METHODS)
    if len(points) < FEWEST_POINTS:
        raise ParameterError(
            f"a picture of latent vectors needs {FEWEST_POINTS} samples or more, got {len(points)}."
        )
    plane, axes_names = _by_components(points) if method == "pca" else _by_umap(points, seed)
    content = io.BytesIO()
    with house_style():
        figure = Figure(figsize=(6, 5), layout="constrained")
        axes = figure.add_subplot()
        names = np.full(len(points), "") if labels is None else np.asarray(labels).astype(str)
        for name in sorted(set(names.tolist())):
            own = plane[names == name]
            axes.scatter(own[:, 0], own[:, 1], s=_POINT, alpha=0.8, linewidths=0, label=shown([name])[0])
        axes.set_xlabel(axes_names[0])
        axes.set_ylabel(axes_names[1])
        if labels is not None:
            axes.legend(frameon=False)
        figure.savefig(content, format="pdf", metadata={"CreationDate": None})
    return write_bytes(path, content.getvalue())


def _by_components(points: np.ndarray) -> tuple[np.ndarray, list[str]]:
    centred = points - points.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    plane = np.zeros((len(points), 2))
    found = left[:, :2] * sizes[:2]
    plane[:, : found.shape[1]] = found
    shares = np.zeros(2)
    shares[: len(sizes[:2])] = sizes[:2] ** 2 / max(float((sizes**2).sum()), 1e-300)
    return plane, [f"component {i + 1} ({share:.0%} of the variance)" for i, share in enumerate(shares)]


def _by_umap(points: np.ndarray, seed: int) -> tuple[np.ndarray, list[str]]:
    if find_spec("umap") is None:
        raise ParameterError(needs("method='umap'", "umap-learn", "umap") + ".")
    neighbours = min(_NEIGHBOURS, len(points) - 1)
    start = "random" if len(points) <= 2 * FEWEST_POINTS else "spectral"
    made = import_module("umap").UMAP(n_neighbors=neighbours, random_state=seed, init=start, n_jobs=1)
    return np.asarray(made.fit_transform(points)), ["UMAP 1", "UMAP 2"]

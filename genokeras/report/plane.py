"""Samples as points in a plane, by what moves most genes: two leading components, or UMAP where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from matplotlib.axes import Axes

from genokeras.errors import ParameterError
from genokeras.report.picture import COLOURS, FAINT, INK, Picture, house_style, shown, write_note
from genokeras.support.checks import check_choice
from genokeras.support.extras import needs

METHODS = ("pca", "umap")
FEWEST_POINTS = 3
_NEIGHBOURS, _COMPONENTS = 15, 30
_MOST_CLASSES = 12
_MARKS = ("o", "s", "^", "D", "v", "P")


def plane_methods() -> tuple[str, ...]:
    """What can be drawn here: "umap" needs ``pip install 'genokeras[umap]'``."""
    return METHODS if find_spec("umap") is not None else METHODS[:1]


def plane_of(points: np.ndarray, method: str = "pca", seed: int = 0) -> tuple[np.ndarray, list[str]]:
    """Points in a plane, and what its axes are called.

    Parameters
    ----------
    points : numpy.ndarray
        ``(n, k)``.
    method : {"pca", "umap"}
        The two leading principal components, with their shares of the variance; or a plane in which neighbours stay neighbours (McInnes et
        al. 2018, UMAP), whose distances far apart mean nothing.
    seed : int
        Of UMAP.

    Returns
    -------
    plane : numpy.ndarray
        ``(n, 2)``.
    names : list of str

    Raises
    ------
    ParameterError
        If there are fewer than 3 points, the method is unknown, or UMAP is not installed.
    """
    check_choice(method, "method", METHODS)
    if len(points) < FEWEST_POINTS:
        raise ParameterError(f"a plane of samples needs {FEWEST_POINTS} of them or more, got {len(points)}.")
    if method == "umap":
        return _by_umap(points, seed), ["UMAP 1", "UMAP 2"]
    scores, shares = _components(points, 2)
    plane = np.zeros((len(points), 2))
    plane[:, : scores.shape[1]] = scores
    shares = np.append(shares, np.zeros(2))
    return plane, [f"component {i + 1} ({shares[i]:.0%} of the variance)" for i in range(2)]


def _components(points: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores on the leading principal components, and their shares of the variance."""
    centred = points - points.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    shares = sizes**2 / max(float((sizes**2).sum()), 1e-300)
    return left[:, :most] * sizes[:most], shares[:most]


def _by_umap(points: np.ndarray, seed: int) -> np.ndarray:
    if find_spec("umap") is None:
        raise ParameterError(needs("method='umap'", "umap-learn", "umap") + ".")
    neighbours = min(_NEIGHBOURS, len(points) - 1)
    start = "random" if len(points) <= 2 * FEWEST_POINTS else "spectral"
    made = import_module("umap").UMAP(n_neighbors=neighbours, random_state=seed, init=start, n_jobs=1)
    read = points if points.shape[1] <= _COMPONENTS else _components(points, _COMPONENTS)[0]
    return np.asarray(made.fit_transform(read))


def draw_plane(
    axes: Axes,
    plane: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    behind: np.ndarray | None = None,
    wrong: np.ndarray | None = None,
    colour_name: str = "",
) -> None:
    """Draw samples as points.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    plane : numpy.ndarray
        ``(n, 2)``.
    labels : numpy.ndarray, optional
        ``(n,)`` names of classes, or numbers, by which points are coloured.
    behind : numpy.ndarray, optional
        ``(m, 2)`` other samples, in grey.
    wrong : numpy.ndarray, optional
        ``(n,)`` bool: samples with a ring around them.
    colour_name : str
        What the numbers are called.
    """
    if behind is not None and len(behind):
        axes.scatter(
            behind[:, 0],
            behind[:, 1],
            s=14,
            facecolors="none",
            edgecolors="#b8c0c9",
            linewidths=0.8,
            label="training",
        )
    if labels is None:
        axes.scatter(plane[:, 0], plane[:, 1], s=20, color=COLOURS[0], alpha=0.8, linewidths=0)
    elif labels.dtype.kind == "f":
        drawn = axes.scatter(
            plane[:, 0], plane[:, 1], s=20, c=labels, cmap="cividis", alpha=0.9, linewidths=0
        )
        axes.figure.colorbar(drawn, ax=axes, label=shown([colour_name])[0], shrink=0.85)
    else:
        _by_class(axes, plane, labels)
    if wrong is not None and wrong.any():
        axes.scatter(
            plane[wrong, 0],
            plane[wrong, 1],
            s=70,
            facecolors="none",
            edgecolors=INK,
            linewidths=0.9,
            label="predicted wrong",
        )
    axes.set_xticks([])
    axes.set_yticks([])
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)


def _by_class(axes: Axes, plane: np.ndarray, labels: np.ndarray) -> None:
    names, counts = np.unique(labels.astype(str), return_counts=True)
    kept = names[np.sort(np.argsort(-counts, kind="stable")[:_MOST_CLASSES])]
    for number, (name, word) in enumerate(zip(kept, shown(kept.tolist()), strict=True)):
        colour, mark = COLOURS[number % len(COLOURS)], _MARKS[number // len(COLOURS)]
        own = plane[labels.astype(str) == name]
        axes.scatter(
            own[:, 0], own[:, 1], s=20, color=colour, marker=mark, alpha=0.8, linewidths=0, label=word
        )
    others = ~np.isin(labels.astype(str), kept)
    if others.any():
        axes.scatter(
            plane[others, 0],
            plane[others, 1],
            s=14,
            color=FAINT,
            alpha=0.6,
            linewidths=0,
            label="other classes",
        )


@house_style()
def plot_samples(
    points: np.ndarray,
    labels: np.ndarray | None = None,
    *,
    training: np.ndarray | None = None,
    wrong: np.ndarray | None = None,
    method: str = "pca",
    colour_name: str = "",
    note: str = "",
) -> Picture:
    """Samples in a plane.

    Parameters
    ----------
    points : numpy.ndarray
        ``(n, k)`` standardised genes.
    labels, wrong, colour_name
        As for :func:`draw_plane`.
    training : numpy.ndarray, optional
        ``(m, k)`` training samples beside them, in grey; the plane is made by all.
    method : {"pca", "umap"}
    note : str
        Small print.

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        As for :func:`plane_of`.
    """
    both = points if training is None else np.concatenate([points, training])
    plane, names = plane_of(both, method)
    figure = Picture(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    draw_plane(
        axes,
        plane[: len(points)],
        labels,
        behind=None if training is None else plane[len(points) :],
        wrong=wrong,
        colour_name=colour_name,
    )
    title = "Principal components" if method == "pca" else "UMAP"
    axes.set(xlabel=names[0], ylabel=names[1], title=title)
    write_note(figure, note)
    beside = "" if training is None else f" beside {len(training)} training samples"
    figure.alt = f"{title} of {len(points)} samples{beside}: {names[0]}, {names[1]}."
    return figure

"""The most important genes over the samples: a heatmap, alike samples and alike genes beside each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from scipy.cluster.hierarchy import leaves_list, linkage

from genokeras.errors import ParameterError
from genokeras.report.picture import COLOURS, INK, Picture, house_style, shown, write_note

MOST_GENES, _MOST_SAMPLES, _MOST_CLASSES = 40, 300, 12
_LIMIT = 2.5
_PALETTE = (*COLOURS, "#666666", "#8c564b", "#bcbd22", "#17becf", "#9467bd", "#7f7f7f")


@house_style()
def plot_heatmap(
    x: np.ndarray, genes: Sequence[str], labels: np.ndarray | None = None, colour_name: str = ""
) -> Picture:
    """Draw genes over samples, each gene by how many standard deviations a sample is from its mean.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, n_genes)``, logarithms or on a like scale, such as those of `genokeras.explain.scales.loggish`. 40 genes and 300
        samples at most are drawn.
    genes : sequence of str
    labels : numpy.ndarray, optional
        ``(n_samples,)`` classes, which stand side by side, or numbers, by which samples are ordered.
    colour_name : str
        What the numbers are called.

    Returns
    -------
    Picture

    Raises
    ------
    ParameterError
        If there are fewer than three samples or two genes, or values are missing.
    """
    x, genes = np.asarray(x, dtype="float64")[:, :MOST_GENES], list(genes)[:MOST_GENES]
    if len(x) < 3 or x.shape[1] < 2 or not np.isfinite(x).all():
        raise ParameterError(
            f"a heatmap needs three samples and two genes, none of their values missing: got {len(x)} samples and {x.shape[1]} genes."
        )
    picked = np.arange(len(x))
    if len(x) > _MOST_SAMPLES:
        picked = np.sort(np.random.default_rng(0).choice(len(x), _MOST_SAMPLES, replace=False))
    x, labels = x[picked], None if labels is None else labels[picked]
    sd = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(sd > 0, sd, 1.0)
    columns, rows = _sample_order(z, labels), _order(z.T)
    figure = Picture(figsize=(10.0, 1.5 + 0.2 * len(genes)), layout="constrained")
    bar, axes = figure.subplots(2, 1, height_ratios=(1, max(8, 1.4 * len(genes))), sharex=True)
    drawn = axes.imshow(
        z[np.ix_(columns, rows)].T,
        cmap="RdBu_r",
        vmin=-_LIMIT,
        vmax=_LIMIT,
        aspect="auto",
        interpolation="nearest",
    )
    names = shown([genes[i] for i in rows])
    axes.set_yticks(range(len(names)), names, fontsize=7.5, parse_math=False)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.set_xlabel(f"{len(x)} samples")
    figure.colorbar(drawn, ax=axes, label="standard deviations from the mean", shrink=0.8, pad=0.01)
    _draw_labels(figure, bar, None if labels is None else labels[columns], colour_name)
    write_note(figure, "Samples and genes that are alike stand beside each other (average linkage).")
    figure.alt = f"Heatmap of {len(genes)} genes over {len(x)} samples: {', '.join(genes[:5])} and others."
    return figure


def _order(z: np.ndarray) -> np.ndarray:
    """An order of rows in which alike ones are neighbours."""
    if len(z) < 3:
        return np.arange(len(z))
    return np.asarray(leaves_list(linkage(z, "average", optimal_ordering=len(z) <= _MOST_SAMPLES)))


def _sample_order(z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Classes side by side and alike samples together within each; by number; or alike ones together."""
    if labels is None:
        return _order(z)
    if labels.dtype.kind == "f":
        return np.argsort(labels, kind="stable")
    own = [np.flatnonzero(labels.astype(str) == name) for name in np.unique(labels.astype(str))]
    return np.concatenate([rows[_order(z[rows])] for rows in own])


def _draw_labels(figure: Picture, bar: object, labels: np.ndarray | None, colour_name: str) -> None:
    """A strip above the heatmap that says what each sample is."""
    assert hasattr(bar, "imshow") and hasattr(bar, "set_axis_off")
    bar.set_axis_off()
    if labels is None:
        return
    if labels.dtype.kind == "f":
        bar.imshow(labels[None], cmap="cividis", aspect="auto", interpolation="nearest")
        bar.set_title(f"by {shown([colour_name])[0]}, from low to high", fontsize=8.5, parse_math=False)  # type: ignore[attr-defined]
        return
    names = np.unique(labels.astype(str))
    codes = np.minimum(np.searchsorted(names, labels.astype(str)), _MOST_CLASSES - 1)
    bar.imshow(
        codes[None],
        cmap=ListedColormap(_PALETTE),
        vmin=-0.5,
        vmax=len(_PALETTE) - 0.5,
        aspect="auto",
        interpolation="nearest",
    )
    words = shown(names[:_MOST_CLASSES].tolist())
    handles = [Patch(facecolor=_PALETTE[i], label=word) for i, word in enumerate(words)]
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=min(len(words), 6),
        labelcolor=INK,
        handlelength=1.0,
    )

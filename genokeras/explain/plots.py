"""Drawings of an explanation: bars, dots, violins. They are Matplotlib figures without a window and without global state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.font_manager import findfont, get_font
from scipy.stats import gaussian_kde, rankdata

from genokeras.explain.checks import LOG_ODDS
from genokeras.explain.explanation import Explanation
from genokeras.support.checks import check_choice
from genokeras.support.shown_figure import ShownFigure

PLOT_TYPES = ("bar", "dot", "violin", "layered_violin")
_LOW_HIGH = LinearSegmentedColormap.from_list("low_high", ["#2563eb", "#a78bba", "#dc2626"])
_OUTPUT_COLOURS = ("#2563eb", "#d97706", "#059669", "#db2777", "#7c3aed", "#0891b2", "#65a30d", "#b91c1c")
_INK, _FAINT = "#1f2933", "#9aa5b1"
_LONGEST_NAME = 28
_LAYERS = 5
# A bar longer than this share of the longest one would be under the legend, which takes this share of the longest.
_LONG, _LEGEND = 0.6, 0.35
_UNKNOWN = "\u25a1"


def plot_output(explanation: Explanation, output: str, plot_type: str = "dot", top: int = 20) -> ShownFigure:
    """The most important genes of one class or target, as :func:`draw_output` draws them."""
    figure = ShownFigure(figsize=genes_size(explanation, top), layout="constrained")
    draw_output(figure.add_subplot(), explanation, output, plot_type, top)
    return figure


def genes_size(explanation: Explanation, top: int) -> tuple[float, float]:
    """Inches of a picture of so many genes."""
    return 8.0, 1.5 + 0.3 * min(top, explanation.shape[1])


def draw_output(
    axes: Axes, explanation: Explanation, output: str, plot_type: str = "dot", top: int = 20
) -> None:
    """Draw the most important genes of one class or target.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Empty ones; a colour bar takes some of their room.
    explanation : Explanation
    output : str
        The class or target.
    plot_type : {"bar", "dot", "violin", "layered_violin"}
        Mean |value|; each sample's value, coloured by the gene's level; the distribution of the values; the same, in layers from samples with
        low levels to samples with high ones.
    top : int
        Genes shown.

    Raises
    ------
    ParameterError
        If there is no such output or plot type.
    """
    check_choice(plot_type, "plot_type", PLOT_TYPES)
    number = explanation.number_of(output)
    chosen = explanation.order(output)[:top]
    _frame(axes, explanation, chosen)
    values, data = explanation.values[:, chosen, number], explanation.data[:, chosen]
    unit = _safe(output) if explanation.of_numbers else _unit(explanation)
    if plot_type == "bar":
        axes.barh(range(len(chosen)), np.abs(values).mean(axis=0), color=_colour(number), height=0.7)
        axes.set_xlabel(f"mean |value| ({unit})")
    else:
        axes.axvline(0.0, color=_FAINT, linewidth=0.8, zorder=0)
        draw: dict[str, Callable[[Axes, int, np.ndarray, np.ndarray], None]] = {
            "dot": _dots,
            "violin": _violin,
            "layered_violin": _layers,
        }
        for row in range(len(chosen)):
            draw[plot_type](axes, row, values[:, row], _levels(data[:, row]))
        axes.set_xlabel(f"value: what the gene adds ({unit})")
        _colour_bar(axes)
    axes.set_title(_safe(f"Genes for {output}", 60), loc="left", color=_INK, fontsize=12)


def plot_total(explanation: Explanation, top: int = 20) -> ShownFigure:
    """The genes that matter most over all classes or targets, as :func:`draw_total` draws them."""
    figure = ShownFigure(figsize=genes_size(explanation, top), layout="constrained")
    draw_total(figure.add_subplot(), explanation, top)
    return figure


def draw_total(axes: Axes, explanation: Explanation, top: int = 20) -> None:
    """Draw mean |value| of the genes that matter most over all classes or targets, one output behind the other.

    Of more outputs than there are colours, the smallest are drawn as one.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Empty ones.
    explanation : Explanation
    top : int
        Genes shown.
    """
    chosen = explanation.order()[:top]
    _frame(axes, explanation, chosen)
    outputs = "targets" if explanation.of_numbers else "classes"
    left = np.zeros(len(chosen))
    for name, size, colour in _stacked(explanation.output_names, explanation.comparable[chosen]):
        axes.barh(range(len(chosen)), size, left=left, color=colour, height=0.7, label=name)
        left += size
    axes.set_xlabel(f"mean |value|, summed over {outputs} ({_unit(explanation)})")
    axes.set_title(f"Genes for all {outputs}", loc="left", color=_INK, fontsize=12)
    # Room for the legend beside the shortest bars, which are at the bottom.
    if left.min() > _LONG * left.max():
        axes.set_xlim(right=(1 + _LEGEND) * left.max())
    axes.legend(loc="lower right", frameon=False, fontsize=9)


def _stacked(names: Sequence[str], sizes: np.ndarray) -> list[tuple[str, np.ndarray, str]]:
    """Name, sizes ``(n_genes,)`` and colour of each part of the bars, by sizes ``(n_genes, n_outputs)``."""
    own = np.arange(len(names))
    if len(names) > len(_OUTPUT_COLOURS):
        own = np.sort(np.argsort(-sizes.sum(axis=0), kind="stable")[: len(_OUTPUT_COLOURS) - 1])
    found = [(_safe(names[i]), sizes[:, i], _OUTPUT_COLOURS[place]) for place, i in enumerate(own.tolist())]
    if len(own) < len(names):
        found.append((f"{len(names) - len(own)} others", np.delete(sizes, own, axis=1).sum(axis=1), _FAINT))
    return found


def _frame(axes: Axes, explanation: Explanation, chosen: np.ndarray) -> None:
    names = [_safe(explanation.feature_names[i]) for i in chosen]
    axes.set_yticks(range(len(chosen)), names, fontsize=9, color=_INK)
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
    axes.set_axisbelow(True)


def _dots(axes: Axes, row: int, values: np.ndarray, levels: np.ndarray) -> None:
    colours = _LOW_HIGH(levels)
    colours[np.isnan(levels)] = to_rgba(_FAINT)
    axes.scatter(values, row + _swarm(values), s=11, c=colours, linewidths=0, zorder=2)


def _swarm(values: np.ndarray) -> np.ndarray:
    """Small steps up and down, so that dots with much the same value stand side by side."""
    spread = float(np.ptp(values))
    bins = (
        np.round(60 * (values - values.min()) / spread).astype(int)
        if spread > 0
        else np.zeros(len(values), int)
    )
    steps = np.zeros(len(values))
    for place in np.unique(bins):
        members = np.flatnonzero(bins == place)
        order = np.arange(len(members))
        steps[members] = np.where(order % 2, 1, -1) * ((order + 1) // 2)
    return 0.36 * steps / max(float(np.abs(steps).max()), 6.0)


def _violin(axes: Axes, row: int, values: np.ndarray, levels: np.ndarray) -> None:
    places, density = _density(values)
    if not len(places):
        axes.plot(values, np.full(len(values), row), "|", color=_FAINT, markersize=9)
        return
    height = 0.38 * density / density.max()
    nearest = np.exp(-0.5 * ((places[:, None] - values[None]) / (0.08 * np.ptp(values))) ** 2)
    known = ~np.isnan(levels)
    colours = (nearest[:, known] @ levels[known]) / np.maximum(nearest[:, known].sum(axis=1), 1e-12)
    upper = np.stack([places, row + height], axis=1)
    lower = np.stack([places, row - height], axis=1)
    slices = np.stack([upper[:-1], upper[1:], lower[1:], lower[:-1]], axis=1)
    paint = _LOW_HIGH(colours[:-1])
    # A thin edge of the same colour, or the page shines through between the slices.
    axes.add_collection(PolyCollection(list(slices), facecolors=paint, edgecolors=paint, linewidths=0.5))
    axes.update_datalim(np.concatenate([upper, lower]))
    axes.autoscale_view(scaley=False)


def _layers(axes: Axes, row: int, values: np.ndarray, levels: np.ndarray) -> None:
    """Densities of equally many samples each, from low levels to high ones, stacked on one another."""
    places, _ = _density(values)
    if not len(places):
        axes.plot(values, np.full(len(values), row), "|", color=_FAINT, markersize=9)
        return
    order = np.argsort(np.nan_to_num(levels, nan=0.5), kind="stable")
    parts = [values[part] for part in np.array_split(order, min(_LAYERS, len(order)))]
    width = max(float(np.std(values)) * len(values) ** -0.2, 1e-12)
    layers = [np.exp(-0.5 * ((places[:, None] - part) / width) ** 2).sum(axis=1) for part in parts]
    total = np.sum(layers, axis=0)
    lower = -0.38 * total / total.max()
    for i, layer in enumerate(layers):
        upper = lower + 0.76 * layer / total.max()
        colour = _LOW_HIGH(i / max(1, len(layers) - 1))
        axes.fill_between(places, row + lower, row + upper, color=colour, linewidth=0)
        lower = upper


def _density(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places and a smooth density; empty where too few values differ."""
    if len(values) < 3 or np.ptp(values) < 1e-12:
        return np.zeros(0), np.zeros(0)
    margin = 0.1 * np.ptp(values)
    places = np.linspace(values.min() - margin, values.max() + margin, 80)
    return places, gaussian_kde(values.astype("float64"))(places)


def _levels(data: np.ndarray) -> np.ndarray:
    """A gene's values as ranks in [0, 1]; NaN throughout where they do not vary."""
    if len(data) < 2 or np.ptp(data) == 0:
        return np.full(len(data), np.nan)
    return np.asarray((rankdata(data) - 1.0) / (len(data) - 1.0))


def _colour_bar(axes: Axes) -> None:
    bar = axes.figure.colorbar(ScalarMappable(Normalize(0, 1), _LOW_HIGH), ax=axes, aspect=40, pad=0.01)
    bar.set_ticks([0, 1], labels=["low", "high"])
    bar.set_label("level of the gene", fontsize=9, labelpad=-12)
    bar.outline.set_visible(False)


def _colour(number: int) -> str:
    return _OUTPUT_COLOURS[number % len(_OUTPUT_COLOURS)]


def _unit(explanation: Explanation) -> str:
    """What values of all outputs are measured in."""
    if explanation.of_numbers:
        several = len(explanation.output_names) > 1
        return "share of the mean distance from the base" if several else _safe(explanation.output_names[0])
    return "log odds" if explanation.output == LOG_ODDS else "probability"


def _safe(name: str, longest: int = _LONGEST_NAME) -> str:
    """A name as Matplotlib shows it verbatim: no mathematics between dollars, no line ends, not too long."""
    known = _known_characters()
    text = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    text = "".join(c if ord(c) in known else _UNKNOWN for c in text)
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return text.replace("$", r"\$")


@cache
def _known_characters() -> frozenset[int]:
    """What the font that Matplotlib brings along can draw."""
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())

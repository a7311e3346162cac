"""Results as pictures: ``python -m benchmarks.quality pictures --results F [F2 ..] --out FOLDER``.

Two SVG files from the JSON lines that ``run`` writes, where a later line on the same set, fold, tool and time limit replaces an earlier
one. ``critical_difference.svg``: mean ranks over cohorts, each tool at its longest time limit; a bar joins tools whose difference is not
significant by the Nemenyi test. ``quality_by_time.svg``: balanced accuracy and log loss against the seconds a fit took, a point a tool and time
limit. Both use the sets and folds that all tools shown have.

References
----------
Demsar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7: 1-30, section 3.2.2.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox
from scipy.stats import friedmanchisquare, studentized_range

from benchmarks.quality.evaluate import read_lines
from benchmarks.quality.table import common, frame_of, per_cohort

LEVEL = 0.05
# A tool that takes less than this share of its time limit does not heed it.
USES_ITS_TIME = 0.5
OURS, OUR_COLOUR = "genokeras", "#b2182b"
COLOURS = ("#2166ac", "#1b7837", "#8c510a", "#762a83", "#01665e", "#4d4d4d", "#bf812d", "#35978f", "#9970ab")
MARKERS = "osD^vP*X<"
# Measure, whether larger is better.
MEASURES = {"balanced_accuracy": True, "log_loss": False}
STYLE: Any = {
    "svg.fonttype": "none",  # letters stay letters, to be searched and read aloud
    "svg.hashsalt": "genokeras",  # the same results give the same file
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.quality pictures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--results", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder, made where it is not there")
    parser.add_argument("--tools", nargs="+", help="default: all that the results have")
    arguments = parser.parse_args(argv)
    lines = [line for path in arguments.results for line in read_lines(path)]
    frame = frame_of_latest(lines, arguments.tools)
    arguments.out.mkdir(parents=True, exist_ok=True)
    pictures = {"critical_difference": draw_ranks(frame), "quality_by_time": draw_times(frame)}
    for name, figure in pictures.items():
        save(figure, arguments.out / f"{name}.svg")
        print(arguments.out / f"{name}.svg")


def frame_of_latest(lines: list[dict[str, Any]], tools: Sequence[str] | None = None) -> pd.DataFrame:
    """One row a set, fold, tool and time limit; labels not shuffled.

    Raises
    ------
    SystemExit
        If there are fewer than two tools.
    """
    kept = [line for line in lines if not line["shuffle"] and (not tools or line["tool"] in tools)]
    found = sorted({line["tool"] for line in kept})
    if len(found) < 2 or set(tools or []) - set(found):
        raise SystemExit(f"pictures compare two tools or more; the results have {', '.join(found) or 'none'}")
    return frame_of(kept).drop_duplicates(["set", "fold", "tool", "seconds"], keep="last")


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the file's name."""
    with plt.rc_context(STYLE):
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


# ---- ranks


def longest(frame: pd.DataFrame) -> pd.DataFrame:
    """Each tool at its longest time limit, which joins the name of those that heed it, where tools differ in it."""
    frame = frame[frame["seconds"] == frame.groupby("tool")["seconds"].transform("max")]
    if frame["seconds"].nunique() == 1:
        return frame
    used = frame["fit_seconds"].groupby(frame["tool"]).mean() / frame.groupby("tool")["seconds"].max()
    names = [
        f"{tool} ({seconds:g} s)" if used[tool] > USES_ITS_TIME else tool
        for tool, seconds in zip(frame["tool"], frame["seconds"], strict=True)
    ]
    return frame.assign(tool=names)


def critical_difference(n_tools: int, n_cohorts: int, level: float = LEVEL) -> float:
    """Least difference of two mean ranks that is significant: q sqrt(k (k + 1) / (6 N)) (Demsar 2006)."""
    q = studentized_range.ppf(1 - level, n_tools, np.inf) / np.sqrt(2)
    return float(q * np.sqrt(n_tools * (n_tools + 1) / (6 * n_cohorts)))


def cliques(ranks: Sequence[float], difference: float) -> list[tuple[int, int]]:
    """First and last of every longest run of sorted ranks that lie within ``difference`` of each other."""
    found: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(i for i, other in enumerate(ranks) if other - rank <= difference)
        if last > first and (not found or last > found[-1][1]):
            found.append((first, last))
    return found


def draw_ranks(frame: pd.DataFrame) -> Figure:
    """Critical-difference diagrams, one a measure."""
    cohorts = per_cohort(common(longest(frame)))
    if cohorts.index.get_level_values("cohort").nunique() < 2:
        raise SystemExit("ranks need two cohorts or more that all tools have")
    n_tools = cohorts.index.get_level_values("tool").nunique()
    with plt.rc_context(STYLE):
        height = 1.9 + 0.3 * ((n_tools + 1) // 2)
        figure, axes = plt.subplots(2, figsize=(8.5, 2 * height + 0.5), layout="constrained")
        figure.suptitle(
            f"Tools joined by a bar do not differ significantly (Nemenyi, level {LEVEL:g})\n", fontsize=11
        )
        for panel, (measure, greater) in zip(axes, MEASURES.items(), strict=True):
            values = cohorts[measure].unstack("tool").dropna(axis=1)
            _rank_panel(panel, values, greater, measure)
    return figure


def _rank_panel(axes: Axes, values: pd.DataFrame, greater: bool, measure: str) -> None:
    ranks = values.rank(axis=1, ascending=not greater).mean().sort_values()
    n_cohorts, n_tools = values.shape
    difference = critical_difference(n_tools, n_cohorts)
    title = f"Mean rank by {measure.replace('_', ' ')}, {n_cohorts} cohorts (1 is best)"
    if n_tools > 2:
        title += f"; Friedman p = {friedmanchisquare(*values.to_numpy().T).pvalue:.1g}"
    bars = cliques(list(ranks), difference)
    left, right, reach = 1.0, float(n_tools), 0.12 * (n_tools - 1)
    below = 0.55 + 0.28 * len(bars)
    axes.set(
        xlim=(left - 3.2 * reach, right + 3.2 * reach), ylim=(-below - 0.55 * (n_tools + 1) // 2 - 0.3, 2.3)
    )
    axes.axis("off")
    axes.set_title(title, fontsize=12)
    axes.plot([left, right], [0, 0], color="black", linewidth=1)
    for tick in range(1, n_tools + 1):
        axes.plot([tick, tick], [0, 0.14], color="black", linewidth=1)
        axes.text(tick, 0.25, str(tick), ha="center", va="bottom")
    axes.plot([left, left + difference], [1.35, 1.35], color="black", linewidth=1, marker="|")
    axes.text(left, 1.55, f"critical difference {difference:.2f}", ha="left", va="bottom", fontsize=10)
    for level, (first, last) in enumerate(bars):
        height = -0.28 * (level + 1)
        ends = [ranks.iloc[first] - 0.02 * right / 5, ranks.iloc[last] + 0.02 * right / 5]
        axes.plot(ends, [height, height], color="black", linewidth=4, solid_capstyle="butt")
    for position, (tool, rank) in enumerate(ranks.items()):
        on_left = position < (n_tools + 1) // 2
        row = position if on_left else n_tools - 1 - position
        _rank_label(
            axes, str(tool), float(rank), -below - 0.55 * row, left - reach if on_left else right + reach
        )


def _rank_label(axes: Axes, tool: str, rank: float, height: float, edge: float) -> None:
    ours = tool.startswith(OURS)
    colour, weight = (OUR_COLOUR, "bold") if ours else ("black", "normal")
    axes.plot([rank, rank, edge], [0, height, height], color=colour, linewidth=1.2, zorder=3 if ours else 2)
    on_left = edge < rank
    axes.annotate(
        f"{tool}  {rank:.2f}" if on_left else f"{rank:.2f}  {tool}",
        (edge, height),
        xytext=(-5 if on_left else 5, 0),
        textcoords="offset points",
        ha="right" if on_left else "left",
        va="center",
        color=colour,
        fontweight=weight,
    )


# ---- quality against time


def points(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Means over cohorts of measures and seconds to fit, index (tool, time limit); and how many cohorts these are."""
    entries = list(zip(frame["tool"], frame["seconds"], strict=True))
    numbers, known = pd.factorize(pd.Index(entries, tupleize_cols=False))
    cohorts = per_cohort(common(frame.assign(tool=numbers)))
    means = cohorts.groupby("tool")[[*MEASURES, "fit_seconds"]].mean()
    names = [known[number] for number in means.index]
    means.index = pd.MultiIndex.from_tuples(names, names=["tool", "seconds"])
    return means.sort_index(), cohorts.index.get_level_values("cohort").nunique()


def draw_times(frame: pd.DataFrame) -> Figure:
    """Balanced accuracy, and log loss, against seconds to fit, without the majority class: far off on both axes."""
    shown = frame[frame["tool"] != "majority"]
    means, cohorts = points(shown)
    note = "; majority class not shown" if len(shown) < len(frame) else ""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(11, 4.8), layout="constrained")
        figure.suptitle(f"Quality against seconds to fit, means over {cohorts} cohorts{note}\n", fontsize=12)
        for panel, (measure, greater) in zip(axes, MEASURES.items(), strict=True):
            _time_panel(panel, means, measure, greater)
        figure.draw_without_rendering()
        for panel, measure in zip(axes, MEASURES, strict=True):
            _label_tools(panel, means, measure)
    return figure


def _time_panel(axes: Axes, means: pd.DataFrame, measure: str, greater: bool) -> None:
    for tool, part, colour, marker in _looks(means):
        axes.plot(
            part["fit_seconds"],
            part[measure],
            color=colour,
            marker=marker,
            markersize=8,
            linewidth=1.5,
            label=tool,
        )
    name = measure.replace("_", " ")
    axes.set(xscale="log", xlabel="seconds to fit (log scale)", ylabel=name)
    axes.set_title(f"{name}: {'higher' if greater else 'lower'} is better", fontsize=12)
    low, high = np.log10(means["fit_seconds"].min()), np.log10(means["fit_seconds"].max())
    span = max(high - low, 0.5)
    axes.set_xlim(10 ** (low - 0.12 * span), 10 ** (high + 0.36 * span))  # names stand on the right
    axes.margins(y=0.15)
    axes.xaxis.set_major_locator(LogLocator(10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25)


def _looks(means: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, str, str]]:
    others = 0
    for name, part in means.groupby(level="tool"):
        tool, colour, marker = str(name), OUR_COLOUR, MARKERS[0]
        if tool != OURS:
            colour, marker = COLOURS[others % len(COLOURS)], MARKERS[1 + others % (len(MARKERS) - 1)]
            others += 1
        yield tool, part, colour, marker


def _label_tools(axes: Axes, means: pd.DataFrame, measure: str) -> None:
    """Each tool's name beside its last point, at the first place of several that is free."""
    taken = [_around(axes, x, y) for x, y in means[["fit_seconds", measure]].to_numpy()]
    for _, part in means.groupby(level="tool"):
        line = part[["fit_seconds", measure]].to_numpy()
        between = [a + (b - a) * t for a, b in pairwise(line) for t in np.linspace(0, 1, 20)]
        taken += [_around(axes, x, y, 2) for x, y in between]
    for tool, part, colour, _ in _looks(means):
        end = float(part["fit_seconds"].iloc[-1]), float(part[measure].iloc[-1])
        taken.append(_placed(axes, tool, end, colour, taken))


def _around(axes: Axes, x: float, y: float, reach: float = 6) -> Bbox:
    at = axes.transData.transform((x, y))
    return Bbox([at - reach, at + reach])


def _placed(axes: Axes, text: str, at: tuple[float, float], colour: str, taken: list[Bbox]) -> Bbox:
    places = [(9, 0), (0, 10), (0, -10), (-9, 0), (8, 10), (8, -10), (-8, 10), (-8, -10), (0, 24), (0, -24)]
    frame = axes.get_window_extent()
    best: tuple[int, Any, Bbox] | None = None
    for right, up in places:
        label = axes.annotate(
            text,
            at,
            xytext=(right, up),
            textcoords="offset points",
            ha="center" if right == 0 else "left" if right > 0 else "right",
            va="center" if up == 0 else "bottom" if up > 0 else "top",
            color=colour,
            fontweight="bold" if text == OURS else "normal",
        )
        box = label.get_window_extent()
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        clashes = box.count_overlaps(taken) + (0 if inside else 5)
        if best is None or clashes < best[0]:
            if best is not None:
                best[1].remove()
            best = (clashes, label, box)
        else:
            label.remove()
        if best[0] == 0:
            break
    assert best is not None
    return best[2]


if __name__ == "__main__":
    main()

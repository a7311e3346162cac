"""What the command line says about a run: its estimate in words, its leaderboard as a table."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genokeras.metric_names import metric_name, span
from genokeras.visible import visible

if TYPE_CHECKING:
    import pandas as pd

    from genokeras.engine import Growth

WIDTH = 80
_ENDINGS = {
    "time": "Stopped after {trials}, when the time was up.",
    "trials": "Stopped after {trials}, as asked.",
    "space": "Stopped after {trials}: there was nothing left to try.",
    "searcher": "Stopped after {trials}, because the searcher failed; this is the best so far.",
    "memory": "Stopped after {trials}, because memory ran out; this is the best so far.",
    "callback": "A callback ended the search after {trials}; this is the best so far.",
    "interrupted": "Interrupted after {trials}; this is the best so far.",
    "killed": "Killed after {trials}; this is the best so far.",
}


def make_console() -> Console:
    """Standard output; 80 columns wide where it is no terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    return (
        console if console.is_terminal else Console(width=WIDTH, highlight=False, markup=False, emoji=False)
    )


def estimate_in_words(estimate: Mapping[str, Any], stop_reason: str) -> str:
    """The estimate of a run: score, interval, what it was corrected for, and what it stands beside.

    Parameters
    ----------
    estimate : mapping
        ``GenomeClassifier.estimate_``.
    stop_reason : str
        ``GenomeClassifier.stop_reason_``.
    """
    better = "higher" if estimate["greater_is_better"] else "lower"
    trials = "1 trial" if estimate["n_trials"] == 1 else f"{estimate['n_trials']} trials"
    lines = [
        _ENDINGS.get(stop_reason, "Ended after {trials}.").format(trials=trials),
        f"{_capital(metric_name(estimate['metric']))} {_score(estimate)}; {better} is better.",
        f"That is to be expected on new samples: networks are scored on samples they were not trained on "
        f"({estimate['n_samples']} in all), corrected for having chosen the best of {trials} "
        f"({_number(estimate['uncorrected'])} before that).",
        _beside(estimate),
    ]
    also = [f"{metric_name(name)} {_score(other)}" for name, other in estimate.get("also", {}).items()]
    lines += [f"Also: {'; '.join(also)}."] if also else []
    return "\n".join(textwrap.fill(line, WIDTH) for line in lines)


def _beside(estimate: Mapping[str, Any]) -> str:
    linear, chance = estimate["linear_baseline"], estimate["chance"]
    text = f"Best linear model alone {_number(linear)}, " if linear is not None else ""
    text = _capital(f"{text}chance {_number(chance)}.")
    low, high = estimate["interval"] if span(estimate["interval"]) else [estimate["value"]] * 2
    if low <= chance <= high or _ahead(estimate, chance) < 0:
        return f"{text} This is no better than chance."
    if linear is not None and _ahead(estimate, linear) <= 0:
        return f"{text} The search did not beat the linear model."
    return text


def _ahead(estimate: Mapping[str, Any], other: float) -> float:
    difference = float(estimate["value"]) - other
    return difference if estimate["greater_is_better"] else -difference


def _score(estimate: Mapping[str, Any]) -> str:
    known = span(estimate["interval"])
    return _number(estimate["value"]) + (f" (95 % interval {known})" if known else "")


def _number(value: float) -> str:
    return "–" if _missing(value) else f"{value:.3f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def leaderboard_table(board: pd.DataFrame, metric: str, top: int | None = None) -> Table:
    """The first rows of a leaderboard, 80 columns wide.

    Parameters
    ----------
    board : DataFrame
        ``GenomeClassifier.leaderboard()``.
    metric : str
        What it was scored by.
    top : int, optional
        Rows at most; all by default.
    """
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    for name in ("#", "trial", "from"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("by", min_width=8, max_width=14, overflow="fold")
    table.add_column(metric_name(metric), justify="right", no_wrap=True)
    table.add_column("gap", justify="right", no_wrap=True)
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    table.add_column("network on views", min_width=18, overflow="fold")
    shown = board if top is None else board.head(top)
    for row in shown.to_dict("records"):
        table.add_row(*(Text(visible(cell)) for cell in _cells(row)))
    return table


def growth_in_words(growth: Growth) -> str:
    """How much of a run was grown, 80 columns wide."""
    return textwrap.fill(growth.sentence(), WIDTH)


LEGEND = textwrap.fill(
    "from, by: the trial it grew from, and how (its morphisms, other settings, or a replicate); gap: ahead of the "
    "best linear trial; size: parameters; share: part of the delivered ensemble.",
    WIDTH,
)


def _cells(row: Mapping[Any, Any]) -> Sequence[str]:
    error = f"±{row['se']:.3f}" if not _missing(row["se"]) else ""
    return (
        "-" if _missing(row["rank"]) else str(row["rank"]),
        str(row["model_id"]),
        "-" if _missing(row["father"]) else str(row["father"]),
        _origin(str(row["origin"])),
        "failed" if _missing(row["score"]) else f"{row['score']:.3f}{error}",
        "-" if _missing(row["gap"]) else f"{row['gap']:+.3f}",
        _size(int(row["parameters"])),
        f"{row['share']:.0%}" if row["share"] else "",
        _network(str(row["graph"]), "" if _missing(row["views"]) else str(row["views"])),
    )


def _origin(text: str) -> str:
    """Several morphisms on lines of their own: ``add_input+``, ``widen``."""
    return text if text.startswith("failed") else text.replace("+", "+\n")


def _network(graph: str, views: str) -> str:
    on = f" on {views.replace('+', ', ')}" if views else ""
    return graph.replace(",", ", ") + on


def _missing(value: Any) -> bool:
    """None, NaN or pandas' NA, which compares with nothing."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or str(value) == "<NA>"


def _size(parameters: int) -> str:
    for unit, divisor in (("M", 1_000_000), ("k", 1_000)):
        if parameters >= divisor:
            return f"{parameters / divisor:.3g}{unit}"
    return str(parameters)

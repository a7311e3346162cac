"""Tables of the structure benchmark, in 80 columns: losses, ratios to random templates, wins, and what the searches did."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.structure_fits import ALL_ARMS, ARMS, MORPHISM, PEERS, RANDOM, TEMPLATES
from benchmarks.quality.structure_sets import NAMES, PLANTED

Lines = list[dict[str, Any]]
FACTS = {
    "trials": ".0f",
    "grown": ".2f",
    "surrogate": ".2f",
    "depth": ".1f",
    "graphs": ".0f",
    "compilations": ".1f",
    "ensemble": ".2f",
    "fit_seconds": ".1f",
}


def common(lines: Lines, seconds: float) -> Lines:
    """The lines of this time limit, and of the seeds that all arms run on a set have there."""
    own = [line for line in lines if line["seconds"] in (None, seconds)]
    arms: dict[str, set[str]] = {}
    found: dict[tuple[str, int], set[str]] = {}
    for line in own:
        arms.setdefault(line["set"], set()).add(line["arm"])
        found.setdefault((line["set"], line["seed"]), set()).add(line["arm"])
    return [line for line in own if found[line["set"], line["seed"]] == arms[line["set"]]]


def means(lines: Lines, measure: str) -> pd.DataFrame:
    """Means over seeds: sets in rows, arms in columns; NaN where an arm was not run or has no such value."""
    rows = [(line["set"], line["arm"], line.get(measure)) for line in lines]
    frame = pd.DataFrame(rows, columns=["set", "arm", measure])
    frame[measure] = frame[measure].astype("float64")
    table = frame.groupby(["set", "arm"])[measure].mean().unstack("arm")
    sets, arms = ([name for name in known if name in own] for known, own in _orders(table))
    return table.reindex(index=sets, columns=arms)


def _orders(table: pd.DataFrame) -> list[tuple[tuple[str, ...], pd.Index]]:
    return [(NAMES, table.index), (ALL_ARMS, table.columns)]


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    """Each arm's loss over that of templates in the same time."""
    return table.div(table[TEMPLATES], axis=0)


def against(table: pd.DataFrame, arm: str, other: str) -> str:
    """On how many sets an arm is ahead of another one, and its mean relative gain, as a sentence."""
    both = table[[arm, other]].dropna()
    ahead = int((both[arm] < both[other]).sum())
    gain = float((1 - both[arm] / both[other]).mean())
    return f"{arm} against {other}: ahead on {ahead} of {len(both)}, mean relative gain {gain:+.1%}"


def show(lines: Lines, seconds: float = 60) -> str:
    """All tables as text."""
    lines = common(lines, seconds)
    if not lines:
        return f"There are no results of {seconds:g} s yet."
    table = means(lines, "loss")
    per_set = {name: sorted({line["seed"] for line in lines if line["set"] == name}) for name in table.index}
    seeds = sorted({len(own) for own in per_set.values()})
    parts = [
        f"searches {seconds:g} s, means over {' to '.join(map(str, seeds))} seeds; loss: log loss, of brain_age 1 - R2",
        *_tasks(lines, table.index),
        "\nmean loss of held-out rows",
        *_rows(table, first=means(lines, "oracle").max(axis=1).rename("oracle")),
        "\nmean balanced accuracy",
        *_rows(means(lines, "balanced_accuracy").dropna(how="all")),
    ]
    if TEMPLATES in table.columns:
        parts += ["\nloss over that of templates", *_rows(ratios(table), mean=True)]
    others = [arm for arm in (TEMPLATES, RANDOM, *PEERS) if arm in table.columns]
    if MORPHISM in table.columns:
        parts += ["", *(against(table, MORPHISM, other) for other in others)]
    return "\n".join([*parts, *_singles(lines), *_searches(lines)])


def _tasks(lines: Lines, names: pd.Index) -> list[str]:
    """Size, chance, oracle and noise of each set."""
    chance, oracle = (means(lines, name).max(axis=1) for name in ("chance", "oracle"))
    sizes = {line["set"]: (line["rows"], line["columns"]) for line in lines}
    rows = [f"{'set':12}{'rows':>5}{'cols':>6}{'chance':>8}{'oracle':>8}  noise"]
    for name in names:
        noise = PLANTED[name].noise if name in PLANTED else "real"
        n, p = sizes[name]
        rows.append(f"{name:12}{n:5d}{p:6d}{_number(chance[name], 8)}{_number(oracle[name], 8)}  {noise}")
    return rows


def _rows(table: pd.DataFrame, first: pd.Series | None = None, mean: bool = False) -> list[str]:
    """A header and a row a set."""
    shown = table if first is None else pd.concat([first.reindex(table.index), table], axis=1)
    widths = [max(8, len(name) + 1) for name in shown.columns]

    def row(label: str, values: Iterable[Any]) -> str:
        return f"{label:12}" + "".join(_number(v, width) for v, width in zip(values, widths, strict=True))

    rows = [f"{'set':12}" + "".join(f"{n:>{width}}" for n, width in zip(shown.columns, widths, strict=True))]
    rows += [row(str(name), values) for name, values in shown.iterrows()]
    return [*rows, row("mean", shown.mean())] if mean else rows


def _singles(lines: Lines) -> list[str]:
    """The single best model, as each search chose it."""
    table = means(lines, "single").dropna(how="all").dropna(axis=1, how="all")
    if table.empty:
        return []
    rows = ["\nmean loss of the single best model, as chosen by the search", *_rows(table, mean=True)]
    if {MORPHISM, TEMPLATES} <= set(table.columns):
        change = float((table[MORPHISM] - table[TEMPLATES]).mean())
        rows += [against(table, MORPHISM, TEMPLATES), f"mean change in loss {change:+.3f}"]
    return rows


def _searches(lines: Lines) -> list[str]:
    """What the searches did: means over all fits of an arm."""
    rows = ["\nmeans over fits", f"{'arm':10}" + "".join(f" {_title(name)}" for name in FACTS)]
    for arm in ARMS:
        own = [line for line in lines if line["arm"] == arm]
        if own:
            cells = (_fact(own, name, form) for name, form in FACTS.items())
            rows.append(
                f"{arm:10}"
                + "".join(f" {cell:>{len(_title(n))}}" for n, cell in zip(FACTS, cells, strict=True))
            )
    return rows if len(rows) > 2 else []


def _title(name: str) -> str:
    return {"fit_seconds": "seconds", "compilations": "compiled"}.get(name, name)


def _fact(lines: Lines, name: str, form: str) -> str:
    known = [line[name] for line in lines if line.get(name) is not None]
    return f"{np.mean(known):{form}}" if known else "-"


def _number(value: float, width: int) -> str:
    return f"{'-':>{width}}" if np.isnan(value) else f"{value:{width}.3f}"

"""Tables of numbers predicted: R2 over all outer folds together, differences to the peer, estimates against the truth."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.regression_sets import MEASURES, REPORTED, measures

PEER = "peer"
Lines = list[dict[str, Any]]


def common(lines: Lines) -> Lines:
    """The lines of the outer folds that every tool of a set has, so that tools are compared on the same rows."""
    tools: dict[str, set[str]] = {}
    found: dict[tuple[str, int], set[str]] = {}
    for line in lines:
        tools.setdefault(line["set"], set()).add(name_of(line))
        found.setdefault((line["set"], line["fold"]), set()).add(name_of(line))
    return [line for line in lines if found[line["set"], line["fold"]] == tools[line["set"]]]


def name_of(line: dict[str, Any]) -> str:
    """The tool, with its time limit where it has one."""
    return line["tool"] if line["seconds"] is None else f"{line['tool']} {line['seconds']:g} s"


def pooled(lines: Lines, family: str | None = None) -> dict[str, float]:
    """Measures of the predictions of several folds together, of a tool or of one family of the peer."""
    predicted = [
        line["predicted"] if family is None else line["families"][family]["predicted"] for line in lines
    ]
    return measures(np.concatenate([line["truth"] for line in lines]), np.concatenate(predicted))


def by_tool(lines: Lines) -> pd.DataFrame:
    """A row a set and tool."""
    rows = []
    for (name, tool), own in _grouped(lines).items():
        estimate = float(np.mean([line["estimate"] for line in own]))
        seconds = float(np.mean([line["fit_seconds"] for line in own]))
        found = pooled(own)
        folds = float(np.mean([line["r2"] for line in own]))
        row = {"set": name, "tool": tool, "folds": len(own), "r2": found["r2"], "r2, mean of folds": folds}
        row |= {measure: found[measure] for measure in MEASURES if measure != "r2"}
        rows.append(row | {"estimate": estimate, "estimate - r2": estimate - found["r2"], "seconds": seconds})
    table = pd.DataFrame(rows).set_index(["set", "tool"])
    peers = {name: row["r2"] for (name, tool), row in table.iterrows() if tool == PEER}
    table.insert(
        2, "r2 - peer's", [row["r2"] - peers.get(name, np.nan) for (name, _), row in table.iterrows()]
    )
    return table


def by_family(lines: Lines) -> pd.DataFrame:
    """A row a set and family of the peer: R2 inside, outside, and on how many folds it was the peer's choice."""
    rows = []
    for (name, tool), own in _grouped(lines).items():
        if tool != PEER:
            continue
        chosen = Counter(line["chosen"] for line in own)
        for family in own[0]["families"]:
            inner = float(np.mean([line["families"][family]["inner_r2"] for line in own]))
            each = [
                measures(np.array(line["truth"]), np.array(line["families"][family]["predicted"]))
                for line in own
            ]
            found = pooled(own, family)
            rows.append(
                {
                    "set": name,
                    "family": family,
                    "inner r2": inner,
                    "r2": found["r2"],
                    "r2, mean of folds": float(np.mean([one["r2"] for one in each])),
                    "rmse": found["rmse"],
                    "chosen on": f"{chosen[family]} of {len(own)} folds",
                }
            )
    return pd.DataFrame(rows)


def averages(table: pd.DataFrame) -> list[str]:
    """A line for each tool but the peer: what is averaged over the reported sets, and over those to choose on."""
    result = []
    for tool in [name for name in dict.fromkeys(table.index.get_level_values("tool")) if name != PEER]:
        own = table.xs(tool, level="tool")
        for reported, title in ((True, "reported sets"), (False, "sets to choose on")):
            some = own[[(name in REPORTED) == reported for name in own.index]]
            if len(some):
                over, off = some["r2 - peer's"], some["estimate - r2"]
                result.append(
                    f"{tool}, {title} ({len(some)}): R2 above the peer's by {over.mean():+.3f} on average, {over.min():+.3f} at "
                    f"least; own estimate minus R2 {off.mean():+.3f} on average, {off.abs().mean():.3f} in absolute value"
                )
    return result


def best_in_hindsight(table: pd.DataFrame, families: pd.DataFrame) -> list[str]:
    """A line for each set: the best family by outer R2, which nobody can choose beforehand, and the tools against it."""
    result = []
    for name, own in families.groupby("set", sort=False):
        best = own.loc[own["r2"].idxmax()]
        tools = table.loc[name, "r2"] - best["r2"]
        differences = ", ".join(f"{tool} {value:+.3f}" for tool, value in tools.items())
        result.append(f"{name}: {best['family']} {best['r2']:.3f}; against it {differences}")
    return result


def show(lines: Lines) -> str:
    """All tables as text."""
    if not lines:
        return "There are no results yet."
    lines = common(lines)
    if not lines:
        return "No outer fold has the results of all tools yet."
    with pd.option_context(
        "display.width", 250, "display.max_columns", 40, "display.float_format", "{:.3f}".format
    ):
        table, families = by_tool(lines), by_family(lines)
        parts = ["R2 over all outer folds together", table.to_string(), *averages(table)]
        if len(families):
            parts += ["", "Families of the peer", families.to_string(index=False)]
            parts += ["", "Best family in hindsight", *best_in_hindsight(table, families)]
    return "\n".join(parts)


def _grouped(lines: Lines) -> dict[tuple[str, str], Lines]:
    groups: dict[tuple[str, str], Lines] = {}
    for line in lines:
        groups.setdefault((line["set"], name_of(line)), []).append(line)
    return dict(sorted(groups.items(), key=lambda item: [line["set"] for line in lines].index(item[0][0])))

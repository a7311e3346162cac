"""Tables of results: every cohort counts once; ranks are taken within cohorts."""

from __future__ import annotations

from typing import Any

import pandas as pd

MEASURES = ["balanced_accuracy", "log_loss", "brier", "roc_auc", "fit_seconds", "predict_seconds"]


def frame_of(lines: list[dict[str, Any]], shuffle: bool = False) -> pd.DataFrame:
    """One row a set, tool and fold; estimates in columns of their own."""
    frame = pd.DataFrame([line for line in lines if line["shuffle"] == shuffle])
    for metric in ("balanced_accuracy", "log_loss"):
        frame[f"estimate_{metric}"] = [e.get(metric, float("nan")) for e in frame["estimate"]]
    frame["failed"] = ["failed" in facts for facts in frame["facts"]]
    return frame


def common(frame: pd.DataFrame) -> pd.DataFrame:
    """The (set, fold) pairs that every tool has, so that tools are compared on the same rows."""
    tools = frame.groupby(["set", "fold"])["tool"].transform("nunique")
    return frame[tools == frame["tool"].nunique()]


def per_cohort(frame: pd.DataFrame) -> pd.DataFrame:
    """Means over folds, then over the sets of a cohort; index (cohort, tool)."""
    columns = [*MEASURES, "estimate_balanced_accuracy", "estimate_log_loss"]
    per_set = frame.groupby(["cohort", "set", "tool"])[columns].mean()
    return per_set.groupby(["cohort", "tool"]).mean()


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a tool: means over cohorts, mean ranks, own estimate minus the truth."""
    cohorts = per_cohort(common(frame))
    table = cohorts.groupby("tool")[MEASURES].mean()
    accuracy, loss = (cohorts[name].unstack("tool") for name in ("balanced_accuracy", "log_loss"))
    table["rank_accuracy"] = accuracy.rank(axis=1, ascending=False).mean()
    table["rank_log_loss"] = loss.rank(axis=1).mean()
    for name in ("balanced_accuracy", "log_loss"):
        table[f"estimate_minus_truth_{name}"] = (
            (cohorts[f"estimate_{name}"] - cohorts[name]).groupby("tool").mean()
        )
    table["failed_fits"] = common(frame).groupby("tool")["failed"].sum()
    return table.sort_values("log_loss")


def by_set(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Sets in rows, tools in columns."""
    return common(frame).groupby(["set", "tool"])[measure].mean().unstack("tool")


def chance_held(frame: pd.DataFrame, metric: str = "balanced_accuracy") -> str:
    """On how many fits the tool's own interval contains chance: all of them should, where labels were shuffled."""
    known = frame[[metric in line for line in frame["intervals"]]]
    held = [
        low <= facts["chance"][metric] <= high
        for (low, high), facts in zip((i[metric] for i in known["intervals"]), known["facts"], strict=True)
        if "chance" in facts
    ]
    return f"intervals of {metric} that contain chance: {sum(held)} of {len(held)}"


def show(frame: pd.DataFrame) -> str:
    """The tables as text."""
    with pd.option_context(
        "display.width", 200, "display.max_columns", 40, "display.float_format", "{:.3f}".format
    ):
        parts = [summary(frame).to_string()]
        if frame["shuffle"].all():
            parts.append(chance_held(frame))
        for measure in ("balanced_accuracy", "log_loss"):
            parts.append(f"\n{measure} by set\n{by_set(frame, measure).to_string()}")
    return "\n".join(parts)

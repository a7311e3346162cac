"""Curves over time: how networks were trained, and how a search went on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from genokeras.engine.run import shown_objective
from genokeras.graph import is_linear
from genokeras.metric_names import metric_name
from genokeras.report.metric_table import check_metric, metric_table, time_column
from genokeras.report.picture import COLOURS, FAINT, INK, TRAINING, VALIDATION, Picture, house_style
from genokeras.report.sources import ensemble_shares, finished_history, run_folder
from genokeras.searchers import History, TrialResult
from genokeras.support.checks import check_choice
from genokeras.support.wording import sentence
from genokeras.tasks.objectives import Objective

_FAINT_LINES = 300
_GREATER_IS_BETTER = ("acc", "auc", "f1", "precision", "recall", "mcc", "r2", "iou")


@house_style()
def plot_metric(history: Any, metric: str = "loss", member: int | None = None) -> Picture:
    """A metric during training, on the training rows against the validation rows.

    Where the history has many members, such as the trials of a search, all are drawn faintly and one clearly.

    Parameters
    ----------
    history : DataFrame, keras.callbacks.History, mapping of lists, or fitted estimator
        ``clf.history_``, or what Keras' ``fit`` returns.
    metric : str
        ``"loss"``, ``"accuracy"`` and so on; ``val_`` in front of it makes no difference.
    member : int, optional
        The one to draw clearly; by default the one with the best validation value.

    Returns
    -------
    Picture
        With ``save("loss.png")``.

    Raises
    ------
    ParameterError
        If the history is empty, or has no such metric or member.

    Examples
    --------
    >>> plot_metric({"loss": [0.9, 0.5], "val_loss": [1.0, 0.7]}).save("loss.svg")  # doctest: +SKIP
    PosixPath('loss.svg')
    """
    table = metric_table(history)
    name, time = check_metric(table, metric), time_column(table)
    table = table.sort_values(time, kind="stable")
    chosen = _chosen_member(table, name, member)
    own, members = table[table["member"] == chosen], table["member"].nunique()
    figure = Picture(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.add_subplot()
    words = f", trial {chosen}" if members > 1 or "share" in table else ""
    for column, colour, label, line in (
        (name, TRAINING, "training", "--"),
        (f"val_{name}", VALIDATION, "validation", "-"),
    ):
        if column not in table:
            continue
        if members > 1:
            _draw_others(axes, table, column, time, colour, chosen)
        marker: dict[str, Any] = {"marker": "o", "markersize": 3} if len(own) == 1 else {}
        axes.plot(own[time], own[column], line, color=colour, linewidth=2, label=f"{label}{words}", **marker)
    _mark_kept(axes, own, name, time)
    _limit(axes, table, own, name, members)
    said = metric_name(name)
    axes.set(xlabel=time, ylabel=said, title=f"{sentence(said)} during training")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if members > 1:
        axes.plot([], [], color=FAINT, linewidth=0.8, alpha=0.6, label=f"the other {members - 1} trials")
    axes.legend()
    figure.alt = f"{sentence(said)} by {time} on training and validation rows{words}. {_last(own, name)}"
    return figure


def _chosen_member(table: pd.DataFrame, name: str, member: int | None) -> Any:
    known = table["member"].unique()
    if member is not None:
        names = [str(one) for one in known]
        check_choice(str(member), "member", names)
        return known[names.index(str(member))]
    column = f"val_{name}" if f"val_{name}" in table else name
    rows = table[table["kept"]] if "kept" in table and table["kept"].any() else table
    grouped = rows[np.isfinite(rows[column])].groupby("member")[column]
    if not len(grouped):
        return known[0]
    return grouped.max().idxmax() if _greater_is_better(name) else grouped.min().idxmin()


def _greater_is_better(name: str) -> bool:
    return any(word in name.lower() for word in _GREATER_IS_BETTER)


def _draw_others(axes: Axes, table: pd.DataFrame, column: str, time: str, colour: str, chosen: Any) -> None:
    """As one line with gaps, which is quick to draw for hundreds."""
    members = table["member"].unique()
    members = members[:: -(-len(members) // _FAINT_LINES)]
    xs: list[float] = []
    ys: list[float] = []
    for one, rows in table[table["member"].isin(members)].groupby("member"):
        if one != chosen:
            xs += [*rows[time], np.nan]
            ys += [*rows[column], np.nan]
    alpha = float(np.clip(6 / max(len(members), 1), 0.08, 0.4))
    axes.plot(xs, ys, color=colour, linewidth=0.7, alpha=alpha, zorder=1)


def _mark_kept(axes: Axes, own: pd.DataFrame, name: str, time: str) -> None:
    column = f"val_{name}" if f"val_{name}" in own else name
    kept = own[own["kept"]] if "kept" in own else own[:0]
    if len(kept):
        x, y = float(kept[time].iloc[0]), float(kept[column].iloc[0])
        axes.plot(
            x, y, "o", color=VALIDATION, markeredgecolor="white", markersize=7, label=f"kept: {time} {x:g}"
        )


def _limit(axes: Axes, table: pd.DataFrame, own: pd.DataFrame, name: str, members: int) -> None:
    """Losses shoot up in bad trials; what matters is where the good ones are."""
    columns = [column for column in (name, f"val_{name}") if column in table]
    if members == 1 or _greater_is_better(name):
        return
    values = table[columns].to_numpy(dtype="float64")
    values = values[np.isfinite(values)]
    clear = own[columns].to_numpy(dtype="float64")
    top = max(float(np.quantile(values, 0.95)), float(np.max(clear[np.isfinite(clear)], initial=0.0)))
    low = min(0.0, float(values.min()))
    if top > low:
        axes.set_ylim(low - 0.02 * (top - low), low + 1.05 * (top - low))


def _last(own: pd.DataFrame, name: str) -> str:
    columns = {"training": name, "validation": f"val_{name}"}
    found = [f"{word} {float(own[column].iloc[-1]):.3g}" for word, column in columns.items() if column in own]
    return f"At the end: {', '.join(found)}."


# ---- the whole search


@house_style()
def plot_search(run: Any) -> Picture:
    """Every trial's score against the time spent on training so far, and the best score up to then.

    Parameters
    ----------
    run : path-like or fitted estimator

    Returns
    -------
    Picture

    Raises
    ------
    RunFolderError
        If it is no run, or none of its trials finished.
    """
    figure = Picture(figsize=(7.2, 4.0), layout="constrained")
    figure.alt = draw_search(figure.add_subplot(), run)
    figure.legend(loc="outside right upper")
    return figure


def draw_search(axes: Axes, run: Any) -> str:
    """Draw a search, without a legend; see :func:`plot_search`.

    Returns
    -------
    str
        What it shows, in a sentence or two.
    """
    folder = run_folder(run)
    history = finished_history(run)
    objective = shown_objective(folder)
    seconds = np.cumsum([trial.seconds for trial in history])
    timed = bool(seconds[-1] > 0)
    places = seconds if timed else np.arange(1, len(history) + 1)
    at = dict(zip((trial.id for trial in history), places.tolist(), strict=True))
    _draw_trials(axes, history, objective, at, ensemble_shares(folder))
    _draw_best(axes, history, objective, at)
    _limit_scores(axes, history, objective)
    said = metric_name(objective.name)
    axes.set(
        xlabel="seconds of training" if timed else "trials", ylabel=f"{said}, out of fold", title="The search"
    )
    best = history.ranked()[0]
    return (
        f"{sentence(said)} of {len(history.ok())} trials over {seconds[-1]:.0f} seconds of "
        f"training. Best: {objective.value_of_loss(best.score):.3f}, trial {best.id}."
    )


def _draw_trials(
    axes: Axes, history: History, objective: Objective, at: dict[int, float], shares: dict[int, float]
) -> None:
    kinds: dict[str, list[TrialResult]] = {"linear": [], "another father": [], "grown": [], "other rates": []}
    for trial in history.ok():
        proposal = trial.proposal
        if is_linear(proposal.graph):
            kinds["linear"].append(trial)
        elif proposal.father is None:
            kinds["another father"].append(trial)
        else:
            kinds["grown" if proposal.morphisms else "other rates"].append(trial)
    for (label, trials), colour, marker in zip(
        kinds.items(), (COLOURS[0], COLOURS[5], COLOURS[2], COLOURS[3]), "s^oD", strict=True
    ):
        if trials:
            widths = [0.9 if trial.id in shares else 0.0 for trial in trials]
            axes.scatter(
                [at[trial.id] for trial in trials],
                [objective.value_of_loss(trial.score) for trial in trials],
                s=18,
                c=colour,
                marker=marker,
                edgecolors=INK,
                linewidths=widths,
                alpha=0.85,
                label=label,
                zorder=3,
            )
    if shares:
        axes.scatter(
            [],
            [],
            s=18,
            c="white",
            edgecolors=INK,
            linewidths=0.7,
            label="outlined: in the\ndelivered ensemble",
        )
    if failed := history.failed():
        places = [at[trial.id] for trial in failed]
        axes.plot(
            places,
            [0.015] * len(failed),
            "x",
            color=FAINT,
            markersize=5,
            transform=axes.get_xaxis_transform(),
            label="failed",
        )


def _draw_best(axes: Axes, history: History, objective: Objective, at: dict[int, float]) -> None:
    losses = [np.inf if trial.missing else trial.score for trial in history]
    values = [objective.value_of_loss(float(loss)) for loss in np.minimum.accumulate(losses)]
    times = [at[trial.id] for trial in history]
    axes.step(times, values, where="post", color=COLOURS[1], linewidth=1.6, label="best so far", zorder=2)
    linear = [trial.score for trial in history.ok() if is_linear(trial.proposal.graph)]
    if linear:
        value = objective.value_of_loss(min(linear))
        axes.axhline(value, color=COLOURS[0], linestyle="--", linewidth=1.1, label="best linear", zorder=1)
    best = history.ranked()[0]
    axes.annotate(
        f"trial {best.id}: {values[-1]:.3f}",
        (at[best.id], values[-1]),
        (0, -11 if not objective.greater_is_better else 7),
        textcoords="offset points",
        fontsize=8,
        ha="center",
        annotation_clip=False,
        color=COLOURS[1],
    )


def _limit_scores(axes: Axes, history: History, objective: Objective) -> None:
    """Leave the very bad ones out of sight: they would press all others together."""
    losses = np.array([trial.score for trial in history.ok()])
    low, high = losses.min(), float(np.quantile(losses, 0.95))
    if high > low:
        margin = 0.1 * (high - low)
        axes.set_ylim(*sorted(objective.value_of_loss(loss) for loss in (low - margin, high + margin)))

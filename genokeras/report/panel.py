"""What a report says of a panel of few genes, of studies, and of the genes that new samples need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genokeras.engine import Run
from genokeras.engine.panels import PANEL_FILE
from genokeras.metric_names import metric_name
from genokeras.report.estimate import in_digits
from genokeras.report.page import Pictures, paragraph, table
from genokeras.report.picture import COLOURS, FAINT, Picture, house_style
from genokeras.support.wording import listed

_NAMED = 5


@house_style()
def plot_panel_sizes(curve: Sequence[Mapping[str, Any]], n_genes: int, smallest: int) -> Picture:
    """Scores of linear models of few genes by their number, with 95 % intervals where these are known.

    Parameters
    ----------
    curve : sequence of mapping
        ``genes``, ``metric``, ``value`` and ``interval`` of each size.
    n_genes : int
        Of the panel.
    smallest : int
        The fewest genes within one standard error of the best.
    """
    sizes, values = [int(point["genes"]) for point in curve], [point["value"] for point in curve]
    # JSON has null for limits that are not known.
    low, high = np.array([point["interval"] for point in curve], dtype=float).T
    name = metric_name(str(curve[0]["metric"]))
    figure = Picture(figsize=(5.5, 3.4), layout="constrained")
    axes = figure.subplots()
    if np.isfinite(low).any():
        axes.fill_between(sizes, low, high, color=COLOURS[0], alpha=0.15, lw=0)
    axes.plot(sizes, values, "o-", color=COLOURS[0])
    axes.axvline(n_genes, color=FAINT, lw=1, label=f"the panel: {n_genes}")
    axes.axvline(smallest, color=FAINT, lw=1, ls=":", label=f"fewest within one standard error: {smallest}")
    axes.set(xscale="log", xlabel="genes", ylabel=name)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    axes.legend()
    said = ", ".join(f"{value:.2f} with {size}" for size, value in zip(sizes, values, strict=True))
    figure.alt = f"{name} of linear models by the number of genes: {said}."
    return figure


def panel_parts(run: Run, pictures: Pictures) -> list[str]:
    """A table of the panel's genes and the curve; nothing of other runs."""
    if not run.folder.has(PANEL_FILE):
        return []
    held = run.folder.read_json(PANEL_FILE)
    rows = [
        (
            one["gene"],
            f"{held['frequency'].get(one['gene'], 0.0):.0%}",
            "yes" if one["needed"] else "hardly",
            listed((_other(other) for other in one["equivalents"]), _NAMED) or "–",
        )
        for one in held["equivalents"]
    ]
    picture = plot_panel_sizes(held["curve"], len(held["genes"]), int(held["smallest"]))
    return [
        paragraph(needed_genes(run)),
        table(
            "The genes, in the order of their choice",
            ("gene", "chosen in folds and bootstraps", "missed when left out", "can stand in for it"),
            rows,
            numbers=[1],
            long=[3],
        ),
        paragraph(
            "A gene can stand in where it lowers no score out of fold by more than the standard error of the difference. Signatures are "
            "rarely unique: that other genes do as well says nothing against these, nor that these are the cause.",
            "faint",
        ),
        pictures.figure(picture, picture.alt),
    ]


def _other(one: Mapping[str, Any]) -> str:
    return f"{one['gene']} (a copy)" if one["copy"] else str(one["gene"])


def needed_genes(run: Run) -> str:
    """Which genes new samples must have."""
    names = run.feature_names
    if run.folder.has(PANEL_FILE):
        return f"New samples need {'these ' if len(names) > 1 else ''}{len(names)} genes, all of them, and no others: {listed(names, 50)}."
    return (
        f'New samples need all {len(names):,} genes. Where some are missing, predict(x, missing_genes="impute") estimates them '
        "from the others and says what that costs; panel(n_genes=10) makes a model that needs few."
    )


def study_parts(estimate: Mapping[str, Any]) -> list[str]:
    """Each study's scores, and the estimate for new samples of the same studies; nothing where there are no studies."""
    studies = estimate.get("studies")
    if not studies:
        return []
    metrics = [name for name in next(iter(studies.values())) if name != "n_samples"]
    rows = [
        (name, f"{one['n_samples']:,}", *(in_digits(one[metric]) for metric in metrics))
        for name, one in studies.items()
    ]
    new = estimate.get("new_samples")
    if new:
        found = {new["metric"]: new, **new["also"]}
        values = [found.get(metric, {}).get("value") for metric in metrics]
        rows.append(("new samples of the same studies", "", *(in_digits(value) for value in values)))
    return [
        paragraph(
            "These figures are for a new study: every study was scored by networks that had seen no sample of it."
        ),
        table(
            "By study",
            ("study", "samples", *(metric_name(metric) for metric in metrics)),
            rows,
            numbers=range(1, len(metrics) + 2),
        ),
    ]

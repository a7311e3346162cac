"""Pairs of genes that say something together, as part of a report: a table, and the strongest pair as a picture."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import AutoLocator

from genokeras.engine.run import Run
from genokeras.explain import GenePairs
from genokeras.explain.runs import table_of
from genokeras.report.data_checks import CheckedSamples
from genokeras.report.data_parts import colours_of
from genokeras.report.page import Pictures, paragraph, side_by_side, subheading, table
from genokeras.report.picture import Picture, house_style, shown, write_note
from genokeras.report.plane import draw_plane
from genokeras.report.prediction_parts import drawn
from genokeras.support.wording import counted

_MOST_SAMPLES = 1000


def pair_parts(
    run: Run, samples: CheckedSamples | None, pairs: GenePairs | None, pictures: Pictures
) -> list[str]:
    """HTML of the pairs beyond chance; nothing where there are none."""
    if pairs is None or not pairs.beyond_chance.any():
        return []
    found = pairs.table(run.feature_names)[pairs.beyond_chance]
    within = [f"correlation in {part}" for part in pairs.parts]
    named = ["gene", "partner", *(["target"] if pairs.target else [])]
    head = ["#", *named, "strength", *within]
    rows = [
        [
            number,
            *(row[name] for name in named),
            f"{row['strength']:.2g}",
            *(_figure(row[name]) for name in within),
        ]
        for number, row in enumerate(found.to_dict("records"), 1)
    ]
    title = "Genes that say something together"
    parts = [table(title, head, rows, numbers=[0, *range(len(named) + 1, len(head))], long=[1, 2])]
    if samples is not None and samples.x.shape[1] == len(run.feature_names):
        parts.append(drawn(lambda: _strongest(run, samples, pairs), pictures))
    return [
        subheading("Pairs"),
        side_by_side(parts, "apart"),
        paragraph(
            f"Of all pairs of genes, the {counted(len(rows), 'strongest one', 'strongest ones')} beyond what any pair reaches with shuffled "
            "labels 19 times in 20. Strength: squared correlation of the product of both genes, less what each says alone, with the labels. Alone, "
            "either gene may say nothing."
            + (
                " Target: the one that the product goes most with, and whose halves are meant."
                if pairs.target
                else ""
            ),
            "faint",
        ),
    ]


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:+.2f}"


def _strongest(run: Run, samples: CheckedSamples, pairs: GenePairs) -> Picture:
    first = pairs.genes[0]
    x = samples.x[:_MOST_SAMPLES, first]
    medians = table_of(run.problem).medians
    if medians is not None:
        x = np.where(np.isnan(x), medians[first], x)
    labels, name = colours_of(run, samples)
    names = [run.feature_names[i] for i in first]
    return plot_pair(x, names, None if labels is None else labels[:_MOST_SAMPLES], name)


@house_style()
def plot_pair(x: np.ndarray, names: list[str], labels: np.ndarray | None, colour_name: str = "") -> Picture:
    """Draw samples by two genes.

    Parameters
    ----------
    x : numpy.ndarray
        ``(n_samples, 2)``.
    names : list of str
        Both genes.
    labels : numpy.ndarray, optional
        ``(n_samples,)`` classes or numbers, by which samples are coloured.
    colour_name : str
        What the numbers are called.

    Returns
    -------
    Picture
    """
    figure = Picture(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.subplots()
    draw_plane(axes, x, labels, colour_name=colour_name)
    axes.xaxis.set_major_locator(AutoLocator())
    axes.yaxis.set_major_locator(AutoLocator())
    first, second = shown(names)
    axes.set_xlabel(first, parse_math=False)
    axes.set_ylabel(second, parse_math=False)
    axes.set_title("The strongest pair")
    write_note(figure, "One dot a sample. Neither axis alone need tell the colours apart.")
    figure.alt = f"{len(x)} samples by {first} and {second}, coloured by {colour_name or 'class'}."
    return figure

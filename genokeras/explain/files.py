"""AutoGenome's files: the drawings and tables of ``automl.explain()``, under AutoGenome's names."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from genokeras.explain.explanation import Explanation
from genokeras.explain.plots import PLOT_TYPES, plot_output, plot_total
from genokeras.support.checks import check_choice, check_whole
from genokeras.support.files import written_aside
from genokeras.visible import plain_cell

_SUFFIX = "feature_importance_summary.pdf"


def write_autogenome_files(
    explanation: Explanation,
    folder: str | os.PathLike[str],
    plot_type: str = "bar",
    ranked_outputs: int = 20,
) -> list[Path]:
    """Write drawings and tables of an explanation.

    Parameters
    ----------
    explanation : Explanation
    folder : path-like
        Made where it is missing.
    plot_type : {"bar", "dot", "violin", "layered_violin"}
        Of the drawing of each output.
    ranked_outputs : int
        Genes in a drawing.

    Returns
    -------
    list of pathlib.Path
        ``_dot<c>_feature_importance_summary.pdf``, each sample a dot, and ``class_<c>feature_importance_summary.pdf``, as ``plot_type`` says, for every
        output ``c``, class or target; ``_barTotal_feature_importance_summary.pdf``; ``_features_orders.csv``, the genes of each output by
        importance; ``_class_<c>shap_values.csv``, samples by genes.

    Raises
    ------
    ParameterError
        If there is no such plot type, or the number of genes is below 1.
    RunFolderError
        If the folder cannot be written.
    """
    check_choice(plot_type, "plot_type", PLOT_TYPES)
    check_whole(ranked_outputs, "ranked_outputs")
    target = Path(folder)
    written = list(_drawings(explanation, target, plot_type, ranked_outputs))
    written.append(_write_orders(explanation, target / "_features_orders.csv"))
    for number in range(len(explanation.output_names)):
        written.append(_write_values(explanation, number, target / f"_class_{number}shap_values.csv"))
    return written


def _drawings(explanation: Explanation, target: Path, plot_type: str, top: int) -> Iterator[Path]:
    for number, name in enumerate(explanation.output_names):
        yield _save(plot_output(explanation, name, "dot", top), target / f"_dot{number}_{_SUFFIX}")
    for number, name in enumerate(explanation.output_names):
        yield _save(plot_output(explanation, name, plot_type, top), target / f"class_{number}{_SUFFIX}")
    yield _save(plot_total(explanation, top), target / f"_barTotal_{_SUFFIX}")


def _save(figure: Figure, path: Path) -> Path:
    """As a PDF with text that can be searched and copied."""
    with rc_context({"pdf.fonttype": 42}), written_aside(path) as aside:
        figure.savefig(aside, format="pdf")
    return path


def _write_orders(explanation: Explanation, path: Path) -> Path:
    """One row per rank, one column of genes per output, and one for all outputs together."""
    names = np.asarray(explanation.feature_names, dtype=object)
    columns = [names[explanation.order(name)] for name in explanation.output_names]
    word, outputs = explanation.output_word, "targets" if explanation.of_numbers else "classes"
    heads = [f"{word}_{number} ({name})" for number, name in enumerate(explanation.output_names)]
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["rank", f"all_{outputs}", *map(plain_cell, heads)])
        ranked = zip(names[explanation.order()], *columns, strict=True)
        writer.writerows([rank, *map(plain_cell, row)] for rank, row in enumerate(ranked, start=1))
    return path


def _write_values(explanation: Explanation, number: int, path: Path) -> Path:
    with written_aside(path) as aside, aside.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["sample", *map(plain_cell, explanation.feature_names)])
        for sample, row in zip(explanation.sample_ids, explanation.values[:, :, number], strict=True):
            writer.writerow([plain_cell(sample), *(f"{value:.6g}" for value in row.tolist())])
    return path

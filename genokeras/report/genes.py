"""The genes of each class or target, as part of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from genokeras.engine.run import Run
from genokeras.errors import DataError, ParameterError
from genokeras.explain import (
    Association,
    Explanation,
    Stability,
    class_changes,
    explain_run,
    marker_table,
    plot_output,
    stability_of,
    target_correlations,
)
from genokeras.explain.runs import table_of
from genokeras.report.answers import of_classes, shown_targets
from genokeras.report.data_checks import CheckedSamples, trained_samples
from genokeras.report.known_genes import COMPARED, KnownGenes, shared_with_known
from genokeras.report.page import Pictures, paragraph, side_by_side, table
from genokeras.support.wording import counted

TOP_GENES = 20
_MOST_TABLES, _MOST_PLOTS = 40, 12
_UNITS = {"log_odds": "log odds of the class", "number": "predicted number"}
_METHODS = {
    "expected_gradients": "expected gradients (Erion et al. 2021)",
    "integrated_gradients": "integrated gradients (Sundararajan et al. 2017)",
    "linear": "the best linear trial, exactly",
}
_TESTS = {
    "log2_fold_change": "Fold change (log2) and q-value (t-test, the more cautious of Welch's and Student's) are of the class against all others.",
    "pearson_r": "Correlation (Pearson's r) is with the target, and the q-value that of its t-test.",
}


def explained(run: Run, x: object = None) -> tuple[Explanation, Stability | None] | None:
    """Explain a run on some samples, by default those it was trained on, and see how stable the lists of genes are.

    Returns
    -------
    (Explanation, Stability or None) or None
        No stability where there is one list only; nothing at all where no samples are given and the run keeps none.
    """
    found = _explained_rows(run, x)
    if found is None:
        return None
    rows, background = found
    explanation = explain_run(run, rows, background)
    try:
        return explanation, stability_of(run, rows, background, top=TOP_GENES)
    except ParameterError:  # a single fold and a single trial
        return explanation, None


def explained_training(run: Run) -> Explanation:
    """Explain a run on the samples that it was trained on.

    Raises
    ------
    ParameterError
        If the run keeps none.
    """
    found = _explained_rows(run, None)
    if found is None:
        raise ParameterError(
            "this run has not kept its training samples: pass samples to explain it on, x=..."
        )
    return explain_run(run, *found)


def _explained_rows(run: Run, x: object) -> tuple[object, object] | None:
    """The samples to explain a run on, and those to compare with where it keeps none for that."""
    samples = trained_samples(run) if x is None else None
    if x is None and samples is None:
        return None
    rows = x if samples is None else samples.x
    return rows, None if "all" in table_of(run.problem).spaces else rows


def association_of(samples: CheckedSamples | None, run: Run, explanation: Explanation) -> Association | None:
    """How genes go with the classes or numbers of the samples; None where these are unknown, or too few."""
    if samples is None or samples.targets is None or samples.x.shape[1] != explanation.shape[1]:
        return None
    targets = shown_targets(run, samples.targets)
    x = samples.x
    encoder = table_of(run.problem)
    medians, blocks = encoder.medians, encoder.blocks
    if medians is not None:
        x = np.where(np.isnan(x), medians, x)
    names = np.asarray([str(name) for name in run.names])
    try:
        if of_classes(run):
            return class_changes(x, names[samples.targets], explanation.output_names, blocks=blocks)
        return target_correlations(x, targets, explanation.output_names, blocks=blocks)
    except DataError:
        return None


def gene_parts(
    explanation: Explanation,
    stability: Stability | None,
    association: Association | None,
    pictures: Pictures,
    known: KnownGenes | None = None,
) -> list[str]:
    """HTML: how the genes were found, then a table and a picture for each output, and what each list shares with others."""
    shown = (
        explanation if explanation.of_numbers or len(explanation.output_names) > 2 else explanation[:, :, 1]
    )
    tables = marker_table(shown, stability=stability, association=association, top=TOP_GENES)
    parts = []
    for number, (name, markers) in enumerate(tables.items()):
        if number == _MOST_TABLES:
            outputs = "targets" if explanation.of_numbers else "classes"
            parts.append(paragraph(f"The other {len(tables) - number} {outputs} are left out here.", "faint"))
            break
        if "verdict" in markers.attrs:
            parts.append(paragraph(_said_of(shown, name, markers.attrs["verdict"]), "verdict"))
        words = [] if association is None else [shared_with_test(explanation, association, name)]
        words += [] if known is None else [shared_with_known(explanation, known, name)]
        found = [_gene_table(_title(explanation, name), markers)]
        if number < _MOST_PLOTS:
            first = ", ".join(markers["gene"][:5])
            alt = f"What each of the top {len(markers)} genes adds to {name}, one dot per sample. First: {first}."
            found.append(pictures.figure(plot_output(explanation, name, "dot", TOP_GENES), alt))
        parts.append(side_by_side(found, "apart"))
        parts += [paragraph(" ".join(words))] if words else []
    return [*parts, paragraph(about(explanation, stability, association), "faint")]


def _said_of(explanation: Explanation, name: str, verdict: str) -> str:
    """A verdict, with the name of the class or target where there are several lists."""
    return verdict if len(explanation.output_names) == 1 else f"{name}. {verdict}"


def _title(explanation: Explanation, name: str) -> str:
    """Of two classes there is one list: what speaks for one speaks against the other."""
    if explanation.of_numbers or len(explanation.output_names) > 2:
        return f"Genes for {name}"
    other = next(each for each in explanation.output_names if each != name)
    return f"Genes for {name} (up) against {other} (down)"


def about(explanation: Explanation, stability: Stability | None, association: Association | None) -> str:
    """What the columns mean."""
    unit = _UNITS.get(explanation.output, "probability of the class")
    words = [
        f"Found on {counted(explanation.shape[0], 'sample')} by {_METHODS.get(explanation.method, explanation.method)}. Size: how much "
        f"a gene moves the {unit}, on average. Direction: up where more of the gene raises it. Copies: "
        "genes on the list that go with it (correlation above 0.95), among which the model cannot choose."
    ]
    if stability is not None:
        words.append(
            f"Stability: in how many of {stability.n_lists} lists of the top {stability.top}, made from other folds and networks, "
            "the gene is too, and in brackets in how many it is or a gene that goes with it (correlation above 0.8), where that is more. Found "
            "again: in each half of the samples it goes with the same side, beyond what any gene does with shuffled labels 19 times in 20."
        )
        if stability.pairs is not None:
            words.append(
                "Or it goes with the labels together with another gene, beyond what any pair does with shuffled labels 19 times in 20; "
                "alone it may say nothing, and then its direction and fold change mean little."
            )
    if association is not None:
        words.append(_TESTS[association.effect_name])
    words.append("A gene that matters to the model need not cause anything.")
    return " ".join(words)


def shared_with_test(explanation: Explanation, association: Association, name: str) -> str:
    """How much the model's list has in common with a test's."""
    place = association.output_names.index(name)
    q, size = association.q_value[:, place], np.abs(association.effect[:, place])
    top = max(1, min(COMPARED, len(q) // 2))
    tested = np.lexsort((-size, q))[:top]
    both = len(np.intersect1d(explanation.order(name)[:top], tested))
    test = "a correlation test" if explanation.of_numbers else "a t-test"
    return f"{both} of its top {top} genes are also among the {top} of {test}."


def _gene_table(title: str, markers: pd.DataFrame) -> str:
    head = ["#", "gene", "size", "direction", "copies"]
    extra = [
        c for c in ("stability", "found_again", "log2_fold_change", "pearson_r", "q_value") if c in markers
    ]
    titles = {
        "found_again": "found again",
        "log2_fold_change": "fold change",
        "pearson_r": "correlation",
        "q_value": "q-value",
    }
    rows = []
    for row in markers.to_dict("records"):
        copies = f"{row['group_size'] - 1}" if row["group_size"] > 1 else ""
        cells = [row["rank"], row["gene"], f"{row['mean_abs']:.2g}", row["direction"], copies]
        rows.append([*cells, *(_figure(column, row) for column in extra)])
    numbers = [0, 2, *range(4, len(head) + len(extra))]
    return table(title, [*head, *(titles.get(c, c) for c in extra)], rows, numbers=numbers, long=[1])


def _figure(column: str, row: Mapping[Any, Any]) -> str:
    value = row[column]
    if column == "stability":
        like = row["stability_with_like"]
        return f"{value:.0%} ({like:.0%})" if like > value else f"{value:.0%}"
    if column == "found_again":
        return "yes" if value else "–"
    if value != value:
        return "–"
    return f"{value:.1e}" if column == "q_value" else f"{value:+.2f}"

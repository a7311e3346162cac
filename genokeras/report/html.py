"""The report of a run: one file that needs nothing else, to be read, mailed and printed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from genokeras.data import Dataset
from genokeras.engine import Problem, read_problem
from genokeras.engine.curves import history_table
from genokeras.engine.growth import way_of
from genokeras.engine.run import Run
from genokeras.errors import DataError, ParameterError
from genokeras.explain import Explanation, Stability
from genokeras.graph import is_linear
from genokeras.metric_names import metric_name
from genokeras.report.answers import (
    about_chance,
    what_is_predicted,
)
from genokeras.report.blocks import block_parts, moved_by_blocks
from genokeras.report.card import card_of
from genokeras.report.certainty import certainty_parts
from genokeras.report.curves import plot_metric, plot_search
from genokeras.report.data_checks import (
    CheckedSamples,
    looked_at,
    trained_samples,
)
from genokeras.report.data_parts import data_parts, heatmap_parts
from genokeras.report.decisions import NO_THRESHOLD, Decision, asked_of, decision_of
from genokeras.report.estimate import (
    ESTIMATE_HEAD,
    estimate_of,
    estimate_rows,
    expectation,
    how_estimated,
    verdict,
)
from genokeras.report.finished import finished_run, kind_of, loading, recipe
from genokeras.report.gene_pairs import pair_parts
from genokeras.report.genes import association_of, gene_parts
from genokeras.report.given import check_groups_given, given_dataset, given_samples
from genokeras.report.known_genes import KnownGenes, read_known_genes
from genokeras.report.motif_parts import motif_parts
from genokeras.report.page import (
    Pictures,
    bullets,
    code,
    contents,
    heading,
    page,
    paragraph,
    section,
    table,
)
from genokeras.report.panel import needed_genes, panel_parts, study_parts
from genokeras.report.prediction_parts import drawn, prediction_parts, validation_parts
from genokeras.report.sample_kinds import GENES
from genokeras.report.scored import Content, ScoredSamples, score_samples
from genokeras.report.tree import search_tree
from genokeras.report.tree_figure import tree_figure
from genokeras.searchers import TrialResult
from genokeras.support.files import write_text

_TOP_TRIALS = 20
# Samples, and their targets where these are known.
Given = tuple[Content, np.ndarray | None]


def write_report(
    run: Any,
    path: str | os.PathLike[str],
    *,
    explanation: Explanation | None = None,
    stability: Stability | None = None,
    x: Any = None,
    y: Any = None,
    known_genes: str | os.PathLike[str] | Sequence[str] | None = None,
    groups: Any = None,
) -> Path:
    """Write the report of a finished run, and its model card beside it.

    Parameters
    ----------
    run : path-like, fitted estimator or module
    path : path-like
        The ``.html`` file; the card is ``<stem>_model_card.md``. Folders that are missing are made.
    explanation : Explanation, optional
        For the genes of each class.
    stability : Stability, optional
        Of the explained genes; see ``stability_of``.
    x, y : as in ``fit``, optional
        Samples that are scored beside the estimate, as an external validation, where their targets are known. Of genes the data are checked
        on them, too; by default on the training samples, as far as the run has kept them. Sequences with extra numbers are those of
        ``gk.load_sequences(..., extra=...)``.
    known_genes : path-like or sequence of str, optional
        A list from elsewhere that the genes of each class are compared with; a text file has one gene a line, its first line may
        be ``# title``.
    groups : as in ``fit``, optional
        Which of the samples `x` belong together, those of one donor, say, ``(n_samples,)`` or the name of a column: intervals of their
        scores are by drawing whole groups. By default those that `x` was read with; without any, samples count as independent.

    Returns
    -------
    pathlib.Path
        The report: below 3 MB, nothing loaded from elsewhere; its only script sorts tables, and is not needed.

    Raises
    ------
    DataError
        If `x` does not have the run's genes, or sequences, images or texts came without targets or are not such as the run was fitted
        on; or the known genes cannot be read, or none of them is in the data.
    ParameterError
        If the path does not end in ``.html`` or ``.htm``, the run predicts labels that do not exclude each other, genes are
        given for a run of sequences, images or texts, or groups without `x`.
    RunFolderError
        If it is no run, none of its trials finished, or the path cannot be written.
    """
    target = _html_path(path)
    fitted = finished_run(run)
    decision = decision_of(fitted, asked_of(run))
    of_genes = {"explanation": explanation, "stability": stability, "known_genes": known_genes}
    _check_asked(fitted, of_genes)
    check_groups_given(x, groups)
    given: Given | None = None
    if x is not None and fitted.kind == "genome":
        given = given_dataset(fitted, x, y, groups)
    elif x is not None or y is not None:
        fitted = (
            fitted if isinstance(fitted.rows, Problem) else replace(fitted, rows=read_problem(fitted.folder))
        )
        given = given_samples(fitted, x, y, groups)
    return write_run_report(fitted, target, decision, given, explanation, stability, known_genes)


def _html_path(path: str | os.PathLike[str]) -> Path:
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(
            f"a report is an HTML file: expected a path ending in .html, got {str(target)!r}."
        )
    return target


def write_run_report(
    fitted: Run,
    path: str | os.PathLike[str],
    decision: Decision,
    given: Given | None = None,
    explanation: Explanation | None = None,
    stability: Stability | None = None,
    known_genes: str | os.PathLike[str] | Sequence[str] | None = None,
) -> Path:
    """As :func:`write_report` of a run in memory, whose classes follow from probabilities by `decision`.

    `given` are samples, those of genes in the run's order, and their targets.
    """
    target = _html_path(path)
    check_reported(fitted)
    _check_asked(fitted, {"explanation": explanation, "stability": stability, "known_genes": known_genes})
    samples, scored, why_not = _samples(fitted, given)
    known = None if known_genes is None else read_known_genes(known_genes)
    content = report_html(fitted, samples, explanation, stability, known, scored, why_not, decision)
    card = target.with_name(f"{target.stem}_model_card.md")
    write_text(card, card_of(fitted, decision))
    return write_text(target, content)


def check_reported(fitted: Run) -> None:
    """See that there are reports of what a run predicts.

    Raises
    ------
    ParameterError
        If samples have any number of labels.
    """
    if fitted.task.kind == "labels":
        raise ParameterError(
            f"{str(fitted.folder.path)!r} predicts any number of labels for each sample, and reports are of classes, numbers and "
            "survival: evaluate(x, y) and explain(x) tell of it."
        )


def _check_asked(fitted: Run, of_genes: Mapping[str, Any]) -> None:
    asked = [name for name, value in of_genes.items() if value is not None]
    if fitted.kind != "genome" and asked:
        raise ParameterError(
            f"{str(fitted.folder.path)!r} holds a run of {kind_of(fitted).sample}s, and its report is of no genes: leave out "
            f"{' and '.join(asked)}."
        )


def report_html(
    run: Run,
    samples: CheckedSamples | None = None,
    explanation: Explanation | None = None,
    stability: Stability | None = None,
    known: KnownGenes | None = None,
    scored: ScoredSamples | None = None,
    why_not: str = "",
    decision: Decision = NO_THRESHOLD,
) -> str:
    """The page of :func:`write_report`; `why_not` says why samples whose targets are known were not scored."""
    pictures, name = Pictures(), run.folder.path.name
    validation = [paragraph(why_not)] if why_not else []
    validation += [] if scored is None else validation_parts(run, scored, decision, pictures)
    # Genes come last: with many classes, theirs are the pictures that the file may have no room for.
    tests, search, training = (
        prediction_parts(run, decision, pictures),
        _search(run, pictures),
        _training(run, pictures),
    )
    panel, motifs = panel_parts(run, pictures), motif_parts(run, pictures)
    genes = _genes(run, samples, explanation, stability, known, pictures)
    sections = [
        ("estimate", "How good it is", _estimate(run)),
        *([("validation", "On the samples that were given", validation)] if validation else []),
        ("predictions", "Its predictions", [*tests, *certainty_parts(run, samples)]),
        *([("genes", "Which genes", genes)] if genes else []),
        *([("motifs", "Which motifs", motifs)] if motifs else []),
        *([("panel", "The panel", panel)] if panel else []),
        ("network", "What is delivered", [bullets(_delivered(run))]),
        ("search", "What was tried", search),
        ("training", "How it was trained", training),
        ("data", "The data", data_parts(run, samples, scored, decision, pictures)),
        ("settings", "Settings and versions", _settings(run)),
        ("loading", "How to load the model", _loading(run, decision)),
    ]
    parts = [_head(run, name), contents((key, title) for key, title, _ in sections)]
    parts += [section(key, title, *content) for key, title, content in sections]
    return page(f"GenoKeras report: {name}", "<main>\n" + "\n".join(parts) + "\n</main>")


# ---- parts


def _head(run: Run, name: str) -> str:
    settings, estimate = run.folder.settings, estimate_of(run)
    n, kind = int(settings.get("n_samples", run.rows.n_samples)), kind_of(run)
    genes = f"{len(settings['feature_names']):,} genes, " if kind is GENES else ""
    words = f"{n:,} {kind.sample}s, {genes}{what_is_predicted(run)}. {expectation(estimate, kind.sample)}"
    parts = [
        heading(f"Report of the run {name}"),
        paragraph(words),
        paragraph(verdict(estimate), "verdict"),
    ]
    return "<header>\n" + "\n".join(parts) + "\n</header>"


def _estimate(run: Run) -> list[str]:
    estimate = estimate_of(run)
    corrected = estimate["interval"] is not None
    return [
        table(
            "What to expect on new samples" if corrected else "Scores",
            ESTIMATE_HEAD,
            estimate_rows(estimate),
            numbers=[1, 2, 3, 4],
        ),
        paragraph(how_estimated(estimate, run.stop_reason)),
        *study_parts(estimate),
        paragraph(about_chance(run), "faint"),
        *block_parts(run),
    ]


def _delivered(run: Run) -> list[str]:
    return [*recipe(run), *([needed_genes(run)] if run.kind == "genome" else [])]


def _samples(run: Run, given: Given | None) -> tuple[CheckedSamples | None, ScoredSamples | None, str]:
    """What is looked at, what is scored, and why given samples are not."""
    if given is None:
        return trained_samples(run) if run.kind == "genome" else None, None, ""
    content, targets = given
    checked = looked_at(content, targets) if isinstance(content, Dataset) else None
    if targets is None:
        return checked, None, ""
    try:
        return checked, score_samples(run, content, targets), ""
    except DataError as error:
        if checked is None:  # they are good for nothing else
            raise
        return checked, None, f"The samples that were given are not scored: {error}"


def _genes(
    run: Run,
    samples: CheckedSamples | None,
    explanation: Explanation | None,
    stability: Stability | None,
    known: KnownGenes | None,
    pictures: Pictures,
) -> list[str]:
    if explanation is None or run.kind != "genome":
        return []
    found = gene_parts(explanation, stability, association_of(samples, run, explanation), pictures, known)
    heatmap = heatmap_parts(run, samples, explanation, pictures)
    pairs = pair_parts(run, samples, None if stability is None else stability.pairs, pictures)
    return [*moved_by_blocks(explanation), *found[:-1], *heatmap, found[-1], *pairs]


def _search(run: Run, pictures: Pictures) -> list[str]:
    tree = search_tree(run)
    family = tree_figure(tree)
    return [
        paragraph(tree.summary()),
        paragraph(run.growth.sentence()),
        drawn(lambda: plot_search(run), pictures),
        pictures.figure(family, family.alt),
        _leaderboard(run),
    ]


def _leaderboard(run: Run) -> str:
    ranked = run.history.ranked()
    linear = next((trial.score for trial in ranked if is_linear(trial.proposal.graph)), None)
    rows = [_trial(run, trial, rank, linear) for rank, trial in enumerate(ranked[:_TOP_TRIALS], start=1)]
    failed = len(run.history.failed())
    caption = f"The best {len(rows)} of {len(run.history)} trials" + (f"; {failed} failed" if failed else "")
    name = f"{metric_name(run.objective.name)}, out of fold"
    views = ["views"] if run.kind == "genome" else []
    head = (
        "#",
        "trial",
        "from",
        "by",
        name,
        "gap to linear",
        "parameters",
        "seconds",
        "share",
        "network",
        *views,
    )
    return table(caption, head, rows, numbers=[0, 1, 2, 4, 5, 6, 7, 8], long=[3, 9, 10])


def _trial(run: Run, trial: TrialResult, rank: int, linear: float | None) -> list[object]:
    proposal, share = trial.proposal, run.delivery.shares.get(trial.id, 0.0)
    error = f" ± {trial.score_se:.3f}" if trial.score_se == trial.score_se else ""
    return [
        rank,
        trial.id,
        "" if proposal.father is None else proposal.father,
        way_of(proposal).replace("+", " + "),
        f"{run.objective.value_of_loss(trial.score):.3f}{error}",
        "" if linear is None else f"{linear - trial.score:+.3f}",
        f"{trial.n_parameters:,}",
        f"{trial.seconds:.1f}",
        f"{share:.0%}" if share else "",
        proposal.graph.describe(),
        *([", ".join(proposal.views)] if run.kind == "genome" else []),
    ]


def _training(run: Run, pictures: Pictures) -> list[str]:
    return [drawn(lambda: plot_metric(history_table(run), "loss"), pictures)]


def _settings(run: Run) -> list[str]:
    held = run.folder.settings
    asked = {**held.get("settings", {}), **{k: held.get(k) for k in ("searcher", "time_limit", "max_trials")}}
    asked |= {"seed": held.get("seed"), "source": held.get("source")}
    asked |= {"views": ", ".join(run.problem.widths)} if run.kind == "genome" else {}
    asked |= {"folds used": run.rows.n_folds, "grouped": held.get("groups") is not None}
    asked |= {"data fingerprint": held.get("data_fingerprint"), "run id": run.folder.run_id}
    rows = [(key.replace("_", " "), "–" if value is None else value) for key, value in asked.items()]
    versions = list(held.get("versions", {}).items())
    parts = [table("Settings", ("setting", "value"), rows, long=[1])]
    return [*parts, table("Versions", ("part", "version"), versions)] if versions else parts


def _loading(run: Run, decision: Decision) -> list[str]:
    held = loading(run, decision.threshold)
    return [part for title, text in held for part in (paragraph(f"{title}:"), code(text))]

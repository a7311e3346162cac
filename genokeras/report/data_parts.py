"""A report's part on the data: classes or numbers, what was found, and the samples in a plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from genokeras.engine import Run
from genokeras.explain import Explanation, training_rows
from genokeras.explain.runs import table_of
from genokeras.explain.scales import loggish
from genokeras.report.answers import answers_table, of_classes, of_survival, shown_targets
from genokeras.report.data_checks import (
    CheckedSamples,
    about_directions,
    directions,
    findings,
    findings_of_rows,
    standardised,
    training_ids,
)
from genokeras.report.decisions import Decision
from genokeras.report.diagnostics import out_of_fold_predictions
from genokeras.report.heatmap import MOST_GENES, plot_heatmap
from genokeras.report.page import Pictures, bullets, paragraph, side_by_side, subheading, table
from genokeras.report.plane import FEWEST_POINTS, plane_methods, plot_samples
from genokeras.report.prediction_parts import drawn
from genokeras.report.scored import ScoredSamples
from genokeras.report.validation import given_predictions
from genokeras.support.wording import sentence

_MOST_POINTS = 500
_ABOUT_PLANE = (
    "Every gene is standardised; the model plays no part. Samples that stand apart from the training samples may be of another kind, or "
    "were measured in another way."
)


def data_parts(
    run: Run,
    samples: CheckedSamples | None,
    scored: ScoredSamples | None,
    decision: Decision,
    pictures: Pictures,
) -> list[str]:
    """HTML of the data that a run was trained on, and of the samples that are looked at."""
    caption, head_of_answers, answers = answers_table(run)
    numbers = range(1, len(head_of_answers))
    parts = [
        table(caption, head_of_answers, answers, numbers=list(numbers), long=[0]),
        bullets(findings(run, samples) if run.kind == "genome" else findings_of_rows(run)),
    ]
    if samples is None:
        return parts
    wrong = _wrong(run, samples, scored, decision)
    return [*parts, *_planes(run, samples, wrong, pictures), *_directions(run, samples)]


def _directions(run: Run, samples: CheckedSamples) -> list[str]:
    known = samples.targets
    shown = samples if known is None else replace(samples, targets=shown_targets(run, known))
    found = directions(shown)
    if not found:
        return []
    head = (
        "direction",
        "share of all variance",
        "explained by class" if of_classes(run) else "explained by target",
        "goes with the order",
    )
    rows = [
        (
            i,
            f"{one.share:.0%}",
            "–" if one.by_class != one.by_class else f"{one.by_class:.0%}",
            f"{one.by_order:.2f}",
        )
        for i, one in enumerate(found, start=1)
    ]
    return [
        table(f"Principal components of {samples.words}", head, rows, numbers=[0, 1, 2, 3]),
        paragraph(about_directions(found, "classes" if of_classes(run) else "target")),
    ]


def colours_of(run: Run, samples: CheckedSamples) -> tuple[np.ndarray | None, str]:
    """What samples are coloured by: their classes, or the first number; and what that is called."""
    if samples.targets is None:
        return None, ""
    if of_classes(run):
        return np.asarray([str(name) for name in run.names])[samples.targets], "class"
    targets = np.asarray(shown_targets(run, samples.targets), dtype="float64")
    name = "excess of events" if of_survival(run) else str(run.names[0])
    return targets.reshape(len(targets), -1)[:, 0], name


def _planes(run: Run, samples: CheckedSamples, wrong: np.ndarray | None, pictures: Pictures) -> list[str]:
    x, n = samples.x, len(samples.x)
    if n < FEWEST_POINTS:
        return []
    training = None
    if samples.given and "all" in table_of(run.problem).spaces:
        training = training_rows(run.problem, 0, _MOST_POINTS)
    points = standardised(x if training is None else np.concatenate([x, training]))
    if points.shape[1] < 2:
        return []
    labels, name = colours_of(run, samples)
    made = [
        drawn(
            lambda method=method: plot_samples(  # type: ignore[misc]
                points[:n],
                labels,
                training=None if training is None else points[n:],
                wrong=wrong,
                method=method,
                colour_name=name,
            ),
            pictures,
        )
        for method in plane_methods()
    ]
    return [
        subheading(sentence(samples.words)),
        side_by_side(made),
        paragraph(_ABOUT_PLANE, "faint"),
    ]


def _wrong(
    run: Run, samples: CheckedSamples, scored: ScoredSamples | None, decision: Decision
) -> np.ndarray | None:
    """Which of the samples are predicted wrong, where that is known."""
    if not of_classes(run) or samples.targets is None or (samples.given and scored is None):
        return None
    if scored is not None:
        ids, found = scored.ids, given_predictions(run, scored, decision.threshold)
    else:
        ids, found = training_ids(run), out_of_fold_predictions(run, decision.threshold)
    right = found.decided == found.truth
    wrong = {id for id, one in zip(ids, right, strict=True) if not one}
    return np.array([id in wrong for id in samples.ids])


def heatmap_parts(
    run: Run, samples: CheckedSamples | None, explanation: Explanation, pictures: Pictures
) -> list[str]:
    """HTML of the most important genes of each class or target over the samples that are looked at."""
    if samples is None or samples.x.shape[1] != explanation.shape[1]:
        return []
    encoder = table_of(run.problem)
    x = samples.x if encoder.medians is None else np.where(np.isnan(samples.x), encoder.medians, samples.x)
    logged = loggish(x.astype("float64"), encoder.blocks)
    n_lists = 1 if len(explanation.output_names) == 2 else len(explanation.output_names)
    each = max(3, min(20, MOST_GENES // n_lists))
    outputs = explanation.output_names[-n_lists:]
    chosen = np.array(list(dict.fromkeys(i for name in outputs for i in explanation.order(name)[:each])))[
        :MOST_GENES
    ]
    labels, name = colours_of(run, samples)
    genes = [explanation.feature_names[i] for i in chosen]
    return [drawn(lambda: plot_heatmap(logged[:, chosen], genes, labels, name), pictures)]

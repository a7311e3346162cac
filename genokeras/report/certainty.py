"""How often a model can be sure: what its sets of classes or intervals look like at several coverages, and which samples are novel."""

from __future__ import annotations

import numpy as np

from genokeras.engine import Problem, Run
from genokeras.engine.honest import HonestAnswers, honest_answers
from genokeras.engine.novelty import NOVELTY_FILE, novelty_table
from genokeras.errors import ParameterError
from genokeras.explain.runs import table_of
from genokeras.report.data_checks import CheckedSamples
from genokeras.report.page import paragraph, table
from genokeras.support.wording import listed
from genokeras.tasks.answers import CLASSES, NUMBERS
from genokeras.tasks.conformal import class_limits, error_limits

_COVERAGES = (0.8, 0.9, 0.95)
_FALSE_ALARMS = 0.05
_NAMED = 12
_OF_CLASSES = ("holds the true class for", "classes in a set", "samples with just one", "of these right")
_ABOUT_CLASSES = (
    "Sets of classes, as predict_set(x, coverage) gives them, of the training samples, each predicted out of fold. With abstain= predict answers "
    "only where a set has just one class."
)
_ABOUT_NUMBERS = (
    "Intervals, as predict_interval(x, coverage) gives them, reach this far to both sides of the prediction."
)


def certainty_parts(run: Run, samples: CheckedSamples | None) -> list[str]:
    """What a report says of certainty; nothing of runs that have no out-of-fold answers of what they deliver."""
    if "value" not in run.delivery.estimate or not isinstance(run.rows, Problem):
        return []
    kind = run.task.answers.kind
    if kind not in (CLASSES.kind, NUMBERS.kind):
        return []
    try:
        known = honest_answers(run)
    except ParameterError:
        return _novelty(run, samples)
    parts = _of_classes(known) if kind == CLASSES.kind else _of_numbers(run, known)
    return [*parts, *_novelty(run, samples)]


def _of_classes(known: HonestAnswers) -> list[str]:
    weight, counts, rows = known.weights(), known.importance, []
    for coverage in _COVERAGES:
        try:
            limits = class_limits(known.answers, known.targets, weight, coverage, by_class=False)
        except ParameterError:
            continue
        sets = 1.0 - known.answers <= limits
        one = sets.sum(axis=1) == 1
        right = one & (sets.argmax(axis=1) == known.targets)
        sizes, sure, held = (np.average(values, weights=counts) for values in (sets.sum(axis=1), one, right))
        rows.append(
            (
                f"{coverage:.0%}",
                f"{sizes:.2f}",
                f"{sure:.0%}",
                f"{held / sure:.0%}" if sure > 0 else "–",
            )
        )
    if not rows:
        return []
    return [
        table("When not to answer", _OF_CLASSES, rows, numbers=[0, 1, 2, 3]),
        paragraph(_ABOUT_CLASSES, "faint"),
    ]


def _of_numbers(run: Run, known: HonestAnswers) -> list[str]:
    weight, rows = known.weights(), []
    targets = np.asarray(known.targets, dtype="float64").reshape(known.answers.shape)
    for coverage in _COVERAGES:
        try:
            half = error_limits(known.answers, targets, weight, coverage)
        except ParameterError:
            continue
        rows.append((f"{coverage:.0%}", *(f"{length:.4g}" for length in half)))
    if not rows:
        return []
    head = ("holds the true number for", *(f"± {name}" for name in run.names))
    return [
        table("How far off", head, rows, numbers=list(range(len(head)))),
        paragraph(_ABOUT_NUMBERS, "faint"),
    ]


def _novelty(run: Run, samples: CheckedSamples | None) -> list[str]:
    """Which of the samples that were given are unlike all training samples."""
    if samples is None or not samples.given or not run.folder.has(NOVELTY_FILE):
        return []
    x = np.asarray(table_of(run.problem).filled(samples.x))
    if np.isnan(x).any():
        return []
    try:
        found = novelty_table(run, x, samples.ids, _FALSE_ALARMS)
    except ParameterError:
        return []
    novel = found.index[found["novel"]].tolist()
    said = f"Of {samples.words}, {len(novel)} {'is' if len(novel) == 1 else 'are'} unlike all training samples ({_FALSE_ALARMS:.0%} of samples like these would be called so)"
    return [paragraph(f"{said}{': ' + listed(novel, _NAMED) if novel else ''}.")]

"""What a report says and shows of what is predicted: classes, numbers, or times until an event."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from genokeras.engine import Run
from genokeras.report.picture import Picture
from genokeras.report.predicted import plot_predicted, plot_residuals
from genokeras.report.survival import plot_risk_groups, plot_survival_calibration
from genokeras.support.wording import counted, listed
from genokeras.tasks.answers import CLASSES
from genokeras.tasks.survival import Hazard, Survival
from genokeras.tasks.survival_times import EVENT, TIME, martingale_residuals
from genokeras.tasks.threshold import Threshold

_NUMBER_PLOTS = (plot_predicted, plot_residuals)
_SURVIVAL_PLOTS = (plot_risk_groups, plot_survival_calibration)
CHANCE_OF_CLASSES = (
    "Chance is what a model scores that knows the class frequencies only: for the accuracy, one that always says the "
    "majority class."
)
CHANCE_OF_NUMBERS = "Chance is what a model scores that always answers the mean of the training samples."
CHANCE_OF_SURVIVAL = "Chance is what a model scores that answers the same for every sample: the survival of all training samples."


def of_classes(run: Run) -> bool:
    """Whether the answers of a run are probabilities of classes."""
    return run.task.answers.kind == CLASSES.kind


def of_survival(run: Run) -> bool:
    """Whether a run predicts times until an event."""
    return isinstance(run.task, Survival)


def shown_targets(run: Run, targets: np.ndarray) -> np.ndarray:
    """Targets that genes can go with: classes, numbers, or the events that came in excess of what all samples lead one to expect.

    Of survival by intervals, these for each output.
    """
    if not of_survival(run):
        return targets
    excess = martingale_residuals(targets, np.ones(len(targets)))
    return np.repeat(excess[:, None], run.task.n_outputs, axis=1)


def outputs_in_words(run: Run) -> str:
    """What the delivered model answers."""
    if of_classes(run):
        return "class probabilities"
    if of_survival(run):
        return "survival by intervals" if isinstance(run.task, Hazard) else "logarithms of relative hazards"
    return "numbers in their units"


def answer_plots(run: Run) -> Sequence[Callable[[Any], Picture]]:
    """The pictures of a run that predicts numbers or survival."""
    return _SURVIVAL_PLOTS if of_survival(run) else _NUMBER_PLOTS


def about_chance(run: Run) -> str:
    """What chance is."""
    if of_survival(run):
        return CHANCE_OF_SURVIVAL
    return CHANCE_OF_CLASSES if of_classes(run) else CHANCE_OF_NUMBERS


def what_is_predicted(run: Run) -> str:
    """A few words: ``2 classes``, or ``the number 'age'``."""
    names = [str(name) for name in run.names]
    if of_classes(run):
        return f"{len(names)} classes"
    if isinstance(run.task, Survival):
        return f"survival ({run.task.columns[0]!r}, {run.task.columns[1]!r})"
    if len(names) == 1:
        return f"the number {names[0]!r}"
    return f"{len(names)} numbers ({listed(map(repr, names), 5)})"


def class_counts(run: Run) -> list[int]:
    """Samples of each class."""
    held = run.folder.settings.get("class_counts")
    if held is None:
        held = np.bincount(run.rows.targets, minlength=len(run.names)).tolist()
    return [int(count) for count in held]


def answers_table(run: Run) -> tuple[str, tuple[str, ...], list[tuple[object, ...]]]:
    """Caption, head and rows of a table of the classes, or of the numbers of the training samples."""
    if of_classes(run):
        counts = class_counts(run)
        rows: list[tuple[object, ...]] = [
            (name, n, f"{n / sum(counts):.1%}") for name, n in zip(run.names, counts, strict=True)
        ]
        return "Classes", ("class", "samples", "share"), rows
    if of_survival(run):
        return _survival_table(run)
    numbers = np.asarray(run.rows.targets, dtype="float64").reshape(run.rows.n_samples, -1)
    rows = [
        (name, *(f"{value:.4g}" for value in (*np.quantile(values, [0, 0.25, 0.5, 0.75, 1]), values.std())))
        for name, values in zip(run.names, numbers.T, strict=True)
    ]
    return (
        "Numbers",
        ("target", "least", "first quartile", "median", "third quartile", "greatest", "sd"),
        rows,
    )


def _survival_table(run: Run) -> tuple[str, tuple[str, ...], list[tuple[object, ...]]]:
    """Samples with the event and those without, and how long they were followed."""
    time, event = run.rows.targets[:, TIME], run.rows.targets[:, EVENT] > 0
    rows: list[tuple[object, ...]] = [
        (
            name,
            int(which.sum()),
            *(f"{value:.4g}" for value in np.quantile(time[which], [0, 0.25, 0.5, 0.75, 1])),
        )
        for name, which in (("event", event), ("end of follow-up", ~event))
        if which.any()
    ]
    return (
        "Times",
        ("until", "samples", "least", "first quartile", "median", "third quartile", "greatest"),
        rows,
    )


def card_sentence(run: Run, samples: str, escape: Callable[[object], str] = str) -> str:
    """What a model card says the model is; names are escaped."""
    names = [escape(name) for name in run.names]
    if of_classes(run):
        named = [f"{name} ({n})" for name, n in zip(names, class_counts(run), strict=True)]
        return (
            f"A classifier of {samples} into {counted(len(named), 'class', 'classes')}: {listed(named, 30)}."
        )
    if isinstance(run.task, Survival):
        time, event = map(escape, run.task.columns)
        events = int(run.rows.targets[:, EVENT].sum())
        return f"A model of survival that predicts from {samples} how soon {event} comes ({time}); {counted(events, 'training event')}."
    return f"A regressor that predicts {counted(len(names), 'number')} from {samples}: {listed(names, 30)}."


def model_limit(run: Run, sample: str) -> str:
    """What a model card says the model cannot know."""
    if of_classes(run):
        return f"It always names one of its classes, also for {sample} that belongs to none of them."
    if of_survival(run):
        return f"It always answers, also for {sample} that is unlike all training samples, and knows nothing of times behind their follow-up."
    return f"It always answers a number, also for {sample} that is unlike all training samples."


def use_of_model(run: Run, threshold: Threshold | None = None) -> str:
    """The last lines of a listing that predicts with Keras alone, as ``predict`` does."""
    if threshold is not None:
        of_positive = f'model.predict(x)[:, {threshold.positive}].astype("float64")'
        other = 1 - threshold.positive
        return (
            f"p = {of_positive}\n"
            f'names = [about["classes"][{threshold.positive} if one >= {threshold.value!r} else {other}] for one in p]'
        )
    if of_classes(run):
        return 'names = [about["classes"][i] for i in model.predict(x).argmax(axis=1)]'
    if of_survival(run):
        return 'answers = model.predict(x)  # about["answers"] says of what'
    return 'numbers = dict(zip(about["targets"], model.predict(x).T))'

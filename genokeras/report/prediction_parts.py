"""A report's pictures and tables of predictions: of classes by class and by mistake, of numbers and survival as they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from genokeras.engine import Run
from genokeras.engine.sample_importance import importance_of
from genokeras.errors import ParameterError
from genokeras.report.answers import answer_plots, of_classes, of_survival
from genokeras.report.by_class import class_table, mistakes
from genokeras.report.class_pictures import curve_pictures, plot_confusion_of
from genokeras.report.data_checks import training_ids
from genokeras.report.decisions import Decision
from genokeras.report.diagnostics import Predictions, out_of_fold_predictions
from genokeras.report.estimate import estimate_of
from genokeras.report.page import Pictures, paragraph, side_by_side
from genokeras.report.picture import Picture
from genokeras.report.scored import ScoredSamples
from genokeras.report.validation import given_numbers, given_predictions, largest_errors, validation_tables

_OUT_OF_FOLD = (
    "Out of fold: every sample was predicted by networks that had not seen it. The ensemble was chosen by these predictions, so the "
    "pictures are a little too kind; the estimate above is corrected for that."
)
_HELD_OUT = "The samples that were not trained on. The network was chosen by these predictions, so the pictures are too kind."
_WEIGHTED = "Samples count by their weights, the heaviest {:.3g} times the mean: rates, scores and curves are weighted, and numbers of samples are not."
_WEIGHTED_TIMES = "Samples have weights, by which the estimate counts them; the pictures count all alike."
_NOT_DRAWN = "There is no picture here: {}"


def drawn(draw: Callable[[], Picture], pictures: Pictures) -> str:
    """HTML of a picture, or why there is none: one that cannot be drawn is no reason to have no report."""
    try:
        picture = draw()
    except ParameterError as error:
        return paragraph(_NOT_DRAWN.format(error), "faint")
    return pictures.figure(picture, picture.alt)


def prediction_parts(run: Run, decision: Decision, pictures: Pictures) -> list[str]:
    """HTML of the predictions out of fold, by what `decision` says."""
    said = [paragraph(_HELD_OUT if estimate_of(run)["interval"] is None else _OUT_OF_FOLD, "faint")]
    counts = importance_of(run)
    if counts is not None:
        said.append(
            paragraph(_WEIGHTED_TIMES if of_survival(run) else _WEIGHTED.format(counts.max()), "faint")
        )
    if not of_classes(run):
        return [*said, _all_drawn(run, run.folder, pictures)]
    found = out_of_fold_predictions(run, decision.threshold)
    return [
        *said,
        *map(paragraph, decision.in_words(found.classes)),
        *_of_classes(found, training_ids(run), "out of fold", pictures),
    ]


def validation_parts(run: Run, scored: ScoredSamples, decision: Decision, pictures: Pictures) -> list[str]:
    """HTML of samples that were given with their targets, by what `decision` says."""
    parts = validation_tables(run, scored, decision.threshold)
    if of_survival(run):
        return parts
    if not of_classes(run):
        return [*parts, largest_errors(run, scored), _all_drawn(run, given_numbers(run, scored), pictures)]
    found = given_predictions(run, scored, decision.threshold)
    return [*parts, *_of_classes(found, scored.ids, "of the samples that were given", pictures)]


def _of_classes(found: Predictions, ids: Sequence[str], which: str, pictures: Pictures) -> list[str]:
    # What stands above the pictures need not be repeated below each.
    bare = replace(found, note="")
    confusion = drawn(partial(plot_confusion_of, bare), pictures)
    curves = [drawn(draw, pictures) for draw in curve_pictures(bare)]
    return [
        class_table(found, f"By class, {which}"),
        side_by_side([confusion, mistakes(found, ids, f"Predicted wrong, {which}")], "led"),
        side_by_side(curves),
    ]


def _all_drawn(run: Run, source: Any, pictures: Pictures) -> str:
    kind = "apart" if of_survival(run) else ""
    return side_by_side([drawn(partial(plot, source), pictures) for plot in answer_plots(run)], kind)

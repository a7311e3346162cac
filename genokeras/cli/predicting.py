"""The commands that answer: predictions of new samples, and scores of labelled ones."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genokeras.cli.answers import times_and_events
from genokeras.cli.backend import load_run, load_run_or_model
from genokeras.cli.certainty import Certainty, certainty_options
from genokeras.cli.elsewhere import Elsewhere, elsewhere_options
from genokeras.cli.group import debug_option, print_csv, say
from genokeras.cli.inputs import (
    Reading,
    data_argument,
    names_of,
    read_samples,
    reading_for,
    reading_options,
    run_argument,
    run_or_model_argument,
)
from genokeras.cli.kinds import GENES, kind_of
from genokeras.cli.places import is_model
from genokeras.cli.remembered import target_to_read
from genokeras.metric_names import metric_name
from genokeras.visible import plain_table

if TYPE_CHECKING:
    import pandas as pd


@click.command()
@run_or_model_argument
@data_argument
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A csv file; standard output without it."
)
@click.option("--probabilities", is_flag=True, help="Add one column per class with its probability.")
@click.option(
    "--survival-at",
    "times",
    type=float,
    multiple=True,
    help="Of survival: add the probability of no event by this time. Several times for several.",
)
@certainty_options
@elsewhere_options
@reading_options
@debug_option
def predict(
    run: Path,
    data: Path,
    out: Path | None,
    probabilities: bool,
    times: tuple[float, ...],
    certainty: Certainty,
    elsewhere: Elsewhere,
    reading: Reading,
) -> None:
    """Predict DATA by the model of RUN, as csv: the class, the number or the risk of each sample.

    RUN is a run folder, or a .keras file that was exported from one with its
    JSON file beside it: model.keras and model.json.

    --coverage .9 adds the classes that each sample may be of, or the least and
    the greatest number it may have: right for 9 in 10 new samples. --novelty
    says which samples are unlike all those of the training.

    In names that a spreadsheet would compute, such as =1+1, an apostrophe comes
    first; control characters are written as codes, such as \\x1b.
    """
    if is_model(run.expanduser()):
        certainty.check_none()
        elsewhere.check_none()
    estimator = load_run_or_model(run)
    told = reading_for(estimator, reading)
    samples = read_samples(kind_of(estimator), data, None, told, keep_empty=True)
    if probabilities and not hasattr(estimator, "classes_"):
        raise click.UsageError(f"--probabilities are of classes, and {run} predicts numbers.")
    if times and not hasattr(estimator, "baseline_"):
        raise click.UsageError(
            f"--survival-at is for survival, which {run} does not predict. (A model that was exported for certain times answers these without it.)"
        )
    certainty.check(estimator)
    samples = elsewhere.brought(estimator, samples)
    found = _predictions(estimator, samples, probabilities, times)
    table = plain_table(certainty.added(estimator, samples, found))
    if out is None:
        print_csv(table)
        return
    # Read when it is needed: help should not wait for NumPy.
    with import_module("genokeras.support.files").written_aside(out) as aside:
        table.to_csv(aside, index=False)


@click.command()
@run_argument
@data_argument
@click.option(
    "--target",
    multiple=True,
    help="Column with the labels, or a file of labels by sample id.  [default: that of fit]",
)
@click.option(
    "--time", "time_column", help="Of survival: column with the times; by default called as in fit."
)
@click.option("--event", help="Of survival: column with the events; by default called as in fit.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@reading_options
@debug_option
def evaluate(
    run: Path,
    data: Path,
    target: tuple[str, ...],
    time_column: str | None,
    event: str | None,
    as_json: bool,
    reading: Reading,
) -> None:
    """Score the model of RUN on labelled samples in DATA, which it should not have seen."""
    estimator = load_run(run)
    kind, reading = kind_of(estimator), reading_for(estimator, reading)
    target, _ = times_and_events(time_column, event, target, None, kind == GENES)
    target = target_to_read(run, estimator, target)
    if len(target) > 1 and not reading.is_told:
        scores = estimator.evaluate(data, list(target))
    else:
        several = len(target) > 1
        named = list(target) if several else target[0] if target else None
        scores = estimator.evaluate(read_samples(kind, data, named, reading, several_targets=several))
    if as_json:
        # JSON has no NaN, which a score is that no sample of some class went into.
        say(json.dumps({name: value if value == value else None for name, value in scores.items()}, indent=1))
        return
    for name, value in scores.items():
        say(
            f"{metric_name(name):<18} {value:.3f}" if value == value else f"{metric_name(name):<18} undefined"
        )


def _predictions(
    estimator: Any, samples: Any, probabilities: bool, times: tuple[float, ...] = ()
) -> pd.DataFrame:
    """``sample``, ``prediction`` and, if asked for, one column per class, in the order of ``classes_``, or per time."""
    import pandas as pd

    names = names_of(samples)
    if hasattr(estimator, "baseline_"):
        found = pd.DataFrame({"sample": names, "prediction": estimator.predict(samples)})
        if not times:
            return found
        curves = estimator.predict_survival_function(samples, times)
        return pd.concat([found, pd.DataFrame(curves, columns=[f"survival_{t:g}" for t in times])], axis=1)
    if not hasattr(estimator, "classes_"):
        numbers, targets = estimator.predict(samples), estimator.targets_
        answers = ["prediction"] if len(targets) == 1 else list(targets)
        table = pd.DataFrame(numbers, columns=answers)
        table.insert(0, "sample", list(names), allow_duplicates=True)
        return table
    chances = estimator.predict_proba(samples)
    decided, classes = estimator.decide(chances), [str(name) for name in estimator.classes_]
    if decided.ndim > 1:
        found = pd.DataFrame(decided, columns=classes)
        found.insert(0, "sample", list(names), allow_duplicates=True)
        classes = [f"{name} probability" for name in classes]
    else:
        found = pd.DataFrame({"sample": names, "prediction": decided})
    if probabilities:
        columns = pd.DataFrame(chances, columns=classes)
        found = pd.concat([found, columns], axis=1)
    return found

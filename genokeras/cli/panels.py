"""``genokeras panel``: a small model of few genes out of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from genokeras.cli.answers import times_and_events
from genokeras.cli.backend import load_run
from genokeras.cli.group import debug_option, say
from genokeras.cli.inputs import (
    Reading,
    data_argument,
    optional_reading_options,
    read_samples,
    reading_for,
    run_argument,
)
from genokeras.cli.kinds import GENES, kind_of
from genokeras.cli.remembered import remember_target, remembered_target, target_to_read
from genokeras.cli.words import estimate_in_words
from genokeras.metric_names import span
from genokeras.visible import visible

DEFAULT_TIME_LIMIT = 30.0
_NAMED = 3


@click.command()
@run_argument
@data_argument
@click.option("--genes", default=10, show_default=True, type=click.IntRange(min=1), help="How many.")
@click.option("--target", multiple=True, help="As in fit, where DATA is given.  [default: that of fit]")
@click.option(
    "--time", "time_column", help="Of survival: column with the times; by default called as in fit."
)
@click.option("--event", help="Of survival: column with the events; by default called as in fit.")
@click.option("--groups", help="As in fit, where DATA is given.")
@click.option("--batches", help="As in fit, where DATA is given.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder, new or empty.  [default: beside RUN]",
)
@click.option(
    "--time-limit", type=float, help="Seconds of the search.  [default: 30, or none with --max-trials]"
)
@click.option("--max-trials", type=int, help="Trials of the search at most.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="A picture of the scores by size."
)
@optional_reading_options
@debug_option
def panel(
    run: Path,
    data: Path | None,
    genes: int,
    target: tuple[str, ...],
    time_column: str | None,
    event: str | None,
    groups: str | None,
    batches: str | None,
    out: Path | None,
    time_limit: float | None,
    max_trials: int | None,
    plot: Path | None,
    reading: Reading,
) -> None:
    """Make a small model of few genes out of RUN, with an estimate of its own.

    It is chosen on the samples that RUN was trained on; where RUN has not kept
    them exactly, give them again as DATA.
    """
    if data is None and (target or time_column or event or groups or batches or reading.is_told):
        raise click.UsageError(
            "--target, --time, --event, --groups, --batches and --transposed say how DATA is read, which is missing."
        )
    estimator = load_run(run)
    kind = kind_of(estimator)
    if kind != GENES:
        raise click.UsageError(f"panels are of genes, and the samples of {run} are {kind}.")
    if batches is not None and groups is not None:
        raise click.UsageError("give --batches or --groups: a study is left out as a whole.")
    given: dict[str, Any] = {}
    named_now, _ = times_and_events(time_column, event, target, None, True)
    if data is not None:
        columns = target_to_read(run, estimator, named_now)
        several = len(columns) > 1
        named: Any = list(columns) if several else columns[0] if columns else None
        told = reading_for(estimator, reading)
        belong = groups if batches is None else batches
        given["x"] = read_samples(kind, data, named, told, belong, several_targets=several)
        if batches is not None:
            given["batches"] = given["x"].groups
    limit = DEFAULT_TIME_LIMIT if time_limit is None and max_trials is None else time_limit
    small = estimator.panel(n_genes=genes, path=out, time_limit=limit, max_trials=max_trials, **given)
    remember_target(small.path_, named_now or remembered_target(run))
    _print_panel(small)
    if plot is not None:
        small.panel_.plot(plot)
        say(f"Wrote {plot}")


def _print_panel(small: Any) -> None:
    known = small.panel_
    say(estimate_in_words(small.estimate_, small.stop_reason_))
    say("\nGenes (all of them are needed), each with how often it was chosen and what can stand in for it:")
    for gene in known.genes:
        own = known.equivalents[known.equivalents["gene"] == gene]
        others = [
            f"{visible(str(name))}{' (a copy)' if copy else ''}"
            for name, copy in zip(own["equivalent"], own["copy"], strict=True)
        ]
        often = known.frequency.get(gene, 0.0)
        more = f", and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        say(f"  {gene}  {often:.0%}" + (f"  or {', '.join(others[:_NAMED])}{more}" if others else ""))
    say(f"\nLinear models by number of genes ({known.metric}):")
    for point in known.curve.itertuples():
        within = span((point.low, point.high))
        say(f"  {point.genes:>4}  {point.value:.3f}" + (f" ({within})" if within else ""))
    say(f"The fewest within one standard error of the best: {known.smallest}.")
    say(f"\nWrote the run into {small.path_}")

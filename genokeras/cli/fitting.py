"""The command that fits: what it takes, reads and prints."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import Any

import click

from genokeras.cli.answers import CLASSES, COX, HAZARD, LABELS, NUMBERS, TASKS, find_task, times_and_events
from genokeras.cli.backend import load_estimator
from genokeras.cli.choices import (
    EXECUTORS,
    MISSING,
    SEARCHERS,
    ObjectiveName,
    OneOf,
    check_objective,
    objectives_in_words,
)
from genokeras.cli.classes import check_of_classes, class_options, threshold_in_words
from genokeras.cli.elsewhere import studies_in_words
from genokeras.cli.group import debug_option, say
from genokeras.cli.inputs import Reading, data_argument, labels_of, names_of, read_samples, reading_options
from genokeras.cli.kinds import GENES, KINDS, find_kind
from genokeras.cli.remembered import remember_target
from genokeras.cli.words import (
    LEGEND,
    WIDTH,
    estimate_in_words,
    growth_in_words,
    leaderboard_table,
    make_console,
)
from genokeras.visible import visible

DEFAULT_TIME_LIMIT = 60.0
TOP_ROWS_OF_FIT = 5


@click.command()
@data_argument
@click.option(
    "--target",
    multiple=True,
    help="Column with the labels or numbers, or a file of them by sample id (clinical.tsv:er_status for one column of it). "
    "Several times for several numbers, or for labels that are 1 or 0.",
)
@click.option("--time", "time_column", help="Column (or file) with times until an event, for survival.")
@click.option("--event", help="Column (or file) that says whether the event came then (1) or not (0).")
@click.option(
    "--task",
    type=click.Choice(TASKS),
    help="What --target holds; decided from its values otherwise. Of --time and --event cox or hazard.  [default: cox]",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="The run folder, new or empty; runs/{} makes a new one with every fit.",
)
@click.option(
    "--kind", type=click.Choice(KINDS), help="What DATA holds; by default decided by its name and columns."
)
@click.option(
    "--time-limit",
    type=float,
    help=f"Seconds for the whole fit.  [default: {DEFAULT_TIME_LIMIT:g}, or none with --max-trials]",
)
@click.option(
    "--max-trials",
    type=int,
    help="Trials at most, those of a resumed run included; repeatable with --seed where no time limit is given.",
)
@click.option("--objective", type=ObjectiveName(), help=objectives_in_words())
@click.option(
    "--folds",
    type=int,
    help="Folds of the cross-validation.  [default: 5, and of sequences, images and texts 3; one hold-out of many samples]",
)
@click.option(
    "--searcher",
    type=OneOf(SEARCHERS),
    default=SEARCHERS[0],
    show_default=True,
    help="What proposes networks: morphisms guided by a Gaussian process, random ones, or (of genes) fathers that shared weights rank.",
)
@click.option("--seed", type=int, help="Seed of everything random; drawn where it is not given.")
@click.option("--resume", is_flag=True, help="Go on with the run that --out holds.")
@click.option("--groups", help="Column (or file) that says which samples belong together, such as a donor.")
@click.option("--batches", help="Column (or file) with each sample's study: folds leave one out each.")
@click.option("--missing", type=OneOf(MISSING), help="Missing values of genes.  [default: error]")
@class_options
@reading_options
@click.option(
    "--executor",
    type=OneOf(EXECUTORS),
    help="Where trials are trained: here, in worker processes, on a cluster, or by several commands with one --out.  [default: local]",
)
@click.option("--workers", type=int, help="Worker processes, of one thread each if there are as many cores.")
@click.option("--memory-limit", help='Memory that the fit may use, as "4 GB".  [default: what is left]')
@click.option(
    "--keep",
    type=click.Choice(["all", "best"]),
    default="all",
    show_default=True,
    help="best removes the weights of trials without a share in the delivered model.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@debug_option
def fit(
    data: Path,
    target: tuple[str, ...],
    time_column: str | None,
    event: str | None,
    task: str | None,
    out: Path,
    kind: str | None,
    time_limit: float | None,
    max_trials: int | None,
    objective: str | None,
    folds: int | None,
    searcher: str,
    seed: int | None,
    resume: bool,
    groups: str | None,
    batches: str | None,
    missing: str | None,
    of_classes: dict[str, Any],
    reading: Reading,
    executor: str | None,
    workers: int | None,
    memory_limit: str | None,
    keep: str,
    quiet: bool,
) -> None:
    """Grow a network on DATA that predicts the classes or numbers of --target, or the survival of --time and --event.

    \b
    genes      a table of samples by genes: csv, tsv, txt or xlsx, GEO series
               matrix, GCT, counts of reads, 10x, h5ad, loom, parquet, npz ...
    blocks     --block rna=a.tsv --block meth=b.tsv in place of DATA: several
               tables of the same samples, joined by sample id
    sequences  FASTA or FASTQ, or a table with a column "sequence"
    images     a folder with a folder of images for each class, or an idx file
    texts      a table or JSON lines with a column "text", or a folder with a
               folder of .txt files for each class
    """
    started = time.monotonic()
    found = kind or (
        GENES
        if reading.of_genes or isinstance(data, dict)
        else find_kind(data, reading.delimiter, (*target, groups, batches))
    )
    target, task = times_and_events(time_column, event, target, task, found == GENES)
    of_genes: dict[str, Any] = dict(_of_genes(found, missing=missing))
    if reading.drop and found == GENES:
        of_genes["drop_columns"] = reading.drop
    if found == GENES and reading.missing_blocks != "drop":
        of_genes["missing_blocks"] = reading.missing_blocks
    if found == GENES:
        of_genes |= {name: value for name, value in reading.of_genes.items() if name in ("layer", "use_raw")}
    if batches is not None and groups is not None:
        raise click.UsageError("give --batches or --groups: a study is left out as a whole.")
    belong = groups if batches is None else batches
    limit = DEFAULT_TIME_LIMIT if time_limit is None and max_trials is None else time_limit
    if len(target) > 1:
        task, samples = _of_several(task), _with_several(found, data, target, reading, belong)
    else:
        named = target[0] if target else None
        samples = read_samples(found, data, named, reading, belong)
        if task is None and "ordered" in of_classes:
            task = CLASSES
        if task is None:
            task, sentence = find_task(labels_of(samples), named, getattr(samples, "notes", ()))
            if sentence and not quiet:
                say(textwrap.fill(sentence, WIDTH))
    check_objective(objective, task, "ordered" in of_classes)
    estimator = load_estimator(found, task)(
        out,
        time_limit=limit,
        folds=folds,
        searcher=searcher,
        max_trials=max_trials,
        random_state=seed,
        resume=resume,
        verbose=0 if quiet else 1,
        executor=executor or ("local" if workers is None else "pool"),
        executor_args=None if workers is None else {"workers": workers},
        memory_limit=memory_limit,
        keep=keep,
        **({} if objective is None else {"objective": objective}),
        **of_genes,
        **check_of_classes(of_classes, task),
        **({"task": LABELS} if task == LABELS else {}),
    )
    if limit is not None and limit > 0:  # reading counts
        limit = max(limit - (time.monotonic() - started), 0.01 * limit)
    if len(target) > 1 and not reading.is_told:
        estimator.fit(data, list(target), groups=groups, batches=batches, time_limit=limit)
    else:
        studies = None if batches is None else samples.groups
        estimator.fit(samples, _named_targets(samples, target, task), batches=studies, time_limit=limit)
    if task not in (COX, HAZARD):  # which know their columns
        remember_target(estimator.path_, target)
    if not quiet:
        _print_fit(estimator, found)


# ---- what it reads and prints


def _of_genes(kind: str, **options: str | None) -> dict[str, str]:
    """Options that only tables of genes have, as far as they were given."""
    given = {name: value for name, value in options.items() if value is not None}
    if given and kind != GENES:
        raise click.UsageError(f"--{next(iter(given))} is for tables of genes, and these are {kind}.")
    return given


def _of_several(task: str | None) -> str:
    if task in (COX, HAZARD, LABELS):
        return str(task)
    if task is not None and task != NUMBERS:
        raise click.UsageError(
            f"several --target are numbers, or --task labels: give one, or leave out --task {task}."
        )
    return NUMBERS


def _with_several(
    kind: str, data: Path, target: tuple[str, ...], reading: Reading, groups: str | None
) -> Any:
    """A table of genes that needs options to be read; None where the estimator reads DATA itself."""
    if not reading.is_told:
        return None
    if kind != GENES:
        raise click.UsageError(
            f"--delimiter with several --target is for tables of genes, and these are {kind}."
        )
    return read_samples(kind, data, list(target), reading, groups, several_targets=True)


def _named_targets(samples: Any, target: tuple[str, ...], task: str) -> Any:
    """Numbers, or times and events, that were read, under the names of their columns; None of classes, which need no name."""
    import pandas as pd

    if task == CLASSES or not target:
        return None
    columns = [_column_name(name) for name in target]
    numbers = pd.DataFrame(labels_of(samples), index=list(names_of(samples)), columns=columns)
    return numbers if len(columns) > 1 else numbers[columns[0]]


def _column_name(target: str) -> str:
    if Path(target).is_file():
        return Path(target).stem
    file, _, column = target.rpartition(":")
    return column if file and Path(file).is_file() else target


def _print_fit(classifier: Any, kind: str) -> None:
    console = make_console()
    say()
    say(estimate_in_words(classifier.estimate_, classifier.stop_reason_))
    for line in studies_in_words(classifier.estimate_):
        say(line)
    said = threshold_in_words(classifier)
    if said:
        say(f"\n{textwrap.fill(said, WIDTH)}")
    say()
    console.print(
        leaderboard_table(classifier.leaderboard(), classifier.estimate_["metric"], TOP_ROWS_OF_FIT)
    )
    say(LEGEND)
    if kind == GENES and classifier.blocks_:
        for sentence in filter(None, classifier.block_estimates()["says"]):
            say(sentence)
    say(f"\n{growth_in_words(classifier.growth_)}")
    if classifier.notes_:
        say("\nAbout the data:")
        for note in classifier.notes_:
            console.print(f"- {visible(note)}")
    path = classifier.path_
    say(f"\nWrote the run into {path}")
    raw, named = ("raw genes", "genes") if kind == GENES else (kind, "inputs")
    out, of = _answers_of(classifier)
    say(f"  {path / 'best.keras'}  the model: {raw} in, {out} out")
    say(f"  {path / 'best.json'}   its {of} and {named}")


def _answers_of(estimator: Any) -> tuple[str, str]:
    if hasattr(estimator, "classes_"):
        return "class probabilities", "classes"
    if hasattr(estimator, "baseline_"):
        return ("log hazards" if estimator.task != HAZARD else "survival curves"), "baseline"
    return "numbers", "targets"

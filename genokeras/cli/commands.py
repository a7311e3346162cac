"""The commands: what each takes, calls and prints."""

from __future__ import annotations

import contextlib
import json
import sys
import textwrap
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import genokeras as gk
from genokeras.cli.answers import NUMBERS, TASKS, find_task
from genokeras.cli.backend import load_estimator, load_run, quiet_start
from genokeras.cli.group import CommandGroup, debug_option, debugging, say
from genokeras.cli.inputs import (
    Reading,
    data_argument,
    labels_of,
    names_of,
    read_samples,
    reading_for,
    reading_options,
    run_argument,
)
from genokeras.cli.kinds import GENES, KINDS, find_kind, kind_of
from genokeras.cli.projects import auto
from genokeras.cli.reporting import explain, report
from genokeras.cli.words import (
    LEGEND,
    WIDTH,
    estimate_in_words,
    growth_in_words,
    label,
    leaderboard_table,
    make_console,
)
from genokeras.visible import plain_table, visible

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_TIME_LIMIT = 60.0
TOP_ROWS_OF_FIT = 5
TOP_ROWS = 20


@click.group(
    cls=CommandGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(gk.__version__, prog_name="genokeras")
@debug_option
@click.pass_context
def main(ctx: click.Context) -> None:
    """Grow Keras networks for genomic data by network morphism."""
    if hasattr(sys.stdout, "reconfigure"):
        # A class name, or ±, that the terminal cannot spell is no reason to fail.
        sys.stdout.reconfigure(errors="replace")
    if ctx.invoked_subcommand is None:
        say(ctx.get_help())


@main.command()
@data_argument
@click.option(
    "--target",
    multiple=True,
    help="Column with the labels or numbers, or a file of them by sample id (clinical.tsv:er_status for one column of it). "
    "Several times for several numbers.",
)
@click.option(
    "--task",
    type=click.Choice(TASKS),
    help="What --target holds; decided from its values otherwise.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run folder, new or empty.")
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
@click.option("--objective", help="What the search makes best.  [default: log_loss, and of numbers r2]")
@click.option(
    "--folds",
    type=int,
    help="Folds of the cross-validation.  [default: 5, and of sequences, images and texts 3; one hold-out of many samples]",
)
@click.option("--searcher", default="bayesian", show_default=True, help="bayesian or random.")
@click.option("--seed", type=int, help="Seed of everything random; drawn where it is not given.")
@click.option("--resume", is_flag=True, help="Go on with the run that --out holds.")
@click.option("--groups", help="Column (or file) that says which samples belong together, such as a donor.")
@click.option("--missing", help="Missing values of genes: error or median.  [default: error]")
@reading_options
@click.option("--executor", help="Where trials on genes are trained.  [default: local]")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
@debug_option
def fit(
    data: Path,
    target: tuple[str, ...],
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
    missing: str | None,
    reading: Reading,
    executor: str | None,
    quiet: bool,
) -> None:
    """Grow a network on DATA that predicts the classes or numbers of --target.

    \b
    genes      a table of samples by genes: csv, tsv, txt or xlsx, GEO series
               matrix, GCT, counts of reads, 10x, h5ad, loom, parquet, npz ...
    sequences  FASTA or FASTQ, or a table with a column "sequence"
    images     a folder with a folder of images for each class, or an idx file
    texts      a table or JSON lines with a column "text", or a folder with a
               folder of .txt files for each class
    """
    started = time.monotonic()
    found = kind or (GENES if reading.of_genes else find_kind(data, reading.delimiter, (*target, groups)))
    of_genes: dict[str, Any] = dict(_of_genes(found, missing=missing, executor=executor))
    if reading.drop and found == GENES:
        of_genes["drop_columns"] = reading.drop
    limit = DEFAULT_TIME_LIMIT if time_limit is None and max_trials is None else time_limit
    if len(target) > 1:
        task, samples = _of_several_numbers(task), _with_several(found, data, target, reading, groups)
    else:
        named = target[0] if target else None
        samples = read_samples(found, data, named, reading, groups)
        if task is None:
            task, sentence = find_task(labels_of(samples), named)
            if sentence and not quiet:
                say(textwrap.fill(sentence, WIDTH))
    estimator = load_estimator(found, task)(
        out,
        time_limit=limit,
        folds=folds,
        searcher=searcher,
        max_trials=max_trials,
        random_state=seed,
        resume=resume,
        verbose=0 if quiet else 1,
        **({} if objective is None else {"objective": objective}),
        **of_genes,
    )
    if limit is not None and limit > 0:  # reading counts
        limit = max(limit - (time.monotonic() - started), 0.01 * limit)
    if len(target) > 1 and not reading.is_told:
        estimator.fit(data, list(target), groups=groups, time_limit=limit)
    else:
        estimator.fit(samples, _named_numbers(samples, target, task), time_limit=limit)
    if not quiet:
        _print_fit(estimator, found)


@main.command()
@run_argument
@data_argument
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A csv file; standard output without it."
)
@click.option("--probabilities", is_flag=True, help="Add one column per class with its probability.")
@reading_options
@debug_option
def predict(
    run: Path,
    data: Path,
    out: Path | None,
    probabilities: bool,
    reading: Reading,
) -> None:
    """Predict DATA by the model of RUN, as csv: the class or the number of each sample.

    In names that a spreadsheet would compute, such as =1+1, an apostrophe comes
    first; control characters are written as codes, such as \\x1b.
    """
    estimator = load_run(run)
    told = reading_for(estimator, reading)
    samples = read_samples(kind_of(estimator), data, None, told, keep_empty=True)
    if probabilities and not hasattr(estimator, "classes_"):
        raise click.UsageError(f"--probabilities are of classes, and {run} predicts numbers.")
    table = plain_table(_predictions(estimator, samples, probabilities))
    if out is None:
        table.to_csv(sys.stdout, index=False)
        return
    # Read when it is needed: help should not wait for NumPy.
    with import_module("genokeras.support.files").written_aside(out) as aside:
        table.to_csv(aside, index=False)


@main.command()
@run_argument
@data_argument
@click.option(
    "--target", multiple=True, help="Column with the labels, or a file of labels by sample id; as in fit."
)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@reading_options
@debug_option
def evaluate(
    run: Path,
    data: Path,
    target: tuple[str, ...],
    as_json: bool,
    reading: Reading,
) -> None:
    """Score the model of RUN on labelled samples in DATA, which it should not have seen."""
    estimator = load_run(run)
    kind, reading = kind_of(estimator), reading_for(estimator, reading)
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
        say(f"{label(name):<18} {value:.3f}" if value == value else f"{label(name):<18} undefined")


@main.command()
@run_argument
@click.option(
    "--top", type=click.IntRange(min=1), help=f"Rows at most.  [default: {TOP_ROWS}, or all as csv]"
)
@click.option("--csv", "as_csv", is_flag=True, help="Print all columns as csv.")
@debug_option
def leaderboard(run: Path, top: int | None, as_csv: bool) -> None:
    """List the trials of RUN, best first."""
    classifier = load_run(run)
    board = classifier.leaderboard()
    if as_csv:
        plain_table(board if top is None else board.head(top)).to_csv(sys.stdout, index=False)
        return
    console = make_console()
    shown = TOP_ROWS if top is None else top
    console.print(leaderboard_table(board, classifier.estimate_["metric"], shown))
    if len(board) > shown:
        console.print(
            f"... and {len(board) - shown} more: --top {len(board)} shows all, --csv all columns too."
        )
    say(LEGEND)
    say(f"\n{growth_in_words(classifier.growth_)}")


@main.command()
@run_argument
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--format",
    help="keras, tf_saved_model, onnx, litert or torchscript.  [default: by the suffix of MODEL, else keras]",
)
@debug_option
def export(run: Path, model: Path, format: str | None) -> None:
    """Write the model of RUN to the file MODEL: raw samples in, class probabilities or numbers out.

    A .keras file needs no GenoKeras to load. Other formats (.onnx, .tflite, .pt, or a folder with --format tf_saved_model)
    are loaded again and compared with the model first. A JSON file beside it holds the classes and what the model reads: of genes, their names in order.
    """
    classifier = load_run(run)
    with contextlib.nullcontext() if debugging() else quiet_start():
        written = classifier.export_keras_model(model, format)
    beside = written.with_name(f"{written.name}.json") if written.is_dir() else written.with_suffix(".json")
    say(f"Wrote {written} and {beside}.")


@main.command()
@run_argument
@debug_option
def visualize(run: Path) -> None:
    """Draw the networks of RUN into its folder drawings, one file each."""
    load_estimator()
    drawings = gk.visualize(run)
    if not drawings:
        say(f"{run} has no trials to draw yet.")
        return
    networks = "1 network" if len(drawings) == 1 else f"{len(drawings)} networks"
    say(f"Drew {networks} into {drawings[0].parent}; the best one is {drawings[0]}.")


for command in (report, explain, auto):
    main.add_command(command)


# ---- what they read and print


def _of_genes(kind: str, **options: str | None) -> dict[str, str]:
    """Options that only tables of genes have, as far as they were given."""
    given = {name: value for name, value in options.items() if value is not None}
    if given and kind != GENES:
        raise click.UsageError(f"--{next(iter(given))} is for tables of genes, and these are {kind}.")
    return given


def _of_several_numbers(task: str | None) -> str:
    if task is not None and task != NUMBERS:
        raise click.UsageError(f"several --target are numbers: give one, or leave out --task {task}.")
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


def _named_numbers(samples: Any, target: tuple[str, ...], task: str) -> Any:
    """Numbers that were read, under the names of their columns; None of classes, which need no name."""
    import pandas as pd

    if task != NUMBERS or not target:
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
    say()
    console.print(
        leaderboard_table(classifier.leaderboard(), classifier.estimate_["metric"], TOP_ROWS_OF_FIT)
    )
    say(LEGEND)
    say(f"\n{growth_in_words(classifier.growth_)}")
    if classifier.notes_:
        say("\nAbout the data:")
        for note in classifier.notes_:
            console.print(f"- {visible(note)}")
    path = classifier.path_
    say(f"\nWrote the run into {path}")
    raw, named = ("raw genes", "genes") if kind == GENES else (kind, "inputs")
    out, of = (
        ("class probabilities", "classes") if hasattr(classifier, "classes_") else ("numbers", "targets")
    )
    say(f"  {path / 'best.keras'}  the model: {raw} in, {out} out")
    say(f"  {path / 'best.json'}   its {of} and {named}")


def _predictions(estimator: Any, samples: Any, probabilities: bool) -> pd.DataFrame:
    """``sample``, ``prediction`` and, if asked for, one column per class, in the order of ``classes_``."""
    import pandas as pd

    names = names_of(samples)
    if not hasattr(estimator, "classes_"):
        numbers, targets = estimator.predict(samples), estimator.targets_
        answers = ["prediction"] if len(targets) == 1 else list(targets)
        table = pd.DataFrame(numbers, columns=answers)
        table.insert(0, "sample", list(names), allow_duplicates=True)
        return table
    chances = estimator.predict_proba(samples)
    found = pd.DataFrame({"sample": names, "prediction": estimator.classes_[chances.argmax(axis=1)]})
    if probabilities:
        columns = pd.DataFrame(chances, columns=[str(name) for name in estimator.classes_])
        found = pd.concat([found, columns], axis=1)
    return found

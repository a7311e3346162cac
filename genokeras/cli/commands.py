"""The group of commands, and those that show and write what a run holds."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import click

import genokeras as gk
from genokeras.cli.annotating import annotate
from genokeras.cli.backend import load_estimator, load_run
from genokeras.cli.choices import FORMATS, OneOf
from genokeras.cli.doctor import doctor
from genokeras.cli.fitting import fit
from genokeras.cli.group import CommandGroup, debug_option, debugging, print_csv, say
from genokeras.cli.inputs import run_argument
from genokeras.cli.panels import panel
from genokeras.cli.predicting import evaluate, predict
from genokeras.cli.projects import auto
from genokeras.cli.reporting import explain, report
from genokeras.cli.words import LEGEND, growth_in_words, leaderboard_table, make_console
from genokeras.quiet import quiet_start
from genokeras.visible import plain_table

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
        print_csv(plain_table(board if top is None else board.head(top)))
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
    type=OneOf(FORMATS),
    help="What is written.  [default: by the suffix of MODEL, else keras]",
)
@debug_option
def export(run: Path, model: Path, format: str | None) -> None:
    """Write the model of RUN to the file MODEL: raw samples in, class probabilities or numbers out.

    A .keras file needs no GenoKeras to load. Other formats (.onnx, .tflite, .pt, or a folder with --format tf_saved_model)
    are loaded again and compared with the model first. A name without suffix becomes a .keras file. A JSON file beside it holds the classes and what the model reads: of genes, their names in order.
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


for command in (fit, predict, annotate, evaluate, report, explain, panel, auto, doctor):
    main.add_command(command)

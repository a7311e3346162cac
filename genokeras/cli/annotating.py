"""``genokeras annotate``: labels of cells and more, written into a copy of their h5ad file."""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from genokeras.cli.backend import load_run
from genokeras.cli.elsewhere import Elsewhere, elsewhere_options
from genokeras.cli.group import Failure, debug_option, say, warnings_said
from genokeras.cli.inputs import run_argument
from genokeras.cli.kinds import GENES, kind_of
from genokeras.cli.places import existing_data

SUFFIX = ".h5ad"
MARKERS, FALSE_ALARMS = 20, 0.05
_LISTED = 12


@click.command()
@run_argument
@click.argument("cells", type=click.Path(path_type=Path), callback=existing_data)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The h5ad file to write; not CELLS itself.",
)
@click.option(
    "--key-added", default="genokeras", show_default=True, help="What is written is called by this name."
)
@click.option(
    "--markers",
    default=MARKERS,
    show_default=True,
    type=click.IntRange(min=0),
    help="Genes of each class in the table of markers; 0 finds none, which takes less time.",
)
@click.option("--no-novelty", is_flag=True, help="Do not say which cells are unlike those of the training.")
@click.option(
    "--false-alarms",
    default=FALSE_ALARMS,
    show_default=True,
    type=float,
    help="The share of cells like those of the training that may be called novel.",
)
@click.option("--no-embedding", is_flag=True, help="Leave out where the cells lie before the output layer.")
@elsewhere_options
@debug_option
def annotate(
    run: Path,
    cells: Path,
    out: Path,
    key_added: str,
    markers: int,
    no_novelty: bool,
    false_alarms: float,
    no_embedding: bool,
    elsewhere: Elsewhere,
) -> None:
    """Label the cells of the h5ad file CELLS by the model of RUN.

    --out has all that is in CELLS, and besides in obs the label of each cell, how
    sure it is, and whether the cell is novel, unlike all those of the training; in
    obsm the probabilities and what the output layer reads; in uns the markers of
    each class. scanpy's plots and tools find them there.

    Genes are matched by name; the layer that is read is that of fit.
    """
    _check_files(cells, out)
    estimator = load_run(run)
    if kind_of(estimator) != GENES:
        raise click.UsageError(
            f"annotate labels cells by their genes, and the samples of {run} are {kind_of(estimator)}."
        )
    if not hasattr(estimator, "annotate"):
        raise click.UsageError(f"annotate gives each cell a class, and {run} predicts none.")
    adata = import_module("genokeras.data.readers.anndata").load_h5ad(cells.expanduser())
    with warnings_said():
        estimator.annotate(
            adata,
            key_added=key_added,
            n_markers=markers,
            novelty=not no_novelty,
            false_alarms=false_alarms,
            embedding=not no_embedding,
            **vars(elsewhere),
        )
    _write(adata, out)
    _print_summary(adata.obs, key_added)
    say(f"Wrote {out}")


def _check_files(cells: Path, out: Path) -> None:
    """Raise ``Failure`` where one of them cannot be what it is to be, before anything heavy is imported."""
    if cells.suffix.lower() != SUFFIX or cells.is_dir():
        raise Failure(
            f"annotate writes into a copy of an h5ad file, and {cells} is none. genokeras predict answers for all else, as csv."
        )
    if out.suffix.lower() != SUFFIX:
        raise Failure(f"--out must be an h5ad file, such as {out.with_suffix(SUFFIX)}: got {out}.")
    if out.exists() and out.samefile(cells.expanduser()):
        raise Failure(
            f"--out is {cells} itself, which stays as it is: give the annotated cells another name."
        )
    if find_spec("anndata") is None:
        extras = import_module("genokeras.support.extras")
        raise Failure(f"{extras.needs('annotate', 'anndata', 'single-cell')}.")


def _write(adata: Any, out: Path) -> None:
    wording = import_module("genokeras.support.wording")
    with import_module("genokeras.support.files").written_aside(out) as aside, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of older forms in the file that was read, which are none of ours
        try:
            adata.write_h5ad(aside)
        except (TypeError, ValueError, KeyError, RuntimeError) as error:
            raise Failure(f"anndata cannot write {out}: {wording.cause(error)}.") from error


def _print_summary(obs: Any, key: str) -> None:
    """How many cells have which label, and how many are novel."""
    counts = obs[key].value_counts()
    n = len(obs)
    say(f"Annotated {n} {'cell' if n == 1 else 'cells'}:")
    for name, count in list(counts[counts > 0].items())[:_LISTED]:
        say(f"  {name}  {count} ({count / n:.1%})")
    more = counts[counts > 0].iloc[_LISTED:]
    if len(more):
        say(f"  {len(more)} more labels  {more.sum()} ({more.sum() / n:.1%})")
    novel = f"{key}_novel"
    if novel in obs:
        share = obs[novel].mean()
        say(f"Novel, unlike all cells of the training: {obs[novel].sum()} ({share:.1%}).")

"""``genokeras report`` and ``genokeras explain``: what is sent on, and the genes, letters, pixels or words behind it."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

import genokeras as gk
from genokeras.cli.backend import load_run
from genokeras.cli.group import debug_option, say
from genokeras.cli.inputs import (
    Reading,
    data_argument,
    names_of,
    optional_reading_options,
    read_samples,
    reading_for,
    reading_options,
    run_argument,
)
from genokeras.cli.kinds import GENES, IMAGES, SEQUENCES, kind_of
from genokeras.cli.remembered import target_to_read

SAMPLES = 80
METHOD_OF_GENES = "expected_gradients"
MOTIFS = "motifs.meme"


@click.command()
@run_argument
@data_argument
@click.option(
    "--target",
    multiple=True,
    help="Column with the labels, or a file of labels by sample id.  [default: that of fit, where DATA has it]",
)
@click.option(
    "--out",
    default="report.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The HTML file.",
)
@click.option("--no-genes", is_flag=True, help="Leave out the genes of each class, which take longest.")
@click.option(
    "--groups",
    help="Column (or file) that says which samples in DATA belong together, such as a donor: intervals of their scores "
    "draw whole groups.",
)
@optional_reading_options
@debug_option
def report(
    run: Path,
    data: Path | None,
    target: tuple[str, ...],
    out: Path,
    no_genes: bool,
    groups: str | None,
    reading: Reading,
) -> None:
    """Write all there is to know of RUN into one HTML file.

    With --target, the samples in DATA are scored beside what was to be expected
    of them. Genes and data checks are of these samples, too; by default, of those
    that RUN was trained on. Sequences, images and texts are scored only. A model
    card is written beside the report.
    """
    if data is None and (target or groups or reading.is_told):
        raise click.UsageError(
            "--target, --groups and options such as --transposed say how DATA is read, which is missing."
        )
    estimator = load_run(run)
    of_genes = kind_of(estimator) == GENES
    reading = reading_for(estimator, reading) if of_genes else reading
    samples = None if data is None else _read_for_report(run, estimator, data, target, groups, reading)
    written = estimator.report(out, samples, **({"explain": not no_genes} if of_genes else {}))
    say(f"Wrote {written} and {written.with_name(f'{written.stem}_model_card.md')}.")


def _read_for_report(
    run: Path, estimator: Any, data: Path, target: tuple[str, ...], groups: str | None, reading: Reading
) -> Any:
    """Samples with their targets: those named now, or else those of the fit, where there are any of them."""

    def read(columns: tuple[str, ...]) -> Any:
        several = len(columns) > 1
        named: Any = list(columns) if several else columns[0] if columns else None
        kind, keep_empty = kind_of(estimator), kind_of(estimator) != GENES
        return read_samples(
            kind, data, named, reading, groups, keep_empty=keep_empty, several_targets=several
        )

    columns = target_to_read(run, estimator, target)
    if not target and columns:
        with suppress(gk.DataError):
            return read(columns)
        columns = ()
    return read(columns)


@click.command()
@run_argument
@data_argument
@click.option("--target", help="Column with labels, so that it is not taken for a gene.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder.")
@click.option(
    "--method",
    help="Of genes expected_gradients, integrated_gradients, linear, shap_deep, shap_gradient or shap_permutation; of "
    "sequences mutagenesis or gradient.  [default: the first]",
)
@click.option(
    "--samples",
    default=SAMPLES,
    show_default=True,
    type=click.IntRange(min=1),
    help="Samples that are explained at most, drawn at random.",
)
@reading_options
@debug_option
def explain(
    run: Path,
    data: Path,
    target: str | None,
    out: Path,
    method: str | None,
    samples: int,
    reading: Reading,
) -> None:
    """Find what RUN tells the samples in DATA apart by.

    Of genes, writes tables of marker genes as csv and pictures of the first 20,
    and pairs of genes that say something together, where there are such pairs;
    of sequences and texts, scores of every letter or word as csv, and motifs in
    MEME format; of images, scores of every pixel as npz, and pictures.
    """
    estimator = load_run(run)
    kind = kind_of(estimator)
    reading = reading_for(estimator, reading)
    read = read_samples(kind, data, target, reading, keep_empty=True)
    if kind == GENES:
        from genokeras.explain.pairs import write_pairs

        explanation = estimator.explain(read, method=method or METHOD_OF_GENES, num_samples=samples)
        written = gk.write_explanation(explanation, out) + write_pairs(estimator._run, out)
        say(f"Explained {explanation.shape[0]} samples; {explanation.additivity}.")
    else:
        read = read.take(_drawn(len(names_of(read)), samples))
        explanation = estimator.explain(read, method=method, num_samples=samples)
        written = gk.write_explanation(explanation, out, images=read.pixels if kind == IMAGES else None)
        say(f"Explained {len(explanation.values)} {kind} by {explanation.method}.")
        written += _motifs(estimator, out) if kind == SEQUENCES else []
    for path in written:
        say(f"  {path}")


def _drawn(n: int, most: int) -> Any:
    """Positions of the samples to look at, in their order."""
    import numpy as np

    return np.sort(np.random.default_rng(0).permutation(n)[:most])


def _motifs(estimator: Any, folder: Path) -> list[Path]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "there are no motifs")  # it is said below
        path = estimator.write_motifs(folder / MOTIFS)
    if "\nMOTIF " in path.read_text(encoding="utf-8"):
        return [path]
    path.unlink()
    say(f"There is no {MOTIFS}: none of the run's best networks looks for motifs.")
    return []

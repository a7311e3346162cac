"""``genokeras report`` and ``genokeras explain``: what is sent on, and the genes behind it."""

from __future__ import annotations

from pathlib import Path

import click

import genokeras as gk
from genokeras.cli.backend import load_classifier
from genokeras.cli.group import debug_option
from genokeras.cli.inputs import data_argument, read_table, reading_options, run_argument

SAMPLES = 80


@click.command()
@run_argument
@click.argument("data", type=click.Path(path_type=Path), required=False)
@click.option("--target", help="Column with the labels, or a file of labels by sample id.")
@click.option(
    "--out",
    default="report.html",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The HTML file.",
)
@click.option("--no-genes", is_flag=True, help="Leave out the genes of each class, which take longest.")
@reading_options
@debug_option
def report(
    run: Path,
    data: Path | None,
    target: str | None,
    out: Path,
    no_genes: bool,
    transposed: bool,
    delimiter: str | None,
) -> None:
    """Write all there is to know of RUN into one HTML file.

    Genes and data checks are of the samples in DATA; by default, of those that
    RUN was trained on. A model card is written beside the report.
    """
    if data is None and (target or transposed or delimiter):
        raise click.UsageError(
            "--target, --transposed and --delimiter say how DATA is read, which is missing."
        )
    classifier = load_classifier().load(run)
    samples = None if data is None else read_table(data, target, transposed, delimiter)
    written = classifier.report(out, samples, explain=not no_genes)
    click.echo(f"Wrote {written} and {written.with_name(f'{written.stem}_model_card.md')}.")


@click.command()
@run_argument
@data_argument
@click.option("--target", help="Column with labels, so that it is not taken for a gene.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A folder.")
@click.option(
    "--method",
    default="expected_gradients",
    show_default=True,
    help="expected_gradients, integrated_gradients, linear, shap_deep, shap_gradient or shap_permutation.",
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
    method: str,
    samples: int,
    transposed: bool,
    delimiter: str | None,
) -> None:
    """Find the genes by which RUN tells the samples in DATA apart.

    Writes tables of marker genes as csv, and pictures of the first 20.
    """
    classifier = load_classifier().load(run)
    table = read_table(data, target, transposed, delimiter)
    explanation = classifier.explain(table, method=method, num_samples=samples)
    written = gk.write_explanation(explanation, out)
    click.echo(f"Explained {explanation.shape[0]} samples; {explanation.additivity}.")
    for path in written:
        click.echo(f"  {path}")

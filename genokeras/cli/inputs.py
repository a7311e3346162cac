"""Arguments that commands share, and the reading of samples they name."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click

import genokeras as gk
from genokeras.cli.group import Command
from genokeras.cli.kinds import GENES, IMAGES, SEQUENCES

run_argument = click.argument("run", type=click.Path(path_type=Path))
data_argument = click.argument("data", type=click.Path(path_type=Path))


@dataclass(frozen=True)
class Reading:
    """How samples are written, as the options of `reading_options` say; and what the model was fitted without."""

    transposed: bool = False
    delimiter: str | None = None
    drop: tuple[str, ...] = ()
    sample_column: str | None = None
    duplicates: str = "error"
    ignore_versions: bool = False
    decimal: str = "."
    layer: str | None = None
    modality: str | None = None
    sheet: str | None = None
    never_read: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()

    @property
    def of_genes(self) -> dict[str, Any]:
        """Options that were given and are for tables of genes, by the name of the argument of `load_dataset`."""
        plain = Reading()
        names = [
            one.name for one in fields(self) if one.name not in ("delimiter", "drop", "never_read", "genes")
        ]
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(plain, name)}

    @property
    def is_told(self) -> bool:
        return bool(self.of_genes) or self.delimiter is not None or bool(self.drop)

    def check(self, kind: str) -> None:
        """Raise where an option is none of this kind of samples."""
        given = [*self.of_genes, *(["drop"] if self.drop else [])]
        if given and kind != GENES:
            option = given[0].replace("_", "-")
            raise click.UsageError(f"--{option} is for tables of genes, and these are {kind}.")
        if self.delimiter is not None and kind == IMAGES:
            raise click.UsageError("--delimiter is for text files, and these are images.")


def reading_for(estimator: Any, reading: Reading) -> Reading:
    """How samples for a fitted model are read: columns that it was fitted without stay out, and may be missing."""
    never_read = tuple(getattr(estimator, "drop_columns", None) or ())
    return replace(reading, never_read=never_read, genes=tuple(getattr(estimator, "feature_names_in_", ())))


_READING_OPTIONS = (
    click.option("--transposed", is_flag=True, help="The table holds genes in rows."),
    click.option(
        "--drop",
        multiple=True,
        help="A column that is no gene, such as an age. Several times for several columns.",
    ),
    click.option(
        "--sample-column", help="Column of the sample ids, in DATA or in the file that --target names."
    ),
    click.option(
        "--duplicates",
        type=click.Choice(["error", "sum", "mean", "first", "unique"]),
        default="error",
        help="Genes of one name are an error, or are added, averaged, reduced to the first, or numbered.",
    ),
    click.option("--ignore-versions", is_flag=True, help="Read ENSG00000141510.18 as ENSG00000141510."),
    click.option(
        "--layer", help="Layer of an h5ad or loom file, raw, or a column of counts such as NumReads."
    ),
    click.option("--modality", help="Which of a MuData's modalities; by default all, side by side."),
    click.option("--sheet", help="Sheet of an xlsx file; by default the first."),
    click.option(
        "--decimal", type=click.Choice([".", ","]), default=".", help="What stands before fractions in text."
    ),
    click.option(
        "--delimiter", help="What separates the fields of a text file; by default decided by its name."
    ),
)


def reading_options(command: Command) -> Command:
    """Add the options that say how a table is written; the command gets them as one `Reading`, called ``reading``."""
    names = [one.name for one in fields(Reading) if one.name not in ("never_read", "genes")]

    @functools.wraps(command)
    def with_reading(*args: Any, **given: Any) -> Any:
        reading = Reading(**{name: given.pop(name) for name in names})
        return command(*args, reading=reading, **given)

    decorated: Any = with_reading
    for option in _READING_OPTIONS:
        decorated = option(decorated)
    return decorated


def read_samples(
    kind: str,
    data: Path,
    target: str | list[str] | None,
    reading: Reading,
    groups: str | None = None,
    keep_empty: bool = False,
    several_targets: bool = False,
) -> Any:
    """Samples of a kind: a Dataset, SequenceData, ImageData or TextData.

    Missing values of genes stay, because the estimator knows whether its model can fill them in; so do, with ``keep_empty``,
    texts without words, which can be answered but teach nothing.
    """
    reading.check(kind)
    if kind == GENES:
        return gk.load_dataset(
            data,
            target,
            groups=groups,
            missing="keep",
            delimiter=reading.delimiter,
            **reading.of_genes,
            drop_columns=(*reading.drop, *reading.never_read),
            drop_unknown=bool(reading.never_read),
            genes=reading.genes,
            several_targets=several_targets,
        )
    if kind == IMAGES:
        return gk.load_images(data, target, groups=groups)
    if kind == SEQUENCES:
        return gk.load_sequences(data, target, groups=groups, delimiter=reading.delimiter)
    empty: Any = "keep" if keep_empty else "error"
    return gk.load_texts(data, target, groups=groups, delimiter=reading.delimiter, empty=empty)


def names_of(samples: Any) -> tuple[str, ...]:
    """What the samples are called, one name each."""
    return tuple(samples.sample_ids if isinstance(samples, gk.Dataset) else samples.names)


def labels_of(samples: Any) -> Any:
    """The labels that came with samples, or None."""
    return samples.y if isinstance(samples, gk.Dataset) else samples.labels

"""Arguments that commands share, and the reading of samples they name."""

from __future__ import annotations

from dataclasses import dataclass
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
    """How samples are written: ``--transposed``, ``--delimiter`` and ``--drop``; and what the model was fitted without."""

    transposed: bool
    delimiter: str | None
    drop: tuple[str, ...] = ()
    never_read: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        return self.transposed or self.delimiter is not None or bool(self.drop)

    def check(self, kind: str) -> None:
        """Raise where an option is none of this kind of samples."""
        if self.transposed and kind != GENES:
            raise click.UsageError(f"--transposed is for tables of genes, and these are {kind}.")
        if self.drop and kind != GENES:
            raise click.UsageError(f"--drop is for tables of genes, and these are {kind}.")
        if self.delimiter is not None and kind == IMAGES:
            raise click.UsageError("--delimiter is for text files, and these are images.")


def reading_for(
    estimator: Any, transposed: bool, delimiter: str | None, drop: tuple[str, ...] = ()
) -> Reading:
    """How samples for a fitted model are read: columns that it was fitted without stay out, and may be missing."""
    return Reading(transposed, delimiter, drop, tuple(getattr(estimator, "drop_columns", None) or ()))


def reading_options(command: Command) -> Command:
    """Add the options that say how a table is written."""
    delimiter = click.option(
        "--delimiter", help="What separates the fields of a text file; by default decided by its name."
    )
    drop = click.option(
        "--drop",
        multiple=True,
        help="A column that is no gene, such as an age. Several times for several columns.",
    )
    transposed = click.option("--transposed", is_flag=True, help="The table holds genes in rows.")
    return delimiter(drop(transposed(command)))


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
            transposed=reading.transposed,
            delimiter=reading.delimiter,
            drop_columns=(*reading.drop, *reading.never_read),
            drop_unknown=bool(reading.never_read),
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

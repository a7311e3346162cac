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
from genokeras.cli.places import check_data, existing_data, existing_run, existing_run_or_model

run_argument = click.argument("run", type=click.Path(path_type=Path), callback=existing_run)
run_or_model_argument = click.argument(
    "run", metavar="RUN", type=click.Path(path_type=Path), callback=existing_run_or_model
)
# Blocks may stand in its place, so that it is `reading_options` that misses it.
data_argument = click.argument(
    "data", type=click.Path(path_type=Path), required=False, callback=existing_data
)
# Fields of `Reading` that are no options of tables of genes alone, or none at all.
_OTHERWISE = ("delimiter", "drop", "size")
_OF_MODEL = ("never_read", "genes", "blocks")


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
    use_raw: bool = False
    modality: str | None = None
    sheet: str | None = None
    missing_blocks: str = "drop"
    size: tuple[int, int] | None = None
    never_read: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    blocks: tuple[Any, ...] = ()

    @property
    def of_genes(self) -> dict[str, Any]:
        """Options that were given and are for tables of genes, by the name of the argument of `load_dataset`."""
        plain = Reading()
        names = [one.name for one in fields(self) if one.name not in (*_OTHERWISE, *_OF_MODEL)]
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(plain, name)}

    @property
    def is_told(self) -> bool:
        return bool(self.of_genes) or self.delimiter is not None or bool(self.drop) or self.size is not None

    def check(self, kind: str) -> None:
        """Raise where an option is none of this kind of samples."""
        given = [*self.of_genes, *(["drop"] if self.drop else [])]
        if given and kind != GENES:
            option = given[0].replace("_", "-")
            raise click.UsageError(f"--{option} is for tables of genes, and these are {kind}.")
        if self.size is not None and kind != IMAGES:
            raise click.UsageError(f"--size is for images, and these are {kind}.")
        if self.delimiter is not None and kind == IMAGES:
            raise click.UsageError("--delimiter is for text files, and these are images.")


def reading_for(estimator: Any, reading: Reading) -> Reading:
    """How samples for a fitted model are read: columns that it was fitted without stay out, and may be missing."""
    never_read = tuple(getattr(estimator, "drop_columns", None) or ())
    of_blocks: dict[str, Any] = {"blocks": getattr(estimator, "blocks_", ())}
    if of_blocks["blocks"]:
        of_blocks["missing_blocks"] = estimator.missing_blocks
    genes = tuple(getattr(estimator, "feature_names_in_", ()))
    layer = getattr(estimator, "layer", None)
    if reading.layer is None and not reading.use_raw and layer is not None:
        reading = replace(reading, layer=layer)
    return replace(reading, never_read=never_read, genes=genes, **of_blocks)


def _height_and_width(
    context: click.Context, option: click.Parameter, text: str | None
) -> tuple[int, int] | None:
    if text is None:
        return None
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) for side in sides):
        raise click.BadParameter(f"expected HEIGHTxWIDTH, such as 28x28, got {text!r}.")
    return int(sides[0]), int(sides[1])


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
    click.option("--use-raw", is_flag=True, help="Read raw of an h5ad file, as --layer raw does."),
    click.option("--modality", help="Which of a MuData's modalities; by default all, as blocks."),
    click.option("--sheet", help="Sheet of an xlsx file; by default the first."),
    click.option(
        "--decimal", type=click.Choice([".", ","]), default=".", help="What stands before fractions in text."
    ),
    click.option(
        "--delimiter", help="What separates the fields of a text file; by default decided by its name."
    ),
    click.option(
        "--size",
        metavar="HEIGHTxWIDTH",
        callback=_height_and_width,
        help="Resize all images to this many pixels, such as 28x28.",
    ),
    click.option(
        "--missing-blocks",
        type=click.Choice(["drop", "mask"]),
        default="drop",
        help="Samples that lack a block are left out, or have its training means there.",
    ),
    click.option(
        "--block",
        multiple=True,
        metavar="NAME=FILE",
        help="One of several assays of the same samples, in place of DATA: --block rna=a.tsv --block meth=b.tsv.",
    ),
)


def reading_options(command: Command) -> Command:
    """Add the options that say how a table is written; the command gets them as one `Reading`, called ``reading``.

    Blocks become its ``data``, a dict of paths.
    """
    return _with_reading(command, needs_data=True)


def optional_reading_options(command: Command) -> Command:
    """As `reading_options`, of a command that can do without samples."""
    return _with_reading(command, needs_data=False)


def _with_reading(command: Command, needs_data: bool) -> Command:
    names = [one.name for one in fields(Reading) if one.name not in _OF_MODEL]

    @functools.wraps(command)
    def with_reading(*args: Any, **given: Any) -> Any:
        reading = Reading(**{name: given.pop(name) for name in names})
        given["data"] = _data_or_blocks(given["data"], given.pop("block"))
        if needs_data and given["data"] is None:
            raise click.UsageError("Missing argument 'DATA'.")
        return command(*args, reading=reading, **given)

    decorated: Any = with_reading
    for option in _READING_OPTIONS:
        decorated = option(decorated)
    return decorated


def _data_or_blocks(data: Path | None, blocks: tuple[str, ...]) -> Any:
    """DATA, or the files of blocks by their names."""
    if not blocks:
        return data
    if data is not None:
        raise click.UsageError(f"give DATA or --block: got {data} and {len(blocks)} blocks.")
    found: dict[str, Path] = {}
    for block in blocks:
        name, equals, file = block.partition("=")
        if not equals or not name or not file:
            raise click.UsageError(f"--block must be NAME=FILE, such as rna=a.tsv: got {block!r}.")
        if name in found:
            raise click.UsageError(f"--block names {name!r} twice: {found[name]} and {file}.")
        found[name] = check_data(Path(file))
    return found


def read_samples(
    kind: str,
    data: Any,
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
            blocks=reading.blocks,
            several_targets=several_targets,
        )
    if kind == IMAGES:
        return gk.load_images(data, target, groups=groups, size=reading.size)
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

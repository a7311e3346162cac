"""Arguments that commands share, and the reading of tables they name."""

from __future__ import annotations

from pathlib import Path

import click

import genokeras as gk
from genokeras.cli.group import Command

run_argument = click.argument("run", type=click.Path(path_type=Path))
data_argument = click.argument("data", type=click.Path(path_type=Path))


def reading_options(command: Command) -> Command:
    """Add the options that say how a table is written."""
    delimiter = click.option(
        "--delimiter", help="What separates the fields of a text file; told by its name otherwise."
    )
    return delimiter(
        click.option("--transposed", is_flag=True, help="The table holds genes in rows.")(command)
    )


def read_table(
    data: Path, target: str | None, transposed: bool, delimiter: str | None, groups: str | None = None
) -> gk.Dataset:
    """Missing values stay, because the estimator knows whether its model can fill them in."""
    return gk.load_dataset(
        data, target, groups=groups, missing="keep", transposed=transposed, delimiter=delimiter
    )

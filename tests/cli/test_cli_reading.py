"""The options that say how a table is written reach the reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from genokeras.cli.group import in_options
from genokeras.cli.inputs import Reading, data_argument, read_samples, reading_options

TABLE = "sample;id2;TP53;MYC;TP53\ns1;a;1,5;2;3\ns2;b;2,5;3;4\n"
CLINICAL = "sample\ter\tage\ns2\t+\t50\ns1\t-\t60\ns3\t-\t70\n"


def options(*given: str) -> Reading:
    found: list[Reading] = []

    @click.command()
    @data_argument
    @reading_options
    def command(data: Path, reading: Reading) -> None:
        found.append(reading)

    result = CliRunner().invoke(command, [__file__, *given], standalone_mode=False)
    assert result.exception is None, result.output
    return found[0]


def test_a_table_is_read_as_the_options_say(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(TABLE)
    (tmp_path / "clinical.tsv").write_text(CLINICAL)
    reading = options("--decimal", ",", "--duplicates", "sum", "--sample-column", "sample")
    assert reading.is_told
    data: Any = read_samples("genes", tmp_path / "d.csv", f"{tmp_path / 'clinical.tsv'}:er", reading)
    assert data.x.tolist() == [[4.5, 2], [6.5, 3]] and data.sample_ids == ("s1", "s2")
    assert data.y.tolist() == ["-", "+"]


def test_without_options_nothing_is_told() -> None:
    assert options() == Reading() and not options().is_told


@pytest.mark.parametrize("option", [["--layer", "raw"], ["--ignore-versions"], ["--sample-column", "id"]])
def test_options_of_tables_are_refused_for_sequences(option: list[str]) -> None:
    with pytest.raises(click.UsageError, match=f"{option[0]} is for tables of genes"):
        options(*option).check("sequences")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "load the data with duplicates='sum', 'mean', 'first' or 'unique' (gk.load_dataset, --duplicates).",
            "--duplicates sum",
        ),
        (
            "match in data loaded with ignore_versions=True (gk.load_dataset).",
            "loaded with --ignore-versions.",
        ),
        ("read the file with decimal=','.", "--decimal ','"),
        ("pass layer='counts'.", "--layer 'counts'"),
    ],
)
def test_advice_is_spelled_as_options(message: str, said: str) -> None:
    assert said in in_options(message)

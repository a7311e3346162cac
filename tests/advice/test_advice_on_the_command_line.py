"""Advice of the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from genokeras.cli import main
from tests.advice.cases import (
    CLASSES,
    TABLE,
    Reached,
    X,
    csv,
)

LETTERS = ["ACGTACGT", "GGGTACCA", "ACGGTTTA"]
NUMBERED = TABLE.assign(er=CLASSES, dose=X[:, 0])
COMMANDS: list[tuple[str, pd.DataFrame, tuple[str, ...], str, list[tuple[str, ...]]]] = [
    ("a target", NUMBERED, (), "name their column, or a file of labels, with --target", [("--target", "er")]),
    (
        "two targets",
        NUMBERED,
        ("--target", "er", "--target", "dose", "--task", "classes"),
        "give one, or leave out --task classes",
        [("--target", "er", "--task", "classes"), ("--target", "MYC", "--target", "dose")],
    ),
    (
        "repeated genes",
        NUMBERED.rename(columns={"MYC": "TP53"}),
        ("--target", "er"),
        "load the data with --duplicates sum, mean, first or unique",
        [("--target", "er", "--duplicates", how) for how in ("sum", "unique")],
    ),
    (
        "a column to drop",
        NUMBERED,
        ("--target", "er", "--drop", "dos"),
        "Did you mean 'dose'",
        [("--target", "er", "--drop", "dose")],
    ),
    (
        "missing values",
        NUMBERED.mask(X[0, 0] == NUMBERED),
        ("--target", "er", "--drop", "dose"),
        "--missing median",
        [("--target", "er", "--drop", "dose", "--missing", "median")],
    ),
    (
        "numbers for classes",
        NUMBERED,
        ("--target", "dose", "--task", "classes"),
        "--task numbers",
        [("--target", "dose", "--task", "numbers")],
    ),
    (
        "two kinds",
        pd.DataFrame({"sequence": LETTERS * 4, "text": LETTERS * 4, "er": CLASSES}),
        ("--target", "er"),
        "--kind sequences or --kind texts",
        [("--target", "er", "--kind", "sequences"), ("--target", "er", "--kind", "texts")],
    ),
    ("a misspelt option", NUMBERED, ("--targt", "er"), "--target", [("--target", "er")]),
    (
        "no limit",
        NUMBERED,
        ("--target", "er", "--folds", "20"),
        "Pass folds=12 or fewer",
        [("--target", "er", "--folds", "12")],
    ),
]


@pytest.mark.parametrize(
    ("table", "wrong", "advice", "right"),
    [c[1:] for c in COMMANDS],
    ids=[c[0].replace(" ", "-") for c in COMMANDS],
)
def test_who_follows_the_command_line_gets_on(
    table: pd.DataFrame, wrong: tuple[str, ...], advice: str, right: list[tuple[str, ...]], tmp_path: Path
) -> None:
    def fitted(options: tuple[str, ...]) -> Any:
        out = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        given = [str(csv(tmp_path, table)), "--out", str(out), "--max-trials", "1", "-q", *options]
        return CliRunner().invoke(main, ["fit", *given])

    refused = fitted(wrong)
    assert refused.exit_code == 2 and re.search(advice, " ".join(refused.output.split())), refused.output
    for options in right:
        found = fitted(options)
        assert isinstance(found.exception, Reached), found.output


@pytest.mark.parametrize("kind", ["sequence", "text"])
def test_a_column_of_another_name_is_renamed(kind: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"found": LETTERS * 4, "er": CLASSES})

    def fitted(name: str) -> Any:
        given = [str(csv(tmp_path, table.rename(columns={"found": name}))), "--out", str(tmp_path / "run")]
        return CliRunner().invoke(main, ["fit", *given, "--target", "er", "--kind", f"{kind}s", "-q"])

    assert f"Rename the column to '{kind}'." in fitted("found").output
    assert isinstance(fitted(kind).exception, Reached)

"""Classes on the command line: weights, an order, a threshold; and options that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from genokeras.cli import main


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng, grade = np.random.default_rng(0), np.arange(60) % 2
    frame = pd.DataFrame(
        rng.normal(8, 1, size=(60, 12)) + grade[:, None], columns=[f"G{i}" for i in range(12)]
    )
    frame.insert(0, "sample", [f"s{i}" for i in range(60)])
    frame["grade"], frame["size"] = np.where(grade, "high", "low"), rng.normal(size=60)
    path = tmp_path_factory.mktemp("classes") / "matrix.csv"
    frame.to_csv(path, index=False)
    return path


def test_a_fit_says_what_comes_of_a_threshold(table: Path) -> None:
    out = table.with_name("run")
    done = call(
        "fit", table, "--target", "grade", "--out", out, "--max-trials", 2, "--seed", 0, "--ordered", "low,high",
        "--class-weight", "high=2", "--positive", "high", "--sensitivity", 0.9,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = " ".join(done.output.split())
    assert "samples are called high: expect a sensitivity of" in said and "low < high" in said
    predicted = call("predict", out, table, "--probabilities")
    assert predicted.stdout.splitlines()[0] == "sample,prediction,low,high"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sensitivity", 0.9), "a threshold needs --positive, and either --sensitivity or --specificity"),
        (("--class-weight", "high=much"), "--class-weight is balanced, or such as tumor=3,normal=1"),
        (("--class-weight", "even"), "class_weight must be 'balanced' or a mapping"),
        (("--ordered", "low,middle"), "y holds classes that the order does not name"),
        (
            ("--ordered", "low", "--ordered", "middle"),
            "y holds classes that the order does not name (matrix.csv): high. The order is low < middle",
        ),
    ],
)
def test_options_that_do_not_fit_are_refused(table: Path, options: tuple[object, ...], said: str) -> None:
    done = call(
        "fit", table, "--target", "grade", "--out", table.with_name("no"), "--max-trials", 1, *options
    )
    assert done.exit_code == 2 and said in " ".join(done.output.split())


def test_they_are_for_classes_alone(table: Path) -> None:
    done = call(
        "fit", table, "--target", "size", "--out", table.with_name("no"), "--max-trials", 1, "--positive", "x",
        "--sensitivity", 0.9,
    )  # fmt: skip
    assert (
        done.exit_code == 2 and "--positive is for classes, and the target is taken as numbers" in done.output
    )

"""Survival on the command line: --time and --event, curves, scores, and what does not go together."""

from __future__ import annotations

import json
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
    """60 samples x 10 genes, the first of which moves the hazard."""
    rng, n = np.random.default_rng(0), 60
    x = rng.normal(size=(n, 10))
    time, end = 100 * rng.exponential(np.exp(-1.5 * x[:, 0])) + 1, rng.uniform(50, 400, size=n)
    index = pd.Index([f"s{i}" for i in range(n)], name="sample")
    frame = pd.DataFrame(x, columns=[f"GENE{i}" for i in range(10)], index=index)
    path = tmp_path_factory.mktemp("survival") / "matrix.csv"
    frame.assign(os_days=np.minimum(time, end), dead=(time <= end).astype(int)).to_csv(path)
    return path


@pytest.fixture(scope="module")
def run(table: Path) -> tuple[Path, str]:
    out = table.with_name("run")
    asked = ("--time", "os_days", "--event", "dead", "--max-trials", 2, "--seed", 0)
    done = call("fit", table, *asked, "--out", out)
    assert done.exit_code == 0, done.output
    return out, done.output


def test_fit_says_what_to_expect(run: tuple[Path, str]) -> None:
    assert "C-index (Harrell) 0." in run[1] and "integrated Brier score" in run[1]
    assert "raw genes in, log hazards out" in run[1]


def test_risks_and_survival_at_times_are_predicted(
    run: tuple[Path, str], table: Path, tmp_path: Path
) -> None:
    asked = ("--survival-at", 50, "--survival-at", 200)
    assert call("predict", run[0], table, *asked, "--out", tmp_path / "p.csv").exit_code == 0
    found = pd.read_csv(tmp_path / "p.csv")
    assert list(found.columns) == ["sample", "prediction", "survival_50", "survival_200"]
    assert (found["survival_50"] >= found["survival_200"]).all()


@pytest.mark.parametrize("more", [(), ("--time", "os_days", "--event", "dead"), ("--delimiter", ",")])
def test_scores_by_the_columns_of_fit_or_others(
    run: tuple[Path, str], table: Path, more: tuple[str, ...]
) -> None:
    done = call("evaluate", run[0], table, "--json", *more)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["c_index"] > 0.7


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--time", "os_days"), "--time goes with --event, the column of the events"),
        (("--event", "dead"), "--event goes with --time, the column of the times"),
        (("--task", "cox"), "--task cox needs --time and --event"),
        (("--time", "os_days", "--event", "dead", "--target", "dead"), "leave out --target"),
        (("--time", "os_days", "--event", "dead", "--kind", "texts"), "are for tables of genes"),
    ],
)
def test_what_does_not_go_together(table: Path, tmp_path: Path, given: tuple[str, ...], message: str) -> None:
    done = call("fit", table, *given, "--out", tmp_path / "run")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())

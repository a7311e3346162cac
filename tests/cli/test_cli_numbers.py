"""Numbers on the command line: what --target holds is decided, said, and overridden by --task."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from genokeras.cli import main
from genokeras.cli.answers import find_task


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 samples x 12 genes, with an age, a weight that no gene moves, and a grade of 1 or 2."""
    rng, n = np.random.default_rng(0), 60
    x = rng.normal(8, 2, size=(n, 12))
    frame = pd.DataFrame(
        x, columns=[f"GENE{i}" for i in range(12)], index=pd.Index([f"s{i}" for i in range(n)], name="sample")
    )
    frame["age"] = np.round(50 + 6 * (x[:, 0] - x[:, 1]) + rng.normal(0, 2, n))
    path = tmp_path_factory.mktemp("numbers") / "matrix.csv"
    frame.to_csv(path)
    return path


@pytest.fixture(scope="module")
def run(table: Path) -> tuple[Path, str]:
    out = table.with_name("run")
    done = call("fit", table, "--target", "age", "--out", out, "--max-trials", 4, "--seed", 0)
    assert done.exit_code == 0, done.output
    return out, done.output


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["ill", "well"] * 10, "classes"),
        ([True, False] * 10, "classes"),
        ([0, 1] * 10, "classes"),
        ([1.0, 2.0, 3.0] * 10, "classes"),
        (["1", "2"] * 10, "classes"),
        (list(range(20)), "numbers"),
        (list(range(21)) * 10, "numbers"),
        ([0.5, 1.0] * 10, "numbers"),
        (["31.5", "80", "44"], "numbers"),
    ],
)
def test_the_task_is_decided_from_the_values(values: list[object], task: str) -> None:
    found, sentence = find_task(np.array(values), "y")
    assert found == task
    text = isinstance(values[0], bool) or values[0] == "ill"
    assert sentence == "" if text else f"the run predicts {task}" in sentence


def test_fit_says_what_it_decided_and_predicts_numbers(run: tuple[Path, str], table: Path) -> None:
    folder, said = run
    assert "The target 'age' has" in said.replace("\n", " ")
    assert "the run predicts numbers (--task classes" in said.replace("\n", " ")
    assert "R2" in said
    assert "numbers out" in said
    done = call("predict", folder, table)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "sample,prediction"
    scores = json.loads(call("evaluate", folder, table, "--target", "age", "--json").output)
    assert scores["r2"] > 0.5
    assert call("leaderboard", folder).exit_code == 0


def test_the_name_of_the_target_is_kept(run: tuple[Path, str]) -> None:
    assert json.loads((run[0] / "best.json").read_text(encoding="utf-8"))["targets"] == ["age"]


def test_a_run_of_numbers_is_reported(run: tuple[Path, str], tmp_path: Path) -> None:
    done = call("report", run[0], "--out", tmp_path / "report.html", "--no-genes")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "age" in page
    assert (tmp_path / "report_model_card.md").exists()


def test_several_targets_are_predicted_at_once(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    several = ("--target", "age", "--target", "GENE5")
    done = call("fit", table, *several, "--out", out, "--max-trials", 2, "--seed", 0, "-q")
    assert done.exit_code == 0, done.output
    assert call("predict", out, table).output.splitlines()[0] == "sample,age,GENE5"
    scores = call("evaluate", out, table, "--json")
    assert set(json.loads(scores.output)) >= {"r2", "rmse", "mae"}


def test_targets_are_matched_by_name_and_reported(table: Path, tmp_path: Path) -> None:
    out, several = tmp_path / "run", ("--target", "age", "--target", "GENE5")
    assert call("fit", table, *several, "--out", out, "--max-trials", 2, "--seed", 0, "-q").exit_code == 0
    turned = ("--target", "GENE5", "--target", "age")
    scores = [
        json.loads(call("evaluate", out, table, *order, "--json").output) for order in (several, turned)
    ]
    assert scores[0] == scores[1]
    page = tmp_path / "report.html"
    for target in (several, ()):  # those of the fit are remembered
        done = call("report", out, table, *target, "--out", page)
        assert done.exit_code == 0, done.output
        assert "on the 60 samples that were given" in page.read_text(encoding="utf-8")
    frame = pd.read_csv(table, index_col=0).drop(columns=["age", "GENE5"])
    frame.to_csv(tmp_path / "new.csv")
    done = call("report", out, tmp_path / "new.csv", "--no-genes", "--out", page)
    assert done.exit_code == 0, done.output
    assert "on the 60 samples that were given" not in page.read_text(encoding="utf-8")


def test_classes_of_a_target_with_many_values_are_refused(table: Path, tmp_path: Path) -> None:
    done = call(
        "fit", table, "--target", "GENE3", "--task", "classes", "--out", tmp_path / "run", "--max-trials", 1
    )
    assert done.exit_code != 0
    assert not (tmp_path / "run").exists()
    assert "numbers" in done.output


def test_several_targets_are_no_classes(table: Path, tmp_path: Path) -> None:
    done = call(
        "fit", table, "--target", "age", "--target", "GENE3", "--task", "classes", "--out", tmp_path / "run"
    )
    assert done.exit_code == 2
    assert "several --target are numbers" in done.output


def test_a_target_is_asked_for(table: Path, tmp_path: Path) -> None:
    done = call("fit", table, "--out", tmp_path / "run", "--max-trials", 1)
    assert done.exit_code != 0
    assert "--target" in done.output

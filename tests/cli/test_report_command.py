"""``genokeras report`` and ``genokeras explain``, end to end on one small run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import genokeras as gk
from genokeras.cli import main

GENES = [f"gene_{i}" for i in range(40)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder, and its data as ``small.csv`` beside it."""
    folder, rng = tmp_path_factory.mktemp("report"), np.random.default_rng(0)
    labels = np.where(np.arange(30) % 2, "ill", "well")
    x = rng.normal(size=(30, 40)) + 1.5 * (labels == "ill")[:, None] * (np.arange(40) < 5)
    table = pd.DataFrame(x, columns=GENES).assign(label=labels)
    table.to_csv(folder / "small.csv", index=False)
    settings = {"time_limit": None, "max_trials": 2, "random_state": 1, "verbose": 0}
    return Path(gk.GenomeClassifier(folder / "run", **settings).fit(table, "label").path_)


def genokeras(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_report_needs_the_run_only(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    result = genokeras("report", run, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"Wrote {out} and {tmp_path / 'report_model_card.md'}.\n"
    content = out.read_text(encoding="utf-8")
    assert (
        "Genes for well (up) against ill (down)" in content
        and "stability" in content
        and "q-value" in content
    )


def test_report_checks_the_data_it_is_given(run: Path, tmp_path: Path) -> None:
    data = run.parent / "small.csv"
    result = genokeras("report", run, data, "--target", "label", "--no-genes", "--out", tmp_path / "r.html")
    assert result.exit_code == 0, result.output
    content = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Missing values in the 30 samples" in content and "Genes for" not in content
    # The data are those of the training, and that does not go unnoticed.
    assert "on the 30 samples that were given" in content and "30 of these samples are training" in content


def test_samples_that_belong_together_widen_the_interval(run: Path, tmp_path: Path) -> None:
    table = pd.read_csv(run.parent / "small.csv").assign(donor=[f"donor {i // 5}" for i in range(30)])
    table.to_csv(tmp_path / "new.csv", index=False)
    pages = {}
    for name, groups in (("apart", ("--drop", "donor")), ("together", ("--groups", "donor"))):
        out = tmp_path / f"{name}.html"
        asked = ("report", run, tmp_path / "new.csv", "--target", "label", "--no-genes", "--out", out)
        result = genokeras(*asked, *groups)
        assert result.exit_code == 0, result.output
        pages[name] = out.read_text(encoding="utf-8")
    said = "by resampling their 6 groups"
    assert said in pages["together"] and said not in pages["apart"]
    result = genokeras("report", run, tmp_path / "new.csv", "--target", "label", "--groups", "donors")
    assert result.exit_code == 2 and "'donors'" in result.stderr and not (tmp_path / "report.html").exists()


def test_groups_without_data_are_a_mistake(run: Path) -> None:
    result = genokeras("report", run, "--groups", "donor")
    assert result.exit_code == 2 and "DATA" in result.stderr


def test_a_target_without_data_is_a_mistake(run: Path) -> None:
    result = genokeras("report", run, "--target", "label")
    assert result.exit_code == 2 and "DATA" in result.stderr


def test_explain_writes_tables_and_pictures(run: Path, tmp_path: Path) -> None:
    data, out = run.parent / "small.csv", tmp_path / "genes"
    result = genokeras("explain", run, data, "--target", "label", "--samples", 10, "--out", out)
    assert result.exit_code == 0, result.output
    names = ["genes_of_all_classes.pdf", "genes_of_class_0.pdf", "genes_of_class_1.pdf", "markers.csv"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert result.stdout.startswith("Explained 10 samples; additivity error")
    markers = pd.read_csv(out / "markers.csv")
    assert list(markers["class"].unique()) == ["ill", "well"] and len(markers) == 80


def test_an_unknown_method_is_answered_with_the_known_ones(run: Path, tmp_path: Path) -> None:
    data = run.parent / "small.csv"
    result = genokeras("explain", run, data, "--target", "label", "--method", "lineal", "--out", tmp_path)
    assert result.exit_code == 2 and "Did you mean 'linear'?" in result.stderr


@pytest.mark.parametrize("command", ["report", "explain"])
def test_the_help_is_80_columns_wide(command: str) -> None:
    text = genokeras(command, "--help").stdout
    assert "RUN" in text and max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", ["report", "explain"])
def test_the_help_imports_nothing_heavy(command: str) -> None:
    code = (
        f"import sys\nfrom genokeras.cli import main\ntry: main([{command!r}, '--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('keras', 'tensorflow', 'pandas', 'matplotlib', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")

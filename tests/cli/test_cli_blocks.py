"""Several assays on the command line: --block NAME=FILE in place of DATA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner

from genokeras.cli.commands import main

N = 36
IDS = [f"P{i:02d}" for i in range(N)]


def written(folder: Path) -> tuple[str, str]:
    rng = np.random.default_rng(0)
    rna = pd.DataFrame(
        rng.normal(size=(N, 12)), index=pd.Index(IDS, name="id"), columns=[f"G{i}" for i in range(12)]
    )
    rna.iloc[::2, :4] += 3
    rna.to_csv(folder / "rna.tsv", sep="\t")
    clinical = pd.DataFrame(
        {"age": rng.normal(60, 5, N), "sex": ["f", "m"] * (N // 2), "kind": ["a", "b"] * (N // 2)},
        index=pd.Index(IDS, name="id"),
    )
    clinical["sex"] = rng.permutation(clinical["sex"])
    clinical.iloc[::-1].to_csv(folder / "clinical.csv")
    return f"rna={folder / 'rna.tsv'}", f"clinical={folder / 'clinical.csv'}"


def test_blocks_are_fitted_and_predicted(tmp_path: Path) -> None:
    rna, clinical = written(tmp_path)
    run = str(tmp_path / "run")
    fit = [
        "fit",
        "--block",
        rna,
        "--block",
        clinical,
        "--target",
        "kind",
        "--out",
        run,
        "--max-trials",
        "8",
        "--seed",
        "0",
    ]
    fitted = CliRunner().invoke(main, fit)
    assert fitted.exit_code == 0, fitted.output
    assert "clinical alone" in fitted.output and "2 blocks were joined" in fitted.output
    answer = CliRunner().invoke(main, ["predict", run, "--block", clinical, "--block", rna])
    assert answer.exit_code == 0, answer.output
    assert answer.stdout.splitlines()[0] == "sample,prediction" and len(answer.stdout.splitlines()) == N + 1
    lacking = CliRunner().invoke(main, ["predict", run, "--block", rna])
    assert lacking.exit_code == 2 and "the model reads the blocks rna, clinical" in lacking.stderr


def test_blocks_that_cannot_be_meant(tmp_path: Path) -> None:
    rna, _ = written(tmp_path)
    end = ["--target", "kind", "--out", str(tmp_path / "run")]
    for given, message in (
        (["--block", "rna"], "--block must be NAME=FILE"),
        (["--block", rna, "--block", rna], "names 'rna' twice"),
        ([__file__, "--block", rna], "give DATA or --block"),
        ([], "Missing argument 'DATA'"),
        (["--block", rna, "--block", rna.replace("rna=", "copy=")], "hold the same values"),
    ):
        result = CliRunner().invoke(main, ["fit", *given, *end])
        assert result.exit_code == 2 and message in result.stderr, result.output

"""``fit --batches``, ``predict --missing-genes --adapt``, end to end on one small run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from click.testing import CliRunner, Result

from genokeras.cli import main


def genokeras(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_studies_are_left_out_and_gaps_are_filled(tmp_path: Path) -> None:
    rng, n = np.random.default_rng(0), 40
    labels = np.where(np.arange(n) % 2, "ill", "well")
    x = rng.normal(size=(n, 12)) + 2.0 * (labels == "ill")[:, None] * (np.arange(12) < 6)
    table = pd.DataFrame(x, columns=[f"gene_{i}" for i in range(12)])
    table.assign(label=labels, study=np.arange(n) // 2 % 2).to_csv(tmp_path / "two.csv", index=False)
    table.drop(columns="gene_11").to_csv(tmp_path / "new.csv", index=False)
    fitted = genokeras(
        "fit",
        tmp_path / "two.csv",
        "--target",
        "label",
        "--batches",
        "study",
        "--max-trials",
        2,
        "--seed",
        0,
        "--out",
        tmp_path / "run",
    )
    assert fitted.exit_code == 0, fitted.output
    assert "That is for a new study" in fitted.stdout and "New samples of the same studies" in fitted.stdout
    found = genokeras(
        "predict",
        tmp_path / "run",
        tmp_path / "new.csv",
        "--missing-genes",
        "impute",
        "--adapt",
        "standardise",
    )
    assert found.exit_code == 0, found.output
    assert "1 of 12 genes are missing" in found.stderr and len(found.stdout.splitlines()) == n + 1
    refused = genokeras("predict", tmp_path / "run", tmp_path / "new.csv")
    assert refused.exit_code == 2 and "gene_11" in refused.stderr


def test_batches_and_groups_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("g,y,s\n1,a,p\n2,b,q\n")
    found = genokeras(
        "fit",
        tmp_path / "a.csv",
        "--target",
        "y",
        "--batches",
        "s",
        "--groups",
        "s",
        "--out",
        tmp_path / "run",
    )
    assert found.exit_code == 2 and "--batches or --groups" in found.stderr

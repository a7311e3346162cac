"""``genokeras annotate``: labels of cells, written into a copy of their file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

import genokeras as gk
from genokeras.cli import main

anndata = pytest.importorskip("anndata")
SEARCH: dict[str, Any] = {
    "time_limit": None,
    "max_trials": 1,
    "searcher_args": {"trainer_args": {"max_iter_num": 30}},
    "random_state": 0,
    "verbose": 0,
}


def cells(n: int, seed: int) -> Any:
    """``n`` cells of two types, each with three marker genes of twelve."""
    rng = np.random.default_rng(seed)
    kinds = np.array(["B", "T"])[np.arange(n) % 2]
    counts = rng.poisson(3, (n, 12)).astype("float32")
    for place, kind in enumerate("BT"):
        counts[np.ix_(kinds == kind, range(3 * place, 3 * place + 3))] += 12
    obs = pd.DataFrame({"kind": pd.Categorical(kinds)}, index=[f"c{seed}_{i}" for i in range(n)])
    return anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"G{i}" for i in range(12)]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of cells, one of numbers, and 20 new cells, of which two are unlike the others."""
    folder, old, new = tmp_path_factory.mktemp("atlas"), cells(40, 0), cells(20, 1)
    gk.GenomeClassifier(folder / "run", **SEARCH).fit(old, "kind")
    gk.GenomeRegressor(folder / "numbers", **SEARCH).fit(old.X, old.X[:, 0])
    new.X[:2] = 60 - new.X[:2]
    new.obsm["X_pca"], new.layers["counts"] = np.ones((20, 2)), new.X.copy()
    new.write_h5ad(folder / "new.h5ad")
    return folder


def annotate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["annotate", *(str(argument) for argument in arguments)])


def test_the_copy_has_what_annotate_writes_and_all_that_was_there(folder: Path, tmp_path: Path) -> None:
    before = (folder / "new.h5ad").read_bytes()
    result = annotate(folder / "run", folder / "new.h5ad", "--out", tmp_path / "labelled.h5ad")
    assert result.exit_code == 0, result.output
    found, expected = anndata.read_h5ad(tmp_path / "labelled.h5ad"), anndata.read_h5ad(folder / "new.h5ad")
    gk.GenomeClassifier.load(folder / "run").annotate(expected)
    pd.testing.assert_frame_equal(found.obs, expected.obs)
    assert set(found.obsm) == {"X_pca", "X_genokeras", "genokeras_probabilities"}
    assert set(found.layers) == {"counts"} and len(found.uns["genokeras"]["markers"]) == 24
    counts, novel = found.obs["genokeras"].value_counts(), found.obs["genokeras_novel"].sum()
    assert novel >= 2 and set(counts.index) == {"B", "T"}
    shown = "".join(f"  {name}  {count} ({count / 20:.1%})\n" for name, count in counts.items())
    assert result.stdout == (
        f"Annotated 20 cells:\n{shown}Novel, unlike all cells of the training: {novel} ({novel / 20:.1%}).\n"
        f"Wrote {tmp_path / 'labelled.h5ad'}\n"
    )
    assert (folder / "new.h5ad").read_bytes() == before


def test_options_name_and_leave_out_what_is_written(folder: Path, tmp_path: Path) -> None:
    options = ["--key-added", "atlas", "--markers", 0, "--no-novelty", "--no-embedding"]
    result = annotate(folder / "run", folder / "new.h5ad", "--out", tmp_path / "a.h5ad", *options)
    assert result.exit_code == 0 and "Novel" not in result.stdout, result.output
    found = anndata.read_h5ad(tmp_path / "a.h5ad")
    assert list(found.obs.columns) == ["kind", "atlas", "atlas_confidence"]
    assert set(found.obsm) == {"X_pca", "atlas_probabilities"} and set(found.uns["atlas"]) == {"params"}


def test_missing_genes_are_refused_or_filled_and_the_cost_is_told(folder: Path, tmp_path: Path) -> None:
    anndata.read_h5ad(folder / "new.h5ad")[:, 1:].copy().write_h5ad(tmp_path / "fewer.h5ad")
    given = (folder / "run", tmp_path / "fewer.h5ad", "--out", tmp_path / "a.h5ad", "--markers", 0)
    refused = annotate(*given)
    assert refused.exit_code == 2 and "1 of the 12 genes of the training data is missing" in refused.stderr
    assert not (tmp_path / "a.h5ad").exists()
    filled = annotate(*given, "--missing-genes", "impute", "--most-loss", 1, "--false-alarms", 0.001)
    assert filled.exit_code == 0, filled.output
    assert "1 of 12 genes are missing and were estimated from the others (G0)" in filled.stderr
    assert "novelty is left out: --false-alarms 0.001 needs 999 training samples" in filled.stderr
    assert "genokeras_novel" not in anndata.read_h5ad(tmp_path / "a.h5ad").obs


@pytest.mark.parametrize(
    ("run", "options", "said"),
    [
        ("numbers", [], "annotate gives each cell a class, and "),
        ("run", ["--key-added", "a/b"], "--key-added must be a name without a slash, got 'a/b'"),
        ("run", ["--key-added", "_index"], "anndata cannot write "),
    ],
)
def test_what_cannot_be_is_one_error_and_leaves_no_file(
    folder: Path, tmp_path: Path, run: str, options: list[str], said: str
) -> None:
    result = annotate(
        folder / run, folder / "new.h5ad", "--out", tmp_path / "a.h5ad", "--markers", 0, *options
    )
    assert result.exit_code == 2 and said in result.stderr and result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_called_h5ad_and_is_none_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b.h5ad").write_text("sample,G0\n")
    result = annotate(folder / "run", tmp_path / "b.h5ad", "--out", tmp_path / "a.h5ad")
    assert result.exit_code == 2 and "b.h5ad is truncated, damaged or no h5ad file" in result.stderr


def test_runs_of_other_samples_are_refused(folder: Path, tmp_path: Path) -> None:
    x, y = ["ACGTACGTAC", "TTTTGGGGCC"] * 10, [0, 1] * 10
    gk.SequenceClassifier(tmp_path / "run", **{**SEARCH, "searcher_args": None}).fit(x, y)
    result = annotate(tmp_path / "run", folder / "new.h5ad", "--out", tmp_path / "a.h5ad")
    assert result.exit_code == 2 and "the samples of" in result.stderr and "are sequences." in result.stderr


def test_without_anndata_the_extra_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "anndata", None)
    result = annotate(folder / "run", folder / "new.h5ad", "--out", tmp_path / "a.h5ad")
    assert result.exit_code == 2 and 'pip install "genokeras[single-cell]"' in result.stderr

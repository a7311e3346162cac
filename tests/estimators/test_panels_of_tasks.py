"""Panels of times until an event, of several blocks, of ordered classes and of several labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from genokeras import GenomeClassifier, GenomeSurvival, load_estimator
from genokeras.cli import main

N, P = 90, 24
SETTINGS: dict[str, Any] = {
    "time_limit": None,
    "max_trials": 2,
    "folds": 3,
    "random_state": 0,
    "verbose": 0,
}
FEW: dict[str, Any] = {"n_genes": 2, "time_limit": None, "max_trials": 2}


def genes(prefix: str = "G", seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(N, P))
    return pd.DataFrame(values, columns=[f"{prefix}{i}" for i in range(P)], index=[f"P{i}" for i in range(N)])


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    x, rng = genes(), np.random.default_rng(1)
    time = rng.exponential(np.exp(-1.5 * x["G0"] + 1.5 * x["G1"]))
    ended = rng.exponential(4, N)
    return x.assign(days=np.minimum(time, ended), dead=(time <= ended).astype(int))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, patients: pd.DataFrame) -> GenomeSurvival:
    path = tmp_path_factory.mktemp("survival") / "run"
    return GenomeSurvival(path, **SETTINGS).fit(patients, time="days", event="dead")


@pytest.fixture(scope="module")
def survival(whole: GenomeSurvival) -> GenomeSurvival:
    return whole.panel(**FEW)


def test_survival_has_panels(survival: GenomeSurvival, tmp_path: Path) -> None:
    assert set(survival.panel_.genes) == {"G0", "G1"} and survival.panel_.metric == "c_index"
    assert survival.estimate_["value"] > 0.7 and survival.panel_.curve["value"].max() > 0.7
    x = genes(seed=5)
    own = x[list(survival.panel_.genes)]
    np.testing.assert_allclose(survival.predict(own), survival.predict(x), atol=1e-6)
    curves = survival.predict_survival_function(own, [0.1, 0.5, 2.0])
    assert curves.shape == (N, 3) and (np.diff(curves, axis=1) <= 1e-9).all()
    again = load_estimator(survival.path_)
    assert again.panel_.genes == survival.panel_.genes
    page = survival.report(tmp_path / "panel.html", explain=False).read_text(encoding="utf-8")
    assert "New samples need these 2 genes" in page


@pytest.mark.parametrize("named", [[], ["--time", "days", "--event", "dead"]], ids=["as in fit", "named"])
def test_the_command_reads_times_and_events_again(
    whole: GenomeSurvival, patients: pd.DataFrame, tmp_path: Path, named: list[str]
) -> None:
    patients.to_csv(tmp_path / "patients.csv")
    given = [str(whole.path_), str(tmp_path / "patients.csv"), "--genes", "2", "--max-trials", "2"]
    result = CliRunner().invoke(main, ["panel", *given, *named, "--out", str(tmp_path / "two")])
    assert result.exit_code == 0, result.output
    assert set(load_estimator(tmp_path / "two").panel_.genes) == {"G0", "G1"}


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    data = {"rna": genes(), "meth": genes("cg", 2)}
    y = np.where(data["rna"]["G0"] + data["meth"]["cg3"] > 0, "ill", "well")
    path = tmp_path_factory.mktemp("blocks") / "run"
    return GenomeClassifier(path, **SETTINGS).fit(data, y).panel(**FEW)


def test_blocks_have_panels_of_genes_of_any_block(blocks: GenomeClassifier) -> None:
    assert set(blocks.panel_.genes) == {"rna:G0", "meth:cg3"}
    new = {"rna": genes(seed=7), "meth": genes("cg", 8)}
    y = np.where(new["rna"]["G0"] + new["meth"]["cg3"] > 0, "ill", "well")
    assert blocks.evaluate(new, y)["accuracy"] > 0.85
    own = {"rna": new["rna"][["G0"]], "meth": new["meth"][["cg3"]]}
    np.testing.assert_allclose(blocks.predict_proba(own), blocks.predict_proba(new), atol=1e-6)


def test_ordered_classes_have_panels(tmp_path: Path) -> None:
    x = genes()
    y = pd.cut(x["G0"] - x["G1"], 3, labels=["I", "II", "III"]).astype(str).to_numpy()
    whole = GenomeClassifier(tmp_path / "run", ordered=["I", "II", "III"], **SETTINGS).fit(x, y)
    small = whole.panel(**FEW)
    assert set(small.panel_.genes) == {"G0", "G1"}
    found = small.predict_proba(x[["G0", "G1"]])
    assert found.shape == (N, 3) and np.mean(small.predict(x) == y) > 0.6


def test_several_labels_have_a_panel_for_all_of_them(tmp_path: Path) -> None:
    x = genes()
    y = np.column_stack([x["G0"] > 0, x["G1"] > 0]).astype(int)
    whole = GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y)
    small = whole.panel(**FEW)
    assert set(small.panel_.genes) == {"G0", "G1"}
    assert np.mean(small.predict(x) == y) > 0.85

"""Training samples that are given again, to a panel or a final fit: they belong to groups and studies as those of the run did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from genokeras import GenomeClassifier, ParameterError, load_estimator
from genokeras.cli import main

N, P = 90, 16
SETTINGS: dict[str, Any] = {"time_limit": None, "max_trials": 2, "random_state": 0, "verbose": 0}
FEW: dict[str, Any] = {"n_genes": 4, "time_limit": None, "max_trials": 2}
STUDY = np.array(["north", "south", "west"])[np.arange(N) % 3]


def samples() -> tuple[pd.DataFrame, np.ndarray]:
    """Four genes tell the classes; each study has a level and a scale of its own."""
    rng = np.random.default_rng(0)
    y = np.where(rng.random(N) > 0.5, "ill", "well")
    x = rng.normal(5, 1, size=(N, P)) + 2 * (y == "ill")[:, None] * (np.arange(P) < 4)
    level, scale = rng.normal(scale=30, size=(3, P)), np.array([1.0, 9.0, 4.0])
    x = x * scale[np.arange(N) % 3, None] + level[np.arange(N) % 3]
    names = [f"G{i}" for i in range(P)]
    return pd.DataFrame(x, columns=names, index=[f"P{i}" for i in range(N)]), y


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y = samples()
    path = tmp_path_factory.mktemp("runs") / "adapted"
    return GenomeClassifier(path, **SETTINGS).fit(x, y, batches=STUDY, adapt="standardise")


def test_a_panel_on_the_same_samples_is_the_panel_on_those_kept(
    adapted: GenomeClassifier, tmp_path: Path
) -> None:
    x, y = samples()
    kept = adapted.panel(path=tmp_path / "kept", **FEW)
    given = adapted.panel(x, y, batches=STUDY, path=tmp_path / "given", **FEW)
    assert kept.panel_.genes == given.panel_.genes and set(given.panel_.genes) == {"G0", "G1", "G2", "G3"}
    assert given.estimate_["value"] == pytest.approx(kept.estimate_["value"], abs=1e-6)
    for panel in (kept, load_estimator(given.path_)):
        assert panel.estimate_["holds_for"] == "a new study"
        assert {name: one["n_samples"] for name, one in panel.estimate_["studies"].items()} == {
            "north": 30,
            "south": 30,
            "west": 30,
        }
    np.testing.assert_allclose(
        given.predict_proba(x[STUDY == "west"]), kept.predict_proba(x[STUDY == "west"]), atol=1e-5
    )


def test_a_panel_on_other_samples_names_them_and_their_studies(
    adapted: GenomeClassifier, tmp_path: Path
) -> None:
    x, y = samples()
    some = STUDY != "west"
    panel = adapted.panel(x[some], y[some], batches=STUDY[some], path=tmp_path / "panel", **FEW)
    settings = panel._run.folder.settings
    assert settings["batches"] == ["north", "south"] and settings["adapt"] == "standardise"
    assert settings["sample_ids"] == x.index[some].tolist() and settings["n_samples"] == 60


def test_samples_without_their_studies_are_refused(adapted: GenomeClassifier, tmp_path: Path) -> None:
    x, y = samples()
    message = r"the run was fitted with batches=, and the samples given here come without"
    with pytest.raises(ParameterError, match=message):
        adapted.panel(x, y, path=tmp_path / "panel", **FEW)
    with pytest.raises(ParameterError, match=message):
        adapted.final_fit(x, y)
    assert not (tmp_path / "panel").exists()


def test_a_final_fit_standardises_each_study(adapted: GenomeClassifier, tmp_path: Path) -> None:
    x, y = samples()
    clf = load_estimator(adapted.save(tmp_path / "copy"))
    clf.final_fit(x, y, batches=STUDY)
    right = [np.mean(clf.predict(x[name == STUDY]) == y[name == STUDY]) for name in np.unique(STUDY)]
    assert min(right) > 0.85


def test_samples_without_their_groups_are_refused(tmp_path: Path) -> None:
    x, y = samples()
    clf = GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y, groups=np.arange(N) // 2)
    with pytest.raises(ParameterError, match=r"the run was fitted with groups=.*pass groups="):
        clf.panel(x, y, **FEW)
    with pytest.raises(ParameterError, match=r"fitted without batches=, so that batches= has no meaning"):
        clf.panel(x, y, batches=STUDY, **FEW)
    panel = clf.panel(x, y, groups=np.arange(N) // 2, **FEW)
    groups = panel._run.problem.groups
    assert groups is not None and len(np.unique(groups)) == N // 2


def test_the_command_takes_the_studies_too(adapted: GenomeClassifier, tmp_path: Path) -> None:
    x, y = samples()
    x.assign(label=y, study=STUDY).to_csv(tmp_path / "all.csv", index_label="sample")
    command = ["panel", str(adapted.path_), str(tmp_path / "all.csv"), "--target", "label", "--genes", "4"]
    asked = [*command, "--max-trials", "2", "--out", str(tmp_path / "panel")]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2 and "pass batches=" in result.output
    result = CliRunner().invoke(main, [*asked, "--batches", "study"])
    assert result.exit_code == 0, result.output
    assert set(load_estimator(tmp_path / "panel").panel_.genes) == {"G0", "G1", "G2", "G3"}


def test_missing_genes_are_estimated_on_the_scale_that_the_model_reads(adapted: GenomeClassifier) -> None:
    x, _ = samples()
    part = x[STUDY == "south"].drop(columns=["G1", "G9"])
    asked = {"missing_genes": "impute", "most_loss": 1.0}
    with pytest.warns(UserWarning, match="2 of 16 genes are missing"):
        usual = adapted.predict_proba(part, **asked)
    with pytest.warns(UserWarning, match="2 of 16 genes are missing"):
        named = adapted.predict_proba(part, adapt="standardise", **asked)
    np.testing.assert_array_equal(usual, named)


def test_a_panel_has_the_genes_that_there_are_where_most_are_copies(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    own = np.exp(rng.normal(size=(60, 4)) + 0.8 * y[:, None]) * 100
    x = pd.DataFrame(np.hstack([own, 2 * own, 3 * own]), columns=[f"G{i}" for i in range(12)])
    clf = GenomeClassifier(tmp_path / "run", **SETTINGS).fit(x, y)
    panel = clf.panel(n_genes=6, time_limit=None, max_trials=4)
    assert 1 <= len(panel.panel_.genes) <= 4
    assert panel.predict_proba(x).shape == (60, 2)

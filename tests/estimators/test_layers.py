"""Which matrix of an AnnData is read in ``fit`` is read wherever samples come later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import genokeras as gk
from genokeras.cli import main
from genokeras.errors import ParameterError

anndata = pytest.importorskip("anndata")
SHORT = {"trainer_args": {"max_iter_num": 5}}


@pytest.fixture(scope="module")
def cells() -> Any:
    rng = np.random.default_rng(0)
    kinds = np.array(["T", "B"])[np.arange(30) % 2]
    counts = rng.poisson(5, (30, 12)).astype("float32")
    counts[kinds == "T", :3] += 20
    obs = pd.DataFrame({"kind": pd.Categorical(kinds)}, index=[f"c{i}" for i in range(30)])
    # X says nothing, and would not do.
    data = anndata.AnnData(
        rng.normal(size=(30, 12)).astype("float32"),
        obs=obs,
        var=pd.DataFrame(index=[f"G{i}" for i in range(12)]),
    )
    data.layers["counts"] = counts
    data.raw = anndata.AnnData(counts, obs=obs, var=data.var)
    return data


def classifier(path: Path, **more: Any) -> gk.GenomeClassifier:
    return gk.GenomeClassifier(
        path, time_limit=None, max_trials=1, searcher_args=SHORT, random_state=0, verbose=0, **more
    )


@pytest.mark.parametrize("given", [{"layer": "counts"}, {"use_raw": True}])
def test_the_layer_of_fit_is_read_later_and_after_loading(
    given: dict[str, Any], cells: Any, tmp_path: Path
) -> None:
    clf = classifier(tmp_path / "run", **given).fit(cells, "kind")
    plain = clf.predict_proba(pd.DataFrame(cells.layers["counts"], columns=cells.var_names))
    for model in (clf, gk.GenomeClassifier.load(tmp_path / "run")):
        assert model.score(cells, "kind") == 1
        np.testing.assert_allclose(model.predict_proba(cells), plain, atol=1e-6)
        assert model.novelty(cells).shape == (30, 3)
        assert model.explain(cells, num_samples=4).data.max() > 15


def test_an_exported_model_reads_the_same_layer(cells: Any, tmp_path: Path) -> None:
    clf = classifier(tmp_path / "run", layer="counts").fit(cells, "kind")
    clf.export_keras_model(tmp_path / "m.keras")
    cells.write_h5ad(tmp_path / "d.h5ad")
    given = [
        "predict",
        tmp_path / "m.keras",
        tmp_path / "d.h5ad",
        "--probabilities",
        "--out",
        tmp_path / "p.csv",
    ]
    done = CliRunner().invoke(main, list(map(str, given)))
    assert done.exit_code == 0, done.output
    found = pd.read_csv(tmp_path / "p.csv").select_dtypes("number")
    np.testing.assert_allclose(found, clf.predict_proba(cells), atol=1e-4)


def test_a_layer_that_new_cells_lack_is_named(cells: Any, tmp_path: Path) -> None:
    clf = classifier(tmp_path / "run", layer="counts").fit(cells, "kind")
    bare = anndata.AnnData(cells.X, obs=cells.obs, var=cells.var)
    with pytest.raises(ParameterError, match=r"layer \(of AnnData\) must be one of X, got 'counts'"):
        clf.predict(bare)
    assert clf.predict(gk.load_dataset(cells, layer="raw")).shape == (30,)


def test_one_of_layer_and_raw_is_given_before_anything_is_written(cells: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="give layer='counts' or use_raw=True"):
        classifier(tmp_path / "run", layer="counts", use_raw=True).fit(cells, "kind")
    assert not (tmp_path / "run").exists()


def test_the_command_line_remembers_raw(cells: Any, tmp_path: Path) -> None:
    cells.write_h5ad(tmp_path / "d.h5ad")
    data, run = str(tmp_path / "d.h5ad"), str(tmp_path / "run")
    fit = [
        "fit",
        data,
        "--target",
        "kind",
        "--use-raw",
        "--out",
        run,
        "--max-trials",
        "1",
        "--seed",
        "0",
        "-q",
    ]
    assert CliRunner().invoke(main, fit).exit_code == 0
    assert gk.GenomeClassifier.load(run).layer == "raw"
    done = CliRunner().invoke(main, ["evaluate", run, data, "--target", "kind"])
    assert done.exit_code == 0, done.output
    assert gk.GenomeClassifier.load(run).score(cells, "kind") == 1

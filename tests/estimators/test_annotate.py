"""Cells are labelled in their AnnData, as scanpy's tools do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genokeras as gk
from genokeras.engine.embedding import last_hidden, penultimate
from genokeras.errors import DataError, ParameterError
from genokeras.estimators import annotate
from genokeras.estimators.annotate import of_each
from genokeras.graph import linear, mlp
from genokeras.graph.reference import reference_forward

anndata = pytest.importorskip("anndata")
KINDS = ("B", "CD4+/CD25 T", "NK")


def cells(n: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    kinds = np.array(KINDS)[np.arange(n) % 3]
    counts = rng.poisson(3, (n, 20)).astype("float32")
    for place, kind in enumerate(KINDS):
        counts[np.ix_(kinds == kind, range(3 * place, 3 * place + 3))] += 12
    obs = pd.DataFrame({"kind": pd.Categorical(kinds)}, index=[f"c{seed}_{i}" for i in range(n)])
    return anndata.AnnData(counts, obs=obs, var=pd.DataFrame(index=[f"G{i}" for i in range(20)]))


@pytest.fixture(scope="module")
def clf(tmp_path_factory: pytest.TempPathFactory) -> gk.GenomeClassifier:
    path = tmp_path_factory.mktemp("runs") / "atlas"
    search = {"trainer_args": {"max_iter_num": 40}, "fathers": ["mlp"]}
    model = gk.GenomeClassifier(
        path, time_limit=None, max_trials=3, searcher_args=search, random_state=0, verbose=0
    )
    return model.fit(cells(60, 0), "kind")


@pytest.fixture(scope="module")
def annotated(clf: gk.GenomeClassifier) -> Any:
    data = cells(24, 1)
    assert clf.annotate(data) is None
    return data


def test_each_cell_gets_its_label_and_how_sure_that_is(clf: gk.GenomeClassifier, annotated: Any) -> None:
    labels = annotated.obs["genokeras"]
    assert isinstance(labels.dtype, pd.CategoricalDtype) and tuple(labels.cat.categories) == KINDS
    assert (labels.astype(str) == annotated.obs["kind"].astype(str)).mean() > 0.9
    np.testing.assert_array_equal(labels.astype(str), clf.predict(annotated))
    probabilities = annotated.obsm["genokeras_probabilities"]
    np.testing.assert_allclose(probabilities, clf.predict_proba(annotated), atol=1e-6)
    assert list(probabilities.columns) == ["B", "CD4+_CD25 T", "NK"]  # a file cannot hold the slash
    np.testing.assert_allclose(annotated.obs["genokeras_confidence"], probabilities.max(axis=1), atol=1e-6)


def test_cells_unlike_the_training_are_marked(clf: gk.GenomeClassifier) -> None:
    data = cells(24, 2)
    data.X[:4] = 30 - data.X[:4]
    clf.annotate(data, n_markers=0, embedding=False)
    assert data.obs["genokeras_novel"].iloc[:4].all() and data.obs["genokeras_novel"].iloc[4:].mean() < 0.2
    assert data.obs["genokeras_novelty"].iloc[:4].min() > data.obs["genokeras_novelty"].iloc[4:].max()
    assert "markers" not in data.uns["genokeras"] and "X_genokeras" not in data.obsm


def test_markers_are_the_genes_of_each_class(clf: gk.GenomeClassifier, annotated: Any) -> None:
    markers = annotated.uns["genokeras"]["markers"]
    assert list(markers.columns) == ["class", "rank", "gene", "mean_abs", "direction"]
    assert (markers.groupby("class").size() == 20).all() and set(markers["class"]) == set(KINDS)
    for place, kind in enumerate(KINDS):
        top = markers[(markers["class"] == kind) & (markers["direction"] == "up")]["gene"].head(3)
        assert set(top) == {f"G{3 * place + i}" for i in range(3)}
    params = annotated.uns["genokeras"]["params"]
    assert params["run"] == str(clf.path_) and params["classes"] == list(KINDS) and params["layer"] == "X"


def test_the_embedding_is_what_the_output_layer_reads(clf: gk.GenomeClassifier, annotated: Any) -> None:
    heaviest = max(clf._run.delivery.shares, key=clf._run.delivery.shares.__getitem__)
    graph = clf._run.history.get(heaviest).proposal.graph
    hidden = last_hidden(graph)
    assert annotated.obsm["X_genokeras"].shape[0] == 24
    np.testing.assert_allclose(annotated.obsm["X_genokeras"], penultimate(clf._run, annotated.X), atol=1e-6)
    if len(graph.layers) > 2:
        assert annotated.obsm["X_genokeras"].shape[1] == sum(graph.known_units(i) or 0 for i in hidden)


def test_hidden_layers_come_before_what_is_read_directly() -> None:
    graph = mlp(3, widths=(8, 5))
    (last,) = last_hidden(graph)
    assert graph.known_units(last) == 5
    assert last_hidden(linear(3)) == (linear(3).input,)
    rng = np.random.default_rng(0)
    weights = {
        i: {name: rng.normal(size=(1, *shape)) for name, shape in named.items()}
        for i, named in graph.weight_shapes(4).items()
    }
    assert reference_forward(graph, weights, rng.normal(size=(6, 4)), "relu").shape == (1, 6, 3)


def test_a_copy_leaves_the_cells_alone(clf: gk.GenomeClassifier) -> None:
    data = cells(9, 3)
    before = list(data.obs.columns)
    again = clf.annotate(data, copy=True, key_added="atlas", n_markers=0, novelty=False)
    assert list(data.obs.columns) == before and not data.uns and not data.obsm
    assert list(again.obs.columns) == [*before, "atlas", "atlas_confidence"]
    assert set(again.obsm) == {"atlas_probabilities", "X_atlas"}


def test_a_second_call_leaves_nothing_of_the_first(clf: gk.GenomeClassifier) -> None:
    data = cells(9, 3)
    clf.annotate(data, n_markers=2)
    clf.annotate(data, n_markers=0, novelty=False, embedding=False)
    assert list(data.obs.columns) == ["kind", "genokeras", "genokeras_confidence"]
    assert set(data.obsm) == {"genokeras_probabilities"} and set(data.uns["genokeras"]) == {"params"}


@pytest.mark.parametrize("copy", [False, True])
def test_what_is_not_ours_is_never_overwritten(clf: gk.GenomeClassifier, copy: bool) -> None:
    data = cells(9, 3)
    data.uns["leiden"] = {"colors": ["red"]}
    data.obsm["X_umap"] = np.zeros((data.n_obs, 2), "float32")
    kinds = data.obs["kind"].tolist()
    for key, taken in (
        ("kind", r"obs\['kind'\]"),
        ("leiden", r"uns\['leiden'\]"),
        ("umap", r"obsm\['X_umap'\]"),
    ):
        with pytest.raises(
            gk.ParameterError, match=f"the cells have {taken} already.*another key_added than '{key}'"
        ):
            clf.annotate(data, key_added=key, copy=copy, n_markers=0)
    assert data.obs["kind"].tolist() == kinds and list(data.obs.columns) == ["kind"]


def test_genes_are_matched_by_name_in_any_order(clf: gk.GenomeClassifier, annotated: Any) -> None:
    data = cells(24, 1)[:, ::-1].copy()
    data = anndata.concat([data, data[:, :1].copy()[:, []]], axis=1, merge="first")
    clf.annotate(data, n_markers=0, novelty=False, embedding=False)
    np.testing.assert_array_equal(data.obs["genokeras"], annotated.obs["genokeras"])


def test_missing_genes_are_named_or_filled_and_nothing_is_written_on_an_error(
    clf: gk.GenomeClassifier,
) -> None:
    data = cells(9, 3)[:, 1:].copy()
    with pytest.raises(DataError, match="1 of the 20 genes of the training data is missing in AnnData: G0"):
        clf.annotate(data)
    assert list(data.obs.columns) == ["kind"] and not data.obsm
    with pytest.warns(UserWarning, match="1 of 20 genes are missing and were estimated from the others"):
        clf.annotate(data, missing_genes="impute", most_loss=1, novelty=False)
    assert (data.obs["genokeras"].astype(str) == data.obs["kind"].astype(str)).mean() > 0.7


def test_what_was_written_can_be_saved_and_read(annotated: Any, tmp_path: Path) -> None:
    annotated.write_h5ad(tmp_path / "a.h5ad")
    again = anndata.read_h5ad(tmp_path / "a.h5ad")
    pd.testing.assert_series_equal(again.obs["genokeras"], annotated.obs["genokeras"])
    pd.testing.assert_frame_equal(
        again.uns["genokeras"]["markers"], annotated.uns["genokeras"]["markers"], check_dtype=False
    )


def test_backed_cells_are_annotated_part_by_part(
    clf: gk.GenomeClassifier, annotated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells(24, 1).write_h5ad(tmp_path / "b.h5ad")
    backed = anndata.read_h5ad(tmp_path / "b.h5ad", backed="r")
    seen: list[int] = []
    prepare = gk.GenomeClassifier.prepare_samples

    def watched(self: Any, x: Any, *args: Any, **more: Any) -> Any:
        seen.append(x.n_obs)
        return prepare(self, x, *args, **more)

    monkeypatch.setattr(annotate, "_CELLS_AT_ONCE", 10)
    monkeypatch.setattr(gk.GenomeClassifier, "prepare_samples", watched)
    clf.annotate(backed, n_markers=0)
    assert seen == [10, 10, 4] and backed.isbacked
    for column in ("genokeras", "genokeras_novelty"):
        pd.testing.assert_series_equal(backed.obs[column], annotated.obs[column])
    np.testing.assert_allclose(backed.obsm["X_genokeras"], annotated.obsm["X_genokeras"], atol=1e-5)
    with pytest.raises(ParameterError, match=r"pass adata.to_memory\(\) or adata.copy\(filename\)"):
        clf.annotate(backed, copy=True)
    with pytest.raises(ParameterError, match="a part of a backed AnnData cannot be written to"):
        clf.annotate(backed[:3])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"adata": "cells.h5ad"}, "annotate writes into an AnnData, got str: read a file"),
        ({"key_added": "a/b"}, "key_added must be a name without a slash, got 'a/b'"),
        ({"false_alarms": 1.5}, "false_alarms must be a number above 0 and below 1"),
        ({"n_markers": -1}, "n_markers must be a whole number of at least 0"),
        ({"missing_genes": "drop"}, "missing_genes must be one of"),
    ],
)
def test_wrong_arguments_are_said(clf: gk.GenomeClassifier, given: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        clf.annotate(**{"adata": cells(3, 4), **given})


def test_a_run_that_cannot_tell_novelty_says_so_and_labels(clf: gk.GenomeClassifier, tmp_path: Path) -> None:
    clf.save(tmp_path / "copy")
    (tmp_path / "copy" / "novelty.npz").unlink()
    data = cells(9, 5)
    with pytest.warns(UserWarning, match="novelty is left out: the run"):
        gk.GenomeClassifier.load(tmp_path / "copy").annotate(data, n_markers=0)
    assert list(data.obs.columns) == ["kind", "genokeras", "genokeras_confidence"]


def test_fewer_training_cells_than_a_rate_needs_are_said_and_labels_come_all_the_same(
    clf: gk.GenomeClassifier,
) -> None:
    data = cells(9, 6)
    with pytest.warns(
        UserWarning, match="novelty is left out: false_alarms=0.001 needs 999 training samples"
    ):
        clf.annotate(data, n_markers=0, false_alarms=0.001)
    assert "genokeras_novel" not in data.obs and "genokeras" in data.obs


def test_markers_are_found_on_cells_of_each_label_alike() -> None:
    codes = np.repeat([0, 1, 2], [1, 4, 95])
    chosen = of_each(codes, 12)
    assert np.bincount(codes[chosen]).tolist() == [1, 4, 4] and (np.diff(chosen) > 0).all()

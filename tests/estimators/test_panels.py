"""A panel of few genes: what it reads, what it says of itself, and that its choice saw no held-out sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from genokeras import GenomeClassifier, GenomeRegressor, ParameterError, load_estimator
from genokeras.cli import main
from genokeras.engine.panel_curve import fold_problem, smallest_within_error
from genokeras.engine.panel_genes import choose_genes
from genokeras.estimators.panels import kept_samples
from genokeras.features import forward_selection, selection_scale

N, P, PLANTED = 60, 40, 3
SETTINGS = {"time_limit": None, "max_trials": 2, "random_state": 0, "verbose": 0}


def planted(seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Three genes add up to the class; each has an exact copy."""
    x = np.random.default_rng(seed).normal(size=(N, P)).astype("float32")
    y = np.where(x[:, :PLANTED].sum(axis=1) > 0, "ill", "well")
    names = [f"G{i}" for i in range(P)] + [f"copy_of_G{i}" for i in range(PLANTED)]
    return pd.DataFrame(np.hstack([x, x[:, :PLANTED]]), columns=names), y


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    x, y = planted()
    return GenomeClassifier(tmp_path_factory.mktemp("runs") / "whole", **SETTINGS).fit(x, y)


@pytest.fixture(scope="module")
def small(whole: GenomeClassifier) -> GenomeClassifier:
    return whole.panel(n_genes=PLANTED, time_limit=None, max_trials=3)


def test_one_of_each_pair_of_copies_is_chosen_and_the_other_named(small: GenomeClassifier) -> None:
    known = small.panel_
    assert {name.removeprefix("copy_of_") for name in known.genes} == {"G0", "G1", "G2"}
    copies = known.equivalents[known.equivalents["copy"]].set_index("gene")["equivalent"]
    for gene in known.genes:
        other = gene.removeprefix("copy_of_") if gene.startswith("copy_of_") else f"copy_of_{gene}"
        assert copies[gene] == other and known.needed[gene]
    assert known.frequency[list(known.genes)].gt(0.1).all()


def test_the_curve_has_every_size_and_its_interval(small: GenomeClassifier, tmp_path: Path) -> None:
    curve = small.panel_.curve
    assert curve["genes"].tolist()[:4] == [1, 2, 3, 5] and small.panel_.smallest <= 20
    assert ((curve["low"] <= curve["value"]) & (curve["value"] <= curve["high"])).all()
    small.panel_.plot(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


def test_a_curve_of_few_groups_has_no_intervals(tmp_path: Path) -> None:
    x, y = planted()
    clf = GenomeClassifier(tmp_path / "whole", **SETTINGS).fit(x, y, groups=np.arange(N) % 4)
    small = clf.panel(n_genes=PLANTED, path=tmp_path / "small", time_limit=None, max_trials=2)
    assert small.panel_.curve[["low", "high"]].isna().all(axis=None)
    assert small.panel_.curve["value"].notna().all()
    assert any("4 groups say how it went in these" in note for note in small.notes_)
    small.panel_.plot(tmp_path / "curve.png")
    page = small.report(tmp_path / "small.html", explain=False).read_text(encoding="utf-8")
    assert "New samples need these 3 genes" in page and "– to –" not in page


def test_a_panel_needs_its_own_genes_alone(small: GenomeClassifier, tmp_path: Path) -> None:
    x, y = planted(1)
    own = x[list(small.panel_.genes)]
    np.testing.assert_allclose(small.predict_proba(own), small.predict_proba(x), atol=1e-6)
    assert small.evaluate(own, y)["balanced_accuracy"] > 0.8
    again = load_estimator(small.path_)
    np.testing.assert_allclose(again.predict_proba(own), small.predict_proba(own), atol=1e-6)
    assert again.panel_.genes == small.panel_.genes and again.n_features_in_ == PLANTED
    assert small.explain(own).shape == (N, PLANTED, 2)
    assert small.export_keras_model(tmp_path / "small.keras").exists()


def test_the_report_names_the_genes_that_are_needed(small: GenomeClassifier, tmp_path: Path) -> None:
    page = small.report(tmp_path / "small.html", explain=False).read_text(encoding="utf-8")
    assert "New samples need these 3 genes, all of them, and no others" in page and "(a copy)" in page
    assert "linear models by the number of genes" in page
    card = (tmp_path / "small_model_card.md").read_text(encoding="utf-8")
    assert "New samples need these 3 genes" in card
    assert len(small.novelty(planted(1)[0])) == N


def test_the_panel_lies_beside_its_run(whole: GenomeClassifier, small: GenomeClassifier) -> None:
    assert small.path_ == whole.path_.with_name("whole_panel_3")
    assert whole.panel_ is None


def test_held_out_samples_take_no_part_in_the_choice_of_their_fold(whole: GenomeClassifier) -> None:
    samples = kept_samples(whole._run)
    x, _ = planted()
    np.testing.assert_allclose(samples.x, x, atol=1e-4)
    held = samples.problem.held_out[0]
    changed = samples.x.copy()
    changed[held] = np.random.default_rng(5).normal(size=changed[held].shape)
    before, after = (
        choose_genes(replace(samples, x=values), 5, np.random.default_rng(0))
        for values in (samples.x, changed)
    )
    assert before.by_fold[0].tolist() == after.by_fold[0].tolist()
    first, other = (
        fold_problem(replace(samples, x=values), choice, {"all": ("all", 5)})
        for values, choice in ((samples.x, before), (changed, after))
    )
    np.testing.assert_array_equal(first.rows["all"][~held, 0], other.rows["all"][~held, 0])


def test_without_a_relation_the_estimate_is_that_of_chance(tmp_path: Path) -> None:
    x, y = planted()
    y = np.random.default_rng(3).permutation(y)
    clf = GenomeClassifier(tmp_path / "shuffled", **SETTINGS).fit(x, y)
    also = clf.panel(n_genes=5, time_limit=None, max_trials=2).estimate_["also"]
    assert also["balanced_accuracy"]["interval"][0] < 0.5


def test_numbers_have_panels_and_samples_can_be_given_again(tmp_path: Path) -> None:
    x, _ = planted()
    y = x["G0"] - 2 * x["G1"] + 0.1 * x["G5"]
    reg = GenomeRegressor(tmp_path / "numbers", **SETTINGS).fit(x, y)
    small = reg.panel(x, y, n_genes=2, path=tmp_path / "two", time_limit=None, max_trials=2)
    assert {name.removeprefix("copy_of_") for name in small.panel_.genes} == {"G0", "G1"}
    assert small.estimate_["value"] > 0.8 and small.path_ == tmp_path / "two"


def test_the_command_prints_the_genes_and_the_curve(whole: GenomeClassifier, tmp_path: Path) -> None:
    arguments = ["panel", str(whole.path_), "--genes", "2", "--max-trials", "3"]
    result = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "two")])
    assert result.exit_code == 0, result.output
    assert "all of them are needed" in result.stdout and "(a copy)" in result.stdout
    assert load_estimator(tmp_path / "two").n_features_in_ == 2


# ---- bad input


def test_a_panel_as_large_as_all_genes_is_refused(whole: GenomeClassifier) -> None:
    with pytest.raises(ParameterError, match="got n_genes=43 of 43. Ask for at most 42."):
        whole.panel(n_genes=43)
    with pytest.raises(ParameterError, match="n_genes"):
        whole.panel(n_genes=0)


def test_labels_without_samples_are_refused(whole: GenomeClassifier) -> None:
    with pytest.raises(ParameterError, match="of the samples x, which is missing"):
        whole.panel(y=np.zeros(N))


def test_a_run_that_has_not_kept_its_samples_says_so(tmp_path: Path) -> None:
    x, y = planted()
    clf = GenomeClassifier(tmp_path / "held", **SETTINGS).fit(
        x[:40], y[:40], validation_data=(x[40:], y[40:])
    )
    with pytest.raises(
        ParameterError, match=r"pass them again, panel\(x, y, n_genes=...\) or genokeras panel"
    ):
        clf.panel(n_genes=3)


# ---- parts


def test_forward_selection_leaves_out_copies_and_constant_genes() -> None:
    x, _ = planted()
    values = np.hstack([np.ones((N, 1)), x.to_numpy()])
    found = forward_selection(values, values[:, 1:4].sum(axis=1, keepdims=True), 30).features
    assert 0 not in found and len({name if name <= P else name - P for name in found.tolist()}) == len(found)
    assert set(found[:3].tolist()) <= {1, 2, 3, P + 1, P + 2, P + 3}


def test_forward_selection_takes_both_genes_of_a_product_that_explains_most() -> None:
    x = np.random.default_rng(0).normal(4, 2, size=(80, 30))
    y = 2 * (x[:, 3] - 4) * (x[:, 20] - 4) / 4 + (x[:, 11] - 4) / 2
    pairs = np.array([[5, 6], [3, 20]])
    found = forward_selection(x, y[:, None], 3, pairs=pairs)
    assert found.features.tolist() == [3, 20, 11] and found.pairs.tolist() == [[3, 20]]
    # There is no room for two.
    alone = forward_selection(x, y[:, None], 1, pairs=pairs)
    assert alone.features.tolist() == [11] and not len(alone.pairs)
    without = forward_selection(x, y[:, None], 3)
    assert 11 in without.features and not {3, 20} <= set(without.features.tolist())


def test_intensities_are_chosen_behind_the_arcsinh_and_normal_values_raw() -> None:
    normal = np.random.default_rng(0).normal(size=(50, 100))
    assert selection_scale(normal) is None and selection_scale(np.exp(2 * normal)) == "arcsinh"
    assert selection_scale(np.ones((5, 3))) is None


def test_the_smallest_panel_within_one_standard_error_of_the_best() -> None:
    points = [
        {"genes": genes, "value": value, "standard_error": 0.05, "greater_is_better": True}
        for genes, value in ((1, 0.6), (5, 0.86), (10, 0.9), (20, 0.88))
    ]
    assert smallest_within_error(points) == 5

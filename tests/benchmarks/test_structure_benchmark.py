"""Where structure matters: planted tasks are what they say, arms are valid, nothing is fitted twice, the tables add up."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from benchmarks.quality.regression_peers import Family, Parts, grid
from benchmarks.quality.structure import KEY, run
from benchmarks.quality.structure_fits import (
    ALL_ARMS,
    ARMS,
    MORPHISM,
    PEERS,
    TEMPLATES,
    loss,
    oracle,
    searched,
)
from benchmarks.quality.structure_peers import boosted_numbers, boosting, forest, tuned_classes, tuned_linear
from benchmarks.quality.structure_sets import PLANTED, REAL, StructureSet, read_structure_set
from benchmarks.quality.structure_table import against, common, means, show
from genokeras.engine import Wanted, make_table_searcher
from genokeras.searchers import HyperSpace


def drawn(name: str, n: int, seed: int = 0) -> Any:
    return PLANTED[name].draw(np.random.default_rng(seed), n, PLANTED[name].p)


def made_up(numbers: bool = False, n: int = 40) -> StructureSet:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n + 20, 12)).astype("float32")
    y = x[:, 0].astype("float64") if numbers else (x[:, 0] > 0).astype(int)
    return StructureSet("made up", x, y, np.arange(n), np.arange(n, n + 20), None, {})


def line(arm: str, value: float, name: str = "gene_pairs", seed: int = 0, **more: Any) -> dict[str, Any]:
    found = {"set": name, "seed": seed, "arm": arm, "seconds": None if arm in PEERS else 60.0}
    found |= {"rows": 80, "columns": 500, "loss": value, "oracle": 0.3, "chance": 0.69}
    found |= {"balanced_accuracy": 1 - value, "fit_seconds": 60.0}
    searches = {"single": value + 0.1, "trials": 200, "grown": 0.5, "depth": 3, "graphs": 40}
    return found | ({} if arm in PEERS else searches) | more


# ---- planted tasks


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_task_has_the_stated_columns_and_follows_from_its_seed(name):
    one, same, other = drawn(name, 50), drawn(name, 50), drawn(name, 50, seed=1)
    assert one.x.shape == (50, PLANTED[name].p) and one.x.dtype == "float32"
    np.testing.assert_array_equal(one.x, same.x)
    np.testing.assert_array_equal(one.probability, same.probability)
    assert not np.array_equal(one.x, other.x)
    assert np.all((one.probability > 0) & (one.probability < 1))
    assert sorted(column for block in one.blocks.values() for column in block)[-1] == PLANTED[name].p


def test_sizes_are_those_of_gene_matrices_with_few_samples():
    assert all(200 <= task.n <= 2000 and 500 <= task.p <= 5000 for task in PLANTED.values())


def test_the_flipped_labels_of_modules_and_subtypes_are_as_many_as_stated():
    assert set(drawn("module_xor", 50).probability) == {0.05, 0.95}
    assert set(drawn("subtypes", 50).probability) == {0.08, 0.92}


def test_module_genes_have_the_stated_share_of_variance_in_common():
    x = drawn("module_xor", 500).x
    values = np.linalg.svd(StandardScaler().fit_transform(x), compute_uv=False) ** 2 / 500
    # Six modules of 150 genes share 40 % of their variance, one direction each; the rest is a random matrix.
    assert values[:6].mean() == pytest.approx(60, rel=0.15) and values[5] > 40 and values[6] < 15


def test_no_single_gene_tells_the_products_of_pathways():
    data = drawn("pathways", 2000)
    label = np.random.default_rng(1).random(2000) < data.probability
    correlation = StandardScaler().fit_transform(data.x).T @ (label - label.mean()) / label.std() / 2000
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)


def test_who_is_given_the_structure_learns_what_a_linear_model_cannot():
    data = read_structure_set(None, "module_xor", 0)
    x, y = data.x[data.train], data.y[data.train]
    steps = [StandardScaler(), PCA(10, random_state=0), StandardScaler()]
    linear = make_pipeline(*steps, LogisticRegression(C=0.1))
    products = make_pipeline(*steps, PolynomialFeatures(2), StandardScaler(), LogisticRegression(C=0.1))
    lost = [loss(data, model.fit(x, y).predict_proba(data.x[data.test])) for model in (linear, products)]
    assert lost[0] > 0.65 and lost[1] < 0.4


def test_the_oracle_is_the_log_loss_of_the_true_probabilities_of_fresh_rows():
    data = read_structure_set(None, "gene_pairs", 3)
    assert len(data.train) == PLANTED["gene_pairs"].n and not set(data.train) & set(data.test)
    assert data.truth is not None
    assert oracle(data) == pytest.approx(log_loss(data.y[data.test], data.truth[data.test]))


# ---- real sets


def test_the_seed_says_which_fold_is_held_out_and_donors_are_not_split(tmp_path: Path):
    rng = np.random.default_rng(0)
    donors = np.repeat(np.arange(15), 2)
    np.savez(
        tmp_path / f"{REAL['brain_age']}.npz",
        X=rng.normal(size=(30, 4)),
        y=rng.normal(size=30),
        groups=donors,
    )
    splits = [read_structure_set(tmp_path, "brain_age", seed) for seed in range(6)]
    assert sorted(np.concatenate([each.test for each in splits[:5]])) == list(range(30))
    np.testing.assert_array_equal(splits[0].test, splits[5].test)
    assert splits[0].is_numbers and not set(donors[splits[0].train]) & set(donors[splits[0].test])


def test_a_set_that_is_unknown_or_needs_a_folder_ends_the_program_with_a_hint():
    with pytest.raises(SystemExit, match="no set 'gene_pair'.*Did you mean 'gene_pairs'"):
        read_structure_set(None, "gene_pair", 0)
    with pytest.raises(SystemExit, match="pam50 needs --data"):
        read_structure_set(None, "pam50", 0)


# ---- arms


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_makes_a_searcher(arm):
    asked = {"searcher": "bayesian", "searcher_args": {}, **ARMS[arm]}
    make_table_searcher(Wanted.of(**asked), n_outputs=2, space=HyperSpace())


@pytest.mark.parametrize("numbers", [False, True])
def test_a_fit_gives_the_loss_of_its_ensemble_and_of_its_best_model_alone(numbers):
    found = searched(made_up(numbers), {"folds": 2, "max_trials": 3}, None, 0)
    assert 0 < found["loss"] < 2 and 0 < found["single"] < 2
    assert (found["r2"] is None) != numbers and (found["balanced_accuracy"] is None) == numbers
    assert (found["trials"], found["graphs"], found["beyond"], found["depth"]) == (3, 1, 0, 0)
    assert found["ensemble"] == 0


def test_losses_of_numbers_are_shares_of_the_variance():
    data = made_up(numbers=True)
    truth = data.y[data.test]
    assert loss(data, truth[:, None]) == 0
    assert loss(data, np.full(20, truth.mean())) == pytest.approx(1)


@pytest.mark.parametrize(
    ("predict", "settings"),
    [(forest, grid(columns=["sqrt"], leaf=[1, 5], trees=[20])), (boosting, grid(leaves=[4], rounds=[1, 20]))],
)
def test_trees_find_a_gene_and_are_tuned_on_training_rows(predict, settings):
    data = made_up(n=200)
    x, y = data.x[data.train], data.y[data.train]
    answer = tuned_classes(predict, settings, x, y, data.x[data.test])
    assert answer.predicted.shape == (20, 2) and answer.chosen in settings
    assert loss(data, answer.predicted) < 0.6


def test_rounds_of_boosting_are_stages_of_one_fit():
    data = made_up(numbers=True)
    x, held, y = data.x[data.train], data.x[data.test], data.y[data.train]
    parts = Parts(x, held, x, held, y, 12)
    both = boosted_numbers(parts, grid(leaves=[4], rounds=[3, 20]))
    few = Family(boosted_numbers, grid(leaves=[4], rounds=[3]))
    np.testing.assert_allclose(few.predict(parts, few.settings)[0], both[0])


def test_the_linear_peer_takes_logarithms_where_they_tell_more():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 2
    x = np.exp(rng.normal(size=(90, 30)) * 2 + 6 + y[:, None] * np.linspace(-3, 3, 30))
    answer = tuned_linear(x[:60], y[:60], x[60:])
    assert answer.chosen["view"] == "log" and log_loss(y[60:], answer.predicted) < 0.3


# ---- running and tables


def test_what_is_in_the_results_is_not_fitted_again(tmp_path: Path):
    asked: list[tuple[Any, ...]] = []

    def fit(folder: Path | None, *key: Any) -> dict[str, Any]:
        asked.append(key)
        return {"loss": 0.5}

    arguments = argparse.Namespace(
        data=None,
        sets=["gene_pairs"],
        seeds=[0, 1],
        arms=list(ALL_ARMS),
        seconds=60.0,
        out=tmp_path / "f.jsonl",
    )
    first = list(run(arguments, fit))
    assert len(first) == len(asked) == 12 and set(KEY) <= set(first[0])
    assert {key[3] for key in asked if key[2] in PEERS} == {None}
    assert list(run(arguments, fit)) == []
    arguments.seconds = 20.0
    assert {line["arm"] for line in run(arguments, fit)} == set(ARMS)


def test_seeds_that_not_all_arms_have_and_other_time_limits_are_left_out():
    lines = [line(MORPHISM, 0.4), line(TEMPLATES, 0.5), line(MORPHISM, 0.1, seed=1)]
    lines += [line(MORPHISM, 0.1, seconds=20.0)]
    assert common(lines, 60) == lines[:2]


def test_gains_are_means_of_ratios_over_sets():
    lines = [line(MORPHISM, 0.4), line(TEMPLATES, 0.5)]
    lines += [line(MORPHISM, 0.3, "pathways"), line(TEMPLATES, 0.2, "pathways")]
    table = means(lines, "loss")
    assert list(table.index) == ["gene_pairs", "pathways"]
    assert against(table, MORPHISM, TEMPLATES) == (
        "morphism against templates: ahead on 1 of 2, mean relative gain -15.0%"
    )


def test_the_tables_state_the_noise_and_fit_80_columns():
    text = show([line(arm, 0.4, name) for arm in ALL_ARMS for name in (*PLANTED, *REAL)])
    assert max(len(row) for row in text.splitlines()) <= 80
    assert all(task.noise in text for task in PLANTED.values())
    assert "morphism against random: ahead on 0 of 10" in text


def test_unknown_counts_are_dashes_and_no_results_are_said():
    text = show([line(MORPHISM, 0.4), line(TEMPLATES, 0.5)])
    assert "compiled" in text and text.splitlines()[-1].split()[5:7] == ["40", "-"]
    assert show([]) == "There are no results of 60 s yet."

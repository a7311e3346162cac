"""Two genes of which neither says anything alone: found, explained, and not called noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from genokeras import GenomeClassifier, load_estimator
from genokeras.cli import main
from genokeras.engine.testing import table_problem
from genokeras.errors import ParameterError
from genokeras.explain import explain_run, marker_table, stability_of
from genokeras.explain.pairs import pairs_of_problem
from genokeras.report.gene_pairs import pair_parts
from genokeras.report.page import Pictures
from genokeras.tasks.classes import Classes
from genokeras.tasks.labels import Labels
from genokeras.tasks.numbers import numbers_like

GENES, SAMPLES, PAIR = 120, 160, ["g41", "g7"]


def drawn(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    x = np.random.default_rng(seed).normal(6, 1, size=(n, GENES))
    labels = np.where((x[:, 7] - 6) * (x[:, 41] - 6) > 0, "same", "apart")
    return pd.DataFrame(x, columns=[f"g{i}" for i in range(GENES)]), labels


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeClassifier:
    model = GenomeClassifier(
        tmp_path_factory.mktemp("runs") / "pairs", time_limit=None, max_trials=26, random_state=0, verbose=0
    )
    return model.fit(*drawn(SAMPLES, 0))


def test_the_estimate_holds_on_new_samples_where_a_linear_model_is_at_chance(
    fitted: GenomeClassifier,
) -> None:
    x, labels = drawn(1000, 1)
    expected = fitted.estimate_["also"]["balanced_accuracy"]
    low, high = expected["interval"]
    found = fitted.score(x, labels)
    assert found > 0.8 and low - 0.03 < found < high + 0.03
    assert expected["linear_baseline"] < 0.65
    assert fitted.leaderboard()["view"].iloc[0] == "paired4"


def test_both_genes_lead_the_markers_and_are_not_called_noise(fitted: GenomeClassifier) -> None:
    x, _ = drawn(SAMPLES, 0)
    table = marker_table(explain_run(fitted._run, x))["same"]
    assert sorted(table["gene"].head(2)) == PAIR
    judged = stability_of(fitted._run, x, num_samples=10)
    assert judged.pairs is not None
    assert [f"g{i}" for i in np.flatnonzero(judged.pairs.in_pairs)] == ["g7", "g41"]
    assert not judged.is_noise("same")


def test_the_pairs_are_listed_with_their_correlation_within_each_class(fitted: GenomeClassifier) -> None:
    found = fitted.gene_pairs(5)
    assert len(found) == 5 and found["strength"].is_monotonic_decreasing
    assert found["beyond_chance"].tolist() == [True, False, False, False, False]
    first = found.iloc[0]
    assert [first["gene"], first["partner"]] == ["g7", "g41"]
    x, labels = drawn(SAMPLES, 0)
    for name in ("same", "apart"):
        own = x[labels == name]
        expected = np.corrcoef(own["g7"], own["g41"])[0, 1]
        assert first[f"correlation in {name}"] == pytest.approx(expected, abs=1e-3)
    with pytest.raises(ParameterError, match="top"):
        fitted.gene_pairs(0)


def test_explain_writes_the_pairs_beside_the_marker_genes(fitted: GenomeClassifier, tmp_path: Path) -> None:
    x, _ = drawn(30, 4)
    x.to_csv(tmp_path / "new.csv")
    done = CliRunner().invoke(
        main, ["explain", str(fitted.path_), str(tmp_path / "new.csv"), "--out", str(tmp_path / "genes")]
    )
    assert done.exit_code == 0, done.output
    found = pd.read_csv(tmp_path / "genes" / "pairs.csv")
    assert found[["gene", "partner"]].to_numpy().tolist() == [["g7", "g41"]]


def test_the_report_shows_the_pair(fitted: GenomeClassifier, tmp_path: Path) -> None:
    fitted.report(tmp_path / "report.html", *drawn(SAMPLES, 0))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Genes that say something together" in text and "160 samples by g7 and g41" in text
    assert "This list cannot be told from noise" not in text


def test_shuffled_labels_have_a_pair_beyond_chance_once_in_twenty_times_or_so() -> None:
    x, _ = drawn(60, 3)
    matrix, rng, alarms = x.to_numpy("float32")[:, :40], np.random.default_rng(0), 0
    for seed in range(40):
        codes = rng.permutation(np.arange(60) % 2)
        train = np.ones((1, 60), dtype=bool)
        problem = table_problem(matrix, codes, Classes(2), train, train, ("all",))
        alarms += bool(pairs_of_problem(problem, ("a", "b"), 1, seed).in_pairs.any())
    assert alarms <= 6  # 2 are expected; 7 or more come four times in a thousand


def test_the_exported_model_and_the_run_that_is_opened_again_answer_alike(
    fitted: GenomeClassifier, tmp_path: Path
) -> None:
    x, _ = drawn(50, 2)
    expected = fitted.predict_proba(x)
    np.testing.assert_allclose(load_estimator(fitted.path_).predict_proba(x), expected, atol=1e-6)
    fitted.export_keras_model(tmp_path / "pairs.keras")
    model = keras.saving.load_model(tmp_path / "pairs.keras", safe_mode=True)
    np.testing.assert_allclose(model.predict(x.to_numpy("float32"), verbose=0), expected, atol=1e-5)


def test_of_samples_in_groups_nothing_is_called_beyond_chance(fitted: GenomeClassifier) -> None:
    problem = replace(fitted._run.problem, groups=np.repeat(np.arange(SAMPLES // 2), 2))
    found = pairs_of_problem(problem, ("apart", "same"), 3, 0)
    assert found.genes[0].tolist() == [7, 41] and np.isnan(found.limit)
    assert not found.beyond_chance.any() and not found.in_pairs.any()


def test_a_panel_of_two_genes_has_the_pair(fitted: GenomeClassifier, tmp_path: Path) -> None:
    small = fitted.panel(n_genes=2, path=tmp_path / "panel", max_trials=14)
    assert sorted(small.feature_names_in_) == PAIR
    assert small.panel_.needed[PAIR].all()
    x, labels = drawn(1000, 1)
    assert small.score(x[PAIR], labels) > 0.8


def halves(x: np.ndarray, pair: list[int], number: np.ndarray) -> list[float]:
    upper = number > np.median(number)
    return [np.corrcoef(x[rows][:, pair].T)[0, 1] for rows in (~upper, upper)]


def test_of_several_numbers_each_pair_is_compared_by_the_one_that_it_goes_with(
    fitted: GenomeClassifier,
) -> None:
    x = np.random.default_rng(3).normal(6, 1, size=(200, 30)).astype("float32")
    height = np.random.default_rng(4).normal(size=200)
    weight, length = ((x[:, i] - 6) * (x[:, i + 1] - 6) + 0.2 * height for i in (4, 10))
    y, train = np.stack([height, weight, length], axis=1), np.ones((1, 200), dtype=bool)
    problem = table_problem(x, y, numbers_like(y), train, train, ("all",))
    found = pairs_of_problem(problem, ("height", "weight", "length"), 2, 0)
    table = found.table(tuple(f"g{i}" for i in range(30))).sort_values("target", ascending=False)
    assert table["target"].tolist() == ["weight", "length"]
    assert table["gene"].tolist() == ["g4", "g10"] and table["partner"].tolist() == ["g5", "g11"]
    within = table[["correlation in lower half", "correlation in upper half"]].to_numpy()
    np.testing.assert_allclose(within, [halves(x, [4, 5], weight), halves(x, [10, 11], length)], atol=1e-3)
    shown = "".join(pair_parts(fitted._run, None, found, Pictures()))
    assert "<th" in shown and "target" in shown and "length" in shown


def test_a_label_that_most_samples_have_parts_them_too() -> None:
    rng = np.random.default_rng(5)
    x, train = rng.normal(6, 1, size=(120, 12)).astype("float32"), np.ones((1, 120), dtype=bool)
    often = (x[:, 2] - 6) * (x[:, 3] - 6) > -0.4
    y = np.stack([rng.permutation(120) % 2, often], axis=1).astype("int64")
    problem = table_problem(x, y, Labels(2), train, train, ("all",))
    found = pairs_of_problem(problem, ("a", "often"), 1, 0)
    assert found.genes.tolist() == [[2, 3]] and found.target == ("often",)
    assert np.isfinite(found.correlation).all()


def test_of_one_number_and_of_classes_no_target_is_named(fitted: GenomeClassifier) -> None:
    assert "target" not in fitted.gene_pairs(2)

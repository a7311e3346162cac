"""Values of what a run delivers, in row space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from genokeras import GenomeClassifier
from genokeras.errors import DataError, ParameterError
from genokeras.explain import (
    class_changes,
    explain_model,
    explain_run,
    marker_table,
    stability_of,
    training_rows,
)
from genokeras.explain.linear import linear_coefficients
from genokeras.explain.links import link_of
from genokeras.explain.runs import ensemble_trials
from genokeras.tasks.classes import Classes

Planted = tuple[GenomeClassifier, np.ndarray, np.ndarray]


def test_values_add_up_to_what_the_delivered_model_predicts(planted: Planted) -> None:
    clf, x, _ = planted
    found = explain_run(clf._run, x, num_samples=10)
    rows = [int(name.split("_")[1]) for name in found.sample_ids]
    assert found.additivity.maximum < 1e-3
    total = found.base_values + found.values.sum(axis=1)
    assert np.abs(total - clf.predict_proba(x[rows])).max() < 2e-3


def test_training_rows_are_read_back(planted: Planted) -> None:
    clf, x, _ = planted
    assert np.abs(training_rows(clf._run.problem) - x).max() < 1e-3


def test_row_space_agrees_with_gradients_through_the_whole_model(planted: Planted) -> None:
    clf, x, _ = planted
    fast = explain_run(clf._run, x[:3], x[:20]).values
    slow = explain_model(clf.model_, x[:3], x[:20]).values
    assert np.corrcoef(fast.ravel(), slow.ravel())[0, 1] > 0.98


def test_planted_genes_are_found(planted: Planted) -> None:
    clf, x, _ = planted
    found = explain_run(clf._run, x)
    assert (found.order("tumor")[:25] < 20).sum() >= 16


def test_linear_values_are_coefficient_times_distance(planted: Planted) -> None:
    clf, x, _ = planted
    found = explain_run(clf._run, x[:8], x, method="linear")
    assert found.output == "log_odds"
    assert found.additivity.maximum < 1e-5


def test_folded_coefficients_give_the_members_log_odds(planted: Planted) -> None:
    clf, x, _ = planted
    linear = [
        t
        for t in ensemble_trials(clf._run)
        if len(t.graph.layers) == 2 and t.every_space[0].rescaling is None
    ]
    trial = linear[0]
    coefficients, offset = linear_coefficients(trial, link_of(Classes(2)), x.shape[1])
    layer = next(iter(trial.weights))
    logits = np.mean(
        [
            space.transform(x[:6]) @ trial.weights[layer]["kernel"][m, : space.rank]
            + trial.weights[layer]["bias"][m]
            for m, space in enumerate(trial.of_members(trial.graph.input))
        ],
        axis=0,
    )
    assert np.allclose(x[:6] @ coefficients[:, 1] + offset[1], logits[:, 1] - logits[:, 0], atol=1e-4)


def test_a_final_fit_is_explained_as_delivered(planted: Planted, tmp_path: Path) -> None:
    clf, x, y = planted
    copy = GenomeClassifier.load(clf.save(tmp_path / "copy"))
    copy.final_fit(x, y, trainer_args={"max_iter_num": 20})
    found = explain_run(copy._run, x[:3], x)
    assert np.allclose(found.outputs, copy.predict_proba(x[:3]), atol=1e-5)
    assert found.additivity.maximum < 1e-3


def test_one_sample_and_repeated_names_are_fine(planted: Planted) -> None:
    clf, x, _ = planted
    found = explain_run(clf._run, x[:1], feature_names=["gene"] * 5000)
    assert found.shape == (1, 5000, 2)
    assert set(marker_table(found)["tumor"]["direction"]) == {""}


@pytest.mark.slow
def test_stable_lists_are_told_from_noise(planted: Planted, tmp_path: Path) -> None:
    clf, x, y = planted
    stable = stability_of(clf._run, x, top=25)
    shuffled = GenomeClassifier(
        path=tmp_path / "noise", time_limit=None, max_trials=10, random_state=0, verbose=0
    )
    shuffled.fit(x, np.random.default_rng(1).permutation(y))
    noise = stability_of(shuffled._run, x, top=25)
    assert not stable.is_noise("tumor")
    assert noise.is_noise("tumor")
    assert stable.is_found_again("tumor", np.arange(20)).sum() >= 18
    assert "noise" in noise.verdict("tumor") and "noise" not in stable.verdict("tumor")[:5]


def test_frequencies_are_shares_of_the_lists_of_a_run(planted: Planted) -> None:
    clf, x, _ = planted
    found = stability_of(clf._run, x, top=20, num_samples=5)
    assert found.top == 20
    assert found.n_lists == 2 * clf._run.problem.n_folds
    np.testing.assert_allclose(found.frequency.sum(axis=0), 20.0)
    whole = found.frequency * found.n_lists
    np.testing.assert_allclose(whole, whole.round(), atol=1e-9)
    assert found.frequency[:20, 1].mean() > 0.25 > 0.01 > found.frequency[20:, 1].mean()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"top": 0}, "top must be a whole number"), ({"num_samples": 0}, "num_samples must be a whole number")],
)
def test_lists_of_nothing_are_refused(planted: Planted, change: dict[str, int], message: str) -> None:
    clf, x, _ = planted
    with pytest.raises(ParameterError, match=message):
        stability_of(clf._run, x, **change)


def test_the_marker_table_has_every_column(planted: Planted) -> None:
    clf, x, y = planted
    found = explain_run(clf._run, x, num_samples=20)
    stability = stability_of(clf._run, x, num_samples=20)
    table = marker_table(found, stability=stability, association=class_changes(x, y, clf.classes_), top=30)[
        "tumor"
    ]
    assert len(table) == 30
    assert table["stability"].head(10).mean() > 0.5
    tested = table.head(10)[table.head(10)["q_value"] < 0.01]
    assert len(tested) >= 7
    assert (tested["direction"] == "up").all()
    assert (tested["log2_fold_change"] > 0.5).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"feature_names": ["A"]}, ParameterError, "expected 5000, got 1"),
        ({"background": np.zeros((3, 7))}, DataError, "expecting 5000 features"),
        ({"x": np.full((2, 5000), np.nan)}, DataError, "have no value at all"),
        ({"method": "lime"}, ParameterError, "method must be one of"),
    ],
)
def test_bad_input_of_a_run_is_refused(
    planted: Planted, change: dict[str, object], error: type[Exception], message: str
) -> None:
    clf, x, _ = planted
    with pytest.raises(error, match=message):
        explain_run(clf._run, **({"x": x[:2]} | change))

"""Objectives and metrics that a user brings: functions, scorers of scikit-learn, metrics of Keras."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    average_precision_score,
    fbeta_score,
    get_scorer,
    make_scorer,
    matthews_corrcoef,
    mean_pinball_loss,
    roc_auc_score,
)

import genokeras as gk
from genokeras.engine import TrialStore
from genokeras.errors import ParameterError
from tests.estimators.conftest import make_study

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 3, "folds": 3, "random_state": 0, "verbose": 0}
X, Y = make_study(p=16)
X = X + np.random.default_rng(9).normal(0, 4, X.shape)


def precision_of_tumors(y_true: np.ndarray, y_prob: np.ndarray) -> float:
    assert y_prob.ndim == 1 and set(y_true) <= {"healthy", "tumor"}
    return float(average_precision_score(y_true == "tumor", y_prob))


def weighted_mcc(y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> float:
    return float(matthews_corrcoef(y_true, y_pred, sample_weight=sample_weight))


def fitted(x: Any = X, y: Any = Y, kind: Any = gk.GenomeClassifier, **more: Any) -> Any:
    return kind(**(QUICK | more)).fit(x, y)


def out_of_fold(model: Any, trial: int) -> np.ndarray:
    store = TrialStore(model._fitted().folder)
    return store.answers((store.read(trial),))[0].astype("float64")


# ---- objectives


def test_a_search_goes_by_a_function_and_estimates_it(tmp_path: Path) -> None:
    objective = gk.make_objective(precision_of_tumors, greater_is_better=True)
    clf = fitted(path=tmp_path / "run", objective=objective)
    board = clf.leaderboard()
    best = board.iloc[0]
    p = out_of_fold(clf, int(best["model_id"]))
    assert best["score"] == pytest.approx(average_precision_score(Y == "tumor", p[:, 1]), abs=1e-5)
    assert board["score"].is_monotonic_decreasing and np.isfinite(board["se"]).all()
    estimate = clf.estimate_
    low, high = estimate["interval"]
    assert estimate["metric"] == "precision_of_tumors" and low <= estimate["value"] <= high
    assert estimate["greater_is_better"] and estimate["chance"] == pytest.approx(0.5, abs=0.02)
    again = gk.load_estimator(tmp_path / "run")
    assert again.leaderboard()["score"].tolist() == pytest.approx(board["score"].tolist())
    np.testing.assert_array_equal(again.predict_set(X), clf.predict_set(X))
    assert pickle.loads(pickle.dumps(clf)).estimate_ == clf.estimate_


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_function(tmp_path: Path) -> None:
    objective = gk.make_objective(precision_of_tumors, greater_is_better=True)
    fitted(path=tmp_path / "run", objective=objective)
    more = fitted(path=tmp_path / "run", objective=objective, max_trials=4, resume=True)
    assert more.n_trials_ == 4


@pytest.mark.slow
def test_a_scorer_of_scikit_learn_is_an_objective() -> None:
    scorer = make_scorer(fbeta_score, beta=2, pos_label="tumor")
    clf = fitted(objective=scorer)
    best = clf.leaderboard().iloc[0]
    predicted = clf.classes_[out_of_fold(clf, int(best["model_id"])).argmax(axis=1)]
    assert best["score"] == pytest.approx(fbeta_score(Y, predicted, beta=2, pos_label="tumor"))


@pytest.mark.slow
def test_a_scorer_that_wants_scores_gets_probabilities() -> None:
    clf = fitted(objective=get_scorer("roc_auc"))
    auc = clf.leaderboard().iloc[0]
    p = out_of_fold(clf, int(auc["model_id"]))
    assert auc["score"] == pytest.approx(roc_auc_score(Y, p[:, 1]), abs=1e-5)


def test_numbers_are_scored_by_losses_of_ones_own_and_by_scorers() -> None:
    y = X[:, 0] * 3
    pinball = gk.make_objective(mean_pinball_loss, greater_is_better=False, name="pinball")
    reg = fitted(
        y=y,
        kind=gk.GenomeRegressor,
        objective=pinball,
        metrics=["mae", get_scorer("neg_mean_absolute_error")],
    )
    board = reg.leaderboard()
    answers = out_of_fold(reg, int(board.iloc[0]["model_id"]))[:, 0]
    assert board["score"].is_monotonic_increasing
    assert board.iloc[0]["score"] == pytest.approx(mean_pinball_loss(y, answers), rel=1e-5)
    np.testing.assert_allclose(board["mae"], -board["neg_mean_absolute_error"], rtol=1e-6)


@pytest.mark.slow
def test_weights_go_to_a_function_that_takes_them_and_stand_in_the_way_of_one_that_does_not() -> None:
    weights = np.where(Y == "tumor", 2.5, 1.0)
    clf = gk.GenomeClassifier(objective=gk.make_objective(weighted_mcc, True), **QUICK).fit(
        X, Y, sample_weight=weights
    )
    best = clf.leaderboard().iloc[0]
    predicted = clf.classes_[out_of_fold(clf, int(best["model_id"])).argmax(axis=1)]
    assert best["score"] == pytest.approx(matthews_corrcoef(Y, predicted, sample_weight=weights))
    plain = gk.GenomeClassifier(objective=gk.make_objective(precision_of_tumors, True), **QUICK)
    with pytest.raises(ParameterError, match="samples have weights, and 'precision_of_tumors' takes none"):
        plain.fit(X, Y, sample_weight=weights)


# ---- metrics


def test_metrics_are_scored_out_of_fold_in_the_leaderboard_and_by_evaluate() -> None:
    metrics = [
        "brier",
        "categorical_crossentropy",
        keras.metrics.AUC(name="auc", from_logits=False),
        keras.metrics.SparseCategoricalCrossentropy,
        precision_of_tumors,
        get_scorer("balanced_accuracy"),
    ]
    clf = fitted(metrics=metrics)
    board = clf.leaderboard()
    names = ["brier", "categorical_crossentropy", "auc", "sparse_categorical_crossentropy"]
    own = board[[*names, "precision_of_tumors", "balanced_accuracy_score"]]
    assert np.isfinite(own.to_numpy(dtype=float)).all()
    np.testing.assert_allclose(board["categorical_crossentropy"], board["score"], rtol=1e-3)
    p = out_of_fold(clf, int(board.iloc[0]["model_id"]))
    assert board.iloc[0]["precision_of_tumors"] == pytest.approx(precision_of_tumors(Y, p[:, 1]), abs=1e-6)
    assert board.iloc[0]["auc"] == pytest.approx(roc_auc_score(Y, p[:, 1]), abs=0.05)
    found = clf.evaluate(X, Y)
    assert found["precision_of_tumors"] == pytest.approx(precision_of_tumors(Y, clf.predict_proba(X)[:, 1]))
    assert found["balanced_accuracy_score"] == pytest.approx(found["balanced_accuracy"])
    loaded = gk.load_estimator(clf.path_)
    assert "auc" not in loaded.leaderboard() and "auc" in loaded.set_params(metrics=metrics).leaderboard()


def test_three_classes_have_a_column_of_probabilities_each() -> None:
    y = np.array(["a", "b", "c"])[np.arange(40) % 3]

    def shape_of(y_true: np.ndarray, y_prob: np.ndarray) -> float:
        assert y_prob.shape == (len(y_true), 3)
        return float((y_prob.argmax(axis=1) == np.searchsorted(["a", "b", "c"], y_true)).mean())

    clf = fitted(X, y, metrics=["accuracy", gk.make_objective(shape_of, True, name="right")])
    np.testing.assert_allclose(clf.leaderboard()["right"], clf.leaderboard()["accuracy"])


# ---- refusals


def broken(y_true: np.ndarray, y_prob: np.ndarray) -> float:
    raise ZeroDivisionError("no such thing")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"objective": precision_of_tumors}, r"whether greater is better.*gk.make_objective\(function"),
        ({"objective": 3}, "objective must be a name, a scorer"),
        ({"objective": gk.make_objective(broken, True)}, "'broken' cannot be computed.*no such thing"),
        ({"objective": gk.make_objective(lambda t, p: float("nan"), True, "odd")}, "'odd' is nan"),
        ({"metrics": "brier"}, "metrics must be a list"),
        ({"metrics": ["brierr"]}, "unknown metric 'brierr'.*Did you mean 'brier'"),
        ({"metrics": ["brier", "brier"]}, "'brier' twice"),
        ({"metrics": [3]}, r"metrics are names.*got 3"),
        ({"metrics": [broken]}, "'broken' cannot be computed"),
    ],
)
def test_what_cannot_score_is_said_before_anything_is_written(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ParameterError, match=message):
        fitted(path=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_what_is_no_function_is_no_objective_and_survival_has_its_own(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="is a function"):
        gk.make_objective("auc", True)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="greater_is_better must be True or False"):
        gk.make_objective(broken, "max")  # type: ignore[arg-type]
    table = pd.DataFrame(X, columns=[f"g{i}" for i in range(16)]).assign(days=np.arange(1.0, 41), dead=1)
    model = gk.GenomeSurvival(tmp_path / "run", metrics=[broken], **QUICK)
    with pytest.raises(ParameterError, match="for classes and numbers.*'cox'"):
        model.fit(table, time="days", event="dead")

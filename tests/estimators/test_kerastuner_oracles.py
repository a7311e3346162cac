"""Estimators that search by an oracle of KerasTuner's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_tuner.oracles import (
    BayesianOptimizationOracle,
    GridSearchOracle,
    HyperbandOracle,
    RandomSearchOracle,
)
from sklearn.base import clone

from genokeras import GenomeClassifier, GenomeRegressor, ImageClassifier, ParameterError, load_estimator
from genokeras.searchers import HyperSpace

FEW = {
    "fathers": ["linear"],
    "space": HyperSpace((0.01, 0.03), (0.1, 1.0), views=("all",)),
}


def quick(path: Path | None = None, **arguments: object) -> GenomeClassifier:
    settings = {"time_limit": None, "max_trials": 9, "random_state": 0, "verbose": 0} | arguments
    return GenomeClassifier(path, **settings)


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "journal.jsonl").read_text(encoding="utf-8").splitlines()]


def reason(path: Path) -> str:
    return next(event["reason"] for event in reversed(events(path)) if "reason" in event)


def test_an_oracle_searches_the_templates(study, tmp_path) -> None:
    oracle = BayesianOptimizationOracle(max_trials=3, num_initial_points=2)
    clf = clone(quick(tmp_path / "run", searcher=oracle)).fit(*study)
    assert len(clf.leaderboard()) == 3
    assert reason(tmp_path / "run") == "space"
    assert clf.predict_proba(study[0]).shape == (40, 2)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["searcher"] == "BayesianOptimizationOracle"
    assert len(load_estimator(tmp_path / "run").leaderboard()) == 3


def test_a_class_of_oracles_takes_arguments(study, tmp_path) -> None:
    clf = quick(tmp_path / "run", searcher=GridSearchOracle, searcher_args=FEW).fit(*study)
    assert len(clf.leaderboard()) == 4
    assert reason(tmp_path / "run") == "space"


def test_a_resumed_run_goes_on_with_what_was_not_tried(study, tmp_path) -> None:
    settings = {"searcher": RandomSearchOracle, "searcher_args": {"fathers": ["linear"]}, "max_trials": 2}
    quick(tmp_path / "run", **settings).fit(*study)
    quick(tmp_path / "run", resume=True, **{**settings, "max_trials": 4}).fit(*study)
    tried = [event["fingerprint"] for event in events(tmp_path / "run") if event["event"] == "trial"]
    assert len(tried) == len(set(tried)) == 4


def test_a_regressor_searches_by_an_oracle_too(tmp_path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 12)).astype("float32")
    reg = GenomeRegressor(
        tmp_path / "run", searcher=RandomSearchOracle(max_trials=2), time_limit=None, max_trials=9, verbose=0
    )
    reg.fit(x, x[:, 0] + 0.1 * rng.normal(size=30))
    assert len(reg.leaderboard()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"searcher": HyperbandOracle()}, "decides how long a trial trains"),
        ({"searcher": RandomSearchOracle(objective="val_auc")}, "objective"),
        ({"searcher": RandomSearchOracle(), "searcher_args": {"beta": 1}}, "not an instance"),
        ({"searcher": RandomSearchOracle, "searcher_args": {"beta": 1}}, "unknown searcher_args 'beta'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(study, tmp_path, arguments, message) -> None:
    with pytest.raises(ParameterError, match=message):
        quick(tmp_path / "run", **arguments).fit(*study)
    assert not (tmp_path / "run").exists()


def test_images_are_not_searched_by_an_oracle(tmp_path) -> None:
    x = np.zeros((12, 8, 8, 1), dtype="float32")
    clf = ImageClassifier(
        tmp_path / "run", searcher=RandomSearchOracle(), time_limit=None, max_trials=9, verbose=0
    )
    with pytest.raises(ParameterError, match="choose among the networks for tables"):
        clf.fit(x, np.repeat([0, 1], 6))

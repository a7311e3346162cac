"""The ablation: what is fitted, how differences are paired, that nothing is fitted twice."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import pytest

from benchmarks.quality.ablation import DELIVERED, STRATEGIES, deliveries, frame_of, run, show, steps
from benchmarks.quality.sets import BenchmarkSet
from benchmarks.quality.trials import fitted_trials
from genokeras.engine import Wanted, make_table_searcher
from genokeras.searchers import HyperSpace


def line(strategy: str, seed: int, loss: float) -> dict[str, Any]:
    scores = {"log_loss": loss, "balanced_accuracy": 1 - loss, "brier": loss, "roc_auc": 0.9}
    found = {"set": "a", "cohort": "a", "strategy": strategy, "fold": 0, "seed": seed, "seconds": 5.0}
    return found | {"trials": 9, "stop": "time", "fit_seconds": 5.0} | dict.fromkeys(DELIVERED, scores)


LINES = [
    line("linear only", 0, 0.6),
    line("templates only", 0, 0.5),
    line("linear only", 1, 0.8),
    line("templates only", 1, 0.4),
]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_a_searcher(strategy):
    asked = {"searcher": "bayesian", "searcher_args": {}, **STRATEGIES[strategy]}
    make_table_searcher(Wanted.of(**asked), n_outputs=2, space=HyperSpace())


def test_differences_are_paired_and_have_the_standard_error_of_their_mean():
    row = steps(frame_of(LINES)).loc[("best trial", "templates only")]
    assert row["log_loss"] == pytest.approx(0.45)
    assert row["log_loss change"] == pytest.approx(-0.25)
    assert row["log_loss se"] == pytest.approx(0.15)


def test_what_not_all_strategies_have_is_left_out():
    frame = frame_of([*LINES, line("linear only", 2, 9.0)])
    assert set(frame["seed"]) == {0, 1}


def test_the_table_says_over_how_much_it_averages():
    assert show(LINES).startswith("means over 2 (set, fold, seed) of 1 sets")


def test_what_is_in_the_results_is_not_fitted_again(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "a.npz", X=rng.normal(size=(30, 5)), y=np.arange(30) % 2)
    results = tmp_path / "results.jsonl"
    results.write_text("\n".join(json.dumps(entry) for entry in LINES), encoding="utf-8")
    arguments = argparse.Namespace(
        data=tmp_path,
        results=results,
        sets=["a"],
        strategies=["linear only", "templates only"],
        seconds=5.0,
        seeds=2,
        folds=1,
    )
    assert list(run(arguments)) == []


def test_the_ensemble_scored_is_the_model_delivered():
    rng = np.random.default_rng(0)
    codes = np.arange(60) % 2
    x = (rng.normal(size=(60, 12)) + codes[:, None]).astype("float32")
    data = BenchmarkSet("made up", x, codes, None)
    rows = np.arange(60)
    with fitted_trials(data, rows[:40], rows[40:], None, folds=2, max_trials=14) as fitted:
        found = deliveries(fitted)
        expected = np.asarray(fitted.run.model(x[40:], training=False))
    np.testing.assert_allclose(found["ensemble"], expected, atol=1e-4)

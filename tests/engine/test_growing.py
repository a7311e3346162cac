"""A whole search on a table: it grows, says what it gains, and does the same again with the same seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras.engine import Budget, LocalExecutor, SearchLoop, TrialStore
from genokeras.engine.gains import EnsembleGains
from genokeras.engine.methods import method_of
from genokeras.engine.problem import Problem
from genokeras.engine.testing import table_problem
from genokeras.searchers import BayesianSearcher, History, HyperSpace
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes

N_TRIALS = 48
_VARYING = ("time", "seconds")


@pytest.fixture(scope="module")
def problem() -> Problem:
    rng = np.random.default_rng(0)
    codes = np.arange(40) % 2
    x = rng.standard_normal((40, 60)).astype("float32")
    x[:, 0] += np.where(codes == 1, 1.0, -1.0) * np.sign(x[:, 1])
    held_out = np.stack([np.arange(40) // 2 % 3 == fold for fold in range(3)])
    return table_problem(x, codes, Classes(2), ~held_out, held_out, ("all", "log", "top20"))


def searched(problem: Problem, path: Path) -> tuple[History, list[dict[str, Any]]]:
    objective, method = problem.task.objective(), method_of(problem)
    runner = method.runner(problem, objective, {"max_iter_num": 20}, None)
    folder = RunFolder.create(path, {})
    loop = SearchLoop(
        BayesianSearcher(2, space=HyperSpace(views=tuple(problem.widths))),
        LocalExecutor(lambda: runner),
        TrialStore(folder),
        Budget(None),
        seed=3,
        max_trials=N_TRIALS,
        pack_size=12,
        packer=method.packer(problem),
        gains=EnsembleGains(problem, objective),
    )
    result = loop.run(History())
    assert runner.trainer.compilations <= 12
    events = [{k: v for k, v in event.items() if k not in _VARYING} for event in folder.journal()]
    return result.history, events


@pytest.fixture(scope="module")
def twice(
    problem: Problem, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[History, list[dict[str, Any]]]]:
    return [searched(problem, tmp_path_factory.mktemp("growing") / name) for name in ("a", "b")]


def test_the_same_seed_writes_the_same_journal(twice: list[tuple[History, list[dict[str, Any]]]]) -> None:
    (_, first), (_, second) = twice
    assert [json.dumps(event, sort_keys=True) for event in first] == [
        json.dumps(event, sort_keys=True) for event in second
    ]


def test_most_of_what_comes_behind_the_design_is_grown(
    twice: list[tuple[History, list[dict[str, Any]]]],
) -> None:
    history, events = twice[0]
    assert not history.failed()
    beyond = [t.proposal for t in history if not t.proposal.origin.startswith("father")]
    grown = [proposal for proposal in beyond if proposal.morphisms]
    assert len(grown) >= 0.4 * len(beyond) > 8
    assert sum(p.origin == "bayesian" for p in grown) >= 0.5 * len(grown)
    assert max(len(history.lineage(trial.id)) for trial in history) >= 3
    asked = [event for event in events if event["event"] == "asked"]
    assert all(event["shares"]["bayesian"] >= 0.2 for event in asked)
    gains = [trial.gain for trial in history]
    assert np.isnan(gains[0]) and np.isfinite(gains[-1])

"""KerasTuner's oracles, asked and told."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import keras_tuner
import pytest

from genokeras.errors import ParameterError, SearchError
from genokeras.tuning import ORACLES, Attempt, OracleDriver, OracleSearch, Proposed

SPACE: dict[str, list[Any]] = {"act": [None, "relu", 3], "rate": [0.1, 0.2, 0.3, 0.4], "skip": [True, False]}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own to make temporary folders in."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def score(values: dict[str, Any]) -> float:
    return (values["act"] == "relu") - abs(values["rate"] - 0.3) + 0.1 * (not values["skip"])


def evaluate(proposed: Proposed) -> Attempt:
    return Attempt(score(proposed.values))


@pytest.mark.parametrize("oracle", ORACLES)
def test_every_oracle_finds_the_best_of_a_small_space_and_cleans_up(oracle: str, temporary: Path) -> None:
    search = OracleSearch(SPACE, oracle, max_trials=40)
    proposed, candidate = search.run(evaluate)
    assert proposed.values == {"act": "relu", "rate": 0.3, "skip": False}
    assert candidate.score == pytest.approx(1.1)
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("oracle", ["bayesian", "grid", "random"])
def test_nothing_is_tried_twice(oracle: str) -> None:
    search = OracleSearch(SPACE, oracle, max_trials=None)
    search.run(evaluate)
    tried = {str(proposed.values) for proposed, _ in search.results}
    assert len(tried) == len(search.results) <= 24


def test_grid_tries_everything() -> None:
    search = OracleSearch(SPACE, "grid", max_trials=None)
    search.run(evaluate)
    assert len(search.results) == 24


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_same_seed_proposes_the_same_even_if_it_is_zero(oracle: str) -> None:
    searches = [OracleSearch(SPACE, oracle, max_trials=14, seed=0) for _ in range(2)]
    for search in searches:
        search.run(evaluate)
    assert searches[0].results == searches[1].results


def test_other_seeds_propose_otherwise() -> None:
    orders = []
    for seed in (0, 1):
        search = OracleSearch(SPACE, "random", max_trials=6, seed=seed)
        search.run(evaluate)
        orders.append([proposed.values for proposed, _ in search.results])
    assert orders[0] != orders[1]


def test_bayesian_optimisation_beats_chance() -> None:
    space = {name: list(range(20)) for name in ("a", "b")}

    def bowl(proposed: Proposed) -> Attempt:
        return Attempt(-float(sum((value - 13) ** 2 for value in proposed.values.values())))

    found = {}
    for oracle in ("bayesian", "random"):
        bests = [
            OracleSearch(space, oracle, max_trials=20, seed=seed).run(bowl)[1].score for seed in range(3)
        ]
        found[oracle] = sum(bests)
    assert found["bayesian"] > found["random"]


def test_hyperband_continues_its_best_trials_for_longer() -> None:
    search = OracleSearch(SPACE, "hyperband", max_trials=20, max_epochs=27)
    search.run(evaluate)
    by_id = {proposed.id: proposed for proposed, _ in search.results}
    later = [proposed for proposed in by_id.values() if proposed.continue_from is not None]
    assert len(search.results) <= 20
    assert max(proposed.epochs or 0 for proposed in later) == 27
    for proposed in later:
        parent = by_id[str(proposed.continue_from)]
        assert parent.values == proposed.values
        assert parent.epochs == proposed.initial_epoch < (proposed.epochs or 0)


def test_hyperband_goes_on_where_a_small_space_is_used_up() -> None:
    search = OracleSearch({"a": [1, 2, 3]}, "hyperband", max_trials=None, max_epochs=9)
    proposed, _ = search.run(lambda p: Attempt(p.values["a"]))
    assert proposed.values == {"a": 3}
    assert proposed.epochs == 9


@pytest.mark.parametrize("oracle", ORACLES)
def test_trials_that_fail_are_recorded_and_the_search_goes_on(oracle: str) -> None:
    def fails_often(proposed: Proposed) -> Attempt:
        if proposed.values["act"] is None:
            raise MemoryError("too large")
        return Attempt(math.nan) if proposed.values["rate"] > 0.3 else evaluate(proposed)

    search = OracleSearch(SPACE, oracle, max_trials=30)
    proposed, _ = search.run(fails_often)
    assert proposed.values["act"] is not None
    assert any(candidate.error == "MemoryError: too large" for _, candidate in search.results)


def test_a_search_that_only_fails_ends_with_the_reasons() -> None:
    def fails(proposed: Proposed) -> Attempt:
        raise ValueError("never fits")

    search = OracleSearch(SPACE, "random", max_trials=24)
    with pytest.raises(SearchError, match="never fits"):
        search.run(fails)
    assert len(search.results) == 10


def test_a_search_stops_when_told_to() -> None:
    search = OracleSearch(SPACE, "random")
    search.run(evaluate, should_stop=lambda: len(search.results) == 3)
    assert len(search.results) == 3


def test_start_values_are_in_every_candidate() -> None:
    search = OracleSearch({"a": [1, 2]}, "grid", start={"a": 0, "b": "kept"})
    search.run(lambda p: Attempt(p.values["a"]))
    assert [p.values for p, _ in search.results] == [{"a": 1, "b": "kept"}, {"a": 2, "b": "kept"}]


@pytest.mark.parametrize("oracle", ORACLES)
def test_a_space_of_nothing_makes_one_trial(oracle: str) -> None:
    with OracleDriver(keras_tuner.HyperParameters(), oracle) as driver:
        first = driver.ask()
        assert first is not None
        assert first.values == {}
        driver.tell(first, 1.0)
        assert driver.ask() is None


def test_an_unknown_oracle_is_met_with_a_guess() -> None:
    with pytest.raises(ParameterError, match="Did you mean 'bayesian'"):
        OracleSearch(SPACE, "bayes")


@pytest.mark.parametrize(
    ("space", "arguments"),
    [({}, {}), ({"a": []}, {}), ({"a": [1]}, {"max_trials": 0}), ({"a": [1]}, {"seed": -1})],
)
def test_what_cannot_be_searched_is_refused(space: dict[str, list[Any]], arguments: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        OracleSearch(space, **arguments).run(evaluate)

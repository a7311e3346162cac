"""The coordinate-wise selector, on made-up scores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from genokeras.errors import NewerFormatError, ParameterError, SearchError
from genokeras.tuning import Attempt, HyperSelector, choose_largest_within, choose_second_within

Evaluate = Callable[[list[dict[str, Any]]], list[Attempt]]
START = {"n_latent": 32, "nonlinear": "sigmoid", "learning_rate": 1e-4}
LISTS: dict[str, list[Any]] = {"n_latent": [128, 64, 32], "nonlinear": [None, "relu", "tanh"]}


def score(values: dict[str, Any]) -> float:
    """Best at 64 and relu, and relu pays only with 64."""
    return -abs(values["n_latent"] - 64) / 100 + (values["nonlinear"] == "relu" and values["n_latent"] == 64)


class Recorder:
    """Scores candidates and remembers them."""

    def __init__(self) -> None:
        self.asked: list[list[dict[str, Any]]] = []

    def __call__(self, candidates: list[dict[str, Any]]) -> list[Attempt]:
        self.asked.append(candidates)
        return [Attempt(score(c), learning_rate=c["n_latent"] / 1000) for c in candidates]


def fixed(*scores: float) -> Evaluate:
    return lambda candidates: [Attempt(s) for s, _ in zip(scores, candidates, strict=True)]


def test_one_parameter_after_the_other_is_settled_at_its_best_value() -> None:
    evaluate = Recorder()
    chosen = HyperSelector(START, LISTS, evaluate).run()
    assert chosen.values == {"n_latent": 64, "nonlinear": "relu", "learning_rate": 0.064}
    assert chosen.learning_rate == 0.064
    assert chosen.score == 1.0
    assert [c["n_latent"] for c in evaluate.asked[0]] == [128, 64, 32]
    assert all(c["nonlinear"] == "sigmoid" for c in evaluate.asked[0])
    assert all(c["n_latent"] == 64 for c in evaluate.asked[1])


def test_of_two_values_alike_the_earlier_is_kept() -> None:
    assert HyperSelector({"a": 0}, {"a": [3, 1, 2]}, fixed(0.5, 0.7, 0.7)).run().values == {"a": 1}


def test_the_log_says_what_is_searched_and_what_is_kept() -> None:
    lines: list[str] = []
    HyperSelector(START, LISTS, Recorder(), log=lines.append).run()
    assert "Pretraining: search parameter is n_latent, search value is 32" in lines
    assert "Pretraining: search parameter is nonlinear, search value is None" in lines
    assert any(line.startswith("Pretraining: n_latent = 64 is kept: score") for line in lines)


def test_a_saved_state_goes_on_without_trying_again() -> None:
    saved: list[str] = []
    HyperSelector(START, LISTS, Recorder(), on_settled=lambda s: saved.append(json.dumps(s))).run()
    assert len(saved) == 2
    evaluate = Recorder()
    resumed = HyperSelector(START, LISTS, evaluate, state=json.loads(saved[0]))
    chosen = resumed.run()
    assert [list(c[0].items())[1][0] for c in evaluate.asked] == ["nonlinear"]
    assert chosen == HyperSelector(START, LISTS, Recorder()).run()
    assert json.dumps(resumed.state) == saved[1]


def test_a_finished_state_tries_nothing() -> None:
    done = HyperSelector(START, LISTS, Recorder())
    chosen = done.run()
    evaluate = Recorder()
    assert HyperSelector(START, LISTS, evaluate, state=done.state).run() == chosen
    assert evaluate.asked == []


@pytest.mark.parametrize(
    ("start", "lists"),
    [({**START, "n_latent": 16}, LISTS), (START, {**LISTS, "nonlinear": [None, "relu"]})],
)
def test_the_state_of_another_search_is_refused(start: dict[str, Any], lists: dict[str, list[Any]]) -> None:
    done = HyperSelector(START, LISTS, Recorder())
    done.run()
    with pytest.raises(ParameterError, match="another search"):
        HyperSelector(start, lists, Recorder(), state=done.state)


def test_the_order_of_the_lists_is_part_of_the_search() -> None:
    other = dict(reversed(LISTS.items()))
    state = HyperSelector(START, LISTS, Recorder()).state
    with pytest.raises(ParameterError, match="another search"):
        HyperSelector(START, other, Recorder(), state=state)


def test_a_state_of_another_format_is_refused() -> None:
    with pytest.raises(NewerFormatError, match="state has format 2"):
        HyperSelector(START, LISTS, Recorder(), state={"format": 2})


def test_a_score_that_is_not_finite_loses() -> None:
    chosen = HyperSelector({"a": 0}, {"a": [1, 2, 3]}, fixed(math.nan, 0.1, math.inf)).run()
    assert chosen.values == {"a": 2}


def test_a_candidate_that_raises_is_lost_and_the_search_goes_on() -> None:
    def evaluate(candidates: list[dict[str, Any]]) -> list[Attempt]:
        if any(c["a"] == 1 for c in candidates):
            raise ValueError("does not fit")
        return [Attempt(c["a"]) for c in candidates]

    selector = HyperSelector({"a": 0}, {"a": [1, 2, 3]}, evaluate)
    chosen = selector.run()
    assert chosen.values == {"a": 3}
    assert chosen.settled[0].attempts[0].error == "ValueError: does not fit"
    json.dumps(selector.state, allow_nan=False)


def test_a_search_without_a_score_ends_with_the_reasons() -> None:
    def evaluate(candidates: list[dict[str, Any]]) -> list[Attempt]:
        return [Attempt(math.nan, error=f"no memory for {c['a']}") for c in candidates]

    with pytest.raises(SearchError, match="no value of a .*1: no memory for 1; 2: no memory for 2"):
        HyperSelector({"a": 0}, {"a": [1, 2]}, evaluate).run()


def test_too_few_results_are_an_error_of_the_caller() -> None:
    with pytest.raises(ParameterError, match="one Attempt for each of 2, got 1"):
        HyperSelector({"a": 0}, {"a": [1, 2]}, lambda candidates: [Attempt(1.0)]).run()


@pytest.mark.parametrize("lists", [{"a": []}, {"b": [1]}])
def test_lists_that_cannot_be_searched_are_refused(lists: dict[str, list[Any]]) -> None:
    with pytest.raises(ParameterError, match="values to search"):
        HyperSelector({"a": 0}, lists, fixed(1.0))


def test_nothing_to_search_gives_the_start_values() -> None:
    chosen = HyperSelector(START, {}, Recorder()).run()
    assert chosen.values == START
    assert chosen.learning_rate is None
    assert chosen.score is None


def test_a_searched_learning_rate_is_not_overridden_by_range_tests() -> None:
    lists = {"learning_rate": [0.1, 0.2], "n_latent": [64]}
    assert HyperSelector(START, lists, Recorder()).run().values["learning_rate"] == 0.1


def test_the_largest_weight_decay_within_a_threshold_can_be_chosen() -> None:
    lists = {"weight_decay": [1e-2, 1e-3, 1e-4]}
    rules = {"weight_decay": choose_largest_within(0.05)}
    chosen = HyperSelector({"weight_decay": 1e-4}, lists, fixed(0.5, 0.87, 0.9), choose=rules).run()
    assert chosen.values == {"weight_decay": 1e-3}
    assert "within 0.05 of the best, 0.9" in chosen.spec.report()


def test_among_scores_alike_by_chance_the_second_decides() -> None:
    candidates = [Attempt(0.90, second=-0.1), Attempt(0.95, second=-0.5), Attempt(0.94, second=-0.3)]
    assert choose_second_within(lambda best: 0.02)([1, 2, 3], candidates)[0] == 2
    assert choose_second_within(lambda best: 0.0)([1, 2, 3], candidates)[0] == 1


def test_a_fatal_error_ends_the_search() -> None:
    def evaluate(candidates: list[dict[str, Any]]) -> list[Attempt]:
        raise ParameterError("no data")

    with pytest.raises(ParameterError, match="no data"):
        HyperSelector({"a": 0}, {"a": [1, 2]}, evaluate, fatal=(ParameterError,)).run()

"""A whole search: what is scored, in which order, what is said of it."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from genokeras.enas import EnasResult, EnasSearch, EnasSettings, SupernetSettings, check_top_k
from genokeras.errors import ParameterError
from genokeras.graph.arcs import ArcSpace
from tests.enas.search_data import small_data

SUPERNET = SupernetSettings(steps=20, learning_rate=0.01)
SETTINGS = EnasSettings(SUPERNET)


def searched(
    space: ArcSpace, settings: EnasSettings = SETTINGS, lines: list[str] | None = None
) -> EnasResult:
    return EnasSearch(space, settings).run(small_data(), log=(lines if lines is not None else []).append)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return []


@pytest.fixture(scope="module")
def result(lines: list[str]) -> EnasResult:
    return searched(ArcSpace(3, 10), lines=lines)


def test_a_space_of_a_thousand_arcs_is_scored_whole(result: EnasResult, lines: list[str]) -> None:
    assert result.controller == "enumerate"
    assert set(result.arcs) == set(ArcSpace(3, 10).all_arcs())
    assert result.compilations == 2
    assert "1,000 arcs: all of them are scored" in lines[0]


def test_the_best_come_first(result: EnasResult) -> None:
    assert (np.diff(result.loss) >= 0).all()
    assert result.top(2) == result.arcs[:2]


def test_lines_tell_of_steps_arcs_and_time(lines: list[str]) -> None:
    text = "\n".join(lines)
    assert re.search(
        r"^step: 10\(global step: 10\)\tsample/sec: \S+\tacc: 0\.\d{3}\tepoch: 10\.000\t", text, re.M
    )
    assert re.search(r"^\('\[\d \d \d \d \d \d\]', [01]\.\d+\)$", text, re.M)
    assert re.search(r"^enas train time : \d+\.\d\d minutes\.$", lines[-1])


def test_the_same_seed_gives_the_same_ranking(result: EnasResult) -> None:
    again = searched(ArcSpace(3, 10))
    assert again.arcs == result.arcs
    np.testing.assert_array_equal(again.loss, result.loss)


def test_ranked_by_accuracy_equals_are_ranked_by_loss() -> None:
    found = searched(ArcSpace(2, 10), replace(SETTINGS, monitor="accuracy"))
    pairs = list(zip(-found.accuracy, found.loss, strict=True))
    assert pairs == sorted(pairs)


def test_a_large_space_is_searched_by_the_policy() -> None:
    found = searched(ArcSpace(4, 10), replace(SETTINGS, max_arcs=60))
    assert found.controller == "reinforce"
    assert 60 <= found.n_scored < 100
    assert found.controller_state["moving"][0] >= 3


@pytest.mark.parametrize("name", ["random", "evolution"])
def test_other_controllers_go_by_name(name: str) -> None:
    found = searched(ArcSpace(2, 10), replace(SETTINGS, controller=name, max_arcs=20))
    assert found.controller == name
    assert len(set(found.arcs)) == found.n_scored >= 20


def test_a_controller_that_repeats_itself_is_not_asked_for_ever() -> None:
    found = searched(ArcSpace(1, 10), replace(SETTINGS, controller="random", max_asks=3))
    assert found.n_scored == 5


def test_told_to_stop_some_arcs_are_scored_all_the_same() -> None:
    found = EnasSearch(ArcSpace(3, 10), SETTINGS).run(small_data(), should_stop=lambda: True)
    assert found.steps == SUPERNET.chunk_steps
    assert found.n_scored == 25


def test_only_training_can_be_stopped() -> None:
    found = EnasSearch(ArcSpace(2, 10), SETTINGS).run(small_data(), stop_training=lambda: True)
    assert found.steps == SUPERNET.chunk_steps
    assert found.n_scored == 50


@pytest.mark.parametrize("k", [0, 51])
def test_more_of_the_best_than_there_are_is_refused(k: int) -> None:
    with pytest.raises(ParameterError, match=f"must be a whole number from 1 to 50, got {k}"):
        searched(ArcSpace(2, 10)).top(k)


@pytest.mark.parametrize("k", [0, 6, 1.5])
def test_more_candidates_than_arcs_are_refused(k: object) -> None:
    with pytest.raises(ParameterError, match="top_k_candidates .* must be a whole number from 1 to 5"):
        check_top_k(k, ArcSpace(1, 10))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad",
    [
        {"controller": "lstm"},
        {"monitor": "f1"},
        {"max_arcs": 0},
        {"monitor": "accuracy", "supernet": SupernetSettings(loss="mse")},
    ],
)
def test_settings_that_cannot_be_are_refused(bad: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(bad))):
        EnasSettings(**bad)


def test_arguments_of_a_controller_are_looked_at_before_anything_is_trained() -> None:
    with pytest.raises(ParameterError, match="hiden"):
        EnasSearch(ArcSpace(3, 10), EnasSettings(controller="reinforce", controller_args={"hiden": 3}))

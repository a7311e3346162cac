"""What a searcher may do wrong, and what becomes of the finished trials."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genokeras import HyperParameters, Proposal, SearchError
from genokeras.engine import Budget, LocalExecutor, SearchLoop, TrialStore
from genokeras.graph import get_father
from genokeras.searchers import History, Searcher
from genokeras.support import RunFolder
from tests.engine.fakes import FakeRunner


def proposal(decay: float, **fields: Any) -> Proposal:
    return Proposal(get_father("linear", 2), HyperParameters(weight_decay=decay), **fields)


class GoodThen(Searcher):
    """Proposes two networks at the first ask, and does something else at the second."""

    def __init__(self, second: Any) -> None:
        self.second = second

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        if not history.trials:
            return [proposal(0.1), proposal(0.2)]
        found: list[Proposal] = self.second(history)
        return found


def search(tmp_path: Path, searcher: Searcher, seconds: float | None = None, **runner: Any) -> Any:
    store = TrialStore(RunFolder.create(tmp_path / "run", {}))
    executor = LocalExecutor(lambda: FakeRunner(**runner))
    loop = SearchLoop(searcher, executor, store, Budget(seconds), 0, max_trials=20, n_outputs=2)
    return loop.run(History())


def raising(history: History) -> list[Proposal]:
    raise ZeroDivisionError("one over zero")


def leaving(history: History) -> list[Proposal]:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (leaving, "(?s)GoodThen raised an error when it was asked.*SystemExit: 3"),
        (lambda history: [proposal("x")], "GoodThen made proposals that cannot be read"),  # type: ignore[arg-type]
        (lambda history: [Proposal(None, None)], "GoodThen made proposals that cannot be read"),  # type: ignore[arg-type]
        (
            lambda history: [proposal(0.3), Proposal(get_father("linear", 3), HyperParameters())],
            r"GoodThen proposes a network with 3 outputs \(linear.*\); this task needs 2",
        ),
        (lambda history: None, "GoodThen must return a list of Proposal when it is asked, got None"),
        (lambda history: ["linear"], r"must return a list of Proposal .* got \['linear'\]"),
        (raising, "(?s)GoodThen raised an error when it was asked.*one over zero"),
        (lambda history: [proposal(0.1)], "proposes only what was tried already, such as linear"),
        (lambda history: [proposal(0.7, father=99)], "a child of trial 99, which there is not; there are 2"),
    ],
)
def test_a_searcher_that_fails_ends_the_search_with_what_there_is(
    tmp_path: Path, second: Any, message: str
) -> None:
    with pytest.warns(UserWarning, match=message):
        result = search(tmp_path, GoodThen(second))
    assert result.reason == "searcher" and len(result.history.ok()) == 2
    events = [line for line in RunFolder(tmp_path / "run").journal() if line["event"] == "searcher_failed"]
    assert len(events) == 1 and events[0]["trials"] == 2


def test_a_searcher_that_never_answers_ends_the_search_at_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genokeras.engine.loop.LEAST_THINKING", 0.5)
    released = threading.Event()

    def waiting(history: History) -> list[Proposal]:
        released.wait(60)
        return []

    try:
        with pytest.warns(UserWarning, match="did not answer in the"):
            result = search(tmp_path, GoodThen(waiting), seconds=3.0)
    finally:
        released.set()
    assert result.reason == "searcher" and len(result.history.ok()) == 2


def test_without_a_finished_trial_the_failure_is_an_error(tmp_path: Path) -> None:
    class Broken(Searcher):
        def ask(self, history: History, n: int, rng: np.random.Generator) -> Any:
            return None

    with pytest.raises(SearchError, match="Broken must return a list of Proposal"):
        search(tmp_path, Broken())


def test_repeated_proposals_are_left_out(tmp_path: Path) -> None:
    new = [proposal(0.1), proposal(0.5), proposal(0.5, seed=4)]
    result = search(tmp_path, GoodThen(lambda history: new if len(history) == 2 else []))
    assert [trial.proposal.hyper.weight_decay for trial in result.history] == [0.1, 0.2, 0.5]
    assert result.reason == "space"


@pytest.mark.parametrize("seconds", [None, 60.0])
def test_a_searcher_cannot_end_the_program(tmp_path: Path, seconds: float | None) -> None:
    with pytest.warns(UserWarning, match="SystemExit: 3"):
        result = search(tmp_path, GoodThen(leaving), seconds)
    assert result.reason == "searcher" and len(result.history.ok()) == 2


@pytest.mark.parametrize(("name", "value"), [("finish", raising), ("explain", raising), ("explain", None)])
def test_what_else_a_searcher_is_asked_may_fail_as_well(tmp_path: Path, name: str, value: Any) -> None:
    searcher = GoodThen(lambda history: [proposal(0.3)])

    def failing(history: History) -> Any:
        if not history.trials:
            return [] if name == "finish" else {}
        return value(history) if value else {"shares": object()}

    setattr(searcher, name, failing)
    with pytest.warns(UserWarning, match="when the search ended|when it explained an ask"):
        result = search(tmp_path, searcher)
    assert result.reason == "searcher" and len(result.history.ok()) == 2


def test_the_error_of_failed_trials_is_said_where_nothing_else_is_left(tmp_path: Path) -> None:
    def failing(job: Any) -> None:
        raise KeyError("no view 'genes'")

    with pytest.raises(
        SearchError, match="(?s)tried already.*The last of 2 failed trials said.*no view 'genes'"
    ):
        search(tmp_path, GoodThen(lambda history: [proposal(0.1)]), before=failing)

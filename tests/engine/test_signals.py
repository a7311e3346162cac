"""Ctrl-C, SIGTERM and SIGUSR1: whatever moment they come at, what was trained is delivered; a second one stops at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genokeras.engine import Job, LocalExecutor, Run, TrialStore, fit
from genokeras.engine import run as run_module
from genokeras.engine.packed_runner import PackedRunner
from genokeras.interrupt import Interruption, interruptible
from genokeras.searchers import History, RandomSearcher
from genokeras.support import RunFolder
from tests.engine.fakes import FakeRunner, make_loop
from tests.engine.tables import fit as fit_table
from tests.engine.tables import prepare, settings, table
from tests.signals import CTRL_C, ENDS, TERM, every, unhandled

X, Y = table()
both = pytest.mark.parametrize("number", [CTRL_C, TERM], ids=["Ctrl-C", "SIGTERM"])


__all__ = ["unhandled"]
pytestmark = pytest.mark.usefixtures("unhandled")


def ended(number: signal.Signals, function: Callable[[], Any]) -> None:
    with pytest.raises(ENDS[number]) as found:
        function()
    if number != CTRL_C:
        assert isinstance(found.value, SystemExit) and found.value.code == 143


# ---- the handler


@every
def test_a_first_signal_breaks_off_what_need_not_be_finished(number: signal.Signals) -> None:
    ended(number, interruptible(lambda: signal.raise_signal(number)))


@every
def test_a_first_signal_is_noted_where_something_has_to_be_finished(number: signal.Signals) -> None:
    with Interruption() as interruption:
        with interruption.noting():
            signal.raise_signal(number)
        assert interruption.pressed


def test_a_second_signal_always_stops() -> None:
    @interruptible
    def finishing() -> None:
        with Interruption() as interruption:
            interruption.finish()
            signal.raise_signal(CTRL_C)
            signal.raise_signal(TERM)

    ended(TERM, finishing)


def test_inner_and_outer_are_one() -> None:
    with Interruption() as outer:
        with Interruption() as inner:
            assert inner is outer
        inner.finish()
        signal.raise_signal(CTRL_C)
        assert outer.pressed


def test_handlers_of_others_are_left_alone() -> None:
    got: list[int] = []
    signal.signal(TERM, lambda number, frame: got.append(number))
    try:
        with Interruption() as interruption:
            signal.raise_signal(TERM)
            assert got == [TERM] and not interruption.pressed
            ended(CTRL_C, lambda: signal.raise_signal(CTRL_C))
    finally:
        signal.signal(TERM, signal.SIG_DFL)


def test_a_handler_that_was_set_meanwhile_stays() -> None:
    with Interruption():
        signal.signal(TERM, signal.SIG_IGN)
    assert signal.signal(TERM, signal.SIG_DFL) is signal.SIG_IGN


# ---- a whole fit


def at_call(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: int, *, call: int = 1) -> None:
    """A signal arrives before call number ``call`` of a function."""
    function, calls = getattr(owner, name), []

    def called(*args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        if len(calls) == call:
            signal.raise_signal(number)
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, called)


def quick(path: Path, **changes: Any) -> Run:
    return fit_table(prepare(X, Y), settings(path, **{"max_trials": 40, **changes}))


def test_in_the_preparation_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at_call(monkeypatch, fit, "write_problem", TERM)
    ended(TERM, lambda: quick(tmp_path / "run"))
    monkeypatch.undo()
    found = quick(tmp_path / "run", resume=True, max_trials=1)
    assert len(found.history) == 1


def test_before_the_first_trial_is_trained_the_run_can_be_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_call(monkeypatch, PackedRunner, "run", TERM)
    ended(TERM, lambda: quick(tmp_path / "run"))
    monkeypatch.undo()
    assert len(quick(tmp_path / "run", resume=True, max_trials=1).history) == 1


@both
def test_in_the_search_it_ends_and_delivers(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_call(monkeypatch, PackedRunner, "run", number, call=2)
    found = quick(tmp_path / "run")
    assert found.stop_reason == "interrupted" and 1 <= len(found.history) < 40
    assert (tmp_path / "run" / "best.keras").exists()


def test_what_fails_of_a_signal_is_not_recorded(tmp_path: Path) -> None:
    def failing(job: Job) -> None:
        if 0 not in job.ids:
            try:
                signal.raise_signal(TERM)
            except KeyboardInterrupt as error:
                raise ValueError("native code called back") from error

    executor = LocalExecutor(lambda: FakeRunner(failing))
    found = make_loop(tmp_path / "run", RandomSearcher(2), executor, pack_size=2, max_trials=9).run(History())
    assert found.reason == "interrupted" and found.history.ok() and not found.history.failed()


def test_while_trials_are_written_they_are_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_call(monkeypatch, TrialStore, "record", TERM)
    found = quick(tmp_path / "run")
    assert found.stop_reason == "interrupted"
    folder = RunFolder(tmp_path / "run")
    assert len(TrialStore(folder).history()) == len(found.history)
    lines = [event["trial"] for event in folder.journal() if event["event"] == "trial"]
    assert lines == [trial.id for trial in found.history]


@pytest.mark.parametrize(("owner", "moment"), [(run_module, "deliver"), (Run, "sidecar")])
def test_in_the_delivery_it_is_finished(
    owner: Any, moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_call(monkeypatch, owner, moment, TERM)
    found = quick(tmp_path / "run", max_trials=1)
    assert found.stop_reason == "trials" and found.model is not None
    assert (tmp_path / "run" / "result.json").exists()


def test_a_second_one_in_the_delivery_stops_it_and_loses_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_call(monkeypatch, PackedRunner, "run", TERM, call=2)
    at_call(monkeypatch, run_module, "deliver", TERM)
    ended(TERM, lambda: quick(tmp_path / "run"))
    assert not (tmp_path / "run" / "result.json").exists()
    assert TrialStore(RunFolder(tmp_path / "run")).history().ok()

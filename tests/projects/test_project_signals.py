"""Signals that come while a project trains: what is settled stays settled, and the best network so far is kept."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import genokeras as gk
from genokeras.projects import training as training_module
from genokeras.projects.candidates import Candidates
from tests.projects.conftest import QUICK
from tests.signals import CTRL_C, ENDS, TERM, WARNING, every, unhandled

__all__ = ["unhandled"]
pytestmark = pytest.mark.usefixtures("unhandled")
MakeProject = Callable[..., dict[str, Any]]


def at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, number: signal.Signals) -> None:
    """A signal arrives as a function is called."""
    function = getattr(owner, name)

    def called(*args: Any, **kwargs: Any) -> Any:
        signal.raise_signal(number)
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, called)


@every
def test_before_the_final_training_nothing_is_left_but_what_was_settled(
    number: signal.Signals, make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, training_module, "select", number)
    with pytest.raises(ENDS[number]):
        gk.auto(make_project(**QUICK), verbose=0).train()
    assert [path.name for path in tmp_path.rglob("models/demo/*/*")] == ["selection.json"]


@pytest.mark.parametrize("number", [CTRL_C, WARNING])
def test_in_the_final_training_the_best_so_far_is_kept_and_the_next_one_goes_on(
    number: signal.Signals, make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_project(**QUICK)
    with monkeypatch.context() as patch:
        at(patch, Candidates, "final", number)
        project = gk.auto(source, verbose=0).train()
    assert project.interrupted and project.predict() is not None
    early = project.trained.record.extra["steps"]
    again = gk.auto(source, verbose=0).train()
    assert not again.interrupted and again.trained.record.extra["steps"] > early
    assert again.trained.folder == project.trained.folder


def stopped(source: dict[str, Any], chunks: int, monkeypatch: pytest.MonkeyPatch) -> gk.Project:
    """The project after a final training that a signal ends behind some chunks of steps."""
    enas = source["model"]["type"] == "enas"
    owner, name = (training_module, "train_arcs") if enas else (Candidates, "final")
    function = getattr(owner, name)

    def final(*arguments: Any) -> Any:
        left = iter(range(chunks)[::-1])

        def stop() -> bool:
            if next(left, None) == 0:
                signal.raise_signal(CTRL_C)
            return bool(arguments[-1]())

        return function(*arguments[:-1], stop)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, final)
        return gk.auto(source, verbose=0).train()


LONG = {"trainer": {"hyper_selector": False, "max_steps": 200, "patience": 40}}
ENAS = {
    "child_num_layers": 2,
    "batch_size": 16,
    "max_number_of_epoches_in_search": 2,
    "max_number_of_epoches_in_fixed": 60,
    "max_search_channel": 10,
}


@pytest.mark.parametrize("model_type", ["ResNet", "enas"])
def test_a_training_that_is_interrupted_sooner_than_before_leaves_the_better_network(
    model_type: str, make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_project(**LONG)
    if model_type == "enas":
        source = {"name": "demo", "data_train": source["data_train"]}
        source["model"] = {"type": "enas", "args": {"output_classes": 2}}
        source["trainer"] = {**ENAS, "save_dir": str(tmp_path / "experiments")}
    held = stopped(source, 4, monkeypatch).trained
    content = held.path.read_bytes()
    again = stopped(source, 1, monkeypatch)
    assert again.interrupted and again.trained == held
    assert held.path.read_bytes() == content
    assert list(tmp_path.rglob("best_model.keras")) == [held.path]
    assert gk.auto(source, verbose=0).trained == held


def test_a_training_that_is_interrupted_later_than_before_replaces_the_network(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_project(**LONG)
    early = stopped(source, 1, monkeypatch).trained.record.extra
    late = stopped(source, 4, monkeypatch).trained.record.extra
    assert late["steps"] > early["steps"] and late["score"] > early["score"]


def test_a_signal_while_the_result_is_written_changes_nothing(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, training_module, "finish", TERM)
    assert not gk.auto(make_project(**QUICK), verbose=0).train().interrupted

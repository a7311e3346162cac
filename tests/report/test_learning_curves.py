"""Metrics during training, and scores during a search."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from genokeras.engine import Run, TrialStore, read_record
from genokeras.engine.curves import COLUMNS, history_table
from genokeras.errors import ParameterError, RunFolderError
from genokeras.graph import HyperParameters, linear, mlp
from genokeras.report import Picture, plot_metric, plot_search
from genokeras.searchers import Proposal, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.objectives import get_objective

KERAS = {"loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.6, 0.7], "accuracy": [0.5, 0.8, 0.9]}


def run_of(path: Path) -> Run:
    return read_record(RunFolder(path))


def lines(picture: Picture) -> dict[str, list[float]]:
    return {str(line.get_label()): list(line.get_ydata()) for line in picture.axes[0].lines}


# ---- the table


def test_the_history_has_a_row_for_every_scoring_of_every_trial(finished_run: Path) -> None:
    table = history_table(run_of(finished_run))
    assert list(table) == list(COLUMNS) and len(table) == 6
    assert table["member"].tolist() == [0, 0, 0, 1, 1, 1] and table["step"].tolist() == [5, 10, 15] * 2
    assert table.loc[4, "val_loss"] == pytest.approx(0.4) and table.loc[4, "share"] == 0.75
    assert table[table["kept"]]["step"].tolist() == [10, 10]


def test_trials_without_curves_make_an_empty_history(make_run) -> None:
    run = make_run([TrialResult(0, Proposal(linear(2), HyperParameters()), "ok", 0.5)], {"0": 1.0})
    folder = RunFolder(run)
    delivery = SimpleNamespace(shares={0: 1.0})
    history, objective = TrialStore(folder).history(), get_objective("log_loss")
    found = SimpleNamespace(folder=folder, history=history, delivery=delivery, objective=objective)
    table = history_table(found)  # type: ignore[arg-type]
    assert not len(table) and table["step"].dtype == "int64"
    with pytest.raises(ParameterError, match="history is empty"):
        plot_metric(table)


# ---- plot_metric


@pytest.mark.parametrize(
    "history", [KERAS, pd.DataFrame(KERAS), SimpleNamespace(history=KERAS, epoch=[0, 1, 2])]
)
def test_training_and_validation_of_any_history_are_drawn(history: object) -> None:
    picture = plot_metric(history, "loss")
    assert lines(picture) == {"training": KERAS["loss"], "validation": KERAS["val_loss"]}
    assert picture.axes[0].lines[0].get_xdata().tolist() == [1, 2, 3]
    assert picture.axes[0].get_xlabel() == "epoch"


def test_val_in_front_makes_no_difference() -> None:
    assert lines(plot_metric(KERAS, "val_loss")) == lines(plot_metric(KERAS, "loss"))


def test_a_metric_without_validation_has_one_line() -> None:
    assert list(lines(plot_metric(KERAS, "accuracy"))) == ["training"]


def test_of_many_members_the_best_is_drawn_clearly(finished_run: Path) -> None:
    drawn = lines(plot_metric(history_table(run_of(finished_run))))
    assert {"training, trial 1", "validation, trial 1", "kept: step 10", "the other 1 trials"} <= set(drawn)


def test_one_member_can_be_asked_for(finished_run: Path) -> None:
    table = history_table(run_of(finished_run))
    assert "validation, trial 0" in lines(plot_metric(table, member=0))
    with pytest.raises(ParameterError, match="member must be one of 0, 1, got '7'"):
        plot_metric(table, member=7)


def test_the_highest_accuracy_is_the_best() -> None:
    table = pd.DataFrame({"member": [0, 1], "epoch": [1, 1], "val_accuracy": [0.9, 0.2]})
    assert "validation, trial 0" in lines(plot_metric(table, "accuracy"))


def test_an_estimator_brings_its_history_along() -> None:
    assert lines(plot_metric(SimpleNamespace(history_=pd.DataFrame(KERAS)))) == lines(plot_metric(KERAS))


@pytest.mark.parametrize(
    ("history", "metric", "said"),
    [
        (
            KERAS,
            "acuracy",
            "a metric of the history must be one of loss, accuracy, got 'acuracy'. Did you mean 'accuracy'?",
        ),
        ({}, "loss", "history is empty"),
        (pd.DataFrame(), "loss", "history is empty"),
        ({"loss": []}, "loss", "history is empty"),
        ({"loss": [1, 2], "val_loss": [1]}, "loss", "loss has 2, val_loss has 1"),
        ({"loss": 1.0}, "loss", "loss has no list"),
        ({"loss": [np.nan, np.inf]}, "loss", "finite"),
        ([1, 2], "loss", "got list"),
    ],
)
def test_histories_that_cannot_be_drawn_are_refused(history: object, metric: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        plot_metric(history, metric)


# ---- plot_search


def searched() -> list[TrialResult]:
    def one(number: int, graph, score: float) -> TrialResult:
        return TrialResult(number, Proposal(graph, HyperParameters()), "ok", score, seconds=2.0)

    failed = TrialResult.failure(2, Proposal(mlp(2, (8,)), HyperParameters()), "it broke", seconds=1.0)
    return [one(0, linear(2), 0.5), one(1, mlp(2), 0.3), failed, one(3, mlp(2, (4,)), 0.4)]


def test_the_best_score_is_drawn_against_training_time(make_run) -> None:
    picture = plot_search(make_run(searched(), {"1": 1.0}))
    best = next(line for line in picture.axes[0].lines if line.get_label() == "best so far")
    assert list(best.get_xdata()) == [2, 4, 5, 7] and list(best.get_ydata()) == [0.5, 0.3, 0.3, 0.3]
    assert "Best: 0.300, trial 1" in picture.alt


def test_where_greater_is_better_the_best_rises(make_run) -> None:
    picture = plot_search(make_run(searched(), objective="accuracy"))
    best = next(line for line in picture.axes[0].lines if line.get_label() == "best so far")
    assert list(best.get_ydata()) == [0.5, 0.7, 0.7, 0.7]


def test_trials_outside_the_ensemble_have_no_outline(make_run) -> None:
    dots = plot_search(make_run(searched(), {"1": 1.0})).axes[0].collections
    assert {dot.get_label(): list(dot.get_linewidths()) for dot in dots}["another father"] == [0.9, 0.0]


def test_a_search_without_finished_trials_is_refused(make_run) -> None:
    with pytest.raises(RunFolderError, match="no trial of the run"):
        plot_search(make_run([]))


# ---- files


@pytest.mark.parametrize(("suffix", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_the_suffix_says_how_a_picture_is_saved(tmp_path: Path, suffix: str, start: bytes) -> None:
    picture = plot_metric(KERAS)
    path = picture.save(tmp_path / "new" / f"loss.{suffix}")
    assert path.read_bytes().startswith(start) and path.read_bytes() == picture.save(path).read_bytes()


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="one of .png, .svg, .pdf; got .*svgz.*Did you mean '.svg'"):
        plot_metric(KERAS).save(tmp_path / "loss.svgz")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="cannot write .* Give a path that can be written"):
        plot_metric(KERAS).save(tmp_path / "file" / "loss.png")

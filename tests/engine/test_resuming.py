"""A run is gone on with only where data and settings are those it was made with; else what differs is named."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genokeras as gk
from genokeras.engine import TrialStore, read_problem
from genokeras.engine.resuming import resumed
from genokeras.errors import ParameterError, RunFolderError, SearchError
from genokeras.support import RunFolder
from tests.engine.tables import ages, fit, prepare, settings, table

X, Y = table()
N = len(X)
FEW: dict[str, Any] = {"folds": 2, "max_trials": 2, "random_state": 0, "verbose": 0, "searcher": "random"}
WEIGHT, GROUPS = np.linspace(1, 2, N), np.arange(N) // 2


def prepared(**other):
    return prepare(**{"x": X, "y": Y, "weight": WEIGHT, "groups": GROUPS, **other})


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "original"
    fit(prepared(), settings(path))
    return path


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


def edit(path, change) -> None:
    """Change what ``run.json`` says."""
    held = json.loads((path / "run.json").read_text())
    change(held)
    (path / "run.json").write_text(json.dumps(held))


def made_before_fingerprints_had_parts(path) -> None:
    def change(held):
        held["data_fingerprint"] = prepared().old_fingerprint()
        del held["fingerprint"]

    edit(path, change)


def goes_on(path, data=None, **changes):
    return resumed(data or prepared(), settings(path, resume=True, **changes))


def test_the_same_data_and_settings_go_on(run):
    folder, problem, history = goes_on(run)
    assert folder.path == run and len(history) == 2
    np.testing.assert_array_equal(problem.sample_weight, WEIGHT)
    np.testing.assert_array_equal(problem.groups, GROUPS)
    assert [event["event"] for event in folder.journal()][-1] == "resumed"


def test_nothing_is_gone_on_with_that_was_not_asked_for(run):
    assert resumed(prepared(), settings(run)) is None


def test_there_may_be_no_run_yet(tmp_path):
    assert goes_on(tmp_path / "none") is None


def test_a_run_that_was_killed_while_it_was_made_is_made_anew(run):
    (run / "features.npz").unlink()
    assert goes_on(run) is None
    assert len(fit(prepared(), settings(run, resume=True)).history) == 2


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"x": X + 1}, "other samples "),
        ({"x": X.iloc[::-1]}, "other samples "),
        ({"x": X.rename(columns={"G0": "TP53", "G1": "BRCA1"})}, r"other genes \(now without G0, G1\) "),
        ({"x": X.assign(TP53=X["G0"])}, r"other genes \(now with TP53\) "),
        ({"x": X.iloc[:, ::-1]}, "another order of the genes "),
        ({"x": X.iloc[:, ::-1], "weight": None}, "another order of the genes and other sample_weight "),
        ({"y": Y[::-1]}, "other targets "),
        ({"weight": None}, "other sample_weight "),
        ({"weight": WEIGHT[::-1].copy()}, "other sample_weight "),
        ({"groups": None}, "other groups "),
        ({"groups": np.arange(N) // 4}, "other groups "),
        ({"weight": None, "groups": None}, "other sample_weight and other groups "),
        ({"x": X.iloc[:-2], "y": Y[:-2], "weight": WEIGHT[:-2], "groups": GROUPS[:-2]}, r"other samples \("),
    ],
)
def test_other_data_are_refused_and_what_differs_is_named(run, other, named):
    with pytest.raises(RunFolderError, match=f"cannot resume '.*run': it was run with {named}"):
        goes_on(run, prepared(**other))


def test_the_message_says_what_both_data_are(run):
    with pytest.raises(RunFolderError, match=r"\(DataFrame: 24 samples\) than now \(DataFrame: 22 samples\)"):
        goes_on(run, prepare(X.iloc[:-2], Y[:-2]))


def test_other_names_of_the_same_classes_are_refused_and_both_are_named(run):
    named = (
        "it was run with the classes healthy, tumor; now they are healthy, unwell. Resume with the same names"
    )
    with pytest.raises(RunFolderError, match=named):
        goes_on(run, prepared(y=np.where(Y == "tumor", "unwell", Y)))


def test_classes_that_are_spelled_in_another_way_go_on(tmp_path):
    truth = Y == "tumor"
    fit(prepared(y=truth.astype(int)), settings(tmp_path / "run"))
    assert goes_on(tmp_path / "run", prepared(y=truth.astype(float))) is not None
    assert goes_on(tmp_path / "run", prepared(y=truth)) is not None


def test_targets_of_other_names_are_refused_and_those_without_names_go_on(tmp_path):
    y = pd.DataFrame({"b": ages(X), "c": -ages(X)})
    run = tmp_path / "run"
    gk.GenomeRegressor(run, **FEW).fit(X, y)
    again = gk.GenomeRegressor(run, resume=True, **FEW | {"max_trials": 3})
    with pytest.raises(RunFolderError, match="it was run with the targets b, c; now they are a, b"):
        again.fit(X, y.set_axis(["a", "b"], axis=1))
    assert again.fit(X, y.to_numpy()).targets_ == ("b", "c")


def test_a_run_that_says_no_names_goes_on(run):
    edit(run, lambda held: held.pop("classes"))
    assert goes_on(run) is not None


def test_a_run_of_classes_is_not_gone_on_with_as_numbers(run):
    numbers = prepare(X, ages(X), "numbers", weight=WEIGHT, groups=GROUPS)
    with pytest.raises(RunFolderError, match=r"other task \(classes in place of numbers\)"):
        goes_on(run, numbers, task="numbers")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"asked": {"folds": 3}}, r"with other settings: folds=3 \(the run has 2\)"),
        ({"asked": {"missing": "median"}}, r"missing='median' \(the run has 'error'\)"),
        ({"objective": "brier"}, r"objective='brier' \(the run has 'log_loss'\)"),
        ({"asked": {"new": 1}}, r"new=1 \(the run has None\)"),
    ],
)
def test_other_settings_are_refused_and_named(run, changes, named):
    with pytest.raises(RunFolderError, match=named):
        goes_on(run, **changes)


def test_another_searcher_or_seed_may_go_on_with_a_run(run):
    assert goes_on(run, searcher="bayesian", seed=5, max_trials=9) is not None


def test_a_run_with_a_backbone_is_not_gone_on_with_without_one(run):
    edit(run, lambda held: held.update(backbone="abc"))
    with pytest.raises(RunFolderError, match="was run with another backbone"):
        goes_on(run)


def test_refusing_writes_nothing(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(RunFolderError):
        goes_on(run, prepared(weight=None))
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


# ---- runs that were made before fingerprints had parts


def test_an_old_run_of_the_same_data_goes_on(run):
    made_before_fingerprints_had_parts(run)
    _, problem, history = goes_on(run)
    assert problem.fingerprint == {} and len(history) == 2


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"x": X + 1}, "other data "),
        ({"x": X.iloc[:, ::-1]}, "another order of the genes "),
        ({"y": Y[::-1]}, "other data "),
        ({"weight": None}, "other sample_weight "),
        ({"groups": None}, "other groups "),
        ({"groups": np.arange(N) // 4}, "other groups "),
        ({"x": X + 1, "weight": None}, "other data and other sample_weight "),
    ],
)
def test_an_old_run_refuses_other_data_as_well(run, other, named):
    made_before_fingerprints_had_parts(run)
    with pytest.raises(RunFolderError, match=f"it was run with {named}"):
        goes_on(run, prepared(**other))


def test_an_old_run_without_groups_refuses_groups(tmp_path):
    fit(prepared(groups=None), settings(tmp_path / "run"))

    def change(held):
        held["data_fingerprint"] = prepared().old_fingerprint()
        held.pop("fingerprint")
        held.pop("groups")

    edit(tmp_path / "run", change)
    assert goes_on(tmp_path / "run", prepared(groups=None)) is not None
    with pytest.raises(RunFolderError, match="other groups"):
        goes_on(tmp_path / "run")


def test_runs_before_there_were_tasks_are_of_classes(run):
    made_before_fingerprints_had_parts(run)
    edit(run, lambda held: held.pop("task"))
    assert goes_on(run) is not None


# ---- the whole of fit_run


def test_a_resumed_fit_trains_further_trials_on_top_of_those_there_are(run):
    found = fit(prepared(), settings(run, resume=True, max_trials=5))
    assert [trial.id for trial in found.history] == list(range(5))
    assert len(TrialStore(RunFolder(run)).history()) == 5
    assert found.stop_reason == "trials"


def test_a_resumed_fit_asks_as_an_uninterrupted_one_does(run, tmp_path):
    resumed_run = fit(prepared(), settings(run, resume=True, max_trials=6))
    # One job of two trials before, and one of four now, as the first run had it.
    whole = fit(prepared(), settings(tmp_path / "whole", max_trials=6))
    assert len(whole.history) == len(resumed_run.history) == 6
    assert resumed_run.history.fingerprints() == whole.history.fingerprints()


@pytest.mark.parametrize("most", [1, 2])
def test_a_resumed_fit_that_has_its_trials_delivers_them_and_says_so(run, most):
    (run / "result.json").unlink()
    with pytest.warns(UserWarning, match=rf"has 2 trials already, and max_trials={most} counts them"):
        found = fit(prepared(), settings(run, resume=True, max_trials=most))
    assert found.stop_reason == "trials" and len(found.history) == 2
    assert (run / "result.json").exists() and found.delivery.shares


def test_a_path_that_holds_a_run_is_left_alone(run):
    with pytest.raises(RunFolderError, match="holds another run|already"):
        fit(prepared(), settings(run))
    assert len(TrialStore(RunFolder(run)).history()) == 2


def test_a_searcher_that_refuses_the_problem_leaves_nothing_behind(tmp_path):
    asked = settings(tmp_path / "run", searcher_args={"fathers": ["lineal"]})
    with pytest.raises(ParameterError, match="lineal"):
        fit(prepared(), asked)
    assert not (tmp_path / "run").exists()


def test_an_unknown_executor_is_refused_at_once(tmp_path):
    with pytest.raises(ParameterError, match="executor must be one of 'local', .*got 'cluster'"):
        settings(tmp_path / "run", executor="cluster")


def test_a_search_without_a_trained_trial_says_why(tmp_path):
    asked = settings(tmp_path / "run", max_trials=1)
    nothing = replace(asked, max_trials=0)
    with pytest.raises(SearchError, match="the searcher 'random' proposed nothing to train"):
        fit(prepared(), nothing)


def test_run_json_says_what_the_run_is_of(run):
    held, problem = RunFolder(run).settings, read_problem(RunFolder(run))
    assert held["kind"] == "genome" and held["task"] == "classes"
    assert held["classes"] == ["healthy", "tumor"] and held["class_counts"] == [12, 12]
    assert held["fingerprint"] == dict(problem.fingerprint) == dict(prepared().fingerprint)
    assert held["groups"] == GROUPS.tolist()
    assert held["settings"] == {"objective": "log_loss", "folds": 2, "missing": "error"}
    assert "keras" in held["versions"]

"""A finished run in its folder: delivered, read back, finished where it was killed."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import keras
import numpy as np
import pytest

from genokeras.engine import Outcome, Run, TrialStore, history_table, open_run, read_record, row_trial
from genokeras.engine.curves import COLUMNS
from genokeras.engine.model_files import sidecar_path, versions
from genokeras.engine.run import FINAL_WEIGHTS, MODEL_FILE, RESULT_FILE, objective_of, shown_objective
from genokeras.errors import ParameterError, RunFolderError
from genokeras.graph import HyperParameters, linear
from genokeras.networks import merge_rows
from genokeras.searchers import Proposal, TrialResult
from genokeras.support import RunFolder
from genokeras.tasks.numbers import Numbers
from tests.engine.runs import (
    expression,
    linear_proposal,
    made_folder,
    mlp_proposal,
    problem_of_classes,
    problem_of_numbers,
    trained,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "run"
    proposals = [linear_proposal(), mlp_proposal(), linear_proposal(decay=1.0)]
    return trained(path, problem_of_classes(), proposals)


@pytest.fixture
def copy(run, tmp_path) -> RunFolder:
    return run.folder.copy_to(tmp_path / "copy")


def predict(model) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(expression(seed=3)[0])))


def test_the_model_is_the_ensemble_behind_its_calibration(run):
    trials = [row_trial(run.problem, network) for network in run.ensemble()]
    wanted = merge_rows(trials, run.task, 40, None, run.delivery.calibration)
    np.testing.assert_allclose(predict(run.model), predict(wanted), atol=1e-6)
    assert [network.share for network in run.ensemble()] == list(run.delivery.shares.values())


def test_a_run_read_back_says_the_same(run):
    again = open_run(RunFolder(run.folder.path))
    np.testing.assert_allclose(predict(again.model), predict(run.model), atol=1e-6)
    assert again.delivery == run.delivery
    assert again.history == run.history
    assert (again.stop_reason, again.objective.name) == ("trials", "log_loss")
    assert again.best.id == run.best.id
    # The two linear models are the same solution.
    assert run.best.score == run.history.ranked()[0].score


def test_a_record_reads_neither_samples_nor_model(copy, run):
    (copy.path / MODEL_FILE).unlink()
    (copy.path / "features.npz").unlink()
    record = read_record(copy)
    assert record.delivery == run.delivery and record.task == run.task
    np.testing.assert_allclose(record.out_of_fold().answers, run.out_of_fold().answers)
    assert record.kind == "genome" and record.names.tolist() == ["output_0", "output_1"]
    assert len(record.feature_names) == 40


def test_runs_that_do_not_name_their_kind_are_of_genes(run):
    folder = RunFolder(run.folder.path)
    folder.settings = {name: value for name, value in folder.settings.items() if name != "kind"}
    assert replace(run, folder=folder).kind == "genome"


def test_outputs_without_names_are_numbered(run):
    folder = RunFolder(run.folder.path)
    folder.settings = {name: value for name, value in folder.settings.items() if name != "classes"}
    assert replace(run, folder=folder).names.tolist() == [0, 1]


@pytest.mark.parametrize("lost", [RESULT_FILE, MODEL_FILE])
def test_a_run_that_was_killed_is_finished_from_its_trials(copy, run, lost):
    (copy.path / lost).unlink()
    with (
        pytest.warns(UserWarning, match="best.keras was made again") if lost == MODEL_FILE else nullcontext()
    ):
        again = open_run(RunFolder(copy.path))
    assert again.stop_reason == ("trials" if lost == MODEL_FILE else "killed")
    assert again.delivery.shares == run.delivery.shares
    assert (copy.path / lost).exists()
    np.testing.assert_allclose(predict(again.model), predict(run.model), atol=1e-6)


def test_finishing_a_run_forgets_an_earlier_final_fit(copy):
    (copy.path / FINAL_WEIGHTS).write_bytes(b"old")
    (copy.path / RESULT_FILE).unlink()
    open_run(RunFolder(copy.path))
    assert not (copy.path / FINAL_WEIGHTS).exists()


def test_a_record_of_a_run_that_was_killed_says_how_to_finish_it(copy):
    (copy.path / RESULT_FILE).unlink()
    with pytest.raises(RunFolderError, match=r"stopped before it chose its ensemble. gk.load_estimator"):
        read_record(copy)


def test_a_run_without_trials_has_nothing_to_load(tmp_path):
    folder = made_folder(tmp_path / "run", problem_of_classes())
    with pytest.raises(RunFolderError, match="no trial of the run .* has finished"):
        open_run(folder)
    (folder.path / "features.npz").unlink()
    with pytest.raises(RunFolderError, match="stopped before its first trial"):
        open_run(folder)


def test_the_journal_tells_trials_and_the_end(run):
    events = list(run.folder.journal())
    assert [event["event"] for event in events] == ["trial"] * 3 + ["finished"]
    assert [event["trial"] for event in events[:3]] == [0, 1, 2]
    assert events[-1]["reason"] == "trials" and events[-1]["trials"] == 3
    assert events[-1]["value"] == pytest.approx(run.delivery.estimate["value"])


def test_the_journal_has_the_split_and_the_gain_of_each_trial(tmp_path):
    folder = RunFolder.create(tmp_path / "run", {})
    again = Proposal(linear(2), HyperParameters(), split=2)
    trials = [TrialResult(0, again, "ok", 0.5, gain=0.12345678), TrialResult(1, again, "ok", 0.5)]
    TrialStore(folder).write(*(Outcome(trial, answers=np.zeros((2, 2), "float32")) for trial in trials))
    assert [(event["split"], event["gain"]) for event in folder.journal()] == [(2, 0.123457), (2, None)]


def test_the_sidecar_says_what_goes_in_and_what_comes_out(run):
    beside = RunFolder(run.folder.path).read_json("best.json")
    assert beside["classes"] == ["output_0", "output_1"] and beside["answers"] == "probabilities"
    assert beside["feature_names"] == list(run.feature_names) and beside["missing"] == "error"
    assert beside["estimate"]["metric"] == "log_loss"
    assert beside["versions"] == versions()
    assert sidecar_path(run.folder.path / MODEL_FILE).name == "best.json"


def test_the_sidecar_of_a_folder_stands_beside_it(tmp_path):
    (tmp_path / "served").mkdir()
    assert sidecar_path(tmp_path / "served") == tmp_path / "served.json"


def test_a_trial_whose_weights_are_lost_is_an_error_of_the_run(copy):
    (copy.path / "trials" / "000000" / "weights.npz").unlink()
    store = TrialStore(copy)
    with pytest.raises(RunFolderError, match="weights.npz"):
        store.father(store.read(0))


def test_the_best_trial_alone_may_be_delivered(tmp_path):
    run = trained(tmp_path / "run", problem_of_classes(), [linear_proposal(), mlp_proposal()], True)
    assert list(run.delivery.shares.values()) == [1.0]
    assert set(run.delivery.estimate) == {"metric", "uncorrected"}
    assert open_run(run.folder, best_alone=True).delivery == run.delivery


def test_a_metric_that_only_its_user_has_shows_its_name_and_direction(copy):
    copy.settings = {**copy.settings, "metric": {"name": "profit", "greater_is_better": True}}
    found = objective_of(copy, problem_of_classes().task)
    assert (found.name, found.greater_is_better) == ("profit", True)
    assert found.value_of_loss(0.2) == pytest.approx(0.8)
    with pytest.raises(ParameterError, match="an object of Python, which no run folder can hold"):
        found.value(np.eye(2), [0, 1])


def test_what_a_run_was_scored_by_is_read_from_its_folder(run):
    assert shown_objective(run.folder).name == "log_loss"


# ---- numbers


@pytest.fixture(scope="module")
def numbers(tmp_path_factory) -> Run:
    path = tmp_path_factory.mktemp("runs") / "numbers"
    return trained(path, problem_of_numbers(), [linear_proposal(2), mlp_proposal(2)])


def test_a_run_of_numbers_delivers_their_units(numbers):
    found = predict(numbers.model)
    assert found.shape == (24, 2)
    assert 20 < found[:, 0].mean() < 120 and 0 < found[:, 1].mean() < 0.3
    assert isinstance(open_run(numbers.folder).task, Numbers)


def test_a_run_of_numbers_is_estimated_by_scores_of_numbers(numbers):
    assert numbers.delivery.estimate["metric"] == "r2"
    assert {"rmse", "mae", "spearman"} <= set(numbers.delivery.estimate["also"])
    assert numbers.sidecar()["answers"] == "numbers"


def test_out_of_fold_numbers_are_in_the_units_of_the_targets(numbers):
    found = numbers.out_of_fold()
    assert found.answers.shape == found.targets.shape == (24, 2)
    assert abs(found.answers[:, 0].mean() - found.targets[:, 0].mean()) < 10


# ---- learning curves


def test_learning_curves_have_a_row_for_each_scoring(run):
    table = history_table(run)
    assert tuple(table.columns) == COLUMNS
    assert set(table["member"]) == {0, 1, 2}
    assert table.groupby("member")["kept"].sum().tolist() == [1, 1, 1]
    shares = table.groupby("member")["share"].first()
    assert shares.sum() == pytest.approx(1)

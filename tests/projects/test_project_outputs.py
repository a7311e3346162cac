from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genokeras.errors import NotFittedError, ParameterError, RunFolderError
from genokeras.projects.results import (
    TrainedRecord,
    finish,
    newest,
    score_outputs,
    write_confusion,
    write_latent,
    write_metrics,
    write_predictions,
)
from genokeras.projects.results.outputs import (
    OutputFolder,
    hyper_folder_name,
)
from genokeras.support.files import write_bytes

NOON = datetime(2026, 12, 18, 16, 0, 39)
VALUES = {"n_latent": 128, "n_blocks": 2, "keep_prob": 0.8, "output_nonlinear": None, "learning_rate": 0.1}
RECORD = TrainedRecord(
    model_type="ResNet",
    task="classification",
    parameters={**VALUES, "learning_rate": 0.085},
    classes=("no", "yes"),
    feature_names=("g1", "Ärger"),
    config={"name": "demo"},
    metrics={"accuracy": 0.9, "log_loss": float("nan")},
    seconds=1.5,
)


def trained(save_dir: Path, now: datetime = NOON, record: TrainedRecord = RECORD, **where: str) -> Path:
    """A model whose training finished; the file stands for one of Keras."""
    path = OutputFolder.create(save_dir, "demo", now=now, **where).model_path(0.085, VALUES)
    write_bytes(path, b"model")
    return finish(path, record)


# ---- folders


def test_folders_are_those_of_the_sample_log(tmp_path):
    folder = OutputFolder.create(tmp_path, "demo", now=NOON)
    name = "hyper_lr0.0850015_keep_prob_0.8_n_latent_128_output_nonlinear_None_n_blocks_2"
    assert folder.outputs == tmp_path / "output_files" / "demo" / "1218_160039"
    assert folder.model_path(0.08500150000000001, VALUES) == (
        tmp_path / "models" / "demo" / "1218_160039" / name / "best_model.keras"
    )
    assert folder.outputs.is_dir() and folder.models.is_dir()


def test_a_subfolder_stands_above_models_and_outputs(tmp_path):
    folder = OutputFolder.create(tmp_path, "demo", "enas", NOON)
    assert folder.models == tmp_path / "enas" / "models" / "demo" / "1218_160039"
    assert folder.outputs == tmp_path / "enas" / "output_files" / "demo" / "1218_160039"


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(1e-05, "1e-05"), (0.1, "0.1"), (1 / 3, "0.333333"), (1, "1.0"), (np.float32(0.1), "0.1")],
)
def test_the_learning_rate_is_shown_briefly(rate, shown):
    assert hyper_folder_name(rate, {}) == f"hyper_lr{shown}"


def test_parameters_of_another_kind_follow_in_their_order():
    values = {"width": 3, "keep_prob": 1.0, "path": "a/b"}
    assert hyper_folder_name(0.1, values) == "hyper_lr0.1_keep_prob_1.0_width_3_path_a-b"


def test_runs_of_one_second_take_the_next_that_is_free(tmp_path):
    stamps = [OutputFolder.create(tmp_path, "demo", now=NOON).stamp for _ in range(3)]
    assert stamps == ["1218_160039", "1218_160040", "1218_160041"]


@pytest.mark.parametrize("look", [OutputFolder.create, newest])
def test_a_save_dir_that_is_a_file_or_in_one_is_refused(tmp_path, look):
    file = tmp_path / "file"
    file.write_text("")
    end = r": expected a folder, or a path where one can be made\."
    with pytest.raises(RunFolderError, match=rf"trainer\.save_dir is '{file}', but it is a file{end}"):
        look(file, "demo")
    with pytest.raises(RunFolderError, match=rf"save_dir is '{file}/a/b', but '{file}' is a file{end}"):
        look(file / "a" / "b", "demo")
    assert file.read_text() == ""


def test_a_place_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "models" / "demo").mkdir(parents=True)
    (tmp_path / "models" / "demo" / "1218_160039").write_text("")
    with pytest.raises(RunFolderError, match="cannot write"):
        OutputFolder.create(tmp_path, "demo", now=NOON)


# ---- writing


def test_metrics_are_strict_json(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    metrics = {"accuracy": np.float32(0.5), "auc": float("nan"), "by_class": {"a": np.arange(2)}, "n": 3}
    path = write_metrics(folder, "ResNet", metrics)
    assert path == folder.outputs / "ResNet_metrics.json"
    assert json.loads(path.read_text()) == {"accuracy": 0.5, "auc": None, "by_class": {"a": [0, 1]}, "n": 3}


def test_predictions_hold_the_class_and_all_probabilities(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    chances = np.array([[0.9, 0.1], [0.25, 0.75]], dtype="float32")
    path = write_predictions(folder, "ResNet", ["s1", "s2"], [0, 1], chances, ["no", "yes"], ids_given=False)
    assert path.name == "ResNet_predicted_result_data_frame.csv"
    assert path.read_text().splitlines() == [
        "predicted_result,softmax_value,probability_no,probability_yes",
        'no,"[0.9, 0.1]",0.9,0.1',
        'yes,"[0.25, 0.75]",0.25,0.75',
    ]


def test_sample_ids_come_first_where_they_were_given(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    chances = np.array([[0.2, 0.8]])
    path = write_predictions(folder, "enas", ["Ä, 1"], ["yes"], chances, ["no", "yes"], ids_given=True)
    table = pd.read_csv(path)
    assert list(table)[:2] == ["sample_id", "predicted_result"]
    assert table.loc[0, "sample_id"] == "Ä, 1"
    assert json.loads(table.loc[0, "softmax_value"]) == [0.2, 0.8]


def test_numbers_are_predicted_in_one_column(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    predicted = np.array([[1.1], [-2]], dtype="float32")
    path = write_predictions(folder, "DenseNet", ["a", "b"], predicted, None, ("value",), ids_given=False)
    assert path.read_text() == "predicted_result\n1.1\n-2.0\n"


def test_several_numbers_are_predicted_in_columns_of_their_names(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    predicted = np.array([[1.1, 20], [-2, 30]], dtype="float32")
    path = write_predictions(folder, "DenseNet", ["a", "b"], predicted, None, ("age", "dose"), ids_given=True)
    assert path.read_text() == "sample_id,predicted_age,predicted_dose\na,1.1,20.0\nb,-2.0,30.0\n"


def test_several_numbers_are_scored_together_and_apart():
    y = np.array([[0.0, 10], [1, 20], [2, 30], [3, 40]])
    scores = score_outputs("regression", y, y + np.array([0.5, 0]), ("age", "dose"))
    assert scores["loss"] == pytest.approx(0.125)
    assert scores["r2_age"] == pytest.approx(1 - 0.25 / 1.25)
    assert scores["r2_dose"] == 1
    assert scores["r2"] == pytest.approx((scores["r2_age"] + 1) / 2)


def test_latent_vectors_have_a_column_a_dimension(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    path = write_latent(folder, "VAE", ["a", "b"], np.array([[1, 2], [3, 4.5]]), ids_given=True)
    assert path.name == "VAE_latent_vectors.csv"
    assert path.read_text() == "sample_id,latent_0,latent_1\na,1.0,2.0\nb,3.0,4.5\n"


def test_the_confusion_matrix_has_its_name(tmp_path):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    path = write_confusion(folder, "ResNet", [0, 1], [0, 1], ["no", "yes"], "demo")
    assert path == folder.outputs / "ResNet_confusion_matrix.pdf"
    assert path.read_bytes().startswith(b"%PDF")
    assert list(folder.outputs.iterdir()) == [path]


@pytest.mark.parametrize(
    ("ids", "predicted", "chances", "said"),
    [
        (["a"], [0, 1], np.ones((2, 2)), "one row per sample: expected 1, got 2"),
        (["a", "b"], [0, 1], np.ones((2, 3)), "shape .2, 2.; got .2, 3."),
        (["a", "b"], [0, 2], np.ones((2, 2)), "codes from 0 to 1"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(tmp_path, ids, predicted, chances, said):
    folder = OutputFolder(tmp_path, "demo", "1218_160039")
    with pytest.raises(ParameterError, match=said):
        write_predictions(folder, "ResNet", ids, predicted, chances, ["no", "yes"], ids_given=False)
    assert not folder.outputs.exists()


# ---- trained models


def test_a_record_comes_back_as_it_was_written(tmp_path):
    trained(tmp_path)
    found = newest(tmp_path, "demo")
    assert found.record == dataclasses.replace(RECORD, metrics={"accuracy": 0.9, "log_loss": None})
    assert found.folder == OutputFolder(tmp_path, "demo", "1218_160039")
    assert found.path.read_bytes() == b"model"


def test_the_record_says_its_format_and_the_versions(tmp_path):
    content = json.loads(trained(tmp_path).read_text())
    assert content["format"] == 1 and {"genokeras", "keras", "backend"} <= set(content["versions"])


def test_the_newest_is_the_last_finished_whatever_its_stamp(tmp_path):
    trained(tmp_path, datetime(2026, 12, 31, 23, 59, 59))
    trained(tmp_path, datetime(2027, 1, 1, 0, 0, 1))
    assert newest(tmp_path, "demo").folder.stamp == "0101_000001"


def test_an_unfinished_run_is_passed_over(tmp_path):
    trained(tmp_path)
    path = OutputFolder.create(tmp_path, "demo").model_path(0.1, VALUES)
    path.parent.mkdir()
    path.write_bytes(b"model")
    assert newest(tmp_path, "demo").folder.stamp == "1218_160039"


def test_a_subfolder_is_searched_alone(tmp_path):
    trained(tmp_path, subfolder="enas")
    assert newest(tmp_path, "demo", "enas").folder.subfolder == "enas"
    with pytest.raises(NotFittedError):
        newest(tmp_path, "demo")


def test_models_of_another_type_are_passed_over(tmp_path):
    trained(tmp_path)
    with pytest.raises(NotFittedError, match="a ResNet, not a VAE"):
        newest(tmp_path, "demo", model_type="VAE")


def test_where_nothing_was_trained_the_error_says_where_and_what_to_do(tmp_path):
    trained(tmp_path)
    with pytest.raises(NotFittedError) as caught:
        newest(tmp_path, "Demmo")
    message = str(caught.value)
    assert repr(str(tmp_path / "models" / "Demmo")) in message
    assert "Did you mean 'demo'?" in message and "Call train() first" in message


def test_runs_that_never_finished_are_counted(tmp_path):
    OutputFolder.create(tmp_path, "demo")
    with pytest.raises(NotFittedError, match="There is 1 run, none finished"):
        newest(tmp_path, "demo")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot read '.*trained.json'"),
        ('{"format": 2}', "trained.json' has format 2"),
        ('{"format": 1}', "trained.json lacks model_type"),
    ],
)
def test_a_record_that_cannot_be_used_is_named(tmp_path, content, said):
    trained(tmp_path).write_text(content)
    with pytest.raises(NotFittedError, match=said):
        newest(tmp_path, "demo")


def test_a_record_without_its_model_does_not_count(tmp_path):
    path = trained(tmp_path)
    (path.parent / "best_model.keras").unlink()
    with pytest.raises(NotFittedError, match="no best_model.keras beside it"):
        newest(tmp_path, "demo")


def test_a_model_that_was_not_saved_cannot_be_declared_trained(tmp_path):
    with pytest.raises(RunFolderError, match="save the model before"):
        finish(tmp_path / "best_model.keras", RECORD)

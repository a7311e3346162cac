"""Whole projects: train, evaluate, predict, from files to files; interrupted, repeated, and found again."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

import genokeras as ag
from genokeras.errors import ConfigError, DataError, NotFittedError, TrainingError
from genokeras.projects import announce
from genokeras.projects import training as training_module
from genokeras.projects.arcs import search_steps
from genokeras.projects.candidates import Candidates
from genokeras.projects.checkpoints import Checkpoints
from genokeras.projects.data import load_evaluation
from genokeras.projects.results import score_outputs
from genokeras.report.latent import plot_latent
from tests.projects.conftest import QUICK

MakeProject = Callable[..., dict[str, Any]]

# Networks that differ in dropout alone are compiled once, so it is searched first.
SEARCHED = {"hyper_param_spec": {"args": {"ResNet": {"keep_prob": [0.8, 1.0], "n_latent": [4, 8]}}}}


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    yield
    announce.show_progress(0)


def trained(source: Mapping[str, Any]) -> Any:
    return ag.auto(source, verbose=0).train()


def runs(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "experiments" / "models" / "demo").iterdir())


# ---- from files to files


@pytest.mark.parametrize("model_type", ["ResNet", "DenseNet"])
def test_a_classifier_is_trained_evaluated_and_predicts(trained_project, tmp_path, model_type):
    project, _ = trained_project(model_type)
    metrics, table = project.evaluate(), project.predict()
    assert metrics["validation"]["accuracy"] > 0.7
    assert set(table["predicted_result"]) == {0, 1}
    sums = table[["probability_0", "probability_1"]].sum(axis=1)
    np.testing.assert_allclose(sums, 1.0, atol=1e-5)
    stamp = runs(tmp_path)[0].name
    written = sorted(
        path.name for path in (tmp_path / "experiments" / "output_files" / "demo" / stamp).iterdir()
    )
    assert written == [
        f"{model_type}_{end}"
        for end in ("confusion_matrix.pdf", "metrics.json", "predicted_result_data_frame.csv")
    ]
    assert project.trained.path.parent.name.startswith("hyper_lr0.0")
    assert project.trained.path.parent.name.endswith(
        "_keep_prob_0.8_n_latent_8_output_nonlinear_None_n_blocks_1"
    )


def test_a_number_is_learnt_and_predicted_in_its_own_units(make_project):
    project = trained(
        make_project("ResNet", "numbers", trainer={"hyper_selector": False, "max_steps": 400, "patience": 60})
    )
    metrics, table = project.evaluate(), project.predict()
    assert metrics["validation"]["r2"] > 0.2
    assert list(table.columns) == ["predicted_result"]
    assert 80 < table["predicted_result"].mean() < 350


@pytest.mark.slow
@pytest.mark.parametrize("model_type", ["DenseNet", "VAE"])
def test_several_numbers_are_learnt_scored_predicted_and_explained(make_project, trained_project, model_type):
    sections = {}
    if model_type == "VAE":
        encoder, _ = trained_project("VAE")
        sections["transfer"] = {"from": str(encoder.trained.path.parent), "trainable": False}
    trainer = {"hyper_selector": False, "max_steps": 400, "patience": 60}
    source = make_project(model_type, "two numbers", trainer=trainer, **sections)
    project = trained({**source, "name": "several"})
    metrics, table = project.evaluate(), project.predict()
    assert {"r2", "r2_age", "r2_dose"} < set(metrics["validation"])
    if model_type == "DenseNet":  # three epochs teach an encoder little
        assert metrics["validation"]["r2_dose"] > 0.2
    assert list(table.columns) == ["predicted_age", "predicted_dose"]
    assert table["predicted_age"].mean() > 80 > 2 > table["predicted_dose"].mean()
    assert project.explain().values.shape == (40, 60, 2)
    assert project.explain().output_names == ("age", "dose")


def test_numbers_in_columns_of_another_order_are_scored_by_their_names(make_project, tmp_path):
    project = trained(make_project(labels="two numbers", trainer={"hyper_selector": False}))
    metrics = project.evaluate()
    lines = [line.split("\t")[::-1] for line in (tmp_path / "labels.tsv").read_text().splitlines()]
    (tmp_path / "labels.tsv").write_text("\n".join(map("\t".join, lines)) + "\n")
    assert project.evaluate() == metrics


def test_an_auto_encoder_writes_latent_vectors_and_says_how_well_it_restores(trained_project):
    project, _ = trained_project("VAE")
    metrics, table = project.evaluate(), project.predict()
    assert table.shape == (40, 8)
    assert metrics["reconstruction"] > 0
    record, epoch = project.trained.record, int(project.trained.record.metrics["validation"]["epoch"])
    assert record.extra["best_step"] == record.extra["history"][epoch]["steps"]
    with pytest.raises(DataError, match="predicts nothing that could be explained"):
        project.explain()
    assert -0.2 < metrics["validation"]["explained_variance"] < 1
    folder = project.trained.path.parent
    assert {path.name for path in folder.iterdir()} == {
        "best_model.keras",
        "decoder.keras",
        "encoder.keras",
        "trained.json",
    }


def test_an_auto_encoder_is_drawn_in_the_colours_of_the_labels(trained_project, tmp_path):
    plain, source = trained_project("VAE")
    (tmp_path / "labels.tsv").write_text("tumour\nhealthy\n" * 20)
    source["data_evaluate"] = {"args": {**source["data_evaluate"]["args"], "labels_file": "labels.tsv"}}
    coloured = ag.auto(source, verbose=0)
    picture = plain.trained.folder.outputs / "VAE_latent_evaluated_pca.pdf"
    plain.evaluate()
    without = picture.read_bytes()
    coloured.evaluate()
    latent = coloured.model.predict(load_evaluation(coloured.config).x, verbose=0)
    expected = plot_latent(latent, tmp_path / "expected.pdf", labels=["tumour", "healthy"] * 20)
    assert picture.read_bytes() == expected.read_bytes() != without


@pytest.mark.parametrize("trainable", [False, True])
def test_a_classifier_is_trained_on_what_an_auto_encoder_learnt(make_project, trained_project, trainable):
    encoder, _ = trained_project("VAE")
    source = make_project(
        "VAE", transfer={"from": str(encoder.trained.path.parent), "trainable": trainable}, **QUICK
    )
    project = trained({**source, "name": "transferred"})
    assert project.evaluate()["validation"]["loss"] < 1.0
    assert set(project.predict()["predicted_result"]) == {0, 1}


def test_labels_in_words_come_back_as_words(make_project):
    project = trained(make_project("ResNet", "words", **QUICK))
    table = project.predict()
    assert set(table["predicted_result"]) == {"tumour", "healthy"}
    assert {"probability_tumour", "probability_healthy"} < set(table.columns)
    assert json.loads(table["softmax_value"][0]) == pytest.approx(
        [table["probability_healthy"][0], table["probability_tumour"][0]]
    )


def test_classes_called_like_missing_values_or_padded_numbers_come_back_as_they_are(make_project, tmp_path):
    source = make_project(**QUICK)
    codes = (tmp_path / "labels.tsv").read_text().split()
    (tmp_path / "labels.tsv").write_text("\n".join(["007", "n/a-type"][int(code)] for code in codes) + "\n")
    assert set(trained(source).predict()["predicted_result"]) == {"007", "n/a-type"}


# ---- found again


def test_a_new_project_finds_the_newest_trained_model(trained_project, tmp_path):
    older, source = trained_project()
    weights, folder = older.model.get_weights(), older.trained.folder.models
    newer = trained(source)
    assert runs(tmp_path) == [folder, newer.trained.folder.models]
    # The same data, configuration and seed.
    np.testing.assert_array_equal(weights[-1], newer.model.get_weights()[-1])
    found = ag.auto(source, verbose=0)
    assert found.trained.path == newer.trained.path
    pd.testing.assert_frame_equal(found.predict(), newer.predict())


def test_before_training_there_is_nothing_to_predict_with(make_project):
    with pytest.raises(NotFittedError, match=r"no trained model.*Call train\(\) first"):
        ag.auto(make_project(), verbose=0).predict()


def test_a_model_that_learnt_something_else_is_not_taken(make_project, trained_project):
    trained_project("ResNet")
    with pytest.raises(NotFittedError, match="learnt classification, not regression"):
        ag.auto(make_project("ResNet", "numbers"), verbose=0).predict()


@pytest.mark.slow
def test_the_saved_network_works_where_there_is_no_genokeras(trained_project, tmp_path):
    project, _ = trained_project()
    x = load_evaluation(project.config).x
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys; sys.modules['genokeras'] = None\n"
        "import keras, numpy as np\n"
        f"model = keras.saving.load_model({str(project.trained.path)!r})\n"
        f"np.save({str(tmp_path / 'y.npy')!r}, model.predict(np.load({str(tmp_path / 'x.npy')!r}), verbose=0))\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True)
    expected = project.model.predict(x, verbose=0)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, atol=1e-6)


# ---- evaluation


def test_evaluation_on_the_training_file_reports_the_rows_held_out_apart(trained_project):
    project, _ = trained_project()
    metrics = project.evaluate()
    rows = project.trained.record.extra["validation_rows"]
    data = load_evaluation(project.config, project.trained.record.classes)
    outputs = project.model.predict(data.x[rows], verbose=0)
    assert len(rows) == 10
    assert metrics["validation"] == pytest.approx(
        score_outputs("classification", data.y[rows], outputs), rel=1e-4
    )
    # What training said of them is the same.
    assert metrics["validation"] == pytest.approx(
        dict(project.trained.record.metrics["validation"]), rel=1e-4
    )


def test_a_copy_of_the_training_file_is_recognised_and_a_part_of_it_is_no_claim(
    trained_project, tmp_path, caplog
):
    project, source = trained_project()
    (tmp_path / "copy.tsv").write_text((tmp_path / "features.tsv").read_text())
    source["data_evaluate"] = {"args": {**source["data_evaluate"]["args"], "features_file": "copy.tsv"}}
    assert "validation" in ag.auto(source, verbose=0).evaluate()
    for name in ("features.tsv", "labels.tsv"):
        lines = (tmp_path / name).read_text().splitlines()[:20]
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    with caplog.at_level("INFO", "genokeras.projects"):
        assert "validation" not in project.evaluate()
    assert "not what the model was trained on" in caplog.text


def test_new_samples_are_evaluated_without_a_word_on_training(trained_project, tmp_path):
    project, source = trained_project()
    x = np.loadtxt(tmp_path / "features.tsv", delimiter="\t") + 0.01
    np.savetxt(tmp_path / "new.tsv", x, delimiter="\t", fmt="%.5f")
    source["data_evaluate"] = {"args": {**source["data_evaluate"]["args"], "features_file": "new.tsv"}}
    metrics = ag.auto(source, verbose=0).evaluate()
    assert set(metrics) == {"loss", "accuracy", "balanced_accuracy", "f1_score"}
    written = project.trained.folder.outputs / "ResNet_metrics.json"
    assert json.loads(written.read_text()) == pytest.approx(metrics)


@pytest.mark.parametrize("call", ["evaluate", "predict"])
def test_samples_of_another_width_are_refused_and_nothing_is_written(trained_project, tmp_path, call):
    project, _ = trained_project()
    x = np.loadtxt(tmp_path / "features.tsv", delimiter="\t")[:, :50]
    np.savetxt(tmp_path / "features.tsv", x, delimiter="\t", fmt="%.5f")
    with pytest.raises(DataError, match=r"has 50 features.*was trained on 60"):
        getattr(project, call)()
    assert list(project.trained.folder.outputs.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "line", "expected"),
    [
        ("features.tsv", "\t".join(["nan"] * 60), "60 values are empty or not a number"),
        ("labels.tsv", "2", "class"),
        ("labels.tsv", "1\n0", "40"),
    ],
    ids=["missing cells", "one class too many", "one label too many"],
)
def test_wrong_files_are_one_error_and_nothing_is_written(make_project, tmp_path, file, line, expected):
    source = make_project(**QUICK)
    lines = (tmp_path / file).read_text().splitlines()
    (tmp_path / file).write_text("\n".join([*lines[:-1], line]) + "\n")
    with pytest.raises(DataError, match=expected):
        trained(source)
    assert not (tmp_path / "experiments").exists()


# ---- interrupted


class Counted:
    """Stands in for `Candidates.tried`: counts, and may be interrupted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, until: int | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        original, calls = Candidates.tried, iter(range(10**6))

        def tried(candidates: Candidates, wanted: Any, epochs: int, rate_searched: bool = False) -> Any:
            if until is not None and next(calls) >= until:
                raise KeyboardInterrupt
            self.asked += [dict(values) for values in wanted]
            return original(candidates, wanted, epochs, rate_searched)

        monkeypatch.setattr(Candidates, "tried", tried)


@pytest.mark.slow
def test_a_killed_training_goes_on_with_what_it_had_settled(make_project, tmp_path, monkeypatch):
    source = make_project(**SEARCHED)
    with monkeypatch.context() as patch:
        first = Counted(patch, until=1)
        with pytest.raises(KeyboardInterrupt):
            trained(source)
    second = Counted(monkeypatch)
    project = trained(source)
    settled = project.trained.record.parameters["keep_prob"]
    assert [values["keep_prob"] for values in first.asked] == [0.8, 1.0]
    # Neither the other value nor the one kept, whose score was saved, is tried again.
    assert [(values["keep_prob"], values["n_latent"]) for values in second.asked] == [(settled, 4)]
    assert runs(tmp_path) == [project.trained.folder.models]


@pytest.mark.parametrize("what", ["configuration", "data"])
def test_with_other_data_or_another_configuration_a_new_run_begins(make_project, tmp_path, monkeypatch, what):
    source = make_project(**SEARCHED)
    with monkeypatch.context() as patch:
        Counted(patch, until=1)
        with pytest.raises(KeyboardInterrupt):
            trained(source)
    if what == "data":
        lines = (tmp_path / "features.tsv").read_text().splitlines()
        (tmp_path / "features.tsv").write_text("\n".join([lines[1], lines[0], *lines[2:]]) + "\n")
    else:
        source["trainer"]["patience"] = 5
    second = Counted(monkeypatch, until=1)
    with pytest.raises(KeyboardInterrupt):
        trained(source)
    assert len(runs(tmp_path)) == 2
    assert {values["keep_prob"] for values in second.asked} == {0.8, 1.0}


def test_an_error_in_the_final_training_leaves_no_model_behind(make_project, tmp_path, monkeypatch):
    def fails(*_: Any) -> None:
        raise TrainingError("the loss was never finite")

    source = make_project(**QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(Candidates, "final", fails)
        with pytest.raises(TrainingError):
            trained(source)
    assert [path.name for path in runs(tmp_path)[0].rglob("*")] == ["selection.json"]
    with pytest.raises(NotFittedError, match="1 run, none finished"):
        _ = ag.auto(source, verbose=0).trained


def test_an_error_behind_the_training_leaves_no_model_that_counts(make_project, tmp_path, monkeypatch):
    def fails(*_: Any) -> None:
        raise OSError("no space left on device")

    source = make_project(**QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(training_module, "score_outputs", fails)
        with pytest.raises(OSError, match="no space left"):
            trained(source)
    with pytest.raises(NotFittedError):
        _ = ag.auto(source, verbose=0).trained


def test_data_that_cannot_be_learnt_from_say_so(make_project, tmp_path):
    source = make_project(**QUICK)
    (tmp_path / "features.tsv").write_text("\n".join(["\t".join(["1"] * 60)] * 40) + "\n")
    with pytest.raises(DataError, match="none of 60 features varies over 30 training rows"):
        trained(source)
    assert not (tmp_path / "experiments").exists()


# ---- what is said


def test_the_log_says_what_the_samples_logs_say(make_project, tmp_path, caplog):
    path = tmp_path / "project.json"
    path.write_text(
        json.dumps(make_project(hyper_param_spec={"args": {"ResNet": {"keep_prob": [0.8, 1.0]}}}))
    )
    with caplog.at_level("INFO", "genokeras.projects"):
        project = ag.auto(str(path), verbose=0).train()
        project.evaluate()
        project.predict()
    said = [record.getMessage() for record in caplog.records]
    expected = [
        f"----------Use the config from {path}",
        "----------In Hyper & Training Search stage",
        "Pretraining: search parameter is keep_prob, search value is 0.8",
        "LR_RANGE_TEST From begin_lr 0.000010 To end_lr 0.100000",
        "Chosen parameters:",
        "Running will end at step: 60",
        "[Plateau Metric] step: ",
        f"Saving checkpoints for {project.trained.record.extra['best_step']} into {project.trained.path}.",
        "----------In Evaluation stage",
        f"Restoring parameters from {project.trained.path}",
        "On the 10 held out:",
        "Confusion matrix plot is '",
        "----------In Prediction stage",
        'Predicted values file is "',
    ]
    places = [next((i for i, line in enumerate(said) if text in line), -1) for text in expected]
    assert -1 not in places, [text for text, place in zip(expected, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert any("sample/sec: " in line for line in said)


def test_the_checkpoint_told_of_is_the_one_that_is_kept(make_project, caplog):
    with caplog.at_level("INFO", "genokeras.projects"):
        project = trained(make_project("DenseNet", "words", trainer={"hyper_selector": False, "patience": 2}))
    told = [r.getMessage() for r in caplog.records if r.getMessage().startswith("Saving checkpoints")]
    best = project.trained.record.extra["best_step"]
    assert told[-1] == f"Saving checkpoints for {best} into {project.trained.path}."
    kept = list(project.trained.folder.models.rglob("best_model.keras"))
    assert kept == [project.trained.path]


def test_a_killed_training_leaves_its_best_network(make_project, tmp_path, monkeypatch):
    class Killed(Checkpoints):
        def write(self, *arguments: Any) -> None:
            super().write(*arguments)
            raise KeyboardInterrupt

    monkeypatch.setattr("genokeras.projects.training.Checkpoints", Killed)
    with pytest.raises(KeyboardInterrupt):
        trained(make_project(**QUICK))
    (path,) = (tmp_path / "experiments" / "models").rglob("best_model.keras")
    assert not path.with_name("trained.json").exists()
    assert keras.saving.load_model(path).output_shape == (None, 2)


def test_probabilities_are_as_sure_as_the_rows_held_out_allow(make_project):
    project = trained(make_project(**QUICK))
    held = len(project.trained.record.extra["validation_rows"])
    chances = project.predict()[["probability_0", "probability_1"]].to_numpy()
    assert chances.min() >= 0.5 / (held + 1) - 1e-6
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-5)


ENAS = {
    "child_num_layers": 2,
    "batch_size": 16,
    "max_number_of_epoches_in_search": 2,
    "max_number_of_epoches_in_fixed": 4,
    "max_search_channel": 10,
}


def test_an_enas_project_trains_the_arcs_that_shared_weights_rank_first(make_project, tmp_path, caplog):
    source = make_project()
    source = {key: source[key] for key in ("name", "data_train", "data_evaluate", "data_predict")}
    source["model"] = {"type": "enas", "args": {"output_classes": 2}}
    source["trainer"] = {**ENAS, "save_dir": str(tmp_path / "experiments")}
    with caplog.at_level("INFO", "genokeras.projects"):
        project = trained(source)
    record = project.trained.record
    assert record.extra["n_scored"] == 50 and len(record.extra["candidates"]) == 2
    assert record.parameters["arc"] in record.extra["candidates"]
    place = record.extra["candidates"].index(record.parameters["arc"]) + 1
    assert project.trained.path == project.trained.folder.models / f"{place}_1" / "best_model.keras"
    assert project.trained.folder.models.is_relative_to(tmp_path / "experiments" / "enas" / "models")
    said = [r.getMessage() for r in caplog.records]
    assert any(line.startswith(f"Best arc:{record.parameters['arc']}, eval_acc:") for line in said)
    assert sum(line.startswith("training [") for line in said) == 2
    assert any(
        "2 epochs (max_number_of_epoches_in_search) of 30 training rows are 4 steps" in line for line in said
    )
    assert (
        sum(line.startswith("[VALIDATION METRICS] step: ") for line in said) == 2 * 4
    )  # every epoch of both
    assert any(line.startswith("old: none, new: valid_acc: ") for line in said)
    kept = sorted(path.parent.name for path in project.trained.folder.models.rglob("best_model.keras"))
    assert kept == ["1_1", "2_1"]
    assert project.predict()["predicted_result"].isin([0, 1]).all()


@pytest.mark.parametrize(
    ("rows", "batch", "steps", "enough"),
    [(3200, 64, 500, None), (3201, 64, 501, None), (120, 64, 19, "107 epochs"), (30, 64, 10, "200 epochs")],
)
def test_an_epoch_of_enas_is_a_pass_over_the_training_rows(rows, batch, steps, enough, caplog):
    with caplog.at_level("INFO", "genokeras.projects"):
        assert search_steps(10, rows, batch) == steps
    said = [record.getMessage() for record in caplog.records]
    assert said[-1] == f"Running will end at step: {steps}"
    assert [enough in line for line in said[:-1]] == ([] if enough is None else [True])


@pytest.mark.slow
@pytest.mark.parametrize(("labels", "names"), [("numbers", 1), ("two numbers", 2)])
def test_an_enas_project_predicts_numbers(labels, names, make_project, tmp_path, caplog):
    source = make_project(labels=labels)
    source = {key: source[key] for key in ("name", "model", "data_train", "data_evaluate", "data_predict")}
    source["model"] = {**source["model"], "type": "enas"}
    source["trainer"] = {**ENAS, "loss": "mse", "save_dir": str(tmp_path / "experiments")}
    with caplog.at_level("INFO", "genokeras.projects"):
        project = trained(source)
    assert len([column for column in project.predict() if column.startswith("predicted")]) == names
    assert "rmse" in " ".join(project.evaluate())
    assert any("eval_mse:" in record.getMessage() for record in caplog.records)


def test_an_enas_search_that_was_killed_goes_on_with_the_arcs_it_found(make_project, tmp_path, monkeypatch):
    source = make_project()
    source = {key: source[key] for key in ("name", "data_train")}
    source["model"] = {"type": "enas", "args": {"output_classes": 2}}
    source["trainer"] = {**ENAS, "save_dir": str(tmp_path / "experiments")}

    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("genokeras.projects.training.train_arcs", killed)
        with pytest.raises(KeyboardInterrupt):
            trained(source)
    monkeypatch.setattr("genokeras.projects.training.search_arcs", killed)
    assert trained(source).trained.record.extra["n_scored"] == 50


def test_a_global_precision_does_not_reach_a_project(make_project):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        project = trained(make_project(**QUICK))
        assert {weight.dtype for weight in project.model.weights} == {"float32"}
        assert len(project.predict()) == 40
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_dtype_policy(before)


def test_more_candidates_than_arcs_are_refused(make_project, tmp_path):
    source = make_project()
    source = {key: source[key] for key in ("name", "data_train")}
    source["model"] = {"type": "enas", "args": {"output_classes": 2}}
    with pytest.raises(ConfigError, match="top_k_candidates"):
        ag.auto({**source, "trainer": {"child_num_layers": 1, "top_k_candidates": 6}}, verbose=0).train()

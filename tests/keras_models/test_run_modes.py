"""Training in a folder, resuming, evaluating, predicting, exporting."""

from __future__ import annotations

import csv
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, DataFileError, ParameterError, RunFolderError, TrainingError
from genokeras.keras_models import FinishedTraining, ModelSpec, run
from genokeras.tuning import ParamSpec
from tests.keras_models.any_models import FUNCTIONS, SPEC, blobs, input_fn, model_fn, optimizer_fn, weights
from tests.signals import CTRL_C, ENDS, WARNING, unhandled

__all__ = ["unhandled"]
ROOT = Path(__file__).parents[2]
SHORT: dict[str, Any] = {"batch_size": 16, "max_number_of_steps": 20, "param_spec": SPEC}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> FinishedTraining:
    folder = tmp_path_factory.mktemp("run") / "out"
    return run(*FUNCTIONS, **SHORT, log_dir=folder, export_model="tf_saved_model")


def test_a_training_leaves_its_model_history_and_parameters(done: FinishedTraining) -> None:
    assert done.steps == 20
    assert done.resumed_from == 0
    assert set(done.metrics) == {"loss", "accuracy"}
    with (done.log_dir / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["10", "20"]
    assert float(rows[-1]["loss"]) == pytest.approx(done.metrics["loss"])
    assert json.loads((done.log_dir / "spec.json").read_text())["param_spec"] == SPEC.to_dict()


def test_the_weight_decay_that_nothing_reads_is_the_optimizers(done: FinishedTraining) -> None:
    assert keras.saving.load_model(done.model).optimizer.weight_decay == SPEC.weight_decay


def test_the_export_answers_like_the_model(done: FinishedTraining) -> None:
    tf = pytest.importorskip("tensorflow")
    assert done.export is not None
    serving = tf.saved_model.load(str(done.export.path)).signatures["serving_default"]
    x = blobs(60, seed=1)[0]
    answer = serving(**{done.export.inputs[0]: tf.constant(x)})[done.export.outputs[0]]
    own = run(*FUNCTIONS, run_mode="predict", log_dir=done.log_dir)
    np.testing.assert_allclose(answer.numpy(), own, atol=1e-5)


def test_evaluation_takes_parameters_and_weights_from_the_folder(done: FinishedTraining) -> None:
    found = run(*FUNCTIONS, run_mode="evaluate", log_dir=done.log_dir)
    x, y = blobs(60, seed=1)
    predicted = keras.saving.load_model(done.model).predict(x, verbose=0).argmax(axis=1)
    assert found["accuracy"] == pytest.approx(np.mean(predicted == y))
    assert found["accuracy"] > 0.7


def test_a_checkpoint_can_be_evaluated_and_predicted_with(done: FinishedTraining) -> None:
    options: dict[str, Any] = {"checkpoint_path": done.model}
    here = run(*FUNCTIONS, run_mode="evaluate", log_dir=done.log_dir)
    assert run(*FUNCTIONS, run_mode="evaluate", **options) == pytest.approx(here)
    only_x = (lambda: blobs(60, seed=1)[0], model_fn)
    np.testing.assert_array_equal(
        run(*only_x, run_mode="predict", **options), run(*FUNCTIONS, run_mode="predict", log_dir=done.log_dir)
    )


def test_functions_of_the_log_see_all_rows(done: FinishedTraining) -> None:
    def logged(inputs_spec: Any, run_mode: str) -> ModelSpec:
        info = {
            "rows": lambda y_true, y_pred: len(y_true) + y_pred.shape[1] / 10,
            "hits": keras.metrics.SparseCategoricalAccuracy(),
        }
        return ModelSpec(model_fn(inputs_spec), log_info=info)

    found = run(input_fn, logged, optimizer_fn, run_mode="evaluate", log_dir=done.log_dir)
    assert found["rows"] == pytest.approx(60.3)
    assert found["hits"] == found["accuracy"]


def test_a_model_compiled_by_its_function_keeps_its_loss(tmp_path: Path) -> None:
    def compiled(inputs_spec: Any) -> keras.Model:
        model = model_fn(inputs_spec)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
        return model

    ours = run(*FUNCTIONS, **SHORT, log_dir=tmp_path / "ours")
    theirs = run(input_fn, compiled, optimizer_fn, **SHORT, log_dir=tmp_path / "theirs")
    assert theirs.metrics == pytest.approx(ours.metrics, rel=1e-5)


def test_a_longer_training_continues_to_the_same_weights(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(*FUNCTIONS, **{**SHORT, "max_number_of_steps": 31}, log_dir=whole)
    run(*FUNCTIONS, **SHORT, log_dir=parts)
    assert run(*FUNCTIONS, **{**SHORT, "max_number_of_steps": 31}, log_dir=parts).resumed_from == 20
    for one, other in zip(weights(whole), weights(parts), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.usefixtures("unhandled")
@pytest.mark.parametrize("number", [CTRL_C, WARNING])
def test_an_interrupted_training_goes_on_from_the_very_step(number: signal.Signals, tmp_path: Path) -> None:
    seen = []

    def interrupting(run_mode: str, batch_size: int) -> Iterator[Any]:
        for batch in itertools.cycle([blobs(16)]):
            seen.append(1)
            if len(seen) == 13:
                signal.raise_signal(number)
            yield batch

    options: dict[str, Any] = {**SHORT, "log_dir": tmp_path / "a"}
    with pytest.raises(ENDS[number]):
        run(interrupting, model_fn, optimizer_fn, **options)
    assert run(interrupting, model_fn, optimizer_fn, **options).resumed_from in (11, 12, 13)


@pytest.mark.slow
def test_a_killed_training_ends_at_the_same_weights_as_one_in_peace(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    options: dict[str, Any] = {
        **SHORT,
        "max_number_of_steps": 40,
        "log_every_n_steps": 1,
        "save_every_n_steps": 7,
    }
    run(*FUNCTIONS, **options, log_dir=whole)
    command = [sys.executable, "-m", "tests.keras_models.any_models", str(killed), "40", "0.1"]
    child = subprocess.Popen(command, cwd=ROOT, env=dict(os.environ), stderr=subprocess.DEVNULL)
    try:
        _wait_for(lambda: _rows(killed) > 9, child)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert 0 < run(*FUNCTIONS, **options, log_dir=killed).resumed_from < 40
    for one, other in zip(weights(whole), weights(killed), strict=True):
        np.testing.assert_array_equal(one, other)
    both = [[row[:-1] for row in _history(folder)] for folder in (whole, killed)]
    assert both[0] == both[1]


def _history(folder: Path) -> list[list[str]]:
    with (folder / "history.csv").open() as file:
        return list(csv.reader(file))


def _rows(folder: Path) -> int:
    return (
        len(_history(folder))
        if (folder / "snapshot.npz").exists() and (folder / "history.csv").exists()
        else 0
    )


def _wait_for(happened: Any, child: subprocess.Popen[bytes]) -> None:
    while not happened():
        assert child.poll() is None, "the training ended before it could be killed"
        time.sleep(0.02)


def test_a_generator_may_be_shorter_than_the_training(tmp_path: Path) -> None:
    def pieces(run_mode: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        x, y = blobs(32)
        yield x[:16], y[:16]
        yield x[16:], y[16:]

    assert run(pieces, model_fn, optimizer_fn, **SHORT, log_dir=tmp_path).steps == 20


def test_a_line_of_endless_data_is_the_mean_since_the_line_before(tmp_path: Path) -> None:
    def endless(run_mode: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        zeros = np.zeros(8, "int32")
        for step in itertools.count(
            1
        ):  # the model below is wrong in the first three steps, and right from then on
            yield np.tile(np.eye(2, dtype="float32")[int(step <= 3)], (8, 1)), zeros

    def as_they_are(inputs_spec: Any) -> keras.Model:
        outputs = keras.layers.Dense(2, use_bias=False, kernel_initializer="identity")(inputs_spec)
        return keras.Model(inputs_spec, outputs)

    steps: dict[str, Any] = {"max_number_of_steps": 9, "log_every_n_steps": 3}
    found = run(endless, as_they_are, lambda: keras.optimizers.SGD(0.0), **steps, log_dir=tmp_path)
    head, *rows = _history(tmp_path)
    assert [float(row[head.index("accuracy")]) for row in rows] == [0.0, 1.0, 1.0]
    assert float(rows[-1][head.index("loss")]) == pytest.approx(found.metrics["loss"])


# ---- refused


def test_a_folder_of_other_parameters_is_left_alone(done: FinishedTraining) -> None:
    other = SPEC.replace(momentum=0.5)
    with pytest.raises(RunFolderError, match=r"momentum 0\.9 there, 0\.5 here"):
        run(*FUNCTIONS, **{**SHORT, "param_spec": other}, log_dir=done.log_dir)


def test_a_log_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("", encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"log_dir must be a folder, but '.*notes\.txt' is a file"):
        run(*FUNCTIONS, log_dir=file, max_number_of_steps=1, param_spec=SPEC)


def test_a_folder_without_a_training_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="holds no training"):
        run(*FUNCTIONS, run_mode="evaluate", log_dir=tmp_path)


def test_weights_must_come_from_somewhere() -> None:
    with pytest.raises(ParameterError, match="log_dir or checkpoint_path"):
        run(*FUNCTIONS, run_mode="predict", param_spec=SPEC)


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="there is no file"):
        run(*FUNCTIONS, run_mode="predict", param_spec=SPEC, checkpoint_path=tmp_path / "no.keras")


def test_training_needs_a_folder() -> None:
    with pytest.raises(ParameterError, match="training needs log_dir"):
        run(*FUNCTIONS, param_spec=SPEC)


def test_an_export_that_cannot_be_done_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="torchscript"):
        run(*FUNCTIONS, **SHORT, log_dir=tmp_path, export_model="torchscript")
    with pytest.raises(ParameterError, match="Did you mean 'tf_saved_model'"):
        run(*FUNCTIONS, **SHORT, log_dir=tmp_path, export_model="saved_model")
    assert not list(tmp_path.iterdir())


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path: Path) -> None:
    def broken(run_mode: str) -> tuple[np.ndarray, np.ndarray]:
        return np.full((40, 4), np.nan, dtype="float32"), blobs(40)[1]

    def linear(inputs_spec: Any) -> keras.Model:  # an activation may make a number of NaN
        return keras.Model(inputs_spec, keras.layers.Dense(3)(inputs_spec))

    with pytest.raises(TrainingError, match="the loss is nan at step"):
        run(broken, linear, optimizer_fn, **SHORT, log_dir=tmp_path)
    assert not (tmp_path / "snapshot.npz").exists()


def test_data_that_end_early_say_what_to_do(tmp_path: Path) -> None:
    x, y = blobs(32)
    once = iter([(x[:16], y[:16])] * 4)
    with pytest.raises(DataError, match=r"ended after 4 batches of the 20 needed.*new generator"):
        run(lambda: once, model_fn, optimizer_fn, **SHORT, log_dir=tmp_path)


def test_a_mode_that_does_not_exist() -> None:
    with pytest.raises(ParameterError, match=r"run_mode must be .*Did you mean 'evaluate'.*batch_size"):
        run(*FUNCTIONS, run_mode="evaluat", batch_size=0)


def test_models_of_other_weights_in_other_modes_are_refused(done: FinishedTraining) -> None:
    def changing(inputs_spec: Any, run_mode: str, param_spec: ParamSpec) -> keras.Model:
        if run_mode == "train":
            return model_fn(inputs_spec)
        return keras.Model(inputs_spec, keras.layers.Dense(3)(inputs_spec))

    with pytest.raises(ParameterError, match="same weights in all run modes"):
        run(input_fn, changing, optimizer_fn, run_mode="evaluate", log_dir=done.log_dir)

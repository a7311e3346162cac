"""The trainer around any Keras model: what it keeps, shows, refuses and leaves alone."""

from __future__ import annotations

import logging
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import f1_score, r2_score

from genokeras.errors import DataError, NotFittedError, ParameterError, RunFolderError, TrainingError
from genokeras.keras_models import LightModel
from genokeras.keras_models.recipe import rate_of_epoch
from tests.keras_models.light_on_one_backend import noisy_net, small_problem
from tests.signals import CTRL_C, WARNING, unhandled

__all__ = ["unhandled"]
X, Y = small_problem(64)
PAIR = (X, Y)


def light(optimizer: Any = None, **options: Any) -> LightModel:
    model = LightModel(noisy_net())
    options = {"loss": "sparse_categorical_crossentropy", **options}
    model.compile(optimizer or keras.optimizers.Adam(0.02), **options)
    return model


def fit(model: LightModel, folder: Path, **options: Any) -> Any:
    options = {"valid": PAIR, "epochs": 3, "plot": False, "verbose": 0, "batch_size": 16, **options}
    return model.fit(options.pop("train", PAIR), ckpt_path=folder / "best.keras", **options)


def test_the_history_has_a_row_an_epoch_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    model = light(metrics=["accuracy", f1_score])
    history = fit(model, tmp_path)
    names = ["loss", "accuracy", "f1_score"]
    assert sorted(history) == sorted(
        ["epoch", *names, *(f"val_{name}" for name in names), "learning_rate", "seconds"]
    )
    assert history["epoch"].tolist() == [1, 2, 3]
    assert model.best is not None
    assert model.best.score == history["val_loss"].min()
    scores = model.evaluate(PAIR)
    assert scores["loss"] == pytest.approx(model.best.score, abs=1e-5)
    assert scores["f1_score"] == pytest.approx(history.loc[model.best.epoch - 1, "val_f1_score"])


def test_the_net_is_a_plain_one_that_keras_loads(tmp_path: Path) -> None:
    model = light()
    fit(model, tmp_path, epochs=1)
    assert not model.net.compiled
    loaded = keras.saving.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X), atol=1e-6)


def test_more_epochs_continue_a_finished_training(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole, parts = light(), light()
    fit(whole, tmp_path / "whole", epochs=4)
    fit(parts, tmp_path, epochs=2)
    again = light()
    fit(again, tmp_path, epochs=4)
    assert again.history["loss"].tolist() == whole.history["loss"].tolist()
    assert all(
        np.array_equal(a, b) for a, b in zip(whole.net.get_weights(), again.net.get_weights(), strict=True)
    )


def test_a_finished_training_has_nothing_left_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(light(), tmp_path, epochs=1)
    model = light()
    fit(model, tmp_path, epochs=1, verbose=1)
    assert "already trained for 1 epochs" in " ".join(capsys.readouterr().err.split())
    assert len(model.history) == 1


def test_other_settings_or_data_are_not_resumed(tmp_path: Path) -> None:
    fit(light(), tmp_path, epochs=1)
    with pytest.raises(ParameterError, match="batch_size: 16 there, 8 now.*resume=False"):
        fit(light(), tmp_path, batch_size=8)
    with pytest.raises(ParameterError, match="train: 64 rows"):
        fit(light(), tmp_path, train=(X + 1, Y))
    assert len(fit(light(), tmp_path, epochs=1, batch_size=8, resume=False)) == 1


def test_training_stops_when_patience_ends(tmp_path: Path) -> None:
    frozen = light(keras.optimizers.SGD(0.0))
    history = fit(frozen, tmp_path, epochs=9, patience=1, train=(X, Y), monitor="loss", mode="max")
    assert len(history) < 9


@pytest.mark.usefixtures("unhandled")
@pytest.mark.parametrize("number", [CTRL_C, WARNING])
def test_an_interrupt_keeps_the_best_and_can_be_resumed(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupting(epoch: int) -> float:
        if epoch == 2 and not len(asked):
            asked.append(epoch)
            signal.raise_signal(number)
        return 0.01

    asked: list[int] = []
    model = light(schedule=interrupting)
    assert len(fit(model, tmp_path, epochs=4, verbose=1)) == 2
    assert "call fit again to continue" in " ".join(capsys.readouterr().err.split())
    assert model.best is not None and model.interrupted
    again = light(schedule=interrupting)
    assert len(fit(again, tmp_path, epochs=4)) == 4 and not again.interrupted


def test_a_loss_that_is_not_finite_is_an_error_with_its_time_and_the_best_is_kept(tmp_path: Path) -> None:
    # The rate of the second epoch ruins the weights at once.
    model = light(keras.optimizers.SGD(0.1), schedule=lambda epoch: 0.1 if epoch == 0 else 1e30)
    with pytest.raises(TrainingError, match="became nan in epoch 2.*best so far is kept: epoch 1"):
        fit(model, tmp_path)
    assert np.isfinite(model.predict(X)).all()


def test_weights_that_are_not_finite_are_an_error_though_the_loss_is(tmp_path: Path) -> None:
    # A layer whose answer never reaches the loss, as a ReLU hides what NaN made of the weights before it.
    inputs = keras.Input((X.shape[1],))
    hidden = keras.layers.Dense(4, name="hidden")(inputs)
    seen = keras.ops.where(keras.ops.isfinite(hidden), hidden, 0.0)
    net = keras.Model(inputs, keras.layers.Dense(1)(seen))
    model = LightModel(net)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    lacking = np.where(np.arange(len(X))[:, None] == 0, np.nan, X).astype("float32")
    target = Y.reshape(len(X), -1)[:, :1].astype("float32")
    with pytest.raises(
        TrainingError, match="weights of 'hidden/kernel' became NaN or infinite in epoch 1.*NaN in the data"
    ):
        model.fit((lacking, target), epochs=3, monitor="loss", ckpt_path=tmp_path / "net.keras", verbose=0)


@pytest.mark.parametrize("labels", [np.array(["ill", "well"] * 20), np.array(["ill"] * 40, dtype=object)])
def test_labels_of_text_are_refused(labels: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="y holds text .'ill'.* and a loss reads numbers"):
        light().fit(
            (np.zeros((40, X.shape[1]), "float32"), labels), ckpt_path=str(tmp_path / "net.keras"), verbose=0
        )


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch: 0.1 / (epoch + 1), [0.1, 0.05, 0.1 / 3]),
        ("cosine", [0.02, 0.015, 0.005]),
        (keras.optimizers.schedules.PiecewiseConstantDecay([3], [0.5, 0.25]), [0.25, 0.25, 0.25]),
    ],
)
def test_schedules_set_the_rate(schedule: Any, rates: list[float], tmp_path: Path) -> None:
    np.testing.assert_allclose(fit(light(schedule=schedule), tmp_path)["learning_rate"], rates, rtol=1e-5)


@pytest.mark.parametrize("returned", [None, "fast", True, -1.0])
def test_a_schedule_that_returns_no_rate_is_refused(returned: Any, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"the learning rate that the schedule returns for epoch 0.*got"):
        fit(light(schedule=lambda epoch: returned), tmp_path)


@pytest.mark.parametrize(("waited", "rate"), [(0, 0.1), (1, 0.1), (2, 0.05), (3, 0.1), (4, 0.05)])
def test_a_plateau_halves_the_rate_whenever_half_the_patience_is_over(waited: int, rate: float) -> None:
    found = rate_of_epoch("plateau", epoch=5, epochs=9, first=0.4, current=0.1, waited=waited, patience=4)
    assert found == rate


def test_gradients_are_accumulated(tmp_path: Path) -> None:
    # One step in an epoch of four batches is one with all rows, without noise in the net.
    def weights(folder: str, accumulate: int, batch_size: int) -> list[np.ndarray]:
        keras.utils.set_random_seed(0)
        model = LightModel(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))
        model.compile(keras.optimizers.SGD(0.1), "mse", accumulate=accumulate)
        (tmp_path / folder).mkdir()
        fit(model, tmp_path / folder, epochs=1, batch_size=batch_size)
        return list(model.net.get_weights())

    for one, other in zip(weights("a", 4, 16), weights("b", 1, 64), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_curves_are_drawn_beside_the_checkpoint(tmp_path: Path) -> None:
    fit(light(metrics=["accuracy"]), tmp_path, epochs=2, plot=True)
    assert {path.name for path in tmp_path.glob("*.png")} == {"best_loss.png", "best_accuracy.png"}


def test_the_log_has_the_time_of_day_and_fits_into_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(light(metrics=["accuracy", f1_score]), tmp_path, epochs=1, verbose=1)
    lines = capsys.readouterr().err.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0][2] == lines[0][5] == ":"
    assert "epoch 1/1  loss" in lines[0]


def test_generators_and_datasets_train_too(tmp_path: Path) -> None:
    def batches() -> Iterator[Any]:
        return ((X[i : i + 16], Y[i : i + 16]) for i in range(0, 64, 16))

    assert len(fit(light(), tmp_path, train=batches, valid=batches)) == 3


def test_a_generator_that_ends_early_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="train ended after 1 batches.*function without arguments"):
        fit(light(), tmp_path, train=iter([PAIR]))


def test_regression_metrics_see_the_outputs(tmp_path: Path) -> None:
    model = LightModel(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)]))
    model.compile("adam", "mse", metrics={"r2": r2_score})
    history = fit(model, tmp_path, epochs=1, valid=(X, X[:, :1]), train=(X, X[:, :1]))
    assert model.evaluate((X, X[:, :1]))["r2"] == pytest.approx(history["val_r2"].iloc[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": "val_los"}, "monitor must be one of .*got 'val_los'. Did you mean 'val_loss'"),
        ({"valid": None}, "needs validation data.*monitor='loss'"),
        ({"mode": "mim"}, "mode must be one of auto, min, max.*Did you mean 'min'"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"train": (X, Y[:5])}, "x: 64; y: 5"),
    ],
)
def test_what_cannot_be_trained_is_refused(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((ParameterError, DataError), match=message):
        fit(light(), tmp_path, **options)


def test_a_checkpoint_that_cannot_be_written_is_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.keras").mkdir()
    model = light()
    before = model.net.get_weights()
    for name, why in (("file/best.keras", "Not a directory|File exists"), ("folder.keras", "it is a folder")):
        with pytest.raises(RunFolderError, match=f"cannot write .*({why}). Give a ckpt_path"):
            model.fit(PAIR, PAIR, epochs=1, ckpt_path=tmp_path / name, plot=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.net.get_weights(), strict=True))


def test_a_disk_that_refuses_the_first_checkpoint_is_named(tmp_path: Path) -> None:
    def spoil(true: Any, predicted: Any) -> float:
        shutil.rmtree(tmp_path / "kept")
        (tmp_path / "kept").touch()
        return 0.0

    with pytest.raises(RunFolderError, match="cannot write"):
        light(metrics=[spoil]).fit(
            PAIR, epochs=1, ckpt_path=tmp_path / "kept" / "a.keras", monitor="loss", plot=False, verbose=0
        )


def test_a_net_without_trainable_weights_is_refused(tmp_path: Path) -> None:
    model = light()
    model.net.trainable = False
    with pytest.raises(ParameterError, match="no trainable weights"):
        fit(model, tmp_path)


def test_it_has_to_be_compiled(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError, match="not compiled"):
        fit(LightModel(noisy_net()), tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": None}, "loss must be given"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"accumulate": 0}, "accumulate must be"),
        ({"metrics": [3]}, "a metric is a name"),
        ({"metrics": "accuracy"}, "metrics must be a list"),
        (
            {"metrics": ["acuracy"]},
            "Keras has no metric that the name 'acuracy' gives. Did you mean 'accuracy'",
        ),
        ({"metrics": {"mine": "acuracy"}}, "no metric that the name 'acuracy'"),
        ({"loss": "binary_crosentropy"}, "Keras has no loss .* Did you mean 'binary_crossentropy'"),
        ({"loss": ["mse", "msee"]}, "Keras has no loss that the name 'msee' gives"),
        ({"loss": {"a": "msee"}}, "Keras has no loss that the name 'msee' gives"),
        ({"optimizer": "adamm"}, "optimizer must be"),
    ],
)
def test_what_cannot_be_compiled_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        LightModel(noisy_net()).compile(**{"loss": "mse", **options})


@pytest.mark.parametrize("loss", ["ce", "crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize("metric", ["acc", "accuracy", "ce", "crossentropy", "SparseCategoricalAccuracy"])
def test_names_whose_meaning_depends_on_the_shapes_are_no_mistakes(loss: str, metric: str) -> None:
    found = light(loss=loss, metrics=[metric]).evaluate(PAIR)
    assert found[metric] == pytest.approx(found["loss"], rel=1e-5) if metric[0] == "c" else metric in found


def test_several_devices_need_a_backend_that_can() -> None:
    if keras.backend.backend() == "jax":
        pytest.skip("JAX can")
    devices = keras.distribution.DataParallel.__new__(keras.distribution.DataParallel)
    with pytest.raises(ParameterError, match="with JAX only"):
        LightModel(noisy_net(), distribution=devices)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow's advice")
def test_many_models_are_trained_without_advice_on_retracing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("tensorflow")
    caplog.set_level(logging.WARNING, logger="tensorflow")
    propagates, logger.propagate = logger.propagate, True
    try:
        for _ in range(7):
            model = light()
            fit(model, tmp_path, epochs=1)
            model.predict(X)
        assert "retracing" not in caplog.text
        logger.warning("something triggered tf.function retracing")
        assert "retracing" in caplog.text  # what others say is still said
    finally:
        logger.propagate = propagates

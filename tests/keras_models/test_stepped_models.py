"""A subclass that says itself what a step computes, and the calls around it: Trainer, checkpoints, summary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import genokeras as gk
from genokeras.errors import NotFittedError, ParameterError
from tests.keras_models.light_on_one_backend import small_problem

X, Y = small_problem(64)
PAIR = (X, Y[:, None].astype("float32"))


class Model(gk.LightModel):
    rate: Any = "cosine"

    def shared_step(self, batch: Any) -> dict[str, Any]:
        x, y = batch
        found = self(x)
        loss = keras.ops.mean(keras.losses.binary_crossentropy(y, found))
        return {"loss": loss, "acc": keras.ops.mean(keras.ops.cast((found > 0.5) == (y > 0.5), "float32"))}

    def configure_optimizers(self) -> dict[str, Any]:
        return {"optimizer": keras.optimizers.Adam(0.05), "lr_scheduler": self.rate}


def net() -> keras.Model:
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dense(1, "sigmoid")]
    )


def trainer(folder: Path, epochs: int = 2, **options: Any) -> gk.Trainer:
    return gk.Trainer(max_epochs=epochs, default_root_dir=folder, batch_size=16, verbose=0, **options)


def test_a_step_and_its_optimizer_train_the_net(tmp_path: Path) -> None:
    model, light = Model(net()), trainer(tmp_path, 4)
    history = light.fit(model, PAIR, PAIR)
    assert {"loss", "acc", "val_loss", "val_acc"} < set(history)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["learning_rate"].iloc[-1] < 0.05  # the schedule is followed
    checkpoint = light.checkpoint_callback
    assert checkpoint.best_model_score == pytest.approx(history["val_loss"].min())
    assert Path(checkpoint.best_model_path).is_file()
    found = light.test(model, PAIR, verbose=False)
    assert found[0]["test_loss"] == pytest.approx(checkpoint.best_model_score, abs=1e-6)
    again = Model.load_from_checkpoint(checkpoint.best_model_path)
    assert light.test(again, PAIR, verbose=False)[0] == pytest.approx(found[0], abs=1e-6)
    np.testing.assert_allclose(again.predict(X), keras.ops.convert_to_numpy(model(X)), atol=1e-6)


def test_a_stopped_training_continues_to_the_same_weights(tmp_path: Path) -> None:
    whole, part, rest = Model(net()), Model(net()), Model(net())
    for model in (whole, part, rest):
        model.rate = None
    trainer(tmp_path / "whole", 3).fit(whole, PAIR, PAIR)
    light = trainer(tmp_path / "part", 1)
    light.fit(part, PAIR, PAIR)
    path = light.checkpoint_callback.best_model_path
    trainer(tmp_path, 3, resume_from_checkpoint=path).fit(rest, PAIR, PAIR)
    assert rest.history["loss"].tolist() == whole.history["loss"].tolist()
    with pytest.raises(ParameterError, match="no other.keras.resume beside"):
        trainer(tmp_path, resume_from_checkpoint=tmp_path / "other.keras").fit(rest, PAIR, PAIR)


@pytest.mark.parametrize(("keep", "files"), [(1, 1), (2, 3), (-1, 4)])
def test_the_best_epochs_are_kept(keep: int, files: int, tmp_path: Path) -> None:
    checkpoint = gk.ModelCheckpoint(save_top_k=keep, dirpath=tmp_path)
    trainer(tmp_path, 3, callbacks=[checkpoint]).fit(Model(net()), PAIR, PAIR)
    assert len(list(tmp_path.glob("*.keras"))) == files


def test_without_validation_rows_the_loss_is_monitored(tmp_path: Path) -> None:
    light = trainer(tmp_path, 1)
    history = light.fit(Model(net()), PAIR)
    assert light.checkpoint_callback.best_model_score == history["loss"].iloc[0]


def test_what_nobody_would_call_is_refused() -> None:
    with pytest.raises(
        ParameterError, match="Hooked defines training_step, on_epoch_end, which nobody calls"
    ):
        type("Hooked", (gk.LightModel,), {"training_step": len, "on_epoch_end": len})
    with pytest.raises(ParameterError, match="leave out compile, or shared_step"):
        Model(net()).compile("adam", "mse")
    with pytest.raises(
        ParameterError, match="mixed_precision and distribution are for models that are compiled"
    ):
        Model(net(), mixed_precision="bfloat16")


class WithoutOptimizer(gk.LightModel):
    def shared_step(self, batch: Any) -> Any:
        return {"acc": 1.0}


class OddName(gk.LightModel):
    def shared_step(self, batch: Any) -> Any:
        return {"loss": 1.0, "epoch": 1.0}

    def configure_optimizers(self) -> Any:
        return keras.optimizers.Adam()


class WithoutLoss(WithoutOptimizer):
    configured: Any = "adam"

    def configure_optimizers(self) -> Any:
        return keras.optimizers.Adam() if self.configured == "adam" else self.configured


@pytest.mark.parametrize(
    ("model", "configured", "message"),
    [
        (WithoutOptimizer, None, "needs configure_optimizers too"),
        (OddName, None, "numbers of shared_step .*'epoch' is a column of its own"),
        (WithoutLoss, "adam", 'must return a dict with "loss".*got a dict of acc'),
        (WithoutLoss, {"optimiser": 1}, "must return an optimizer, or .*got 'optimiser'"),
        (WithoutLoss, 0.1, "an optimizer of keras.optimizers, or of torch.optim.*got float"),
        (
            WithoutLoss,
            {"optimizer": keras.optimizers.SGD(), "lr_scheduler": 3},
            "lr_scheduler must be one of 'cosine'",
        ),
    ],
)
def test_a_step_that_cannot_train_is_an_error(
    model: Any, configured: Any, message: str, tmp_path: Path
) -> None:
    made = model(net())
    made.configured = configured
    with pytest.raises(ParameterError, match=message):
        trainer(tmp_path).fit(made, PAIR)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gpus": 64}, "gpus=64 asks for GPU .* Pass gpus=0"),
        ({"gpus": "63"}, "asks for GPU 63"),
        ({"gpus": "one"}, "gpus must be a number of GPUs"),
        ({"devices": 2}, "asks for several devices, but a Trainer trains on one"),
        ({"tpus": 1}, "TPUs are not supported"),
        (
            {"callbacks": [keras.callbacks.EarlyStopping()]},
            "one genokeras.ModelCheckpoint, got EarlyStopping",
        ),
        ({"epochs": 0}, "max_epochs must be"),
    ],
)
def test_a_trainer_refuses_what_is_not_there(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        trainer(tmp_path, **options)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            keras.Sequential([keras.layers.Dense(1)]),
            r"a bare net \(Sequential\): wrap it, model = gk.LightModel\(net\)",
        ),
        (Model, r"got the class Model: pass an instance, Model\(net\)"),
        (None, "must be a LightModel, got NoneType"),
    ],
)
def test_a_trainer_says_what_a_model_is(model: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        trainer(tmp_path).fit(model, PAIR, PAIR)
    with pytest.raises(ParameterError, match=message):
        trainer(tmp_path).test(model, PAIR)


def test_checkpoints_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="there is no checkpoint"):
        Model.load_from_checkpoint(tmp_path / "best.keras")
    with pytest.raises(ParameterError, match="save_top_k"):
        gk.ModelCheckpoint(save_top_k=0)


def test_a_summary_lists_the_layers(capsys: pytest.CaptureFixture[str]) -> None:
    gk.summary(Model(net()), input_shape=(4,))
    assert "batch_normalization" in capsys.readouterr().out
    with pytest.raises(ParameterError, match="reads rows of shape \\(4,\\), got input_shape=\\(5,\\)"):
        gk.summary(net(), (5,))
    with pytest.raises(NotFittedError, match="pass input_shape="):
        gk.summary(keras.Sequential([keras.layers.Dense(1)]))


@pytest.mark.parametrize("metric", ["accuracy", "binary_accuracy", keras.metrics.BinaryAccuracy()])
def test_a_metric_keeps_the_name_that_it_was_given(metric: Any, tmp_path: Path) -> None:
    model = gk.LightModel(net())
    model.compile("adam", "binary_crossentropy", metrics={"acc": metric})
    history = model.fit(PAIR, PAIR, epochs=1, ckpt_path=tmp_path / "best.keras", plot=False, verbose=0)
    assert {"acc", "val_acc"} < set(history)
    right = ((model.predict(X) > 0.5) == (Y[:, None] > 0.5)).mean()
    assert history["val_acc"].iloc[0] == pytest.approx(right)


@pytest.mark.parametrize(
    ("target", "outputs"),
    [(Y, 2), (np.eye(2, dtype="float32")[Y], 2), (PAIR[1], 1)],
    ids=["sparse", "one-hot", "binary"],
)
def test_a_renamed_accuracy_is_the_one_of_the_shapes(target: Any, outputs: int) -> None:
    model = gk.LightModel(keras.Sequential([keras.Input((4,)), keras.layers.Dense(outputs, "sigmoid")]))
    losses = {2: "sparse_categorical_crossentropy" if target.ndim == 1 else "categorical_crossentropy"}
    model.compile("adam", losses.get(outputs, "binary_crossentropy"), metrics={"mine": "acc"})
    given = gk.LightModel(model.net)
    given.compile("adam", losses.get(outputs, "binary_crossentropy"), metrics=["accuracy"])
    assert model.evaluate((X, target))["mine"] == pytest.approx(given.evaluate((X, target))["accuracy"])

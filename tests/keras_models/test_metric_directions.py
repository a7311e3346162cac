"""Which epoch is the best: the one with the lowest or with the highest value of what is monitored."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, f1_score, matthews_corrcoef, mean_absolute_error

from genokeras.errors import ParameterError
from genokeras.keras_models import LightModel, ModelCheckpoint
from genokeras.keras_models.metric_directions import monitored_mode
from genokeras.keras_models.recipe import make_recipe

X = np.random.default_rng(0).standard_normal((64, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.mark.parametrize(
    ("metrics", "monitor", "mode"),
    [
        (None, "val_loss", "min"),
        (None, "loss", "min"),
        (["accuracy"], "val_accuracy", "max"),
        (["acc", "mse"], "val_mse", "min"),
        ([keras.metrics.AUC(name="area")], "val_area", "max"),
        ([keras.metrics.F1Score(name="f")], "f", "max"),
        ([keras.metrics.R2Score(name="explained")], "val_explained", "max"),
        ([keras.metrics.MeanSquaredError(name="accuracy_like")], "accuracy_like", "min"),
        ([keras.metrics.FalsePositives(name="fp")], "val_fp", "min"),
        ({"right": "accuracy"}, "val_right", "max"),
        ({"right": "binary_accuracy"}, "val_right", "max"),
        ([f1_score], "val_f1_score", "max"),
        ({"mine": partial(f1_score, average="macro")}, "val_mine", "max"),
        ({"mine": matthews_corrcoef}, "val_mine", "max"),
        ([brier_score_loss], "val_brier_score_loss", "min"),
        ({"mine": mean_absolute_error}, "val_mine", "min"),
        ({"mine": lambda true, found: 1.0}, "val_mine", "min"),
        ({"precision_at_ten": lambda true, found: 1.0}, "val_precision_at_ten", "max"),
    ],
)
def test_the_direction_is_that_of_the_metric_or_its_name(metrics: Any, monitor: str, mode: str) -> None:
    recipe = make_recipe("adam", "mse", metrics, None, 1)
    assert monitored_mode(monitor, "auto", recipe) == mode
    assert [monitored_mode(monitor, said, recipe) for said in ("min", "max")] == ["min", "max"]


def test_a_metric_of_an_output_has_its_direction() -> None:
    metrics = {"c": [keras.metrics.AUC(name="area")], "r": ["mae"]}
    recipe = make_recipe("adam", "mse", metrics, None, 1, ("c", "r"))
    assert monitored_mode("val_c_area", "auto", recipe) == "max"
    assert monitored_mode("val_r_mae", "auto", recipe) == "min"


def test_the_most_accurate_epoch_is_kept_and_the_log_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keras.utils.set_random_seed(0)
    model = LightModel(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")]))
    model.compile(keras.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(
        (X, Y), (X, Y), epochs=3, monitor="val_accuracy", ckpt_path=tmp_path / "best.keras", plot=False
    )
    assert history["val_accuracy"].nunique() > 1
    assert model.best is not None
    assert model.best.score == history["val_accuracy"].max()
    assert "with the highest val_accuracy" in " ".join(capsys.readouterr().err.split())


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ParameterError, match="mode must be one of auto, min, max"):
        monitored_mode("val_loss", "highest", make_recipe("adam", "mse", None, None, 1))
    assert ModelCheckpoint().mode == "auto"

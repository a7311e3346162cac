"""Nets with several outputs: which metrics belong to which, and how they are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.metrics import r2_score

from genokeras.errors import ParameterError
from genokeras.keras_models import LightModel

X = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")
TARGETS = {"r": X[:, :1] * 0 + 5, "c": (X[:, :1] > 0).astype("float32")}


def two_outputs(as_list: bool = False) -> keras.Model:
    inputs = keras.Input((3,))
    outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("c", "r")]
    return keras.Model(inputs, outputs if as_list else dict(zip(("c", "r"), outputs, strict=True)))


def compiled(metrics: Any, as_list: bool = False) -> LightModel:
    model = LightModel(two_outputs(as_list))
    model.compile("adam", {"c": "mse", "r": "mse"}, metrics=metrics)
    return model


@pytest.mark.parametrize("metrics", [{"c": "mae", "r": "mse"}, {"c": ["mae"], "r": ["mse"]}, ["mae", "mse"]])
def test_a_metric_of_an_output_is_called_by_both(metrics: Any, tmp_path: Path) -> None:
    model = compiled(metrics)
    history = model.fit(
        (X, TARGETS), epochs=1, monitor="loss", ckpt_path=tmp_path / "a.keras", plot=False, verbose=0
    )
    assert {"c_mae", "r_mse"} < set(history)
    found, outputs = model.evaluate((X, TARGETS)), model.predict(X)
    assert found["c_mae"] == pytest.approx(np.abs(outputs["c"] - TARGETS["c"]).mean(), rel=1e-4)
    assert found["r_mse"] == pytest.approx(((outputs["r"] - TARGETS["r"]) ** 2).mean(), rel=1e-4)


def test_outputs_in_a_list_have_the_names_of_their_layers() -> None:
    found = compiled({"r": "mae"}, as_list=True).evaluate((X, [TARGETS["c"], TARGETS["r"]]))
    assert "r_mae" in found and "c_mae" not in found


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (
            ["mae"],
            r"which output each belongs to, as the net has 2 outputs \(c, r\): pass metrics=\{'c': \['mae'\]",
        ),
        ({"mine": "mae"}, r"2 outputs \(c, r\), but 'mine' is none of them"),
        ({"c": ["mae", r2_score]}, "output 'c' must be a metric of Keras .* needs a net of one output"),
        ({"c": ["maee"]}, "Keras has no metric that the name 'maee' gives"),
    ],
)
def test_metrics_that_belong_to_no_output_are_refused(metrics: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        compiled(metrics)

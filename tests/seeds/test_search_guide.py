"""The digits case of the search guide, in its order and with its names: search, train, export for TensorFlow Serving."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import genokeras as mox
from genokeras.errors import ParameterError

STEPS = 30


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    return (images / 16).astype("float32"), np.eye(10, dtype="float32")[labels]


def optimizer_fn(**kwargs: Any) -> Any:
    """get the optimizer"""
    param_spec = kwargs["param_spec"]
    learning_rate = param_spec.learning_rate
    opt = mox.get_optimizer_fn(name="momentum", learning_rate=learning_rate, momentum=param_spec.momentum)()
    return opt


def input_fn(run_mode: str, **kwargs: Any) -> Any:
    return digits()


def model_fn(inputs_spec: Any, run_mode: str, **kwargs: Any) -> mox.ModelSpec:
    x = inputs_spec
    y = keras.layers.Dense(10, kernel_initializer="zeros")(x)
    cross_entropy = keras.losses.CategoricalCrossentropy(from_logits=True)
    export_spec = mox.ExportSpec(inputs_dict={"images": x}, outputs_dict={"logits": y}, version=1)
    return mox.ModelSpec(
        keras.Model(x, y),
        loss=cross_entropy,
        log_info={"accuracy": keras.metrics.CategoricalAccuracy()},
        export_spec=export_spec,
    )


@pytest.mark.slow
def test_the_guide_s_own_case(tmp_path: Path) -> None:
    start_time = time.time()
    param_spec = mox.ParamSpec(weight_decay=1e-4, momentum=0.9, learning_rate=0.1)
    param_list_spec = mox.ParamSpec(weight_decay=[1e-2, 1e-3, 1e-4], momentum=[0.99, 0.95, 0.9])
    param_spec = mox.search(
        input_fn=input_fn,
        batch_size=50,
        model_fn=model_fn,
        optimizer_fn=optimizer_fn,
        auto_batch=False,
        select_by_eval=False,
        model_size=mox.ModelSize.SMALL,
        total_steps=STEPS,
        evaluation_total_steps=10,
        param_spec=param_spec,
        param_list_spec=param_list_spec,
    )
    assert time.time() > start_time
    assert param_spec.weight_decay in (1e-2, 1e-3, 1e-4) and param_spec.momentum in (0.99, 0.95, 0.9)
    finished = mox.run(
        input_fn=input_fn,
        model_fn=model_fn,
        optimizer_fn=optimizer_fn,
        run_mode=mox.ModeKeys.TRAIN,
        batch_size=50,
        auto_batch=False,
        log_dir=tmp_path / "out",
        max_number_of_steps=200,
        log_every_n_steps=10,
        export_model=mox.ExportKeys.TF_SERVING if keras.backend.backend() != "torch" else "keras",
        param_spec=param_spec,
    )
    assert finished.metrics["accuracy"] > 0.8
    if keras.backend.backend() == "torch":
        return
    assert finished.export.path == tmp_path / "out" / "export" / "1"
    assert (finished.export.path / "saved_model.pb").is_file()
    assert (finished.export.inputs, finished.export.outputs) == (("images",), ("logits",))
    found = mox.run(input_fn, model_fn, optimizer_fn, run_mode=mox.ModeKeys.EVAL, log_dir=tmp_path / "out")
    assert found["accuracy"] > 0.8


@pytest.mark.slow
def test_a_trained_checkpoint_is_searched_from_at_a_rate_that_still_trains(tmp_path: Path) -> None:
    spec = mox.ParamSpec(weight_decay=0.0, momentum=0.9, learning_rate=0.1)
    functions = (input_fn, model_fn, optimizer_fn)
    mox.run(*functions, log_dir=tmp_path / "out", max_number_of_steps=800, param_spec=spec)
    found = mox.search(*functions, total_steps=STEPS, checkpoint_path=tmp_path / "out", param_spec=spec)
    assert found.learning_rate > 1e-3, found.report()


def pair() -> tuple[Any, Any]:
    x = keras.Input((4,))
    return x, keras.layers.Dense(2)(x)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: mox.ExportSpec({}, {"y": 1}), "inputs_dict must be a dict of names and tensors"),
        (
            lambda: mox.ExportSpec({"x": 1}, {"y": 1}, "../model"),
            "version must be a whole number, or the name",
        ),
        (lambda: mox.get_optimizer_fn("momentun"), "Did you mean 'momentum'"),
        (lambda: mox.get_optimizer_fn("adam", momentum=0.9), "momentum"),
        (
            lambda: mox.ModelSpec(keras.Model(*pair()), export_spec="logits"),
            "export_spec must be an ExportSpec, got str",
        ),
    ],
)
def test_a_wrong_name_is_an_error(made: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        made()


def test_an_export_spec_has_to_name_every_tensor() -> None:
    x, y = pair()
    with pytest.raises(ParameterError, match="outputs_dict must name each of the 1 outputs.*got 'logits'"):
        mox.ExportSpec({"images": x}, {"logits": x}).names_in(keras.Model(x, y))
    subclassed = type("Own", (keras.Model,), {})()
    with pytest.raises(ParameterError, match="needs a model that knows its inputs"):
        mox.ExportSpec({"images": x}, {"logits": y}).names_in(subclassed)

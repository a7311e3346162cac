"""Mixed precision is a matter of the training: what is kept computes in the precision of its own."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from genokeras.keras_models import LightModel

L = keras.layers
X = np.random.default_rng(0).standard_normal((64, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_checkpoints_predict_as_the_net_does(precision: str, tmp_path: Path) -> None:
    inputs = keras.Input((4,))
    inner = keras.Sequential([L.Dense(8, "relu"), L.Dense(8, "relu", dtype="mixed_float16")])
    net = keras.Model(inputs, L.Dense(1, "sigmoid")(inner(inputs)))
    model = LightModel(net, mixed_precision=precision)
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    model.fit(
        (X, Y), (X, Y), epochs=2, save_top_k=2, ckpt_path=tmp_path / "best.keras", plot=False, verbose=0
    )
    assert model.best is not None
    for name in ("best.keras", f"best-epoch={model.best.epoch:02d}.keras"):
        loaded = keras.saving.load_model(tmp_path / name)
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), net.predict(X, verbose=0))
        policies = [layer.dtype_policy.name for layer in (*loaded.layers[1].layers, loaded.layers[2])]
        assert policies == ["float32", "mixed_float16", "float32"]

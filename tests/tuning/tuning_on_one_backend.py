"""Run under one Keras backend by ``test_range_test_models.py``: ``python -m tests.tuning.tuning_on_one_backend OUT.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np

from genokeras.keras_models import lr_range_test


def small_problem() -> tuple[np.ndarray, np.ndarray]:
    """Two classes apart along a line: x (64, 4), y (64,)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 4)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int32")


def small_model(optimizer: object = "adam", units: int = 8) -> keras.Model:
    """4 - units - 2, with dropout, so that there is a state of random numbers."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(units, "relu"), layers.Dropout(0.1), layers.Dense(2, "softmax")]
    )
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def state(model: keras.Model) -> list[np.ndarray]:
    """Copies of all variables, the optimizer's too."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def main(path: str) -> None:
    """Write the suggestion, and whether the model came back as it was."""
    x, y = small_problem()
    model = small_model()
    model.train_on_batch(x, y)
    before = state(model)
    test = lr_range_test(model, x, y, steps=25, batch_size=16, last=1.0)
    same = all(np.array_equal(a, b) for a, b in zip(before, state(model), strict=True))
    logits = model.train_on_batch(x, y)[0]
    other = lr_range_test(model, x, y, loss=keras.losses.SparseCategoricalCrossentropy(), steps=10)
    found = {
        "backend": keras.backend.backend(),
        "same": same,
        "suggestion": test.suggestion,
        "raw": test.raw.tolist(),
        "trains_on": float(logits),
        "shell": other.suggestion,
    }
    Path(path).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])

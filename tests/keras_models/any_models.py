"""A small problem for the tests of search and run, and a training that is killed.

``python -m tests.keras_models.any_models FOLDER STEPS PAUSE``
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.keras_models import run
from genokeras.tuning import ParamSpec

SPEC = ParamSpec(weight_decay=1e-4, momentum=0.9, learning_rate=0.1)
LISTS = ParamSpec(weight_decay=[1e-2, 1e-4], momentum=[0.95, 0.5])


def blobs(n: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes around three centres: x (n, 4), y (n,)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=n)
    centres = np.array([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0]])
    return (centres[y] + rng.standard_normal((n, 4))).astype("float32"), y


def input_fn(run_mode: str, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    return blobs() if run_mode == "train" else blobs(60, seed=1)


def model_fn(inputs_spec: Any) -> keras.Model:
    hidden = keras.layers.Dropout(0.1)(keras.layers.Dense(8, "relu")(inputs_spec))
    return keras.Model(inputs_spec, keras.layers.Dense(3)(hidden))


def optimizer_fn(param_spec: ParamSpec) -> keras.optimizers.Optimizer:
    return keras.optimizers.SGD(param_spec.learning_rate, momentum=param_spec.momentum)


FUNCTIONS = (input_fn, model_fn, optimizer_fn)


def weights(path: Path) -> list[np.ndarray]:
    """Of the model in a log folder."""
    return list(keras.saving.load_model(path / "model.keras").get_weights())


def slow_training(folder: Path, steps: int, pause: float) -> None:
    """A training that takes its time over every step, so that it can be killed in the middle."""

    def log(line: str) -> None:
        time.sleep(pause)

    run(
        *FUNCTIONS,
        batch_size=16,
        log_dir=folder,
        max_number_of_steps=steps,
        log_every_n_steps=1,
        save_every_n_steps=7,
        param_spec=SPEC,
        log=log,
    )


if __name__ == "__main__":
    slow_training(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

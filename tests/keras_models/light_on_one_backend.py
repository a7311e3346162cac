"""Run under one Keras backend by ``test_light_backends.py``: ``python -m tests.keras_models.light_on_one_backend FOLDER [KILL_AT]``."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genokeras.keras_models import LightModel
from tests.processes import optimise_less


def small_problem(rows: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """Two classes apart along a line: x (rows, 4), y (rows,)."""
    x = np.random.default_rng(0).standard_normal((rows, 4)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("int32")


def noisy_net(seed: int = 1) -> keras.Model:
    """4 - 8 - 2, with dropout and batch normalisation, so that there is more state than weights."""
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, "relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Dense(2, "softmax"),
        ]
    )


class Items(keras.utils.PyDataset):
    """Six batches of sixteen rows; ends the process when the `kill_at`-th is asked for."""

    def __init__(self, kill_at: int | None) -> None:
        super().__init__()
        self._asked = 0
        self._kill_at = kill_at

    @property
    def num_batches(self) -> int:
        return 6

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self._asked += 1
        if self._asked == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        x, y = small_problem()
        return x[16 * index : 16 * index + 16], y[16 * index : 16 * index + 16]


def trained(folder: Path, kill_at: int | None = None, **options: Any) -> LightModel:
    """Four epochs of six steps, with a snapshot behind every step."""
    model = LightModel(noisy_net(), **options)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", ["accuracy"], accumulate=2)
    x, y = small_problem()
    model.fit(
        Items(kill_at) if not options.get("distribution") else (x, y),
        (x[:48], y[:48]),
        epochs=4,
        ckpt_path=folder / "best.keras",
        batch_size=16,
        plot=False,
        verbose=0,
        snapshot_seconds=0,
    )
    return model


def table(model: LightModel) -> dict[str, list[float]]:
    """The history, but for the time it took."""
    found: dict[str, list[float]] = model.history.drop(columns="seconds").to_dict("list")
    return found


def main(folder: str, kill_at: int | None) -> None:
    """Without `kill_at`: go on with what was killed, train another net without a break, and compare."""
    first = trained(Path(folder), kill_at)
    other = trained(Path(folder) / "other")
    pairs = zip(first.net.get_weights(), other.net.get_weights(), strict=True)
    found = {
        "backend": keras.backend.backend(),
        "weights": all(np.array_equal(a, b) for a, b in pairs),
        "history": table(first) == table(other),
        "scores": first.evaluate(small_problem()),
    }
    for precision in ("bfloat16", "float16"):
        mixed = trained(Path(folder) / precision, mixed_precision=precision)
        found[precision] = mixed.history["loss"].tolist()
        found[f"{precision} policies"] = sorted({layer.dtype_policy.name for layer in mixed.net.layers})
    if keras.backend.backend() == "jax":
        data = keras.distribution.DataParallel()
        spread = trained(Path(folder) / "spread", distribution=data)
        found["devices"] = len(keras.distribution.list_devices())
        found["spread"] = spread.history["loss"].tolist()
    Path(folder, "found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    optimise_less()
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)

"""Two rings of points classified by a net of 2-6-12-1 units: wrap it, train it, take the shell off.

    python examples/two_rings.py runs/two_rings

Writes the best net and its learning curves into the folder, and loads the net again in a process that knows Keras, but not
GenoKeras. Run it twice: the second time there is nothing left to train.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

import genokeras as gk

LOAD = """
import sys
import keras, numpy as np
net = keras.saving.load_model(sys.argv[1])
assert "genokeras" not in sys.modules
outputs = net.predict(np.array([[5.0, 0.0], [0.0, 8.0]], dtype="float32"), verbose=0)
print(f"Keras alone: {outputs[0, 0]:.2f} on the inner ring, {outputs[1, 0]:.2f} on the outer one")
"""


def two_rings(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (rows, 2) around circles of radius 5 (label 1) and 8 (label 0), one unit of noise, in random order."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, rows)
    radius = np.where(label == 1, 5.0, 8.0) + rng.standard_normal(rows)
    angle = 2 * np.pi * rng.random(rows)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return x.astype("float32"), label.astype("float32")[:, None]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("two_rings"))
    parser.add_argument("--epochs", type=int, default=15)
    arguments = parser.parse_args()

    x, y = two_rings(4000, seed=0)
    train, valid = (x[:2800], y[:2800]), (x[2800:], y[2800:])
    keras.utils.set_random_seed(123)
    net = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(6, "relu"),
            keras.layers.Dense(12, "relu"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )

    model = gk.LightModel(net)
    model.compile(
        keras.optimizers.Adam(0.02),
        "binary_crossentropy",
        metrics=["accuracy", f1_score, roc_auc_score],
        schedule="cosine",
    )
    path = arguments.folder / "best.keras"
    history = model.fit(train, valid, epochs=arguments.epochs, ckpt_path=path, batch_size=100)
    print(history.round(3).to_string(index=False))
    scores = model.evaluate(valid)
    print("validation:", ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))

    plain = model.net  # the shell is off
    assert type(plain) is keras.Sequential and not plain.compiled
    subprocess.run([sys.executable, "-c", LOAD, str(path)], check=True)


if __name__ == "__main__":
    main()

"""Classic AutoKeras' modules on the handwritten digits of scikit-learn: a search, a final fit, a plain Keras model.

    python examples/classic_modules.py runs/modules

A perceptron reads rows of 64 pixels, a convolutional network images of 8 x 8; the latter's data come batch by batch, as a loader
gives them. Both train on 900 digits, are chosen by 300, and scored on 597 that no search has seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
from sklearn.datasets import load_digits

import genokeras as gk

Arrays = tuple[np.ndarray, np.ndarray]


def batches(data: Arrays, size: int = 100) -> Iterator[Arrays]:
    """A custom loader."""
    x, y = data
    return ((x[start : start + size], y[start : start + size]) for start in range(0, len(x), size))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("classic_modules"))
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=15, help="of a trial at most")
    arguments = parser.parse_args()

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    order = np.random.default_rng(0).permutation(len(x))
    parts = [(x[rows], y[rows]) for rows in np.split(order, [900, 1200])]
    train, test, fresh = parts
    searcher_args = {"max_trials": arguments.trials, "trainer_args": {"max_iter_num": arguments.epochs}}

    mlp = gk.MlpModule(
        loss=gk.classification_loss,
        metric=gk.Accuracy,
        searcher_args=searcher_args,
        path=arguments.folder / "mlp",
        random_state=0,
    )
    mlp.fit(10, train[0].shape, train, test, time_limit=60)
    print(f"MlpModule: {mlp.best_model.describe()}, {mlp.evaluate(fresh)['accuracy']:.3f} right")

    images = [(x.reshape(-1, 8, 8, 1), y) for x, y in parts]
    cnn = gk.CnnModule(
        loss="categorical_crossentropy",
        metric="accuracy",
        searcher_args=searcher_args,
        path=arguments.folder / "cnn",
        random_state=0,
    )
    cnn.fit(10, (8, 8, 1), lambda: batches(images[0]), lambda: batches(images[1]), time_limit=60)
    print(f"CnnModule: {cnn.best_model.describe()}, {cnn.evaluate(images[2])['accuracy']:.3f} right")
    for record in cnn.load_searcher().history:
        print(f"  model {record['model_id']}: {record['metric_value']:.3f}  {record['graph']}")

    both = tuple(np.concatenate(pair) for pair in zip(images[0], images[1], strict=True))
    cnn.final_fit(both, images[2], retrain=True, trainer_args={"max_iter_num": arguments.epochs})
    print(f"CnnModule, final fit on {len(both[0])}: {cnn.final_evaluation_}")

    model = keras.saving.load_model(cnn.export_keras_model(arguments.folder / "digits.keras"))
    right = (model.predict(images[2][0], verbose=0).argmax(axis=1) == images[2][1]).mean()
    print(f"Keras alone: {right:.3f} right")


if __name__ == "__main__":
    main()

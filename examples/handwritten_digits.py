"""Softmax regression on handwritten digits: search its learning rate, weight decay and momentum, then train and export it.

    python examples/handwritten_digits.py                       the 1,797 digits of scikit-learn, 8 x 8
    python examples/handwritten_digits.py --data FOLDER         the idx files of MNIST in a folder, 28 x 28

FOLDER holds pairs like ``train-images-idx3-ubyte.gz`` and ``train-labels-idx1-ubyte.gz``; with one pair alone a sixth of it is
held out. The trained model lands in ``--out``, and for TensorFlow Serving in its folder ``export``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

import genokeras as gk
from genokeras.data.readers.idx import read_idx

Arrays = tuple[np.ndarray, np.ndarray]


def read_data(folder: Path | None) -> tuple[Arrays, Arrays]:
    """Images as rows of values from 0 to 1 with their digits: those to train with, and those held out."""
    if folder is None:
        images, labels = load_digits(return_X_y=True)
        return halves(images / 16, labels)
    names = sorted(folder.glob("*images-idx3-ubyte*"))
    if not names:
        raise SystemExit(f"{folder} holds no files like train-images-idx3-ubyte.gz")
    pairs = [(read_idx(name), read_idx(labels_of(name))) for name in names]
    flat = [(images.reshape(len(images), -1) / 255, labels) for images, labels in pairs]
    if len(flat) == 1:
        return halves(*flat[0])
    return max(flat, key=lambda pair: len(pair[0])), min(flat, key=lambda pair: len(pair[0]))


def labels_of(images: Path) -> Path:
    """The file with the labels of a file with images."""
    return images.with_name(images.name.replace("images-idx3", "labels-idx1"))


def halves(images: np.ndarray, labels: np.ndarray) -> tuple[Arrays, Arrays]:
    """Five sixths and a sixth, in an order of chance."""
    order = np.random.default_rng(0).permutation(len(images))
    held = len(images) // 6
    return (images[order[held:]], labels[order[held:]]), (images[order[:held]], labels[order[:held]])


def model_fn(inputs_spec: Any) -> keras.Model:
    """One dense layer, of logits."""
    return keras.Model(inputs_spec, keras.layers.Dense(10, name="logits")(inputs_spec))


def optimizer_fn(param_spec: gk.ParamSpec) -> keras.optimizers.Optimizer:
    """Gradient descent with momentum; the weight decay, which is not read here, is set by gk.search and gk.run."""
    return keras.optimizers.SGD(param_spec.learning_rate, momentum=param_spec.momentum)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with MNIST's idx files")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/handwritten_digits"), help="where the model goes"
    )
    parser.add_argument("--steps", type=int, default=1000, help="of the training")
    arguments = parser.parse_args()
    train, held_out = read_data(arguments.data)

    def input_fn(run_mode: str) -> Arrays:
        return train if run_mode == "train" else held_out

    spec = gk.ParamSpec(weight_decay=1e-4, momentum=0.9, learning_rate=0.1)
    lists = gk.ParamSpec(weight_decay=[1e-2, 1e-3, 1e-4], momentum=[0.99, 0.95, 0.9])
    functions = input_fn, model_fn, optimizer_fn

    started = time.perf_counter()
    best = gk.search(
        *functions,
        batch_size=50,
        total_steps=100,
        evaluation_total_steps=10,
        param_spec=spec,
        param_list_spec=lists,
    )
    print(
        f"Best lr {best.learning_rate:f}, Best weight_decay {best.weight_decay:f}, Best momentum {best.momentum:f}, "
        f"searchtime {time.perf_counter() - started:f} s"
    )
    print(best.report())

    trained = gk.run(
        *functions,
        batch_size=50,
        log_dir=arguments.out,
        max_number_of_steps=arguments.steps,
        export_model="tf_saved_model" if keras.backend.backend() != "torch" else "torchscript",
        param_spec=best,
    )
    found = gk.run(*functions, run_mode="evaluate", log_dir=arguments.out)
    print(
        f"trained for {trained.steps} steps; held out: accuracy {found['accuracy']:.4f}, loss {found['loss']:.4f}"
    )
    print(f"model: {trained.model}; export: {trained.export.path}")


if __name__ == "__main__":
    main()

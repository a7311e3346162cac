"""Is the learning rate that a search finds as good as a grid's? ``python -m benchmarks.search_vs_grid [digits] [golub] [rings]``

Per data set and seed: ``gk.search`` with its defaults, then ``gk.run``, against all cells of the grid weight decay x momentum x
learning rate, each trained for the same number of steps from the same initial weights on the same batches. The grid is as
thrifty as plain Keras allows: nine compiled models, whose weights and optimizers are reset between the learning rates.
Accuracies are those of the held-out third, which both sides choose by; the grid's cell is the best on average over the seeds,
so that it has the luck of the best of 63.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from benchmarks.speed.machine import describe_machine
from genokeras import ParamSpec, load_dataset
from genokeras.keras_models import run, search
from genokeras.streams import Batches

START = ParamSpec(weight_decay=1e-4, momentum=0.9, learning_rate=0.1)
LISTS = ParamSpec(weight_decay=[1e-2, 1e-3, 1e-4], momentum=[0.99, 0.95, 0.9])
RATES = np.geomspace(1e-3, 1.0, 7)
BATCH = 50
Split = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Layers = Callable[[], list[keras.Layer]]


@dataclass(frozen=True)
class Problem:
    """Data, and the layers of the model for it."""

    x: np.ndarray
    y: np.ndarray
    layers: Layers
    standardise: bool = False

    def split(self, seed: int) -> Split:
        """Rows to train with and rows held out: x, x, y, y."""
        held = train_test_split(self.x, self.y, test_size=1 / 3, stratify=self.y, random_state=seed)
        train, valid, y_train, y_valid = held
        if self.standardise:
            mean, sd = train.mean(axis=0), train.std(axis=0) + 1e-6
            train, valid = (train - mean) / sd, (valid - mean) / sd
        return train.astype("float32"), valid.astype("float32"), y_train, y_valid


def digits() -> Problem:
    """Softmax regression on 1,797 digits of 8 x 8."""
    x, y = load_digits(return_X_y=True)
    return Problem(x / 16, y, lambda: [keras.layers.Dense(10)])


def golub() -> Problem:
    """Softmax regression on 72 leukemias."""
    data = load_dataset("examples/data/golub_leukemia.tsv.gz", "label")
    codes = np.unique(np.asarray(data.y), return_inverse=True)[1]
    return Problem(
        np.asarray(data.x), codes, lambda: [keras.layers.Dense(len(np.unique(codes)))], standardise=True
    )


def rings() -> Problem:
    """4,000 points in two rings, 2-6-12-1."""
    rng = np.random.default_rng(0)
    radius = np.concatenate([5 + rng.normal(0, 1, 2000), 8 + rng.normal(0, 1, 2000)])
    angle = rng.uniform(0, 2 * np.pi, 4000)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    dense = keras.layers.Dense
    return Problem(
        x, np.repeat([1, 0], 2000), lambda: [dense(6, "relu"), dense(12, "relu"), dense(1, "sigmoid")]
    )


PROBLEMS = {"digits": digits, "golub": golub, "rings": rings}


def searched(problem: Problem, split: Split, steps: int, seed: int) -> tuple[float, float, ParamSpec]:
    """Held-out accuracy, seconds, and what was chosen."""
    train, valid, y_train, y_valid = split

    def input_fn(run_mode: str) -> tuple[np.ndarray, np.ndarray]:
        return (train, y_train) if run_mode == "train" else (valid, y_valid)

    def model_fn(inputs_spec: Any) -> keras.Model:
        outputs = inputs_spec
        for layer in problem.layers():
            outputs = layer(outputs)
        return keras.Model(inputs_spec, outputs)

    def optimizer_fn(param_spec: ParamSpec) -> keras.optimizers.Optimizer:
        return keras.optimizers.SGD(
            param_spec.learning_rate, momentum=param_spec.momentum, weight_decay=param_spec.weight_decay
        )

    functions = (input_fn, model_fn, optimizer_fn)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        best = search(*functions, batch_size=BATCH, param_spec=START, param_list_spec=LISTS, seed=seed)
        run(
            *functions,
            batch_size=BATCH,
            log_dir=folder,
            max_number_of_steps=steps,
            param_spec=best,
            seed=seed,
        )
        seconds = time.perf_counter() - started
        found = run(*functions, run_mode="evaluate", batch_size=BATCH, log_dir=folder)
    return found["accuracy"], seconds, best


def gridded(problem: Problem, split: Split, steps: int, seed: int) -> tuple[np.ndarray, float]:
    """Held-out accuracies (decays, momenta, rates), and seconds."""
    started = time.perf_counter()
    shape = len(LISTS.weight_decay), len(LISTS.momentum), len(RATES)
    found = np.zeros(shape)
    for i, j in itertools.product(range(shape[0]), range(shape[1])):
        optimizer = keras.optimizers.SGD(0.1, momentum=LISTS.momentum[j], weight_decay=LISTS.weight_decay[i])
        found[i, j] = _rates(problem, split, optimizer, steps, seed)
    return found, time.perf_counter() - started


def _rates(
    problem: Problem, split: Split, optimizer: keras.optimizers.Optimizer, steps: int, seed: int
) -> list[float]:
    """Accuracy for every learning rate, with one compiled model."""
    train, valid, y_train, y_valid = split
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input(train.shape[1:]), *problem.layers()])
    several = model.output_shape[-1] > 1
    losses = keras.losses
    loss = losses.SparseCategoricalCrossentropy(from_logits=True) if several else losses.BinaryCrossentropy()
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    start = [np.array(variable) for variable in variables]
    # The order in which gk.run reads them, and above its initial weights: the cells differ in their parameters alone.
    batches = Batches(train, y_train, batch_size=BATCH, shuffle=True, seed=seed, whole_only=True)
    found = []
    for rate in RATES:
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        optimizer.learning_rate = float(rate)
        for _, _, (x, y, _), _ in itertools.islice(batches.endless(), steps):
            model.train_on_batch(x, y)
        found.append(float(model.test_on_batch(valid, y_valid, return_dict=True)["accuracy"]))
    return found


def report(name: str, steps: int, seeds: Sequence[int]) -> None:
    """One line of the table, and what was chosen."""
    problem = PROBLEMS[name]()
    ours, grid, chosen = [], [], []
    for seed in seeds:
        split = problem.split(seed)
        accuracy, seconds, best = searched(problem, split, steps, seed)
        ours.append((accuracy, seconds))
        chosen.append(f"{best.weight_decay:g}/{best.momentum:g}/{best.learning_rate:.3g}")
        grid.append(gridded(problem, split, steps, seed))
    cells = np.mean([accuracies for accuracies, _ in grid], axis=0)
    at = np.unravel_index(np.argmax(cells), cells.shape)
    cell = f"{LISTS.weight_decay[at[0]]:g}/{LISTS.momentum[at[1]]:g}/{RATES[at[2]]:.3g}"
    accuracy, seconds = np.mean(ours, axis=0)
    grid_seconds = float(np.mean([taken for _, taken in grid]))
    print(
        f"| {name} | {accuracy:.4f} | {cells.max():.4f} | {100 * (accuracy - cells.max()):+.1f} | {seconds:.1f} | "
        f"{grid_seconds:.1f} | {seconds / grid_seconds:.2f} | {', '.join(chosen)} | {cell} | {np.median(cells):.4f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", choices=[*PROBLEMS, []], help="default: all")
    parser.add_argument("--steps", type=int, default=300, help="of a cell, and of gk.run")
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print(describe_machine())
    print(
        "| data | search and run: accuracy | best cell | difference in points | seconds | grid: seconds | ratio | "
        "chosen: decay/momentum/rate | the grid's | median cell |\n" + "|---" * 10 + "|"
    )
    for name in arguments.sets or PROBLEMS:
        report(name, arguments.steps, range(arguments.seeds))


if __name__ == "__main__":
    main()

"""Single-cell scale: memory, accuracy and rows a second on a sparse matrix of counts, every side in a process of its own."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace

import keras
import numpy as np
from scipy import sparse
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from genokeras import GenomeClassifier
from genokeras.data import choose_folds
from genokeras.engine.training_options import scaled_training
from genokeras.features import fit_views
from genokeras.graph import Graph, mlp
from genokeras.networks import initial_weights
from genokeras.training import PackedTask, PackedTrainer, TrainingSettings

TYPES, UNITS, FRESH = 10, 64, 10_000
MEMBERS = (1, 4, 8)
_CELLS_AT_ONCE, _BATCH, _EPOCHS, _ROUNDS = 2_000, 2_048, 5, 2


def main(arguments: argparse.Namespace) -> None:
    """Print what ``fit`` needs and reaches, then both sides of the race and their ratio."""
    fitted, linear = _worker("fit", arguments), _worker("sgd", arguments)
    print(
        f"{arguments.cells} cells x {arguments.genes} genes, {100 * fitted['density']:.1f} % not zero, {TYPES} types\n"
        f"fit: {fitted['seconds']:.0f} s of {arguments.seconds:.0f}, {fitted['trials']:.0f} trials, "
        f"peak {fitted['peak']:.0f} MiB above the imports ({fitted['imports']:.0f} MiB), the matrix included\n"
        f"accuracy on {FRESH} fresh cells: {fitted['accuracy']:.4f}, SGD logistic regression {linear['accuracy']:.4f}"
    )
    # In turns, because a neighbour may slow one side down; the best of each counts.
    rounds = [(_worker("packed", arguments), _worker("plain", arguments)) for _ in range(_ROUNDS)]
    plain = max(other["rows"] for _, other in rounds)
    for members in MEMBERS:
        rate = max(ours[f"rows_{members}"] for ours, _ in rounds)
        print(
            f"packed epochs, {members} members: {rate:,.0f} member-rows/s, {rate / plain:.2f} x plain Keras"
        )
    quiet = max(ours["unscored"] for ours, _ in rounds)
    print(f"packed epochs, 1 member, without scorings: {quiet:,.0f} rows/s")
    print(f"plain Keras fit, {UNITS} units on the dense matrix: {plain:,.0f} rows/s")


def _worker(side: str, arguments: argparse.Namespace) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.speed.cells", side]
    command += [str(arguments.cells), str(arguments.genes), str(arguments.seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=dict(os.environ))
    return dict(json.loads(done.stdout.splitlines()[-1]))


# ---- the data


def cells(n: int, genes: int, seed: int) -> tuple[sparse.csr_matrix, np.ndarray]:
    """``(n, genes)`` log-normalised gamma-Poisson counts, about one in ten not zero, and cell types ``(n,)``."""
    fixed = np.random.default_rng(0)
    base = fixed.gamma(0.4, 0.45, size=genes)
    change = np.exp(0.6 * fixed.standard_normal((TYPES, genes)) * (fixed.random((TYPES, genes)) < 0.1))
    rng = np.random.default_rng([1, seed])
    types = rng.integers(TYPES, size=n)
    parts = list(_blocks(types, base * change, rng))
    return sparse.csr_matrix(sparse.vstack(parts, format="csr")), types


def _blocks(types: np.ndarray, means: np.ndarray, rng: np.random.Generator) -> Iterator[sparse.csr_matrix]:
    for start in range(0, len(types), _CELLS_AT_ONCE):
        mean = means[types[start : start + _CELLS_AT_ONCE]]
        depth = rng.lognormal(0, 0.3, size=(len(mean), 1))
        counts = rng.poisson(depth * mean * rng.gamma(2.0, 0.5, size=mean.shape))
        total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
        yield sparse.csr_matrix(np.log1p(100.0 * counts / total).astype("float32"))


# ---- the sides, each in its own process


def fit_side(n: int, genes: int, seconds: float) -> dict[str, float]:
    imports = _peak()
    x, types = cells(n, genes, seed=0)
    density = x.nnz / (n * genes)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        clf = GenomeClassifier(
            f"{folder}/run", time_limit=seconds, folds=None, random_state=0, verbose=0
        ).fit(x, types)
        taken, peak = time.perf_counter() - started, _peak() - imports
        accuracy = clf.score(*cells(FRESH, genes, seed=1))
    found = {"accuracy": accuracy, "seconds": taken, "trials": clf.n_trials_, "density": density}
    return {**found, "peak": peak, "imports": imports}


def sgd_side(n: int, genes: int, _: float) -> dict[str, float]:
    model = make_pipeline(StandardScaler(with_mean=False), SGDClassifier(loss="log_loss", random_state=0))
    model.fit(*cells(n, genes, seed=0))
    return {"accuracy": model.score(*cells(FRESH, genes, seed=1))}


def packed_side(n: int, genes: int, _: float) -> dict[str, float]:
    x, types = cells(n, genes, seed=0)
    train, held_out = _one_hold_out(types)
    view = fit_views(("all",), x, types, train)["all"]
    steps = _EPOCHS * -(-int(train.sum()) // _BATCH)
    whole = TrainingSettings(max_steps=steps, patience=steps, batch_size=_BATCH)
    scored = scaled_training(whole, train, held_out, steps_given=True)
    found = {f"rows_{members}": _packed_rate(view.z, types, train[0], members, scored) for members in MEMBERS}
    unscored = replace(whole, score_every=steps)
    return {**found, "unscored": _packed_rate(view.z, types, train[0], 1, unscored)}


def _packed_rate(
    z: np.ndarray, types: np.ndarray, train: np.ndarray, members: int, settings: TrainingSettings
) -> float:
    """Member-rows a second of a run that need not compile any more, scorings included."""
    graph: Graph = mlp(TYPES, (UNITS,), normalise=False, linear_path=False)
    weights = np.stack([train / train.sum()] * members)
    task = PackedTask(
        graph=graph,
        activation="relu",
        inputs=z,
        targets=np.eye(TYPES, dtype="float32")[types],
        train_weights=weights,
        score_weights=np.stack([~train / (~train).sum()] * members),
        trial_of_member=np.arange(members),
        learning_rate=np.full(members, 0.003),
        weight_decay=np.full(members, 0.1),
        dropout=np.full(members, 0.2),
        input_rank=np.full(members, z.shape[2]),
        weights=initial_weights(graph, z.shape[2], members, np.random.default_rng(0)),
        seed=0,
    )
    trainer = PackedTrainer(settings)
    trainer.run(task)
    started = time.perf_counter()
    steps = trainer.run(task).steps
    return members * steps * settings.batch_size / (time.perf_counter() - started)


def plain_side(n: int, genes: int, _: float) -> dict[str, float]:
    x, types = cells(n, genes, seed=0)
    train = _one_hold_out(types)[0][0]
    dense, codes = x[train].toarray(), types[train]
    layers = [keras.layers.Dense(UNITS, "relu"), keras.layers.Dropout(0.2), keras.layers.Dense(TYPES)]
    model = keras.Sequential([keras.Input((genes,)), *layers])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(0.003), loss)
    model.fit(dense, codes, batch_size=_BATCH, epochs=1, verbose=0)
    started = time.perf_counter()
    model.fit(dense, codes, batch_size=_BATCH, epochs=_EPOCHS, verbose=0)
    return {"rows": _EPOCHS * len(codes) / (time.perf_counter() - started)}


def _one_hold_out(types: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Training and held-out rows, ``(1, n)`` each."""
    folds = choose_folds(len(types), types, None, None, seed=0)
    return folds.train[:1], folds.held_out[:1]


def _peak() -> float:
    """MiB that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


SIDES = {"fit": fit_side, "sgd": sgd_side, "packed": packed_side, "plain": plain_side}

if __name__ == "__main__":
    side, n_cells, n_genes, limit = sys.argv[1:]
    print(json.dumps(SIDES[side](int(n_cells), int(n_genes), float(limit))))

"""Seconds a training step: row space against the full space, same packed network, 100 x 23,361."""

from __future__ import annotations

import argparse
import time

import numpy as np

from genokeras.features import fit_views, standardisation
from genokeras.graph import get_father
from genokeras.networks import initial_weights
from genokeras.training import PackedTask, PackedTrainer, TrainingSettings

SAMPLES, FEATURES, FOLDS = 100, 23_361, 5


def main(_: argparse.Namespace) -> None:
    """Five members (folds) of the MLP father; the compilation is left out on both sides."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, FEATURES), dtype="float32")
    codes = np.arange(SAMPLES) % 2
    train = np.stack([np.arange(SAMPLES) % FOLDS != fold for fold in range(FOLDS)])
    started = time.perf_counter()
    view = fit_views(("all",), x, codes, train)["all"]
    rotation = time.perf_counter() - started
    scaling = standardisation(x)
    scaled = ((x - scaling.mean) * scaling.inverse_sd).astype("float32")
    row = seconds_per_step(view.z, codes, train, steps=200)
    full = seconds_per_step(np.tile(scaled, (FOLDS, 1, 1)), codes, train, steps=20)
    print(f"row space ({view.rank} inputs): {1000 * row:.2f} ms a step, after {rotation:.2f} s for the basis")
    print(f"full space ({FEATURES} inputs): {1000 * full:.1f} ms a step")
    print(f"seconds a step, full space / row space: {full / row:.0f}")


def seconds_per_step(inputs: np.ndarray, codes: np.ndarray, train: np.ndarray, steps: int) -> float:
    """Median of three timed runs behind one that compiles."""
    graph = get_father("mlp", 2)
    settings = TrainingSettings(max_steps=steps, chunk_steps=steps, patience=1000)
    trainer = PackedTrainer(settings)
    folds, _, width = inputs.shape
    weights = {"train": train / train.sum(axis=1, keepdims=True), "held_out": ~train / (~train).sum()}
    task = PackedTask(
        graph=graph,
        activation="relu",
        inputs=inputs,
        targets=np.eye(2, dtype="float32")[codes],
        train_weights=weights["train"],
        score_weights=weights["held_out"],
        trial_of_member=np.zeros(folds, dtype=int),
        learning_rate=np.full(folds, 0.01),
        weight_decay=np.full(folds, 0.1),
        dropout=np.full(folds, 0.2),
        input_rank=np.full(folds, width),
        weights=initial_weights(graph, width, folds, np.random.default_rng(0)),
        seed=0,
    )
    timed = []
    for _ in range(4):
        started = time.perf_counter()
        trainer.run(task)
        timed.append(time.perf_counter() - started)
    return float(np.median(timed[1:])) / steps

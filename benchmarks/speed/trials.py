"""Trained networks a minute: ``fit`` against the same architectures in plain Keras, fold by fold."""

from __future__ import annotations

import argparse
import tempfile
import time

import keras
import numpy as np

from genokeras import GenomeClassifier, load_dataset
from genokeras.data import encode_labels


def main(arguments: argparse.Namespace) -> None:
    """Both sides get the same seconds; the plain loop takes the architectures in the order ``fit`` trained them."""
    dataset = load_dataset(arguments.data, "label")
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        clf = GenomeClassifier(f"{folder}/run", time_limit=arguments.seconds, random_state=0, verbose=0)
        clf.fit(dataset)
        fit_seconds = time.perf_counter() - started
        folds = clf._run.problem.n_folds
        networks = clf.n_trials_ * folds
        fit_rate = 60 * networks / fit_seconds
        plain_networks, plain_seconds = plain_loop(
            clf, dataset.x, encode_labels(dataset.y).codes, arguments.seconds
        )
    plain_rate = 60 * plain_networks / plain_seconds
    print(
        f"fit:        {clf.n_trials_} trials of {folds} folds = {networks} networks in {fit_seconds:.1f} s, {fit_rate:.0f} a minute"
    )
    print(f"plain loop: {plain_networks} networks in {plain_seconds:.1f} s, {plain_rate:.0f} a minute")
    print(f"trained networks a minute, fit / plain loop: {fit_rate / plain_rate:.1f}")


def plain_loop(clf: GenomeClassifier, x: np.ndarray, codes: np.ndarray, seconds: float) -> tuple[int, float]:
    """Build, compile and fit each trial's network on each fold, full batch, for as many epochs as the trial ran steps."""
    searcher, run = clf.load_searcher(), clf._run
    started = time.perf_counter()
    done = 0
    for entry in searcher.history:
        graph = searcher.load_model_by_id(entry["model_id"])
        steps = int(clf.leaderboard().set_index("model_id").loc[entry["model_id"], "step"]) + 25
        for train, held_out in zip(run.problem.train, run.problem.held_out, strict=True):
            mean, sd = x[train].mean(axis=0), x[train].std(axis=0)
            scaled = (x - mean) / np.where(sd > 0, sd, 1)
            model = graph.produce_keras_model(weights=False)
            model.compile(keras.optimizers.AdamW(1e-3), "sparse_categorical_crossentropy")
            model.fit(
                scaled[train],
                codes[train],
                batch_size=int(train.sum()),
                epochs=min(steps, 200),
                validation_data=(scaled[held_out], codes[held_out]),
                validation_freq=5,
                verbose=0,
            )
            done += 1
            if time.perf_counter() - started > seconds:
                return done, time.perf_counter() - started
    return done, time.perf_counter() - started

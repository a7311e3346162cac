"""Seconds to explain 80 samples: ``explain_run`` in row space against ``shap.GradientExplainer`` on the exported model."""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import shap

import genokeras as gk
from genokeras.data import load_dataset
from genokeras.explain import explain_model, explain_run

SAMPLES, DRAWS = 80, 200


def main(arguments: argparse.Namespace) -> None:
    data = Path(arguments.data)
    dataset = load_dataset(data, None if data.suffix == ".npz" else "label")
    with tempfile.TemporaryDirectory() as folder:
        clf = gk.GenomeClassifier(
            Path(folder) / "run", time_limit=arguments.seconds, random_state=0, verbose=0
        )
        clf.fit(dataset)
        print(
            f"{dataset.n_samples} x {dataset.n_features}, {len(clf._run.delivery.shares)} trials in the ensemble"
        )
        _compare(clf, np.asarray(dataset.x))


def _compare(clf: gk.GenomeClassifier, x: np.ndarray) -> None:
    """Wall clock, and the processor's time of all threads, which neighbours on the machine disturb less."""
    start = time.perf_counter(), time.process_time()
    ours = explain_run(clf._run, x, x, num_samples=SAMPLES, n_draws=DRAWS)
    fast = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"explain_run            {_shown(fast)}   {ours.additivity}")
    start = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = explain_model(
            clf.model_, ours.data, x, method="shap_gradient", num_samples=None, n_draws=DRAWS
        )
    slow = time.perf_counter() - start[0], time.process_time() - start[1]
    print(f"shap.GradientExplainer {_shown(slow)}   {theirs.additivity}   (shap {shap.__version__})")
    size, other = ours.mean_abs, theirs.mean_abs
    alike = [np.corrcoef(size[:, c], other[:, c])[0, 1] for c in range(size.shape[1])]
    print(
        f"{slow[0] / fast[0]:.1f} x as fast by the clock, {slow[1] / fast[1]:.1f} x by the processor's time, {DRAWS} evaluations of "
        f"the network a sample on both sides; correlation of mean |value| over genes {min(alike):.4f}"
    )


def _shown(seconds: tuple[float, float]) -> str:
    return f"{seconds[0]:8.1f} s ({seconds[1]:.1f} s of processor time)"

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
    start = time.perf_counter()
    ours = explain_run(clf._run, x, x, num_samples=SAMPLES, n_draws=DRAWS)
    seconds = time.perf_counter() - start
    print(f"explain_run            {seconds:8.1f} s   {ours.additivity}")
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = explain_model(
            clf.model_, ours.data, x, method="shap_gradient", num_samples=None, n_draws=DRAWS
        )
    slow = time.perf_counter() - start
    print(f"shap.GradientExplainer {slow:8.1f} s   {theirs.additivity}   (shap {shap.__version__})")
    size, other = ours.mean_abs, theirs.mean_abs
    alike = [np.corrcoef(size[:, c], other[:, c])[0, 1] for c in range(size.shape[1])]
    print(f"{slow / seconds:.1f} x as fast; correlation of mean |value| over genes {min(alike):.4f}")

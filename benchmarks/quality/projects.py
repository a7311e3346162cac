"""Projects against logistic regression on the rows they hold out: ``python -m benchmarks.quality.projects --data FOLDER``.

The sample configuration of AutoGenome (a ResNet, or with ``--model DenseNet`` a DenseNet) on ``FOLDER/autogenome_demo``, trained with
five seeds, each of which holds out another fifth of the rows; tuned L2 logistic regression on the same rows.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from sklearn.linear_model import LogisticRegressionCV
from sklearn.preprocessing import StandardScaler

import genokeras as gk
from benchmarks.speed.machine import describe_machine

LISTS = {
    "n_latent": [128, 64, 32],
    "n_blocks": [2, 3],
    "keep_prob": [0.8, 1.0],
    "output_nonlinear": [None, "relu", "tanh", "sigmoid"],
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", choices=["ResNet", "DenseNet"], default="ResNet")
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    folder = arguments.data / "autogenome_demo"
    x = np.loadtxt(folder / "little_exp.tsv", dtype="float32")
    y = np.loadtxt(folder / "little_learning_target.tsv", dtype=int)
    print(describe_machine())
    differences = []
    for seed in range(arguments.seeds):
        started = time.perf_counter()
        with tempfile.TemporaryDirectory() as save_dir:
            project = gk.auto(configuration(folder, arguments.model, seed, save_dir), verbose=0).train()
            record = project.trained.record
        held_out = np.asarray(record.extra["validation_rows"])
        ours, linear = record.metrics["validation"]["loss"], logistic(x, y, held_out)
        differences.append(ours - linear)
        seconds = time.perf_counter() - started
        print(
            f"seed {seed}  log loss {ours:.3f}  logistic regression {linear:.3f}  {seconds:.1f} s  {dict(record.parameters)}"
        )
    print(f"{arguments.model} minus logistic regression: {np.mean(differences):+.3f} on average")


def configuration(folder: Path, model: str, seed: int, save_dir: str) -> dict[str, Any]:
    """The sample's settings."""
    files = {"data_dir": str(folder), "features_file": "little_exp.tsv", "delimiter": " "}
    return {
        "name": "demo",
        "seed": seed,
        "model": {"type": model, "args": {"output_classes": 2}},
        "data_train": {"args": {**files, "labels_file": "little_learning_target.tsv"}},
        "trainer": {"save_dir": save_dir, "batch_size": 64, "patience": 30, "pre_train_epoch": 10},
        "hyper_param_spec": {"args": {model: LISTS}},
    }


def logistic(x: np.ndarray, y: np.ndarray, held_out: np.ndarray) -> float:
    """Log loss on the rows held out, by five inner folds and twelve strengths, in row space."""
    train = np.setdiff1d(np.arange(len(y)), held_out)
    scaler = StandardScaler().fit(x[train])
    _, _, basis = np.linalg.svd(scaler.transform(x[train]), full_matrices=False)
    z, z_held = scaler.transform(x[train]) @ basis.T, scaler.transform(x[held_out]) @ basis.T
    scale = np.sqrt((z**2).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = LogisticRegressionCV(
            Cs=np.logspace(-4, 3, 12), cv=5, scoring="neg_log_loss", max_iter=2000
        ).fit(z / scale, y[train])
    p = model.predict_proba(z_held / scale)[np.arange(len(held_out)), y[held_out]]
    return float(-np.log(np.clip(p, 1e-7, 1)).mean())


if __name__ == "__main__":
    main()

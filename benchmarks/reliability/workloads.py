"""Small searches and a project on made-up data, each in a process of its own, to be stopped from outside.

    python -m benchmarks.reliability.workloads KIND EXECUTOR FOLDER

KIND is genes (72 trials, 60 samples of 100 genes), sequences (10 trials, 60 sequences of 40 letters) or project (a JSON project with a hyper-parameter
search). EXECUTOR is local or pool, which has two workers. Where the folder has begun already, the run goes on.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

import genokeras as gk

TRIALS = {"genes": 72, "sequences": 10}


def genes() -> tuple[pd.DataFrame, np.ndarray]:
    """Two classes that three genes of a hundred tell apart."""
    rng = np.random.default_rng(0)
    codes = np.arange(60) % 2
    x = rng.gamma(2.0, 3.0, size=(60, 100)).astype("float32")
    x[codes == 1, :3] += 3
    return pd.DataFrame(x, columns=[f"G{i}" for i in range(100)]), np.array(["healthy", "tumor"])[codes]


def sequences() -> tuple[list[str], np.ndarray]:
    """Two classes that a motif of six letters tells apart."""
    rng = np.random.default_rng(0)
    codes, found = np.arange(60) % 2, []
    for code in codes:
        letters = rng.choice(list("ACGT"), size=40)
        if code:
            start = int(rng.integers(0, 34))
            letters[start : start + 6] = list("TATAAT")
        found.append("".join(letters))
    return found, np.array(["other", "promoter"])[codes]


def write_project(folder: Path) -> Path:
    """A project with its tables; returns its configuration."""
    config = folder / "project.json"
    if config.exists():
        return config
    folder.mkdir(parents=True, exist_ok=True)
    x, y = genes()
    x.index = pd.Index([f"S{i}" for i in range(len(x))], name="id")
    x.to_csv(folder / "features.tsv", sep="\t")
    labels = pd.DataFrame({"label": (y == "tumor").astype(int)}, index=x.index)
    labels.to_csv(folder / "labels.tsv", sep="\t")
    tables = {"data_dir": ".", "features_file": "features.tsv", "labels_file": "labels.tsv"}
    content = {
        "name": "small",
        "data_train": {"args": {**tables, "validation_split": 0.25}},
        "data_evaluate": {"args": tables},
        "trainer": {
            "save_dir": "experiments",
            "batch_size": 16,
            "patience": 4,
            "pre_train_epoch": 2,
            "max_steps": 200,
            "hyper_selector": True,
        },
        "model": {"type": "ResNet", "args": {"output_classes": 2}},
        "param_spec": {
            "args": {
                "ResNet": {"n_latent": 8, "n_blocks": 1, "keep_prob": 0.8, "output_nonlinear": None},
                "optimizer_param": {"learning_rate": 0.01},
            }
        },
        "hyper_param_spec": {"args": {"ResNet": {"n_latent": [4, 8], "keep_prob": [0.8, 1.0]}}},
    }
    config.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return config


def main(kind: str, executor: str, folder: Path) -> None:
    """Run, or go on with, one of them."""
    if kind == "project":
        config = write_project(folder)
        with contextlib.chdir(folder):
            gk.auto(config.name, verbose=0).train()
        return
    estimator, data = (gk.GenomeClassifier, genes) if kind == "genes" else (gk.SequenceClassifier, sequences)
    x, y = data()
    arguments: dict[str, Any] = {"workers": 2} if executor == "pool" else {}
    estimator(
        folder,
        time_limit=None,
        max_trials=TRIALS[kind],
        folds=2,
        searcher_args={"trainer_args": {"max_iter_num": 40 if kind == "genes" else 3}},
        executor=executor,
        executor_args=arguments,
        random_state=1,
        resume=True,
        verbose=0,
    ).fit(x, y)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

"""A JSON project's training against plain Keras ``fit`` on the same network, and the seconds of a whole project."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import genokeras as gk
from genokeras.features import standardisation
from genokeras.graph import HyperParameters, rfcn_resnet
from genokeras.networks import build_plain
from genokeras.projects import ProjectConfig, ProjectData, read_config, split_rows
from genokeras.projects.candidates import Candidates

BATCH_SIZE = 64
VALUES: dict[str, Any] = {"n_latent": 128, "n_blocks": 2, "keep_prob": 0.8, "output_nonlinear": None}
# A careful rate, and the one that range tests find here; training is stopped early by the rows held out.
RATES = (1e-3, 1e-1)
LISTS = {"n_latent": [128, 64, 32], "n_blocks": [2, 3], "keep_prob": [0.8, 1.0]}
NONLINEAR = [None, "relu", "tanh", "sigmoid"]


def main(arguments: argparse.Namespace) -> None:
    """``--data`` is a folder with ``chowdary_breast_colon.npz`` and ``autogenome_demo``; what is not there is left out."""
    folder = Path(arguments.data)
    wide, demo = folder / "chowdary_breast_colon.npz", folder / "autogenome_demo"
    if not (wide.is_file() or demo.is_dir()):
        raise SystemExit(f"--data {folder}: expected a folder with {wide.name} or {demo.name}.")
    if wide.is_file():
        for rate in RATES:
            against_fit(wide, rate)
    if demo.is_dir():
        whole_project(demo)


def against_fit(path: Path, rate: float) -> None:
    """The final network of a ResNet project, compiling and exporting included, and the same one by ``fit``."""
    held = np.load(path)
    classes, codes = np.unique(held["y"], return_inverse=True)
    names = tuple(map(str, held["feature_names"]))
    ids = tuple(f"sample_{i}" for i in range(len(codes)))
    data = ProjectData(held["X"], codes, tuple(map(str, classes)), names, ids)
    train, validation = split_rows(codes, 0.2, shuffle=True, seed=0)
    config = read_config(_sample(path.parent, "unused", len(classes)))
    assert isinstance(config, ProjectConfig)
    started = time.perf_counter()
    candidates = Candidates(config, data, train, validation)
    found = candidates.final(VALUES, rate, lambda steps, curves: None)
    ours = time.perf_counter() - started
    epochs = -(-found.steps // candidates.steps_per_epoch)
    our_loss = _log_loss(found.model.predict(data.x[validation], verbose=0), codes[validation])
    started = time.perf_counter()
    their_last, their_best = _by_fit(data, train, validation, found.rate, epochs)
    theirs = time.perf_counter() - started
    print(
        f"{data.n_samples} x {data.n_features}, ResNet {VALUES}, adam, rate {found.rate:g} of three from {rate:g}, batches of {BATCH_SIZE}, {epochs} epochs"
    )
    print(
        f"project:   {ours:.1f} s (three rates side by side), log loss on the rows held out {our_loss:.4f} (best step)"
    )
    print(
        f"plain fit: {theirs:.1f} s (one rate), log loss {their_best:.4f} (best epoch), {their_last:.4f} (last)"
    )
    print(f"seconds, plain fit / project: {theirs / ours:.1f}")


def _by_fit(
    data: ProjectData, train: np.ndarray, validation: np.ndarray, rate: float, epochs: int
) -> tuple[float, float]:
    """Validation losses of the last and of the best epoch; on standardised features, as plain Keras has them."""
    scaling = standardisation(data.x[train])
    x = ((data.x - scaling.mean) * scaling.inverse_sd).astype("float32")
    graph = rfcn_resnet(len(data.classes), VALUES["n_latent"], VALUES["n_blocks"], VALUES["output_nonlinear"])
    keras.utils.set_random_seed(0)
    model = build_plain(graph, data.n_features, HyperParameters(dropout=1.0 - VALUES["keep_prob"]))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    y = np.asarray(data.y)
    history = model.fit(
        x[train],
        y[train],
        batch_size=BATCH_SIZE,
        epochs=epochs,
        validation_data=(x[validation], y[validation]),
        verbose=0,
    )
    losses = history.history["val_loss"]
    return losses[-1], min(losses)


def whole_project(folder: Path) -> None:
    """Search as in AutoGenome's sample file, train, evaluate and predict."""
    with tempfile.TemporaryDirectory() as outputs:
        seconds, started = {}, time.perf_counter()
        project = gk.auto(_sample(folder, outputs, 2), verbose=0)
        for step in ("train", "evaluate", "predict"):
            before = time.perf_counter()
            result = getattr(project, step)()
            seconds[step] = time.perf_counter() - before
            if step == "evaluate":
                held_out = result["validation"]
        total = time.perf_counter() - started
    seconds_of_steps = ", ".join(f"{step} {value:.1f}" for step, value in seconds.items())
    print(f"{folder.name}: {total:.1f} s in all ({seconds_of_steps}); {project.trained.record.parameters}")
    print(f"on the rows held out: {', '.join(f'{name} {value:.3f}' for name, value in held_out.items())}")


def _sample(folder: Path, save_dir: str, n_classes: int) -> dict[str, Any]:
    """What AutoGenome's sample file of a ResNet says, with other paths."""
    files = {"data_dir": str(folder), "features_file": "little_exp.tsv", "delimiter": " "}
    labelled = {**files, "labels_file": "little_learning_target.tsv"}
    start = {"n_latent": 32, "n_blocks": 2, "keep_prob": 0.8, "output_nonlinear": "sigmoid"}
    return {
        "name": "resnet_demo",
        "model": {"type": "ResNet", "args": {"output_classes": n_classes}},
        "data_train": {"args": {**labelled, "validation_split": 0.2, "shuffle": True}},
        "data_evaluate": {"args": labelled},
        "data_predict": {"args": files},
        "trainer": {
            "hyper_selector": True,
            "batch_size": BATCH_SIZE,
            "save_dir": save_dir,
            "monitor": "accuracy",
            "patience": 30,
            "pre_train_epoch": 10,
            "max_steps": 64000,
        },
        "param_spec": {"args": {"ResNet": start, "optimizer_param": {"learning_rate": 1e-4}}},
        "hyper_param_spec": {"args": {"ResNet": {**LISTS, "output_nonlinear": NONLINEAR}}},
    }


def _log_loss(probabilities: np.ndarray, codes: np.ndarray) -> float:
    return float(-np.log(np.maximum(probabilities[np.arange(len(codes)), codes], 1e-7)).mean())

"""A small project on disk: 40 samples of 60 features, and the configuration that goes with them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genokeras as ag
from genokeras.projects import Project

MakeProject = Callable[..., dict[str, Any]]
TrainedProject = Callable[..., tuple[Project, dict[str, Any]]]
QUICK = {"trainer": {"hyper_selector": False}}
N_SAMPLES, N_FEATURES = 40, 60


def _labels(kind: str, x: np.ndarray, codes: np.ndarray) -> list[str]:
    names = {"codes": ("0", "1"), "words": ("tumour", "healthy")}
    if kind == "numbers":
        return [f"{value:.5f}" for value in 100 + 7 * x[:, :4].sum(axis=1)]
    if kind == "two numbers":
        pairs = zip(100 + 7 * x[:, :4].sum(axis=1), codes - 0.01 * x[:, 30], strict=True)
        return ["age\tdose", *(f"{age:.5f}\t{dose:.5f}" for age, dose in pairs)]
    return [names[kind][code] for code in codes]


def write_project(
    folder: Path, model_type: str = "ResNet", labels: str = "codes", **sections: Mapping[str, Any]
) -> dict[str, Any]:
    """Write features and labels into a folder and return the configuration, in which ``sections`` replace defaults."""
    rng = np.random.default_rng(7)
    codes = np.arange(N_SAMPLES) % 2
    x = rng.standard_normal((N_SAMPLES, N_FEATURES)) * 3 + 5
    x[:, :12] += 4.0 * codes[:, None]
    np.savetxt(folder / "features.tsv", x, delimiter="\t", fmt="%.5f")
    (folder / "labels.tsv").write_text("\n".join(_labels(labels, x, codes)) + "\n")
    targets = {"numbers": 1, "two numbers": 2}.get(labels, 0)
    loss = "mse" if targets else "cross_entropy"
    encoding = model_type == "VAE" and "transfer" not in sections
    files = {"data_dir": str(folder), "features_file": "features.tsv"}
    labelled = files if encoding else {**files, "labels_file": "labels.tsv"}
    config: dict[str, Any] = {
        "name": "demo",
        "model": {
            "type": model_type,
            "args": {} if encoding else {"output_classes": targets or 2},
        },
        "data_train": {"args": {**labelled, "validation_split": 0.25}},
        "data_evaluate": {"args": labelled},
        "data_predict": {"args": files},
        "trainer": {
            "save_dir": str(folder / "experiments"),
            "batch_size": 16,
            "patience": 4,
            "pre_train_epoch": 3,
            "max_steps": 60,
            "loss": loss,
        },
        "param_spec": {
            "args": {
                model_type: {"n_latent": 8, "n_blocks": 1, "keep_prob": 0.8, "output_nonlinear": None},
                "optimizer_param": {"learning_rate": 0.01},
            }
        },
        "hyper_param_spec": {"args": {model_type: {"n_latent": [4, 8], "keep_prob": [0.8, 1.0]}}},
    }
    for section, content in sections.items():
        config[section] = {**config.get(section, {}), **content}
    return config


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """``make_project(model_type, labels, **sections)`` writes the files and returns the configuration as a dict."""
    return partial(write_project, tmp_path)


@pytest.fixture(scope="session")
def trained_folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``trained_folders(model_type)`` is the folder of a project that was trained once for all tests: copy it to change it."""

    @cache
    def folder(model_type: str) -> Path:
        path = tmp_path_factory.mktemp(model_type)
        ag.auto(write_project(path, model_type, **QUICK), verbose=0).train()
        return path

    return folder


@pytest.fixture
def trained_project(trained_folders: Callable[[str], Path], tmp_path: Path) -> TrainedProject:
    """``trained_project(model_type)``: a trained project of the test's own, and its configuration."""

    def make(model_type: str = "ResNet") -> tuple[Project, dict[str, Any]]:
        shutil.copytree(trained_folders(model_type), tmp_path, dirs_exist_ok=True)
        source = write_project(tmp_path, model_type, **QUICK)
        return ag.auto(source, verbose=0), source

    return make

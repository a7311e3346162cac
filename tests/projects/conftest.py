"""A small project on disk: 40 samples of 60 features, and the configuration that goes with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MakeProject = Callable[..., dict[str, Any]]
N_SAMPLES, N_FEATURES = 40, 60


def _labels(kind: str, x: np.ndarray, codes: np.ndarray) -> list[str]:
    names = {"codes": ("0", "1"), "words": ("tumour", "healthy")}
    if kind == "numbers":
        return [f"{value:.5f}" for value in 100 + 7 * x[:, :4].sum(axis=1)]
    return [names[kind][code] for code in codes]


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """``make_project(model_type, labels, **sections)`` writes the files and returns the configuration as a dict."""

    def make(
        model_type: str = "ResNet", labels: str = "codes", **sections: Mapping[str, Any]
    ) -> dict[str, Any]:
        rng = np.random.default_rng(7)
        codes = np.arange(N_SAMPLES) % 2
        x = rng.standard_normal((N_SAMPLES, N_FEATURES)) * 3 + 5
        x[:, :12] += 4.0 * codes[:, None]
        np.savetxt(tmp_path / "features.tsv", x, delimiter="\t", fmt="%.5f")
        (tmp_path / "labels.tsv").write_text("\n".join(_labels(labels, x, codes)) + "\n")
        loss = "mse" if labels == "numbers" else "cross_entropy"
        regression, encoding = loss == "mse", model_type == "VAE" and "transfer" not in sections
        files = {"data_dir": str(tmp_path), "features_file": "features.tsv"}
        labelled = files if encoding else {**files, "labels_file": "labels.tsv"}
        config: dict[str, Any] = {
            "name": "demo",
            "model": {
                "type": model_type,
                "args": {} if encoding else {"output_classes": 1 if regression else 2},
            },
            "data_train": {"args": {**labelled, "validation_split": 0.25}},
            "data_evaluate": {"args": labelled},
            "data_predict": {"args": files},
            "trainer": {
                "save_dir": str(tmp_path / "experiments"),
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

    return make

"""The example projects: their data can be made, their files are valid, and what their page says of keys is true."""

from __future__ import annotations

import importlib.util
import json
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import BaseModel

import genokeras as gk
from genokeras.projects.config import EnasConfig, ProjectConfig, read_config

FOLDER = Path(__file__).parent.parent / "examples" / "autogenome"
GENES = 60
NEEDED = {"required", "required but for a VAE", "required in `transfer`"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golub") / "data"
    make_data().main(["--genes", str(GENES), "--out", str(folder)])
    return folder


def make_data() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_data", FOLDER / "make_data.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def placed(example: str, data: Path, out: Path, **replaced: str) -> Path:
    """A copy of an example that reads and writes elsewhere."""
    text = (FOLDER / f"{example}.json").read_text(encoding="utf-8")
    paths = {'"data"': json.dumps(str(data)), '"data/': f'"{data}/', '"experiments': f'"{out}'}
    for old, new in {**paths, **replaced}.items():
        assert old in text or old in paths, old
        text = text.replace(old, new)
    path = out.parent / f"{example}.json"
    path.write_text(text, encoding="utf-8")
    return path


# ---- data


@pytest.mark.parametrize(("part", "patients"), [("train", 38), ("test", 34), ("all", 72)])
def test_features_and_labels_have_a_row_for_every_patient(data: Path, part: str, patients: int) -> None:
    assert np.loadtxt(data / f"{part}_features.txt").shape == (patients, GENES)
    assert len((data / f"{part}_labels.txt").read_text().split()) == patients


def test_the_paper_s_test_patients_are_kept_apart(data: Path) -> None:
    train, test = (set((data / f"{part}_samples.txt").read_text().split()) for part in ("train", "test"))
    assert train == {str(number) for number in range(1, 39)} and not train & test


def test_labels_are_the_codes_of_the_names(data: Path) -> None:
    codes = (data / "train_labels.txt").read_text().split() + (data / "test_labels.txt").read_text().split()
    names = (data / "all_labels.txt").read_text().split()
    assert [{"0": "ALL", "1": "AML"}[code] for code in codes] == names


def test_every_feature_has_a_name(data: Path) -> None:
    assert len((data / "names.txt").read_text().split()) == GENES


# ---- projects


@pytest.mark.parametrize("example", ["resnet", "densenet", "vae", "transfer"])
def test_every_example_is_valid(example: str) -> None:
    assert read_config(FOLDER / f"{example}.json").name == f"golub_{example}"


def test_the_residual_network_trains_evaluates_and_predicts(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shorter = {
        "[128, 64, 32]": "[8, 4]",
        '"n_latent": 32': '"n_latent": 4',
        "[2, 3]": "[2]",
        "[0.8, 1.0]": "[0.8]",
        '[null, "relu", "tanh", "sigmoid"]': '["sigmoid"]',
        '"max_steps": 64000': '"max_steps": 20',
    }
    automl = gk.auto(placed("resnet", data, out, **shorter), verbose=0).train()
    assert automl.evaluate()["loss"] > 0
    predicted = automl.predict()
    assert len(predicted) == 34 and set(predicted["predicted_result"]) <= {0, 1}
    written = {path.name for path in (out / "output_files").rglob("ResNet_*")}
    assert {"ResNet_metrics.json", "ResNet_confusion_matrix.pdf"} < written


def test_a_classifier_is_trained_on_the_encoder(data: Path, tmp_path: Path) -> None:
    out, shorter = tmp_path / "out", {'"max_steps": 2000': '"max_steps": 10'}
    latent = gk.auto(placed("vae", data, out, **shorter), verbose=0).train().predict()
    assert latent.shape == (72, 16)
    assert list((out / "output_files").rglob("VAE_latent_pca.pdf"))
    predicted = gk.auto(placed("transfer", data, out, **shorter), verbose=0).train().predict()
    assert isinstance(predicted, pd.DataFrame) and len(predicted) == 34


# ---- the page


def keys_with_defaults(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a configuration, its default in JSON; None where it has none of its own."""
    for name, field in model.model_fields.items():
        key = f"{above}{'<model>' if name in ('ResNet', 'DenseNet', 'VAE') else field.alias or name}"
        kinds = (field.annotation, *typing.get_args(field.annotation))
        below = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if below:
            yield from keys_with_defaults(below[0], f"{key}.")
        else:
            default = None if field.is_required() or field.default is None else json.dumps(field.default)
            yield key, default


def keys_of_the_page(title: str = "All keys") -> dict[str, str]:
    text = (FOLDER / "README.md").read_text(encoding="utf-8").split(f"## {title}")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|", text, flags=re.MULTILINE))


def test_the_page_lists_every_key_once_with_its_default() -> None:
    known = {
        key: default
        for key, default in keys_with_defaults(ProjectConfig)
        if not key.startswith(("data_evaluate", "data_predict"))
    }
    page = keys_of_the_page("All keys")
    enas = {k: d for k, d in keys_with_defaults(EnasConfig) if k.startswith("trainer.")}
    assert keys_of_the_page("Keys of enas") == {
        k: "chosen by size" if d is None else f"`{d}`" for k, d in enas.items()
    }
    assert sorted(page) == sorted(known)
    assert {key: page[key] for key, default in known.items() if default is not None} == {
        key: f"`{default}`" for key, default in known.items() if default is not None
    }


def test_the_page_says_which_keys_are_required() -> None:
    page = keys_of_the_page()
    needed = {key for key, default in page.items() if default in NEEDED}
    args = ("features_file", "labels_file")
    assert needed == {
        "name",
        "model.type",
        "model.args.output_classes",
        "transfer.from",
        *(f"data_train.args.{name}" for name in args),
    }

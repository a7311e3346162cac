"""Advice on what is there already: truncated files, runs that go on or are damaged, models that are explained and exported."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from shutil import copytree, move
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest
from keras_tuner.engine.trial import Trial
from PIL import Image

import genokeras as gk
from genokeras.errors import DataFileError
from genokeras.explain import explain_model
from genokeras.exports import export_model_as
from genokeras.exports.formats import choose_format
from genokeras.exports.places import check_target
from genokeras.projects.vae import VaeSettings, load_encoder, prepare_transfer, train_transfer
from tests.advice.cases import RUNS, TABLE, Case, X, csv, fit, follow, named, put
from tests.fuzz.hdf5_files import hdf5_files
from tests.old_runs import samples

# ---- truncated files


def whole(folder: Path, kind: str) -> Path:
    if kind == "xlsx":
        pytest.importorskip("openpyxl")
        TABLE.to_excel(folder / "x.xlsx")
        return folder / "x.xlsx"
    if kind == "npz":
        np.savez(folder / "x.npz", X=X)
        return folder / "x.npz"
    if kind == "csv.gz":
        return put(folder, "x.csv.gz", gzip.compress(csv(folder, TABLE).read_bytes()))
    if kind == "series_matrix.txt":
        start = '!Sample_geo_accession\t"S1"\t"S2"\n!series_matrix_table_begin\n"ID_REF"\t"S1"\t"S2"\n'
        rows = "".join(f'"G{number}"\t1\t2\n' for number in range(60))
        return put(folder, f"x_{kind}", f"{start}{rows}!series_matrix_table_end\n")
    if kind == "mtx":
        put(folder, "c/barcodes.tsv", "c1\nc2\n")
        put(folder, "c/genes.tsv", "E1\tTP53\nE2\tMYC\n")
        start = "%%MatrixMarket matrix coordinate integer general\n2 2 3\n"
        return put(folder, "c/matrix.mtx", f"{start}1 1 5\n2 1 1\n2 2 7\n")
    return put(folder, f"x.{kind}", hdf5_files()[{"h5ad": "dense.h5ad", "loom": "cells.loom"}[kind]])


@pytest.mark.parametrize("kind", ["csv.gz", "npz", "xlsx", "series_matrix.txt", "mtx", "h5ad", "loom"])
def test_a_truncated_file_is_read_once_it_is_copied_again(kind: str, tmp_path: Path) -> None:
    path = whole(tmp_path, kind)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(DataFileError, match="(copy|download|Download|save) it again|or copy it"):
        gk.load_dataset(path)
    path.write_bytes(content)
    assert gk.load_dataset(path).x.shape[1] >= 1


# ---- pictures


def depths(folder: Path, first: Any, second: Any) -> Path:
    for name, kind in (("a/1.png", first), ("b/2.png", second)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.arange(48).reshape(6, 8).astype(kind)).save(folder / name)
    return folder


PICTURES = [
    Case(
        "depths",
        lambda p: gk.load_images(depths(p / "m", np.uint8, np.uint16)),
        "save all of them with the same depth",
        lambda p: [
            gk.load_images(depths(p / "8", np.uint8, np.uint8)),
            gk.load_images(depths(p / "16", np.uint16, np.uint16)),
        ],
    ),
]


# ---- runs


def copied(folder: Path, kind: str = "genome_classifier") -> Path:
    return folder / "run" if (folder / "run").exists() else copytree(RUNS / kind, folder / "run")


def damaged(folder: Path, name: str) -> None:
    path = copied(folder) / name
    path.write_bytes(path.read_bytes()[:200])


def moved(folder: Path) -> None:
    estimator = gk.load_estimator(copied(folder))
    move(folder / "run", folder / "elsewhere")
    _ = estimator.history_


def begun(folder: Path, name: str, y: Any = None, **options: Any) -> None:
    options = {"folds": 2, "random_state": 0, **options}
    fit(gk.GenomeClassifier(folder / name, **options), *(() if y is None else (y,)))


def trained_on_all(folder: Path) -> Any:
    """A classifier whose delivered model saw every sample, and the run before, as ``save`` has copied it."""
    found = samples.genes()
    estimator = gk.load_estimator(copied(folder))
    estimator.save(folder / "before")
    estimator.final_fit(found["x"], found["y"], trainer_args={"max_iter_num": 1})
    return estimator


def graph(folder: Path) -> Any:
    """Of a trial, apart from its run."""
    content = json.loads((RUNS / "genome_classifier/trials/000000/graph.json").read_text())
    return gk.load_graph(put(folder, "graph.json", json.dumps(content["trial"]["proposal"]["graph"])))


@cache
def texts() -> tuple[np.ndarray, np.ndarray]:
    found = samples.texts()
    return found["x"], found["y"]


FOLDERS = [
    Case(
        "damaged data",
        lambda p: (damaged(p, "data.npz"), gk.load_estimator(p / "run")),
        "Copy it again from where it was made",
        lambda p: gk.load_estimator(copytree(RUNS / "genome_classifier", p / "again")),
    ),
    Case(
        "a run that was moved",
        moved,
        r"load the run from where it is now with gk.load_estimator\(path\)",
        lambda p: gk.load_estimator(p / "elsewhere").history_,
    ),
    Case(
        "other data",
        lambda p: (begun(p, "a"), begun(p, "a", ["ill"] * 5 + ["well"] * 7, resume=True)),
        "Resume with the same data, or give another path",
        lambda p: [
            begun(p, "a", resume=True),
            begun(p, "b", ["ill"] * 5 + ["well"] * 7, resume=True),
        ],
    ),
    Case(
        "other settings",
        lambda p: (begun(p, "a"), begun(p, "a", folds=3, resume=True)),
        r"folds=3 \(the run has 2\)",
        lambda p: begun(p, "a", folds=2, resume=True),
    ),
    Case(
        "no backbone",
        lambda p: gk.load_estimator(copied(p, "text_classifier")).fine_tune(*texts()),
        r"go on with final_fit\(x, y, retrain=False\)",
        lambda p: gk.load_estimator(copied(p)).final_fit(
            *texts(), trainer_args={"max_iter_num": 1}, retrain=False
        ),
    ),
    Case(
        "a model that saw all samples",
        lambda p: trained_on_all(p).predict_set(samples.genes()["x"]),
        r"Use the run as it was before, a copy made by save\(path\) say",
        lambda p: gk.load_estimator(p / "before").predict_set(samples.genes()["x"]),
    ),
    Case(
        "a graph without its run",
        lambda p: graph(p).produce_keras_model(),
        "give n_features=",
        lambda p: graph(p).produce_keras_model(n_features=30),
    ),
]


# ---- explanations and exports


@cache
def model(last: str | None) -> keras.Model:
    """Not linear anywhere; without a last activation its outputs are about 5."""
    drawn, five = keras.initializers.RandomUniform(-0.2, 0.2, seed=1), keras.initializers.Constant(5.0)
    hidden = keras.layers.Dense(2, "softplus", kernel_initializer=drawn)
    outputs = keras.layers.Dense(2, last, kernel_initializer=drawn, bias_initializer=five)
    return keras.Sequential([keras.Input((3,)), hidden, outputs])


def explain(given: keras.Model, x: np.ndarray = X, **options: Any) -> Any:
    return explain_model(given, x, X, num_samples=4, n_draws=2, **options)


def exported(folder: Path, names: list[str]) -> Any:
    two = [keras.Input((3,)), keras.Input((3,))]
    joined = keras.Model(two, keras.layers.Add()(two))
    return export_model_as(joined, folder / "m.keras", input_names=names)


EXPLAINED = [
    Case(
        "a model that is not linear",
        lambda p: explain(model("softmax"), method="linear"),
        "Use method='expected_gradients'",
        lambda p: explain(model("softmax"), method="expected_gradients"),
    ),
    Case(
        "numbers for probabilities",
        lambda p: explain(model(None), output="probability"),
        "Pass output='number'",
        lambda p: explain(model(None), output="number"),
    ),
    Case(
        "a single sample",
        lambda p: explain(model(None), X[0]),
        r"Pass a single sample as x\[None, :\]",
        lambda p: explain(model(None), X[0][None, :]),
    ),
    Case(
        "names of inputs",
        lambda p: exported(p, ["genes"]),
        "input_names must name every input of the model: expected 2",
        lambda p: exported(p, ["genes", "proteins"]),
    ),
    Case(
        "letters of inputs",
        lambda p: exported(p, ["genes", "2 proteins"]),
        "different names of letters, digits and underscores that begin with a letter",
        lambda p: exported(p, ["genes", "proteins_2"]),
    ),
    Case(
        "a suffix of another format",
        lambda p: choose_format(p / "m.keras", "onnx"),
        "change one of them",
        lambda p: [choose_format(p / "m.onnx", "onnx"), choose_format(p / "m.keras", "keras")],
    ),
    Case(
        "a folder of other things",
        lambda p: check_target(put(p, "a/x.txt", "x").parent, folder=True),
        "give a folder that is new or empty",
        lambda p: [
            check_target(p / "new", folder=True),
            (p / "b").mkdir(),
            check_target(p / "b", folder=True),
        ],
    ),
    Case(
        "a file for a folder",
        lambda p: check_target(put(p, "x", "x"), folder=True),
        "give the name of a folder, new or empty",
        lambda p: check_target(p / "new", folder=True),
    ),
]


# ---- searches by KerasTuner, and transfer


def build(hp: Any) -> keras.Model:
    found = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(hp.Choice("units", [1, 2])), keras.layers.Dense(1)]
    )
    found.compile("sgd", "mse", run_eagerly=True)
    return found


def hyper(rows: int = 12, data: Any = None, **options: Any) -> None:
    options = {"max_trials": 1, "epochs": 1, "verbose": 0, **options}
    gk.HyperSearch(options.pop("build", build), **options).fit(X[:rows], X[:rows, :1], data)


def forgetful(hp: Any) -> None:
    build(hp)


def used() -> Any:
    oracle = oracles.RandomSearchOracle(max_trials=3)
    oracle.trials = {"0": Trial(keras_tuner.HyperParameters())}
    return oracle


def objective(name: str, direction: str) -> keras_tuner.Objective:
    return keras_tuner.Objective(name, direction)


def settled(stem: str, trainable: bool) -> None:
    encoder = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name=stem)])
    codes = np.arange(12) % 2
    settings = VaeSettings(max_epochs=1, max_steps=1)
    data = prepare_transfer(encoder, X[:8], codes[:8], X[8:], codes[8:], 2)
    train_transfer(data, settings, trainable)


oracles = keras_tuner.oracles
SEARCHED = [
    Case(
        "an oracle",
        lambda p: hyper(oracle="hyperbnad"),
        "Did you mean 'hyperband'",
        lambda p: hyper(oracle="hyperband"),
    ),
    Case(
        "rows to score on",
        lambda p: hyper(1),
        "pass validation_data",
        lambda p: hyper(1, (X[6:], X[6:, :1])),
    ),
    Case(
        "a pair to score on",
        lambda p: hyper(data=X),
        r"validation_data must be a pair \(x, y\)",
        lambda p: hyper(data=(X, X[:, :1])),
    ),
    Case(
        "an objective of the logs",
        lambda p: hyper(objective="val_los"),
        "Did you mean 'val_loss'|pass objective=",
        lambda p: hyper(objective="val_loss"),
    ),
    Case("no return", lambda p: hyper(build=forgetful), "return model", lambda p: hyper(build=build)),
    Case(
        "hyperband on tables",
        lambda p: fit(gk.GenomeClassifier(searcher=oracles.HyperbandOracle)),
        "take BayesianOptimizationOracle, RandomSearchOracle or GridSearchOracle",
        lambda p: [
            fit(gk.GenomeClassifier(searcher=oracle, folds=2))
            for oracle in (
                oracles.BayesianOptimizationOracle,
                oracles.RandomSearchOracle,
                oracles.GridSearchOracle,
            )
        ],
    ),
    Case(
        "a tuner",
        lambda p: fit(gk.GenomeClassifier(searcher=keras_tuner.RandomSearch)),
        r"pass an oracle \(keras_tuner.oracles\)",
        lambda p: fit(gk.GenomeClassifier(searcher=oracles.RandomSearchOracle, folds=2)),
    ),
    Case(
        "an oracle that was used",
        lambda p: fit(gk.GenomeClassifier(searcher=used(), folds=2)),
        "pass one that was not used",
        lambda p: fit(gk.GenomeClassifier(searcher=oracles.RandomSearchOracle(max_trials=3), folds=2)),
    ),
    Case(
        "an objective of an oracle",
        lambda p: fit(
            gk.GenomeClassifier(
                searcher=oracles.RandomSearchOracle(objective("val_accuracy", "max"), 3), folds=2
            )
        ),
        'leave the oracle\'s out, or name it "val_loss", and choose by the objective of the estimator',
        lambda p: [
            fit(gk.GenomeClassifier(searcher=oracle, folds=2, objective="accuracy"))
            for oracle in (
                oracles.RandomSearchOracle(max_trials=3),
                oracles.RandomSearchOracle(objective("val_loss", "min"), 3),
            )
        ],
    ),
    Case(
        "no encoder",
        lambda p: load_encoder(put(p, "encoder.keras", "x")),
        "Expected the encoder.keras that a VAE project wrote",
        lambda p: load_encoder(RUNS / "project_vae"),
    ),
    Case(
        "an encoder that cannot be trained",
        lambda p: settled("first", trainable=True),
        "Set trainable to false",
        lambda p: settled("first", trainable=False),
    ),
]


@pytest.mark.parametrize("case", named([*PICTURES, *FOLDERS, *EXPLAINED, *SEARCHED]))
def test_who_follows_the_advice_gets_on(case: Case, tmp_path: Path) -> None:
    follow(case, tmp_path)

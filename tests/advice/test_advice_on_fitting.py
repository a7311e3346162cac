"""Advice of estimators, of training of any Keras model, and of projects."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

import genokeras as gk
from genokeras.exports import export_model_as
from genokeras.exports.formats import choose_format
from genokeras.keras_models import run
from genokeras.keras_models.hyper_trials import objective_direction
from genokeras.projects import load_training, read_config
from genokeras.report.known_genes import read_known_genes
from genokeras.streams import Batches
from genokeras.support import RunFolder
from genokeras.tuning import ParamSpec
from tests.advice.cases import (
    RUNS,
    Case,
    Reached,
    X,
    fit,
    follow,
    named,
    put,
)
from tests.projects.conftest import write_project


def small() -> keras.Model:
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])


def light(**options: Any) -> Any:
    model = gk.LightModel(small())
    model.compile("adam", "mse")
    return model.fit((X.astype("float32"), X[:, :1]), epochs=1, verbose=0, **options)


def model_fn(inputs_spec: Any) -> keras.Model:
    return keras.Model(inputs_spec, keras.layers.Dense(1)(inputs_spec))


def step(**options: Any) -> Any:
    functions = (lambda: (X.astype("float32"), X[:, :1]), model_fn, lambda: keras.optimizers.SGD(1e-4))
    return run(*functions, max_number_of_steps=1, **options)


ESTIMATORS = [
    Case(
        "no limit",
        lambda p: fit(gk.GenomeClassifier(time_limit=None)),
        "give a time_limit, max_trials, or both",
        lambda p: [
            fit(gk.GenomeClassifier(time_limit=9, folds=2)),
            fit(gk.GenomeClassifier(max_trials=1, folds=2)),
        ],
    ),
    Case(
        "samples for folds",
        lambda p: fit(gk.GenomeClassifier(folds=20)),
        "Pass folds=12 or fewer",
        lambda p: fit(gk.GenomeClassifier(folds=12)),
    ),
    Case(
        "groups for folds",
        lambda p: fit(gk.GenomeClassifier(folds=5), groups=list("aabbccaabbcc")),
        "Pass folds=3 or fewer",
        lambda p: fit(gk.GenomeClassifier(folds=3), groups=list("aabbccaabbcc")),
    ),
    Case(
        "ids for classes",
        lambda p: fit(gk.GenomeClassifier(), [f"P{i}" for i in range(12)]),
        "Check that y holds classes and not ids|Name the column with the classes",
        lambda p: fit(gk.GenomeClassifier(folds=2)),
    ),
    Case(
        "an objective",
        lambda p: fit(gk.GenomeClassifier(objective="acuracy")),
        "Did you mean 'accuracy'",
        lambda p: fit(gk.GenomeClassifier(objective="accuracy", folds=2)),
    ),
    Case(
        "a searcher",
        lambda p: fit(gk.GenomeClassifier(searcher="bayesain")),
        "Did you mean 'bayesian'",
        lambda p: fit(gk.GenomeClassifier(searcher="bayesian", folds=2)),
    ),
    Case(
        "searcher_args",
        lambda p: fit(gk.GenomeClassifier(searcher_args={"splts": 1})),
        "Did you mean 'splits'",
        lambda p: fit(gk.GenomeClassifier(searcher_args={"splits": 1}, folds=2)),
    ),
    Case(
        "a narrow range",
        lambda p: fit(gk.GenomeRegressor(folds=2), 1e6 + 1e-3 * X[:, 0]),
        "subtract a constant from it first",
        lambda p: fit(gk.GenomeRegressor(folds=2), 1e6 + 1e-3 * X[:, 0] - 1e6),
    ),
    Case(
        "another class",
        lambda p: gk.GenomeRegressor.load(RUNS / "genome_classifier"),
        r"GenomeClassifier.load\(path\) can",
        lambda p: gk.load_estimator(RUNS / "genome_classifier"),
    ),
    Case(
        "a place that is taken",
        lambda p: fit(gk.GenomeClassifier(copytree(RUNS / "genome_classifier", p / "a"), folds=2)),
        "Give another path, one such as 'runs/{}' for a new number with every fit, resume=True to go on with that run, or remove the folder",
        lambda p: [
            fit(gk.GenomeClassifier(p / "b", folds=2, random_state=0)),
            fit(gk.GenomeClassifier(p / "b", folds=2, random_state=0, resume=True)),
        ],
    ),
    Case(
        "a place with files",
        lambda p: (put(p, "a/x.txt", "x"), RunFolder.create(p / "a", {})),
        "Give a path that is empty or does not exist yet",
        lambda p: RunFolder.create(p / "b", {}),
    ),
    Case(
        "a suffix of exports",
        lambda p: choose_format(p / "m.h5"),
        r"known are \.keras",
        lambda p: [choose_format(p / "m.keras"), choose_format(p / "m")],
    ),
    Case(
        "not fitted",
        lambda p: gk.GenomeClassifier().predict(X),
        r"call fit\(x, y\), or GenomeClassifier.load\(path\) first",
        lambda p: gk.GenomeClassifier.load(RUNS / "genome_classifier").predict,
    ),
    Case(
        "protein",
        lambda p: gk.load_sequences(["MKVLAAGIVGLLLAQE", "MSTNPKPQRKTKRNTN"]),
        "pass the coding sequences, or numbers that describe the proteins as a table",
        lambda p: [gk.load_sequences(["ATGAAAGTT", "ATGTCTACT"]), gk.load_dataset(X)],
    ),
    Case(
        "a folder for a file",
        lambda p: export_model_as(small(), put(p, "m.keras/x", "x").parent, "keras"),
        "give the name of a file to write",
        lambda p: export_model_as(small(), p / "n.keras", "keras"),
    ),
]


KERAS = [
    Case(
        "not compiled",
        lambda p: gk.LightModel(small()).fit((X, X[:, :1])),
        r"call .compile\(optimizer, loss\) first",
        lambda p: light(ckpt_path=p / "a.keras", monitor="loss"),
    ),
    Case(
        "a monitor",
        lambda p: light(ckpt_path=p / "a.keras", monitor="val_loss"),
        r"pass valid=\(x, y\), or monitor='loss'",
        lambda p: [
            light(ckpt_path=p / "b.keras", monitor="val_loss", valid=(X, X[:, :1])),
            light(ckpt_path=p / "c.keras", monitor="loss"),
        ],
    ),
    Case(
        "targets beside an iterable",
        lambda p: Batches(iter([X]), X),
        r"let it give \(x, y\)",
        lambda p: Batches(iter([(X, X)])).first(),
    ),
    Case(
        "a folder for the training",
        lambda p: step(),
        "training needs log_dir, a folder",
        lambda p: step(log_dir=p / "a"),
    ),
    Case(
        "nothing trained yet",
        lambda p: step(run_mode="evaluate", log_dir=p / "a"),
        "holds no training",
        lambda p: (step(log_dir=p / "a"), step(run_mode="evaluate", log_dir=p / "a")),
    ),
    Case(
        "another training there",
        lambda p: [step(log_dir=p / "a", batch_size=size) for size in (4, 6)],
        "Give another log_dir, or remove this one",
        lambda p: step(log_dir=p / "b", batch_size=6),
    ),
    Case(
        "a direction",
        lambda p: objective_direction("score"),
        r"pass objective=keras_tuner.Objective\('score', direction='max'\)",
        lambda p: objective_direction(keras_tuner.Objective("score", direction="max")),
    ),
    Case(
        "a parameter",
        lambda p: step(log_dir=p / "a", param_spec={"momentum": 0.9}),
        r"pass ParamSpec\(momentum=0.9\)",
        lambda p: step(log_dir=p / "a", param_spec=ParamSpec(momentum=0.9)),
    ),
    Case(
        "an unbuilt model",
        lambda p: export_model_as(keras.Sequential([keras.layers.Dense(1)]), p / "m", "keras"),
        "call it on some rows, or give it a keras.Input",
        lambda p: export_model_as(small(), p / "m", "keras"),
    ),
    Case(
        "a preset of genes",
        lambda p: read_known_genes(p / "none.txt"),
        "Pass a text file with one gene a line, or a list of names",
        lambda p: [read_known_genes(put(p, "g.txt", "TP53\nMYC\n")), read_known_genes(["TP53"])],
    ),
]


def compiled(**options: Any) -> None:
    gk.LightModel(small()).compile(**{"optimizer": "adam", "loss": "mse"} | options)


def scheduled() -> Any:
    return keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9))


def module(kind: Any, x: np.ndarray, outputs: int, loss: str = "categorical_crossentropy") -> None:
    y = np.arange(len(x)) % max(outputs, 2)
    with pytest.raises(Reached):
        found = kind(loss=loss, metric="accuracy", searcher_args={"max_trials": 1})
        found.fit(outputs, x.shape, (x, y), (x, y), time_limit=None)


MODELS = [
    Case(
        "a loss",
        lambda p: compiled(loss=None),
        "loss must be given, such as 'mse'",
        lambda p: compiled(loss="mse"),
    ),
    Case(
        "two schedules",
        lambda p: compiled(optimizer=scheduled(), schedule="cosine"),
        "give it a number as learning rate, or leave out schedule",
        lambda p: [
            compiled(optimizer=keras.optimizers.SGD(0.1), schedule="cosine"),
            compiled(optimizer=scheduled()),
        ],
    ),
    Case(
        "rows without channels",
        lambda p: module(gk.CnnModule, X.astype("float32"), 2),
        "Add an axis of channels, or take MlpModule for rows of numbers",
        lambda p: [module(gk.CnnModule, X[..., None], 2), module(gk.MlpModule, X, 2)],
    ),
    Case(
        "one output",
        lambda p: module(gk.MlpModule, X.astype("float32"), 1),
        "Pass loss='binary_crossentropy' for one output",
        lambda p: module(gk.MlpModule, X.astype("float32"), 1, "binary_crossentropy"),
    ),
]


def project(folder: Path, labels: str = "codes", lines: list[str] | None = None, **sections: Any) -> Any:
    config = write_project(folder, "ResNet", labels, **sections)
    if lines is not None:
        (folder / "labels.tsv").write_text("\n".join(lines) + "\n")
    return load_training(read_config(config))


def of_classes(count: int) -> dict[str, Any]:
    return {"model": {"type": "ResNet", "args": {"output_classes": count}}}


def delimited(folder: Path, delimiter: str) -> Any:
    config = write_project(folder)
    put(
        folder,
        "semicolons.csv",
        "\n".join(";".join(map(str, row)) for row in np.tile(X, (4, 1))[:40].tolist()) + "\n",
    )
    config["data_train"]["args"] |= {"features_file": "semicolons.csv", "delimiter": delimiter}
    return load_training(read_config(config))


REGRESSION: dict[str, Any] = {**of_classes(1), "trainer": {"loss": "mse"}}
PROJECTS = [
    Case(
        "a key",
        lambda p: project(p, trainer={"batchsize": 16}),
        "Did you mean .*batch_size",
        lambda p: project(p, trainer={"batch_size": 16}),
    ),
    Case(
        "numbers of classes",
        lambda p: project(p, lines=["1", "2"] * 20),
        "Number them from 0, or write names",
        lambda p: [project(p, lines=["0", "1"] * 20), project(p, lines=["one", "two"] * 20)],
    ),
    Case(
        "fractions",
        lambda p: project(p, "numbers", trainer={"loss": "cross_entropy"}, **of_classes(2)),
        'For regression set trainer.loss to "mse" and model.args.output_classes to 1',
        lambda p: project(p, "numbers", **REGRESSION),
    ),
    Case(
        "words for numbers",
        lambda p: project(p, "words", **REGRESSION),
        'For classes set trainer.loss to "cross_entropy" and model.args.output_classes to their number',
        lambda p: project(p, "words", trainer={"loss": "cross_entropy"}, **of_classes(2)),
    ),
    Case(
        "the number of classes",
        lambda p: project(p, **of_classes(3)),
        "expected as many. Found '0' .20., '1' .20.",
        lambda p: project(p, **of_classes(2)),
    ),
    Case(
        "a missing label",
        lambda p: project(p, lines=["0", "NA"] * 20),
        "Give these rows a label",
        lambda p: project(p, lines=["0", "1"] * 20),
    ),
    Case(
        "a delimiter",
        lambda p: delimited(p, ","),
        '"delimiter": ";" would give 3 columns',
        lambda p: delimited(p, ";"),
    ),
    Case(
        "a file as JSON text",
        lambda p: read_config('{"name": "demo"}'),
        "expected the path of a project's JSON file, or a dict",
        lambda p: read_config(write_project(p)),
    ),
    Case(
        "a missing file",
        lambda p: read_config(p / "resnt.json"),
        "does not exist: expected a project's JSON file",
        lambda p: read_config(put(p, "resnet.json", json.dumps(write_project(p)))),
    ),
]


@pytest.mark.parametrize("case", named([*ESTIMATORS, *KERAS, *MODELS, *PROJECTS]))
def test_who_follows_the_advice_gets_on(case: Case, tmp_path: Path) -> None:
    follow(case, tmp_path)

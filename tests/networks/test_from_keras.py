"""A Keras model becomes a graph that answers alike, on every backend; what no graph holds is refused by its name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import genokeras as gk
from genokeras import GraphError, ParameterError
from genokeras.graph import reference_forward
from genokeras.networks.keras_specs import OF_POSITIONS, OF_VECTORS
from tests.networks.keras_models import MODELS, answers_alike

L = keras.layers


@pytest.mark.parametrize("name", MODELS)
def test_the_graph_answers_as_the_model_does(name: str) -> None:
    assert answers_alike(name) < 1e-5


def test_the_reference_computes_the_same_logits() -> None:
    model, x = MODELS["dense net"]()
    graph = gk.from_keras(model)
    logits = reference_forward(graph, graph.weights, x, "relu")[0]
    np.testing.assert_allclose(logits, model.predict(x, verbose=0), atol=1e-5)


def test_the_models_above_hold_every_layer_that_is_named_as_supported() -> None:
    held = {type(layer).__name__ for make in MODELS.values() for layer in make()[0].layers}
    assert {*OF_VECTORS, *OF_POSITIONS} <= held | {"InputLayer"}


def test_fresh_weights_are_others() -> None:
    model, x = MODELS["features"]()
    graph = gk.from_keras(model)
    fresh = graph.produce_keras_model(weights=False)
    assert not np.allclose(fresh.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-3)
    assert graph == gk.from_keras(model) and graph.to_dict() == gk.Graph(graph.layers).to_dict()


@pytest.mark.slow
def test_a_search_starts_from_it() -> None:
    net = keras.Sequential([keras.Input((12,)), L.Dense(8, "gelu"), L.Dense(1, "sigmoid")])
    father = gk.from_keras(net)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 12)), np.arange(40) % 2
    clf = gk.GenomeClassifier(
        searcher_args={"fathers": [father]},
        time_limit=None,
        max_trials=2,
        folds=3,
        random_state=0,
        verbose=0,
    ).fit(x + y[:, None], y)
    assert set(clf.leaderboard()["graph"]) == {father.describe()}
    assert clf.leaderboard()["origin"].eq("design").all() and clf.predict(x).shape == (40,)


@pytest.mark.slow
def test_a_search_on_sequences_starts_from_it_too(tmp_path: Path) -> None:
    net = keras.Sequential(
        [keras.Input((30, 4)), L.Conv1D(6, 5, activation="relu"), L.GlobalMaxPooling1D(), L.Dense(2)]
    )
    rng = np.random.default_rng(0)
    x = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(40)]
    clf = gk.SequenceClassifier(
        tmp_path / "run",
        searcher_args={"fathers": [gk.from_keras(net)]},
        time_limit=None,
        max_trials=5,
        random_state=0,
        verbose=0,
    ).fit(x, np.arange(40) % 2)
    assert gk.from_keras(net).describe() in set(clf.leaderboard()["graph"])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_graphs_answer_alike_on_other_backends(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.networks.keras_models"],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=True,
    )
    name, difference = done.stdout.split()
    assert name == backend and float(difference) < 1e-5


# ---- what is refused


def of_features(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((6,)), *layers, L.Dense(2)])


def of_sequences(*layers: Any) -> Any:
    return keras.Sequential([keras.Input((10, 4)), *layers, L.GlobalMaxPooling1D(), L.Dense(2)])


def used_twice() -> Any:
    x, layer = keras.Input((4,)), L.Dense(4)
    return keras.Model(x, layer(layer(x)))


def with_a_number() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(x) + 1.0)


def of_rms_scaling() -> Any:
    layer = L.LayerNormalization(center=False, scale=False, name="rms")
    layer.rms_scaling = True  # its argument is deprecated, and warns
    return of_features(layer)


def quantised() -> Any:
    model = of_features(L.Dense(3, name="small"))
    model.get_layer("small").quantize("int8")
    return model


def softmax_inside() -> Any:
    x = keras.Input((4,))
    return keras.Model(x, L.Dense(2)(L.Softmax(name="shares")(x)))


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: of_features(L.GaussianNoise(0.1, name="noise")),
        r"'noise' \(GaussianNoise\).*no such layer.*Of features: Dense",
    ),
    (lambda: of_features(L.Dense(3, "softplus", name="odd")), r"'odd' \(Dense\).*softplus.*Functions: relu"),
    (lambda: of_features(L.BatchNormalization(name="bn")), r"'bn' \(BatchNormalization\).*center=False"),
    (
        lambda: of_features(L.LayerNormalization(name="ln")),
        r"'ln' \(LayerNormalization\).*center is True, and a graph has False",
    ),
    (lambda: of_features(L.ReLU(max_value=6, name="r6")), r"'r6' \(ReLU\).*max_value is 6"),
    (lambda: of_sequences(L.LSTM(3, return_sequences=True, name="memory")), r"'memory' \(LSTM\).*Conv1D"),
    (
        lambda: of_sequences(L.Conv1D(3, 2, padding="causal", name="c")),
        r"'c' \(Conv1D\).*padding is 'causal'",
    ),
    (
        lambda: of_sequences(L.MaxPooling1D(2, padding="same", name="p")),
        r"'p' \(MaxPooling1D\).*padding is 'same'",
    ),
    (
        lambda: of_sequences(L.BatchNormalization(epsilon=1e-5, name="bn")),
        r"'bn'.*epsilon is 1e-05, and a graph has 0.001",
    ),
    (
        lambda: of_features(keras.Sequential([L.Dense(3)], name="inner")),
        r"'inner' \(Sequential\).*one by one",
    ),
    (
        lambda: of_features(L.Dense(3, use_bias=False, name="plain")),
        r"'plain' \(Dense\).*use_bias is False, and a graph has True",
    ),
    (
        lambda: of_sequences(L.Dropout(0.2, noise_shape=(None, 1, 4), name="drop")),
        r"'drop' \(Dropout\).*noise_shape is \(None, 1, 4\), and a graph has None",
    ),
    (quantised, r"'small' \(Dense\).*quantised to int8"),
    (used_twice, r"\(Dense\).*used twice"),
    (with_a_number, r"\(Add\).*reads 1 tensors of the model, beside numbers"),
    (of_rms_scaling, r"'rms' \(LayerNormalization\).*rms_scaling is True, and a graph has False"),
    (softmax_inside, r"'shares' \(Softmax\).*at the end only"),
    (
        lambda: keras.Sequential([keras.Input((None, 4)), L.GlobalMaxPooling1D(), L.Dense(2)]),
        r"\(None, 4\).*every size",
    ),
    (lambda: keras.Sequential([keras.Input((4,)), L.Dense(2, "relu")]), "logits"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_no_graph_holds_is_named_with_what_there_is(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        gk.from_keras(make())


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (L.Dense(3, kernel_regularizer="l2"), "kernel_regularizer of 'it'"),
        (L.Dense(3, kernel_constraint="max_norm"), "kernel_constraint of 'it'"),
        (L.Dense(3, activity_regularizer="l1"), "activity_regularizer of 'it'"),
        (L.Dense(3, trainable=False), "trainable=False of 'it'"),
    ],
)
def test_what_changes_training_alone_is_left_out_with_a_warning(layer: Any, said: str) -> None:
    layer.name = "it"
    with pytest.warns(UserWarning, match=f"changes its training alone: {said}"):
        graph = gk.from_keras(of_features(layer))
    assert graph.describe() == gk.from_keras(of_features(L.Dense(3))).describe()


def test_several_inputs_other_objects_and_models_that_are_not_built_are_refused() -> None:
    x, y = keras.Input((4,)), keras.Input((4,))
    with pytest.raises(GraphError, match="2 inputs and 1 outputs"):
        gk.from_keras(keras.Model([x, y], L.Dense(2)(L.Add()([x, y]))))
    with pytest.raises(ParameterError, match="reads a keras.Model, got int"):
        gk.from_keras(3)
    with pytest.raises(ParameterError, match="were built"):
        gk.from_keras(keras.Sequential([L.Dense(2)]))

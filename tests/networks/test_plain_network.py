"""The ordinary Keras model of a graph, for people to train by themselves."""

from __future__ import annotations

import keras
import numpy as np

from genokeras.graph import Activation, Dense, Dropout, Graph, HyperParameters, Input, Layer, mlp, multi_view
from genokeras.networks import build_plain


def test_a_plain_model_compiles_and_fits_in_keras() -> None:
    rng = np.random.default_rng(0)
    model = build_plain(mlp(3, (8,)), 6, HyperParameters(dropout=0.5, activation="tanh"))
    model.compile("adam", "sparse_categorical_crossentropy")
    before = [w.copy() for w in model.get_weights()]
    history = model.fit(rng.standard_normal((12, 6)), rng.integers(0, 3, 12), batch_size=12, verbose=0)
    assert np.isfinite(history.history["loss"][0])
    assert any(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_plain_model_gives_probabilities() -> None:
    model = build_plain(mlp(3, (8,)), 6, HyperParameters())
    p = keras.ops.convert_to_numpy(model(np.random.default_rng(0).standard_normal((5, 6)).astype("float32")))
    assert p.shape == (5, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)


def test_what_the_graph_leaves_open_is_filled_in_and_the_rest_kept() -> None:
    specs = [Input(), Dense(4), Activation(), Dropout(), Dense(4), Activation("selu"), Dropout(0.4), Dense(2)]
    graph = Graph.build([Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs)])
    model = build_plain(graph, 6, HyperParameters(dropout=0.1, activation="gelu"))
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    functions = [la.activation.__name__ for la in model.layers if isinstance(la, keras.layers.Activation)]
    assert rates == [0.1, 0.4] and functions == ["gelu", "selu"]


def test_a_graph_of_several_views_has_an_input_for_each() -> None:
    model = build_plain(multi_view(3, ("log:top4",), (8,)), {0: 6, 1: 4}, HyperParameters())
    assert [(each.name, each.shape) for each in model.inputs] == [
        ("features", (None, 6)),
        ("log_top4", (None, 4)),
    ]

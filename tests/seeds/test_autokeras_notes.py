"""The notes' AutoKeras calls in their order: search, best model, final fit, export, graphs, models, drawings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

import genokeras as ak

pytestmark = pytest.mark.slow


class Drawing:
    """Collects what the notes give to graphviz."""

    def __init__(self) -> None:
        self.nodes: list[tuple[str, str]] = []
        self.edges: list[tuple[str, str, str]] = []

    def node(self, name: str, label: str) -> None:
        self.nodes.append((name, label))

    def edge(self, u: str, v: str, label: str) -> None:
        self.edges.append((u, v, label))


def to_pdf(graph: Any, dot: Drawing) -> None:
    """examples/visualize.py of the notes."""
    for index, node in enumerate(graph.node_list):
        dot.node(str(index), str(node.shape))

    for u in range(graph.n_nodes):
        for v, layer_id in graph.adj_list[u]:
            dot.edge(str(u), str(v), str(graph.layer_list[layer_id]))


def test_the_notes_in_their_order(tmp_path: Path) -> None:
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8)
    x_train, y_train, x_test, y_test = x[:400], y[:400], x[400:500], y[400:500]
    x_train = x_train.reshape((*x_train.shape, 1))  # (1,) denotes the channels which is 1 in this case
    x_test = x_test.reshape((*x_test.shape, 1))

    path = tmp_path / "auto-keras"
    clf = ak.ImageClassifier(
        verbose=False, path=path, searcher_args={"trainer_args": {"max_iter_num": 5}}, random_state=0
    )
    clf.fit(x_train, y_train, time_limit=20)
    best = clf.get_best_model_id()
    searcher = clf.load_searcher()
    assert best in [item["model_id"] for item in searcher.history]
    assert {"loss", "metric_value"} < set(searcher.history[0])
    clf.final_fit(x_train, y_train, x_test, y_test, retrain=False, trainer_args={"max_iter_num": 10})
    assert len(clf.predict(x_test)) == 100
    exported = clf.export_keras_model(tmp_path / "model.keras")
    assert keras.saving.load_model(exported).predict(x_test, verbose=0).shape == (100, 10)

    # pickle_from_file, of a file that holds no code
    graph = ak.load_graph(path / "trials" / f"{best:06d}" / "graph.json")
    assert graph.produce_model() is not None
    graph = searcher.load_best_model()
    assert searcher.load_model_by_id(searcher.history[0]["model_id"]).n_nodes > 1
    keras_model = graph.produce_keras_model()
    keras_model.summary(print_fn=lambda text: None)

    # what was produced has fresh weights, and is trained like any other, by one-hot labels
    one_hot = keras.utils.to_categorical(y_train)
    keras_model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    keras_model.fit(x_train, one_hot, epochs=1, verbose=0)

    for item in searcher.history[:3]:
        dot = Drawing()
        drawn = searcher.load_model_by_id(item["model_id"])
        to_pdf(drawn, dot)
        assert len(dot.nodes) == drawn.n_nodes and len(dot.edges) >= drawn.n_nodes - 1
    assert ak.visualize(path)
    assert np.isfinite(clf.evaluate(x_test, y_test)["accuracy"])

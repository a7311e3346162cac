"""Models to export: a small one with two inputs, and what a search delivers."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from genokeras.features import fit_views
from genokeras.graph import linear, mlp
from genokeras.graph.testing import random_weights
from genokeras.networks import TrainedTrial, merge_rows
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes

N, P, FOLDS = 18, 60, 3
OUTPUTS = ("probabilities", "total")


def two_inputs() -> Any:
    """Two named inputs in a dict, two outputs in a list; exact GELU, which ONNX lacks an operation for."""
    keras.utils.set_random_seed(0)
    genes, image = keras.Input((3,), name="genes"), keras.Input((4, 2), name="image")
    flat = keras.layers.Flatten()(image)
    dense = keras.layers.Dense(4, activation="gelu")(genes)
    hidden = keras.layers.LayerNormalization()(keras.layers.Concatenate()([dense, flat]))
    hidden = keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(hidden))
    probabilities = keras.layers.Dense(2, activation="softmax", name="probabilities")(hidden)
    total = keras.layers.Dense(1, name="total")(hidden)
    return keras.Model({"genes": genes, "image": image}, [probabilities, total], name="two_inputs")


def two_input_rows(n: int = 7) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    shapes = {"genes": (n, 3), "image": (n, 4, 2)}
    return {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}


def expression() -> np.ndarray:
    """Positive values, with some missing."""
    rng = np.random.default_rng(0)
    x = rng.gamma(2.0, 300.0, size=(N, P))
    return np.where(rng.random(x.shape) < 0.05, np.nan, x).astype("float32")


def ensemble() -> Any:
    """Folded and projected members, raw and behind the logarithm, medians for missing values, calibrated."""
    values = expression()
    medians = np.nanmedian(values, axis=0)
    x, codes = np.where(np.isnan(values), medians, values).astype("float32"), np.arange(N) % 3
    train = np.arange(N) % FOLDS != np.arange(FOLDS)[:, None]
    views = fit_views(("all", "log", "top9"), x, codes, train)
    members = [(linear(3), "all"), (mlp(3, (8,)), "log"), (mlp(3, (4,)), "top9")]
    trials = []
    for graph, view in members:
        spaces = views[view].spaces
        weights = random_weights(graph, max(s.rank for s in spaces), FOLDS, np.random.default_rng(2))
        trials.append(TrainedTrial(graph, "gelu", weights, {graph.input: spaces}))
    return merge_rows(trials, Classes(3), P, medians, Calibration(sharpness=1.3, doubt=0.05))

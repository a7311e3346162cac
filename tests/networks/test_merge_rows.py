"""Export: one plain Keras model that equals the weighted mean of all the members, from raw features on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from scipy.special import softmax

from genokeras.features import FittedView, RowSpace, fit_views
from genokeras.graph import (
    AddInput,
    Dense,
    Dropout,
    Graph,
    Input,
    Layer,
    LayerNorm,
    linear,
    mlp,
    multi_view,
    reference_forward,
)
from genokeras.graph.testing import random_weights
from genokeras.networks import TrainedTrial, merge_rows
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes
from tests.backends import at_once, fewer
from tests.exports.exported_models import ensemble
from tests.processes import run_alone

N, P, FOLDS = 24, 120, 3
TASK = Classes(3)
CODES = np.arange(N) % 3
TRAIN = np.arange(N) % FOLDS != np.arange(FOLDS)[:, None]


def expression(p: int = P) -> np.ndarray:
    x = np.random.default_rng(0).gamma(2.0, 3.0, size=(N, p)).astype("float32")
    x[:, 2] = 4.0
    return x


def fit_one(name: str, x: np.ndarray, codes: np.ndarray, train: np.ndarray) -> FittedView:
    return fit_views((name,), x, codes, train)[name]


def spaces(name: str, x: np.ndarray) -> tuple[RowSpace, ...]:
    return fit_one(name, x, CODES, TRAIN).spaces


def trial(
    graph: Graph,
    views: tuple[RowSpace, ...],
    members: int = FOLDS,
    *,
    share: float = 1.0,
    wider: int = 0,
    **others: tuple[RowSpace, ...],
) -> TrainedTrial:
    """Random weights on the spaces of the main Input, and of others by the names of their views."""
    read = {i: others.get(view, views) for i, view in graph.views("").items()}
    units = {i: max(space.rank for space in found) + wider for i, found in read.items()}
    weights = random_weights(graph, units, members, np.random.default_rng(len(graph.layers)))
    return TrainedTrial(graph, "gelu", weights, read, share)


def expected(trials: list[TrainedTrial], x: np.ndarray) -> np.ndarray:
    """The weighted mean of softmax over the members, each on its own transform."""
    total = np.zeros((len(x), trials[0].graph.n_outputs))
    for each in trials:
        for m in range(each.n_members):
            own = {i: {k: a[m : m + 1] for k, a in named.items()} for i, named in each.weights.items()}
            rows = {i: named["kernel"].shape[1] for i, named in own.items()}
            z = {}
            for i, units in each.graph.infer_input_widths(rows).items():
                found = (each.spaces[i][0] if len(each.spaces[i]) == 1 else each.spaces[i][m]).transform(x)
                z[i] = np.pad(found, ((0, 0), (0, units - found.shape[1])))
            logits = reference_forward(each.graph, own, z, each.activation)[0]
            total += each.share / each.n_members * softmax(logits, axis=-1)
    return np.asarray(total / sum(each.share for each in trials))


def predicted(model: Any, x: np.ndarray) -> np.ndarray:
    read = keras.ops.convert_to_tensor(x)
    return np.asarray(keras.ops.convert_to_numpy(at_once(lambda tensor: model(tensor))(read)))


def linear_of(units: int) -> Graph:
    """Two Dense layers, one behind the other; the first has this width."""
    return Graph.build([Layer(0, Input()), Layer(1, Dense(units), (0,)), Layer(2, Dense(3), (1,))])


def normed(n_outputs: int) -> Graph:
    """A graph whose Input is read by no Dense layer, which therefore cannot be folded."""
    specs = [Input(), LayerNorm(), Dropout(), Dense(n_outputs)]
    return Graph.build([Layer(i, spec, (i - 1,) if i else ()) for i, spec in enumerate(specs)])


X = expression()
ALL, TOP30, TOP9, LOG, LOG_TOP30, WEIGHTED = (
    spaces(name, X) for name in ("all", "top30", "top9", "log", "log:top30", "weighted40")
)
SHARED = fit_one("all", X, CODES, np.ones((1, N), dtype=bool)).spaces
ENSEMBLES = {
    "projected behind the logarithm": [trial(mlp(3, (16,)), LOG)],
    "folded behind the logarithm, beside raw values": [
        trial(linear(3), LOG),
        trial(linear(3), ALL, share=2.0),
    ],
    "ranks, ratios and raw logarithms": [
        trial(linear(3), spaces("rank:top30", X)),
        trial(mlp(3, (16,)), spaces("ratio", X)),
        trial(linear(3), spaces("arcsinh:top9", X)),
    ],
    "a screened logarithm": [trial(mlp(3, (16,)), LOG_TOP30), trial(linear(3), TOP30)],
    "projected": [trial(mlp(3, (16,)), ALL)],
    "folded": [trial(linear(3), ALL)],
    "folded with two first layers": [trial(mlp(3, (1,)), ALL)],
    "folded from one basis each": [trial(linear(3), TOP30)],
    "folded from a basis that all members share": [trial(linear(3), SHARED, 4)],
    "projected on a basis that all members share": [trial(mlp(3, (16,)), SHARED, 4)],
    "no basis": [trial(mlp(3, (4,)), TOP9)],
    "no basis, padded": [trial(mlp(3, (4,)), TOP9, wider=5)],
    "projected, padded": [trial(mlp(3, (16,)), ALL, wider=5)],
    "folded, padded": [trial(linear(3), TOP30, wider=5)],
    "not foldable": [trial(normed(3), ALL)],
    "weighted features beside the same ones without weights": [
        trial(linear(3), WEIGHTED),
        trial(mlp(3, (16,)), WEIGHTED),
        trial(linear(3), ALL),
    ],
    "one graph on two views": [trial(mlp(3, (16,)), ALL, wider=1), trial(mlp(3, (16,)), SHARED, 2)],
    "two views in a hidden layer": [trial(multi_view(3, ("log",), (16,)), ALL, log=LOG)],
    "three views, all folded": [trial(multi_view(3, ("log", "top"), ()), ALL, log=LOG, top=TOP30)],
    "one Input folded and another not": [
        trial(AddInput("log", 2, 0).edit(linear_of(16)), ALL, log=LOG_TOP30),
    ],
    "an Input of all folds beside one for each": [trial(multi_view(3, ("log",), (16,)), SHARED, log=LOG)],
    "Inputs that share a basis": [trial(multi_view(3, ("log",), (16,)), ALL, log=ALL, wider=2)],
    "members with other views": [
        trial(multi_view(3, ("log",), (16,)), ALL, log=LOG),
        trial(multi_view(3, ("log",), (16,)), TOP30, log=LOG, share=2.0),
        trial(multi_view(3, ("top",), (4,)), LOG, top=TOP9),
        trial(mlp(3, (16,)), LOG_TOP30),
        trial(linear(3), ALL),
    ],
    "everything": [
        trial(linear(3), TOP30, share=0.5),
        trial(mlp(3, (16,)), ALL, share=2.0),
        trial(mlp(3, (8, 4)), TOP30),
        trial(mlp(3, (16,), linear_path=False), TOP9, share=0.1),
        trial(normed(3), SHARED, 1),
        trial(mlp(3, (16,)), ALL, share=1.0),
    ],
}


@pytest.mark.parametrize("name", fewer(reversed(ENSEMBLES), 6))
def test_an_exported_model_is_the_weighted_mean_of_its_members(name: str) -> None:
    model = merge_rows(ENSEMBLES[name], TASK, P)
    new = expression()[:7] + np.random.default_rng(3).normal(size=(7, P)).astype("float32")
    np.testing.assert_allclose(predicted(model, new), expected(ENSEMBLES[name], new), atol=1e-5)


@pytest.mark.parametrize("name", fewer(reversed(ENSEMBLES), 3))
def test_members_may_be_multiplied_in_place_of_averaged(name: str) -> None:
    trials = ENSEMBLES[name]
    new = expression()[:7] + np.random.default_rng(3).normal(size=(7, P)).astype("float32")
    logs = 0.0
    for each in trials:
        for m in range(each.n_members):
            weights = {i: {n: a[m : m + 1] for n, a in named.items()} for i, named in each.weights.items()}
            read = {i: (of if len(of) == 1 else (of[m],)) for i, of in each.spaces.items()}
            alone = expected([replace(each, weights=weights, spaces=read)], new)
            logs = logs + each.share / each.n_members * np.log(alone)
    wanted = softmax(logs / sum(each.share for each in trials), axis=1)
    model = merge_rows(trials, TASK, P, geometric=True)
    np.testing.assert_allclose(predicted(model, new), wanted, atol=1e-5)
    sharp = merge_rows(trials, TASK, P, None, Calibration(1.5, 0.1), geometric=True)
    np.testing.assert_allclose(predicted(sharp, new), Calibration(1.5, 0.1).apply(wanted), atol=1e-5)


def test_missing_values_are_replaced_by_the_medians() -> None:
    medians = np.median(X, axis=0)
    holes = np.random.default_rng(0).random(X.shape) < 0.2
    model = merge_rows(ENSEMBLES["everything"], TASK, P, medians)
    found = predicted(model, np.where(holes, np.nan, X).astype("float32"))
    np.testing.assert_allclose(
        found, expected(ENSEMBLES["everything"], np.where(holes, medians, X)), atol=1e-5
    )


@pytest.mark.parametrize(
    ("offset", "scale"),
    fewer(
        [
            pytest.param(1e4, 1.0, id="far from zero"),
            pytest.param(0.0, 1e-10, id="proportions"),
            pytest.param(0.0, 1e8, id="raw counts"),
        ],
        3,
    ),
)
def test_the_scale_of_the_features_does_not_matter(offset: float, scale: float) -> None:
    x = (offset + scale * expression()).astype("float32")
    for graph in (linear(3), mlp(3, (16,))):
        trials = [trial(graph, spaces("all", x))]
        np.testing.assert_allclose(predicted(merge_rows(trials, TASK, P), x), expected(trials, x), atol=1e-5)


def test_few_outputs_are_folded_because_that_is_smaller() -> None:
    folded = P * 3 * FOLDS
    assert (
        merge_rows(ENSEMBLES["folded"], TASK, P).count_params() <= folded + 3 * FOLDS < SHARED[0].basis.size
    )  # type: ignore[union-attr]


def test_many_outputs_share_the_projection_because_that_is_smaller() -> None:
    each = ENSEMBLES["projected"][0]
    in_row_space = each.graph.n_parameters(each.widths) * FOLDS
    rotations = sum(space.rotation.size for space in each.every_space if space.rotation is not None)
    basis = each.every_space[0].basis
    assert basis is not None
    assert merge_rows([each], TASK, P).count_params() == basis.size + rotations + in_row_space


def test_many_small_trials_of_a_basis_share_its_projection() -> None:
    many = [trial(linear(3), ALL, share=1.0 + i) for i in range(8)]
    model = merge_rows(many, TASK, P)
    assert model.count_params() < 8 * P * 3 * FOLDS
    np.testing.assert_allclose(predicted(model, X), expected(many, X), atol=1e-5)


def test_each_input_is_folded_or_projected_by_itself() -> None:
    (each,) = ENSEMBLES["one Input folded and another not"]
    kinds = [type(layer).__name__ for layer in merge_rows([each], TASK, P).layers]
    # Of the three Dense layers of the graph, that on the screened logarithm is part of a folded kernel.
    assert kinds.count("EinsumDense") == 2 and kinds.count("Reshape") == 1


def test_trials_of_one_graph_stay_packed() -> None:
    wide = trial(mlp(3, (16,)), ALL)
    kinds = [type(layer).__name__ for layer in merge_rows([wide] * 5, TASK, P).layers]
    assert kinds.count("EinsumDense") == 3


LOAD = """
import sys
import keras
import numpy as np
folder = sys.argv[1]
model = keras.saving.load_model(folder + "/model.keras", safe_mode=True)
np.save(folder + "/found.npy", keras.ops.convert_to_numpy(model(np.load(folder + "/x.npy"))))
"""


def test_an_exported_file_loads_in_safe_mode_where_genokeras_is_not_imported(tmp_path: Path) -> None:
    x = np.where(np.random.default_rng(0).random(X.shape) < 0.1, np.nan, X).astype("float32")
    trials = [*ENSEMBLES["everything"], *ENSEMBLES["members with other views"]]
    model = merge_rows(trials, TASK, P, np.median(X, axis=0))
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "x.npy", x)
    run_alone(LOAD, tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), predicted(model, x), atol=1e-6)


def test_operations_have_no_class_name_in_common_with_layers() -> None:
    """Keras before 3.13 reads an operation without its name, and gives it one that a layer of the same class may have."""
    steps = ensemble().operations
    layers = {type(step).__name__ for step in steps if isinstance(step, keras.layers.Layer)}
    operations = {type(step).__name__ for step in steps if not isinstance(step, keras.layers.Layer)}
    assert "Log" in operations
    # Operations without arguments of their own keep their names everywhere.
    assert operations & layers <= {"Add", "Multiply", "Subtract"}

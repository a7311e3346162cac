"""Properties of attributions that hold for every network: random graphs in row space, for classes, numbers and other tasks."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genokeras.explain import explain_model
from genokeras.explain.coordinates import RowSpaceFrame
from genokeras.explain.links import Link, link_of
from genokeras.explain.paths import attribute
from genokeras.features import RowSpace, fit_views
from genokeras.graph import LayerNorm, linear, mlp
from genokeras.networks import TrainedTrial
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes
from genokeras.tasks.loss import LossTask
from genokeras.tasks.numbers import Numbers
from tests.explain.random_ensembles import (
    GENES,
    ROWS,
    TRAIN,
    expression,
    random_trial,
    spaces,
    trial_of,
)

X, BACKGROUND = expression(3, 5), expression(3, 6)
seeds = st.integers(0, 10_000)


def smooth_trial(seed: int, k: int) -> TrainedTrial:
    """A random graph without kinks, at which a gradient depends on the last bit of a number."""
    return replace(random_trial(seed, k), activation=("tanh", "gelu", "silu", "sigmoid")[seed % 4])


@st.composite
def links(draw: st.DrawFn, k: int) -> Link:
    """Any task of ``k`` outputs, calibrated in some way."""
    numbers = Numbers(tuple(100.0 * i for i in range(k)), tuple(10.0 ** (i - 1) for i in range(k)))
    kind = draw(st.sampled_from(["numbers", "loss", *(["probability", "log_odds"] if k > 1 else [])]))
    if kind in ("numbers", "loss"):
        return link_of(numbers if kind == "numbers" else LossTask(k, None, link="sigmoid"))
    calibration = Calibration(draw(st.sampled_from([1.0, 0.7, 1.5])), draw(st.sampled_from([0.0, 0.05])))
    return link_of(Classes(k), calibration, kind)


@given(seeds, st.integers(1, 4), st.data())
@settings(max_examples=12)
def test_values_add_up_to_output_minus_base(seed: int, k: int, data: st.DataObject) -> None:
    trials = [replace(random_trial(seed + i, k), share=i + 0.5) for i in range(2)]
    found = attribute(RowSpaceFrame(trials, data.draw(links(k))), X, BACKGROUND)
    missing = np.abs(found.values.sum(axis=1, dtype="float64") + found.base - found.outputs)
    # The layer normalisation of two units is a step, which 512 intervals may miss.
    steps = any(isinstance(layer.spec, LayerNorm) for trial in trials for layer in trial.graph.layers)
    assert (missing <= (0.05 if steps else 1.05e-3) * found.ranges).all()


@given(seeds, st.integers(2, 4), st.sampled_from(["probability", "log_odds"]))
@settings(max_examples=10)
def test_what_a_gene_gives_to_the_classes_sums_to_zero(seed: int, k: int, output: str) -> None:
    frame = RowSpaceFrame([random_trial(seed, k)], link_of(Classes(k), Calibration(1.3, 0.02), output))
    values = attribute(frame, X, BACKGROUND).values
    np.testing.assert_allclose(values.sum(axis=2), 0.0, atol=1e-4 * np.abs(values).max())


@given(seeds, st.permutations(range(len(X))), st.permutations(range(len(BACKGROUND))))
@settings(max_examples=8)
def test_the_order_of_samples_and_background_does_not_matter(
    seed: int, samples: list[int], rows: list[int]
) -> None:
    frame = RowSpaceFrame([smooth_trial(seed, 3)], link_of(Classes(3)))
    plain, moved = attribute(frame, X, BACKGROUND), attribute(frame, X[samples], BACKGROUND[rows])
    np.testing.assert_allclose(moved.values, plain.values[samples], atol=5e-3 * np.abs(plain.values).max())


@given(seeds)
@settings(max_examples=5)
def test_an_ensemble_has_the_weighted_mean_of_the_values_of_its_members(seed: int) -> None:
    task = Numbers((5.0, 50.0), (2.0, 0.1))
    trials = [smooth_trial(seed, 2), smooth_trial(seed + 1, 2)]
    alone = [attribute(RowSpaceFrame([trial], link_of(task)), X, BACKGROUND, 3000) for trial in trials]
    shared = [replace(trial, share=share) for trial, share in zip(trials, (3.0, 1.0), strict=True)]
    both = attribute(RowSpaceFrame(shared, link_of(task)), X, BACKGROUND, 3000)
    expected = 0.75 * alone[0].values + 0.25 * alone[1].values
    # Nodes of the paths lie at other places.
    widest = np.max([each.ranges for each in (*alone, both)], axis=0)
    assert (np.abs(both.values - expected) < 0.01 * widest).all()


@given(seeds, st.integers(1, 3))
@settings(max_examples=10)
def test_units_of_a_number_scale_its_values(seed: int, k: int) -> None:
    trial, ones, zeros = random_trial(seed, k), (1.0,) * k, (0.0,) * k
    plain = attribute(RowSpaceFrame([trial], link_of(Numbers(zeros, ones))), X, BACKGROUND).values
    factors = tuple(10.0**i for i in range(k))
    scaled = attribute(RowSpaceFrame([trial], link_of(Numbers(factors, factors))), X, BACKGROUND).values
    np.testing.assert_allclose(scaled / np.array(factors), plain, atol=1e-4 * np.abs(plain).max() + 1e-9)


def refitted(trial: TrainedTrial, view: str, x: np.ndarray) -> TrainedTrial:
    """The same weights on the view of other data."""
    found: tuple[RowSpace, ...] = fit_views((view,), x, np.arange(ROWS) % 2, TRAIN)[view].spaces
    return replace(trial, spaces={trial.graph.input: found})


@pytest.mark.parametrize("view", ["all", "top6"])
def test_values_do_not_depend_on_the_units_of_the_genes(view: str) -> None:
    # Powers of two, so that standardised genes are the same to the last bit.
    factors = (2.0 ** (np.arange(GENES) % 7 - 3)).astype("float32")
    trial, task = trial_of(mlp(2, (6,)), view, "tanh", 3), link_of(Classes(2))
    plain = attribute(RowSpaceFrame([refitted(trial, view, expression())], task), X, BACKGROUND)
    scaled = RowSpaceFrame([refitted(trial, view, expression() * factors)], task)
    found = attribute(scaled, X * factors, BACKGROUND * factors)
    np.testing.assert_allclose(found.outputs, plain.outputs, atol=1e-5)
    np.testing.assert_allclose(found.values, plain.values, atol=1e-5)


def test_two_copies_of_a_gene_get_the_same_values() -> None:
    x, new, background = expression(), X.copy(), BACKGROUND.copy()
    for rows in (x, new, background):
        rows[:, 7] = rows[:, 4]
    frame = RowSpaceFrame([refitted(trial_of(mlp(3, (6,)), "all", "gelu", 3), "all", x)], link_of(Classes(3)))
    values = attribute(frame, new, background).values
    assert np.abs(values[:, 4]).max() > 1e-3
    np.testing.assert_allclose(values[:, 7], values[:, 4], atol=1e-5)


@given(seeds)
@settings(max_examples=10)
def test_genes_outside_a_view_get_nothing(seed: int) -> None:
    trial = trial_of(linear(2), "top6", "relu", seed)
    read = np.unique(np.concatenate([space.columns for space in spaces("top6")]))
    values = attribute(RowSpaceFrame([trial], link_of(Classes(2))), X, BACKGROUND).values
    assert not np.delete(values, read, axis=1).any()
    assert values[:, read].any()


def network(kernel: np.ndarray, activation: str | None) -> keras.Model:
    layers = [
        keras.Input((len(kernel),)),
        keras.layers.Dense(5, activation="tanh"),
        keras.layers.Dense(3, activation=activation),
    ]
    model = keras.Sequential(layers)
    rng = np.random.default_rng(3)
    model.set_weights([kernel, rng.normal(size=5), rng.normal(size=(5, 3)), rng.normal(size=3)])
    return model


@pytest.mark.parametrize("activation", ["softmax", None])
def test_columns_in_another_order_have_their_values_in_that_order(activation: str | None) -> None:
    rng = np.random.default_rng(0)
    kernel, x, order = rng.normal(size=(6, 5)), rng.normal(size=(4, 6)).astype("float32"), [4, 0, 5, 2, 1, 3]
    plain = explain_model(network(kernel, activation), x, x)
    moved = explain_model(network(kernel[order], activation), x[:, order], x[:, order])
    np.testing.assert_allclose(moved.values, plain.values[:, order], atol=1e-4 * np.abs(plain.values).max())


def test_two_features_that_a_network_reads_alike_get_the_same_values() -> None:
    rng = np.random.default_rng(1)
    kernel, x = rng.normal(size=(6, 5)), rng.normal(size=(4, 6)).astype("float32")
    kernel[3], x[:, 3] = kernel[1], x[:, 1]
    values = explain_model(network(kernel, None), x, x).values
    np.testing.assert_allclose(values[:, 3], values[:, 1], atol=1e-5)


def test_integrated_gradients_start_from_the_mean_of_the_background() -> None:
    rng = np.random.default_rng(2)
    model, x = network(rng.normal(size=(6, 5)), None), rng.normal(size=(4, 6)).astype("float32")
    background = rng.normal(size=(30, 6)).astype("float32")
    found = explain_model(model, x, background, method="integrated_gradients")
    at_mean = model.predict(background.mean(axis=0, keepdims=True), verbose=0)
    np.testing.assert_allclose(found.base_values, np.repeat(at_mean, 4, axis=0), atol=1e-5)

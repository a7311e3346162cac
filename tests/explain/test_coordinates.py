"""Networks in row space: what they compute of a sample, and how gradients are multiplied out to the genes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from genokeras.explain.coordinates import RowSpaceFrame, make_coordinates
from genokeras.explain.head import Head
from genokeras.explain.links import Softmax, link_of
from genokeras.explain.paths import attribute
from genokeras.features import RowSpace, fit_views
from genokeras.graph import Concat, Dense, Graph, Input, Layer, LayerNorm, linear, mlp
from genokeras.networks import TrainedTrial
from genokeras.searchers import GEOMETRIC
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes
from tests.explain.random_ensembles import (
    GENES,
    VIEWS,
    expression,
    mean_answers,
    random_trial,
    spaces,
    trial_of,
)

X, BACKGROUND = expression(7, 5), expression(4, 6)


def outputs(trials: list[TrainedTrial], calibration: Calibration | None = None) -> np.ndarray:
    frame = RowSpaceFrame(trials, link_of(Classes(trials[0].graph.n_outputs), calibration))
    return frame.outputs(frame.coordinates(X))


@pytest.mark.parametrize("seed", range(12))
def test_outputs_are_the_weighted_mean_of_the_members(seed: int) -> None:
    trials = [replace(random_trial(3 * seed + i, 2 + seed % 3), share=i + 0.5) for i in range(3)]
    np.testing.assert_allclose(outputs(trials), mean_answers(trials, Classes(2 + seed % 3), X), atol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_outputs_may_be_the_product_of_the_members(seed: int) -> None:
    trials = [replace(random_trial(3 * seed + i, 2 + seed), share=i + 0.5) for i in range(3)]
    task, total = Classes(2 + seed), sum(trial.share for trial in trials)
    logs = 0.0
    for trial in trials:
        for member in range(trial.n_members):
            alone = mean_answers([_only(trial, member)], task, X)
            logs = logs + trial.share / total / trial.n_members * np.log(alone)
    wanted = softmax(logs, axis=1)
    frame = RowSpaceFrame(trials, link_of(task, pooling=GEOMETRIC))
    np.testing.assert_allclose(frame.outputs(frame.coordinates(X)), wanted, atol=1e-5)
    calibration = Calibration(1.3, 0.1)
    frame = RowSpaceFrame(trials, link_of(task, calibration, pooling=GEOMETRIC))
    found = frame.outputs(frame.coordinates(X))
    np.testing.assert_allclose(found, calibration.apply(wanted), atol=1e-5)


def _only(trial: TrainedTrial, member: int) -> TrainedTrial:
    weights = {i: {n: a[[member]] for n, a in named.items()} for i, named in trial.weights.items()}
    found = {i: (of if len(of) == 1 else (of[member],)) for i, of in trial.spaces.items()}
    return replace(trial, weights=weights, spaces=found)


def test_the_average_is_calibrated() -> None:
    trials, calibration = [random_trial(1, 3)], Calibration(1.3, 0.1)
    np.testing.assert_allclose(outputs(trials, calibration), calibration.apply(outputs(trials)), atol=1e-6)


def test_folds_that_share_a_basis_share_its_coordinates() -> None:
    shared = make_coordinates([trial_of(linear(2), "all", "relu", 1)], Softmax())
    screened = make_coordinates([trial_of(linear(2), "top15", "relu", 1)], Softmax())
    assert (len(shared.parts), len(screened.parts)) == (1, 2)


def test_trials_on_one_view_add_no_coordinates() -> None:
    one = [trial_of(linear(2), "all", "relu", 1)]
    more = [*one, trial_of(mlp(2, (4,)), "all", "tanh", 3), trial_of(linear(2), "all", "relu", 5)]
    assert make_coordinates(more, Softmax()).n_coordinates == make_coordinates(one, Softmax()).n_coordinates


def test_members_of_equal_graphs_are_packed() -> None:
    trials = [trial_of(linear(2), "all", "relu", 1), trial_of(linear(2), "all", "relu", 3)]
    (pack,) = make_coordinates(trials, Softmax()).head.packs
    assert len(pack.shares) == 4
    assert pack.shares.sum() == pytest.approx(1.0)


def test_spaces_with_other_deviations_have_coordinates_of_their_own() -> None:
    # The same features with the same means, standardised otherwise.
    (space, *_) = spaces("top6")
    wider = replace(space, inverse_sd=0.5 * space.inverse_sd)
    weights = trial_of(linear(2), "top6", "relu", 0).weights
    trial = TrainedTrial(linear(2), "relu", weights, {0: (space, wider)})
    np.testing.assert_allclose(outputs([trial]), mean_answers([trial], Classes(2), X), atol=1e-5)


def reads_the_input_twice() -> Graph:
    layers = [
        Layer(0, Input(), ()),
        Layer(1, LayerNorm(), (0,)),
        Layer(2, Concat(), (0, 1)),
        Layer(3, Dense(2), (2,)),
    ]
    return Graph.build(layers)


def test_inputs_of_several_widths_are_no_obstacle() -> None:
    # Both trials have the basis of one view; the second was trained on wider, zero-padded inputs.
    trials = [trial_of(reads_the_input_twice(), "all", "relu", seed) for seed in (2, 3)]
    assert len({trial.widths[0] for trial in trials}) == 2
    np.testing.assert_allclose(outputs(trials), mean_answers(trials, Classes(2), X), atol=1e-5)


@pytest.mark.parametrize("view", VIEWS)
def test_gradients_are_multiplied_out_as_their_definition_says(view: str) -> None:
    frame = RowSpaceFrame([trial_of(linear(2), view, "relu", 1)], link_of(Classes(2)))
    gradients = np.random.default_rng(0).normal(size=(len(X), 1, len(BACKGROUND), frame.n_coordinates))
    values = frame.multiply_out(X, BACKGROUND, gradients.astype("float32"))
    expected = np.zeros((len(X), GENES))
    coordinates = make_coordinates([trial_of(linear(2), view, "relu", 1)], Softmax())
    for (u, parts), (v, _) in zip(coordinates.sources(X), coordinates.sources(BACKGROUND), strict=True):
        for part in parts:
            matrix = np.diag(part.matrix) if part.matrix.ndim == 1 else part.matrix
            of_genes = gradients[:, 0, :, part.place] @ matrix.T
            expected[:, part.columns] += ((u[:, None] - v[None])[..., part.columns] * of_genes).sum(axis=1)
    np.testing.assert_allclose(values[..., 0], expected, atol=1e-4)
    np.testing.assert_allclose(values[..., 1], -expected, atol=1e-4)


def test_many_genes_samples_and_rows_are_worked_on_in_batches() -> None:
    rng = np.random.default_rng(0)
    x, train = rng.normal(5.0, 1.0, size=(30, 1300)).astype("float32"), np.ones((1, 30), dtype=bool)
    (space,) = fit_views(("all",), x, np.arange(30) % 2, train)["all"].spaces
    kernel = rng.normal(size=(1, space.rank, 2)).astype("float32")
    trial = TrainedTrial(
        linear(2), "relu", {1: {"kernel": kernel, "bias": np.zeros((1, 2), "float32")}}, {0: (space,)}
    )
    new = rng.normal(5.0, 1.0, size=(300, 1300)).astype("float32")
    frame = RowSpaceFrame([trial], link_of(Classes(2), output="log_odds"))
    np.testing.assert_allclose(
        frame.coordinates(new), (new - space.mean) * space.inverse_sd @ space.basis, atol=1e-3
    )
    found = attribute(frame, new, x[:3])
    logits = (space.projection() @ kernel[0])[:, 1] - (space.projection() @ kernel[0])[:, 0]
    expected = (new - x[:3].mean(axis=0)) * space.inverse_sd * logits
    np.testing.assert_allclose(found.values[..., 1], expected, atol=1e-3)


def test_a_trial_without_weight_leaves_the_values_alone() -> None:
    # So small a share is 0 in float32; a rough average of every eighth member must not consist of it.
    heavy, light = trial_of(mlp(3, (4,)), "all", "tanh", 1), trial_of(mlp(3, (4,)), "all", "tanh", 3, 1e-60)
    alone, both = (
        attribute(RowSpaceFrame(trials, link_of(Classes(3))), X, BACKGROUND).values
        for trials in ([heavy], [light, heavy])
    )
    np.testing.assert_allclose(both, alone, atol=1e-5)


def test_batches_of_points_do_not_change_the_average() -> None:
    head = make_coordinates([random_trial(2, 3)], Softmax()).head
    q = np.random.default_rng(0).normal(size=(2500, head.n_coordinates))
    np.testing.assert_allclose(head.average(q)[:, 2048:], head.average(q[2048:]), atol=1e-6)


def test_an_average_of_no_points_is_empty() -> None:
    head: Head = make_coordinates([random_trial(2, 3)], Softmax()).head
    assert head.average(np.zeros((0, head.n_coordinates))).shape == (3, 0)


def test_samples_are_read_as_their_space_reads_them() -> None:
    (space, *_) = spaces("log:top15")
    trial = trial_of(linear(2), "log:top15", "relu", 1)
    q = RowSpaceFrame([trial], link_of(Classes(2))).coordinates(X)
    first = q[:, : space.rank]
    np.testing.assert_allclose(space.scale * first @ rotation_of(space), space.transform(X), atol=1e-4)


def rotation_of(space: RowSpace) -> np.ndarray:
    return np.eye(space.rank) if space.rotation is None else space.rotation

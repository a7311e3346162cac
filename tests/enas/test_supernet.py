"""Shared weights: compilations, folds, fairness, penalty, stopping."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from genokeras.enas import SearchData, Supernet, SupernetSettings, sliced_weights
from genokeras.enas.network import fair_arcs
from genokeras.errors import ParameterError, TrainingError
from genokeras.graph import reference_forward
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph
from tests.enas.search_data import FOLDS, small_data

SPACE = ArcSpace(3, 10)
SETTINGS = SupernetSettings(steps=20, learning_rate=0.01)


def trained(data: SearchData, settings: SupernetSettings = SETTINGS) -> Supernet:
    net = Supernet(SPACE, data, settings)
    net.train()
    return net


@pytest.fixture(scope="module")
def net() -> Supernet:
    return trained(small_data())


@pytest.mark.parametrize("n_arcs", [1, 26, 300])
def test_the_number_of_compilations_does_not_depend_on_the_number_of_arcs(net: Supernet, n_arcs: int) -> None:
    arcs = [SPACE.random(np.random.default_rng(i)) for i in range(n_arcs)]
    assert len(net.score(arcs).loss) == n_arcs
    assert net.compilations == 2


def own_scores(net: Supernet, arc: Arc) -> tuple[float, float]:
    """Held-out loss and accuracy of the arc's own network with the weights cut out for it."""
    data = small_data()
    weights = sliced_weights(net.weights(), arc)
    logits = reference_forward(arc_to_graph(arc, SPACE, 2), weights, data.inputs, "relu")
    loss = -(data.targets * log_softmax(logits, axis=-1)).sum(axis=-1)
    right = logits.argmax(axis=-1) == data.targets.argmax(axis=-1)
    return float(loss[data.held_out > 0].mean()), float(right[data.held_out > 0].mean())


def test_with_one_snapshot_scores_are_those_of_the_arcs_own_network_at_the_best_step() -> None:
    net, arc = trained(small_data(), replace(SETTINGS, snapshots=1)), Arc.parse("[3 0 1 2 1 1]")
    loss, accuracy = own_scores(net, arc)
    assert net.score([arc]).loss[0] == pytest.approx(loss, rel=1e-5)
    assert net.score([arc]).accuracy[0] == pytest.approx(accuracy)


def test_with_more_snapshots_scores_are_means_along_the_training() -> None:
    long, arc = replace(SETTINGS, steps=40, patience=99), Arc.parse("[3 0 1 2 1 1]")
    # Until the fewest steps are done, the weights given out are the latest.
    latest = Supernet(SPACE, small_data(), replace(long, min_steps=40))
    found: list[float] = []
    latest.train(watch=lambda progress: found.append(own_scores(latest, arc)[0]))
    net = trained(small_data(), replace(long, snapshots=3))
    assert net.score([arc]).loss[0] == pytest.approx(np.mean(found[1:]), rel=1e-4)


def test_snapshots_are_thinned_out_where_there_are_more_than_asked_for() -> None:
    long, arc = replace(SETTINGS, steps=70, patience=99), Arc.parse("[3 0 1 2 1 1]")
    latest = Supernet(SPACE, small_data(), replace(long, min_steps=70))
    found: list[float] = []
    latest.train(watch=lambda progress: found.append(own_scores(latest, arc)[0]))
    net = trained(small_data(), replace(long, snapshots=3))
    # Taken at steps 20, 40 and 60.
    assert net.score([arc]).loss[0] == pytest.approx(np.mean(found[1::2]), rel=1e-4)


def test_training_makes_the_training_loss_fall() -> None:
    losses: list[float] = []
    Supernet(SPACE, small_data(), SETTINGS).train(watch=lambda progress: losses.append(progress.loss))
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("batch_size", [256, 8])
def test_a_folds_held_out_rows_never_touch_its_weights(batch_size: int) -> None:
    data, settings = small_data(), replace(SETTINGS, batch_size=batch_size, patience=99)
    spoilt = data.inputs.copy()
    spoilt[0, data.held_out[0] > 0] = 1e3
    # The best step is chosen on held-out rows; with a single scoring there is none to choose.
    one = replace(settings, chunk_steps=20)
    before = trained(data, one).weights()
    after = trained(replace(data, inputs=spoilt), one).weights()
    for kept, seen in zip(before.params, after.params, strict=True):
        np.testing.assert_array_equal(kept, seen)


def test_folds_do_not_touch_each_other() -> None:
    data, settings = small_data(), replace(SETTINGS, chunk_steps=20)
    other = data.inputs.copy()
    other[1:] *= -1
    before, after = (trained(replace(data, inputs=x), settings).weights() for x in (data.inputs, other))
    for kept, seen in zip(before.params, after.params, strict=True):
        np.testing.assert_allclose(kept[0], seen[0], atol=1e-6)
    assert not np.allclose(before.params[0][1], after.params[0][1])


def test_every_width_of_a_layer_is_trained_equally_often() -> None:
    units, bits = fair_arcs(SPACE, 40, 10, np.random.default_rng(0))
    for width in SPACE.widths:
        assert ((units == width).sum(axis=1) == 2).all()
    assert (bits[:, :, 2, :2].sum(axis=1) == 5).all()
    assert not np.triu(bits.sum(axis=(0, 1))).any()


def test_of_an_odd_number_of_arcs_nearly_half_have_a_skip() -> None:
    _, bits = fair_arcs(SPACE, 400, 5, np.random.default_rng(0))
    counts = bits[:, :, 1, 0].sum(axis=1)
    assert set(counts) == {2, 3} and abs(counts.mean() - 2.5) < 0.1


def test_the_same_seed_gives_the_same_weights(net: Supernet) -> None:
    first, second = net.weights(), trained(small_data()).weights()
    for a, b in zip(first.params, second.params, strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_seed_gives_other_weights(net: Supernet) -> None:
    other = trained(small_data(), replace(SETTINGS, seed=1)).weights()
    assert not np.allclose(net.weights().params[2], other.params[2])


def test_the_penalty_makes_kernels_small() -> None:
    last = replace(SETTINGS, chunk_steps=20, weight_decay=0.0)
    free, held = (trained(small_data(), replace(last, child_l2_reg=reg)).weights() for reg in (0.0, 0.1))
    assert all((held.params[i] ** 2).sum() < 0.9 * (free.params[i] ** 2).sum() for i in (2, 4, 6))


def test_without_dropout_there_is_no_noise_to_draw() -> None:
    assert np.isfinite(
        trained(small_data(), replace(SETTINGS, dropout=0.0)).score([Arc.parse("[0 0 0 0 0 0]")]).loss
    )


def test_all_folds_may_share_their_inputs() -> None:
    data = small_data()
    shared = replace(data, inputs=data.inputs[:1])
    tiled = replace(data, inputs=np.repeat(data.inputs[:1], FOLDS, axis=0))
    arcs = list(SPACE.all_arcs())[::200]
    a, b = (trained(d).score(arcs).loss for d in (shared, tiled))
    np.testing.assert_allclose(a, b, rtol=1e-4)


def test_values_are_searched_by_squared_error() -> None:
    data = small_data()
    net = trained(replace(data, targets=data.inputs[0, :, :1]), replace(SETTINGS, loss="mse"))
    scores = net.score([Arc.parse("[4 4 0 4 0 0]")])
    assert np.isfinite(scores.loss[0]) and np.isnan(scores.accuracy[0])


def test_training_ends_where_held_out_rows_gain_no_more() -> None:
    rng = np.random.default_rng(0)
    data = small_data()
    noise = replace(data, inputs=rng.standard_normal(data.inputs.shape))
    net = trained(noise, replace(SETTINGS, steps=2000, patience=2))
    assert net.best_step <= net.steps_done - 20 < 1000


def test_training_stops_when_told_to() -> None:
    net = Supernet(SPACE, small_data(), SETTINGS)
    net.train(should_stop=lambda: True)
    assert net.steps_done == SETTINGS.chunk_steps
    assert np.isfinite(net.score([Arc.parse("[0 0 0 0 0 0]")]).loss)


def test_few_of_many_held_out_rows_can_be_scored() -> None:
    net = trained(small_data(), replace(SETTINGS, scored_rows=3))
    assert (3 * FOLDS * net.score([Arc.parse("[0 0 0 0 0 0]")]).accuracy[0]) % 1 == pytest.approx(0, abs=1e-5)


def test_a_loss_that_is_not_finite_ends_training_with_an_error() -> None:
    data = small_data()
    with pytest.raises(TrainingError, match="lower the rate"):
        trained(replace(data, inputs=data.inputs * np.inf))


@pytest.mark.parametrize(
    "bad",
    [
        {"steps": 0},
        {"arcs_per_step": 7},
        {"batch_size": 1.5},
        {"learning_rate": 0.0},
        {"weight_decay": -0.1},
        {"child_l2_reg": -1e-4},
        {"child_l2_reg": float("nan")},
        {"dropout": 1.0},
        {"activation": "rely"},
        {"loss": "crossentropy"},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused_by_name(bad: dict) -> None:
    with pytest.raises(ParameterError, match=next(iter(bad))):
        SupernetSettings(**bad)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(ParameterError, match=r"steps .*\. child_l2_reg"):
        SupernetSettings(steps=0, child_l2_reg=-1.0)


def test_a_row_both_trained_on_and_held_out_is_refused() -> None:
    data = small_data()
    with pytest.raises(ParameterError, match="fold 0 trains on 10 of the rows"):
        replace(data, train=np.ones_like(data.train))


def test_a_fold_without_held_out_rows_is_refused() -> None:
    data = small_data()
    with pytest.raises(ParameterError, match="no row to score"):
        replace(data, held_out=np.zeros_like(data.held_out))


def test_shapes_that_do_not_fit_are_refused() -> None:
    data = small_data()
    with pytest.raises(ParameterError, match="expected inputs"):
        replace(data, inputs=data.inputs[:2])

"""The delivered model says what its members say, from samples as people have them."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.special import softmax

from genokeras.data import load_images, load_sequences, load_texts
from genokeras.encoders import (
    WINDOW,
    fit_image_encoder,
    fit_sequence_encoder,
    fit_text_encoder,
    predict,
)
from genokeras.graph import HyperParameters, small_cnn, text_cnn
from genokeras.graph.templates import linear
from genokeras.networks import TrainedNetwork, build_network, merge_networks, start_weights
from genokeras.searchers import GEOMETRIC, combine
from genokeras.tasks.calibration import Calibration
from genokeras.tasks.classes import Classes
from tests.backends import fewer
from tests.encoders.planted import bars, opinions

NETWORK = HyperParameters(0.01, 0.01, 0.1, "relu", "tensor")
COUNTED = HyperParameters(0.01, 0.01, 0.0, "relu", "counts")


def sequences(strands, lengths=(24,) * 9, window=WINDOW):
    rng = np.random.default_rng(0)
    letters = ["".join(rng.choice(list("ACGTRN"), p=[0.24] * 4 + [0.02] * 2, size=n)) for n in lengths]
    data = load_sequences(letters, extra=rng.normal(3, 2, size=(9, 2)))
    return fit_sequence_encoder(data, strands, window=window)[0], data


def images():
    data = load_images(bars(9)[0])
    return fit_image_encoder(data), data


def texts():
    data = load_texts(opinions(30)[0][:9])
    return fit_text_encoder(data)[0], data


CASES = {
    "windows": lambda: sequences(True, (20, 23, 24, 25, 48, 49, 70, 71, 72), window=24),
    "sequences": lambda: sequences(False),
    "both strands": lambda: sequences(True),
    "images": images,
    "texts": texts,
}


def two_trials(encoder):
    shape, rng = encoder.input_shape, np.random.default_rng(1)
    if len(shape) == 1:
        graph = text_cnn(shape, 2, encoder.vocabulary.size, units=4, filters=4)
    else:
        graph = small_cnn(shape, 2, filters=(4,), units=0)
    kernel = rng.normal(0, 0.2, size=(2, encoder.n_counts, 2)).astype("float32")
    weights = {1: {"kernel": kernel, "bias": rng.normal(size=(2, 2)).astype("float32")}}
    return (
        TrainedNetwork("a", graph, NETWORK, start_weights(graph, rng, 2), 0.3),
        TrainedNetwork("b", linear(2), COUNTED, weights, 0.1),
    )


def expected(encoder, rows, network, counted):
    answers, times = np.zeros((9, 2)), np.zeros((9, 1))
    for member in range(2):
        built = build_network(network.graph, None, NETWORK, weights=network.weights, member=member)
        for look in encoder.looks(rows):
            answers[look.samples] += built.predict_on_batch(look.tensor)
            times[look.samples] += 1
    counts = encoder.counts(rows)
    arrays = counted.weights[1]
    linears = [softmax(counts @ arrays["kernel"][m] + arrays["bias"][m], axis=1) for m in range(2)]
    return 0.75 * answers / times + 0.25 * np.mean(linears, axis=0)


@pytest.mark.parametrize("case", fewer(CASES, 3))
def test_the_merge_networks_is_the_weighted_mean_of_its_members(case, tmp_path):
    encoder, data = CASES[case]()
    rows = encoder.rows(data)
    trials = two_trials(encoder)
    model = merge_networks(encoder, Classes(2), trials)
    wanted = expected(encoder, rows, *trials)
    np.testing.assert_allclose(predict(model, encoder, rows), wanted, atol=1e-5)
    model.save(tmp_path / "merged.keras")
    again = keras.saving.load_model(tmp_path / "merged.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(predict(again, encoder, rows), wanted, atol=1e-5)


@pytest.mark.parametrize("case", fewer(CASES, 2))
def test_trials_may_be_multiplied_in_place_of_averaged(case, tmp_path):
    encoder, data = CASES[case]()
    rows = encoder.rows(data)
    trials = two_trials(encoder)
    members = [replace(one, weights=of_member(one.weights, member)) for one in trials for member in (0, 1)]
    each = np.stack([predict(merge_networks(encoder, Classes(2), [one]), encoder, rows) for one in members])
    wanted = combine(each, [0.375, 0.375, 0.125, 0.125], GEOMETRIC)
    model = merge_networks(encoder, Classes(2), trials, geometric=True)
    np.testing.assert_allclose(predict(model, encoder, rows), wanted, atol=1e-5)
    doubtful = merge_networks(encoder, Classes(2), trials, Calibration(2.0, 0.1), geometric=True)
    np.testing.assert_allclose(
        predict(doubtful, encoder, rows), Calibration(2.0, 0.1).apply(wanted), atol=1e-5
    )
    doubtful.save(tmp_path / "merged.keras")
    again = keras.saving.load_model(tmp_path / "merged.keras", compile=False, safe_mode=True)
    np.testing.assert_allclose(predict(again, encoder, rows), predict(doubtful, encoder, rows), atol=1e-6)


def test_only_inputs_that_something_reads_are_asked_for():
    encoder, data = sequences(False)
    network, counted = two_trials(encoder)
    assert [t.name for t in merge_networks(encoder, Classes(2), [network]).inputs] == ["sequence", "extra"]
    assert predict(merge_networks(encoder, Classes(2), [counted]), encoder, encoder.rows(data)).shape == (
        9,
        2,
    )


def test_calibration_is_part_of_the_model():
    encoder, data = images()
    network, _ = two_trials(encoder)
    rows = encoder.rows(data)
    plain = predict(merge_networks(encoder, Classes(2), [network]), encoder, rows)
    doubtful = predict(merge_networks(encoder, Classes(2), [network], Calibration(doubt=0.5)), encoder, rows)
    np.testing.assert_allclose(doubtful, 0.5 * plain + 0.25, atol=1e-6)


@pytest.mark.parametrize("case", fewer(["both strands", "windows"], 2))
def test_each_member_is_as_sure_as_its_trial_found_best(case):
    encoder, data = CASES[case]()
    rows, network = encoder.rows(data), two_trials(encoder)[0]
    members = [replace(network, weights=of_member(network.weights, member)) for member in range(2)]
    each = [predict(merge_networks(encoder, Classes(2), [one]), encoder, rows) for one in members]
    wanted = np.mean([Calibration(3.0).apply(answers) for answers in each], axis=0)
    sharp = merge_networks(encoder, Classes(2), [replace(network, sharpness=3.0)])
    np.testing.assert_allclose(predict(sharp, encoder, rows), wanted, atol=1e-5)


def of_member(weights, member):
    return {i: {name: array[[member]] for name, array in named.items()} for i, named in weights.items()}

"""A pretrained network becomes one model from samples as they come to features; what does not fit is refused."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from genokeras.data import load_images, load_sequences, load_texts
from genokeras.encoders import (
    fit_backbone_encoder,
    fit_image_encoder,
    fit_sequence_encoder,
    fit_text_encoder,
    predict,
)
from genokeras.engine import Problem, read_problem, write_problem
from genokeras.engine.problem import rows_digest
from genokeras.errors import DataError, ParameterError
from genokeras.graph import HyperParameters, feature_mlp
from genokeras.networks import TrainedNetwork, build_network, merge_networks, start_weights
from genokeras.support import RunFolder
from genokeras.tasks.classes import Classes
from tests.encoders.planted import opinions

NETWORK = HyperParameters(0.01, 0.01, 0.1, "relu", "tensor")


def pixels(shape=(12, 12, 1), n=9):
    return load_images(np.random.default_rng(0).integers(0, 255, size=(n, *shape)).astype("uint8"))


def convolutional(shape, rank=2):
    read = keras.Input(shape)
    conv = getattr(layers, f"Conv{rank}D")(5, 3, data_format="channels_last", activation="relu")
    return keras.Model(read, conv(layers.Rescaling(1 / 255)(read)))


def of_images(shape=(12, 12, 1), reads=None):
    data = pixels(shape)
    return fit_backbone_encoder(fit_image_encoder(data), convolutional(reads or shape), data), data


def of_sequences(length=None):
    rng = np.random.default_rng(0)
    data = load_sequences(
        ["".join(rng.choice(list("ACGT"), 24)) for _ in range(9)], extra=rng.normal(size=(9, 2))
    )
    return fit_backbone_encoder(
        fit_sequence_encoder(data, False)[0], convolutional((length, 4), 1), data
    ), data


def string_model(shape=()):
    texts = keras.Input(shape, dtype="string")
    vector = layers.TextVectorization(vocabulary=["great", "awful", "film"], output_sequence_length=6)(texts)
    return keras.Model(texts, layers.Embedding(6, 3, mask_zero=True)(vector))


def of_texts(shape=()):
    data = load_texts(opinions(9)[0])
    return fit_backbone_encoder(fit_text_encoder(data)[0], string_model(shape), data), data


CASES = {
    "images": of_images,
    "grey images for colours of another size": lambda: of_images((12, 12, 1), (8, 10, 3)),
    "images of any size": lambda: of_images((12, 12, 3), (None, None, 3)),
    "sequences": of_sequences,
    "sequences of one length": lambda: of_sequences(24),
    "texts": of_texts,
    "texts in a column": lambda: of_texts((1,)),
}


@pytest.mark.parametrize("case", CASES)
def test_the_merge_networks_goes_from_samples_through_backbone_and_heads(case, tmp_path):
    fitted, data = CASES[case]()
    encoder, rows = fitted.encoder, fitted.encoder.rows(data)
    graph = feature_mlp(encoder.input_shape, 2, (8,))
    network = TrainedNetwork("a", graph, NETWORK, start_weights(graph, np.random.default_rng(1), 2))
    heads = [build_network(graph, None, NETWORK, weights=network.weights, member=m) for m in range(2)]
    wanted = np.mean([head.predict_on_batch(encoder.tensor(rows)) for head in heads], axis=0)
    path = tmp_path / "merged.keras"
    merge_networks(encoder, Classes(2), [network]).save(path)
    again = keras.saving.load_model(path, compile=False, safe_mode=True)
    np.testing.assert_allclose(predict(again, encoder.reader, encoder.reader.rows(data)), wanted, atol=1e-5)


def test_features_are_means_over_positions_with_unit_variance():
    fitted, data = of_images()
    encoder, rows = fitted.encoder, fitted.rows
    assert rows["features"].shape == (len(data), 5) and encoder.input_shape == (5,)
    assert abs(encoder.tensor(rows).mean(axis=0)).max() < 1e-4
    kernel, bias = (np.asarray(value) for value in encoder.model.weights)
    answers = layers.Conv2D(5, 3, activation="relu")
    answers.build((None, 12, 12, 1))
    answers.set_weights([kernel, bias])
    wanted = np.asarray(answers(data.pixels.astype("float32") / 255)).mean(axis=(1, 2))
    np.testing.assert_allclose(rows["features"], wanted, atol=1e-5)


def test_numbers_beside_sequences_follow_the_features():
    fitted, data = of_sequences()
    np.testing.assert_allclose(fitted.rows["features"][:, 5:], data.extra, atol=1e-6)


def test_the_users_own_model_stays_as_it_was():
    data, backbone = pixels(), convolutional((12, 12, 1))
    fitted = fit_backbone_encoder(fit_image_encoder(data), backbone, data)
    assert backbone.trainable and len(backbone.trainable_weights) == 2
    assert not fitted.encoder.model.trainable_weights
    backbone.set_weights([value + 1 for value in backbone.get_weights()])
    np.testing.assert_array_equal(fitted.encoder.rows(data)["features"], fitted.rows["features"])


@pytest.mark.parametrize("outputs", [["pooled_output", "other"], ["other", "sequence_output"], ["any"]])
def test_of_several_outputs_those_of_keras_hub_are_taken(outputs):
    read = keras.Input((12, 12, 1))
    backbone = keras.Model(read, {name: layers.Dense(3)(layers.Flatten()(read)) for name in outputs})
    data = pixels()
    assert fit_backbone_encoder(fit_image_encoder(data), backbone, data).encoder.input_shape == (3,)


def test_a_run_folder_keeps_the_backbone(tmp_path):
    fitted, data = of_images()
    masks = np.eye(2, 9, dtype=bool)
    codes = np.arange(9) % 2
    problem = Problem(codes, masks, np.ones(9), fitted.encoder, fitted.rows, Classes(2), ~masks)
    folder = RunFolder.create(tmp_path / "run", {})
    write_problem(folder, problem)
    again = read_problem(folder)
    np.testing.assert_allclose(again.encoder.tensor(again.rows), fitted.encoder.tensor(fitted.rows))
    np.testing.assert_allclose(again.encoder.rows(data)["features"], fitted.rows["features"], atol=1e-6)
    assert rows_digest(again.encoder.identity(again.rows)) == rows_digest(
        fitted.encoder.identity(fitted.rows)
    )


def test_the_fingerprint_sees_the_weights_and_not_the_last_digits_of_features():
    data, prints = pixels(), []
    for backbone, shift in (
        (one := convolutional((12, 12, 1)), 0.0),
        (one, 1e-6),
        (convolutional((12, 12, 1)), 0.0),
    ):
        found = fit_backbone_encoder(fit_image_encoder(data), backbone, data)
        rows = {**found.rows, "features": found.rows["features"] + np.float32(shift)}
        prints.append(rows_digest(found.encoder.identity(rows)))
    assert prints[0] == prints[1] != prints[2]


def two_inputs():
    read = [keras.Input((12, 12, 1), name=name) for name in "ab"]
    return keras.Model(read, layers.Flatten()(layers.Add()(read)))


def lists():
    read = keras.Input((12, 12, 1))
    return keras.Model(read, [layers.Flatten()(read), layers.Flatten()(read)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: 3, "a keras.Model, or the name or folder of a keras-hub preset, got int"),
        (lambda: keras.Sequential([layers.Dense(2)]), "input of backbone .* is not known"),
        (two_inputs, "one input, it has 2"),
        (lists, "one output, or one named 'pooled_output' or 'sequence_output'; it has 2"),
        (lambda: convolutional((12, 12, 4)), r"reads \(12, 12, 4\), the images are \(12, 12, 1\)"),
        (lambda: convolutional((12, 4), 1), r"reads \(12, 4\), the images are"),
        (
            lambda: keras.Model(x := keras.Input((12, 12, 1)), keras.ops.sum(x, axis=(1, 2, 3))),
            r"\(batch, ..., n_features\) and a known number",
        ),
        (
            lambda: keras.Sequential([keras.Input((12, 12, 1)), layers.Lambda(lambda x: x * 2)]),
            "cannot be saved and read again",
        ),
    ],
)
def test_backbones_that_do_not_fit_are_refused(make, message):
    data = pixels()
    with pytest.raises(ParameterError, match=message):
        fit_backbone_encoder(fit_image_encoder(data), make(), data)


def test_a_backbone_for_sequences_of_another_length_is_refused():
    with pytest.raises(ParameterError, match=r"reads \(30, 4\), the sequences are \(24, 4\)"):
        of_sequences(30)


def test_a_backbone_for_texts_must_read_strings():
    data = load_texts(opinions(9)[0])
    backbone = keras.Sequential([keras.Input((6,), dtype="int32"), layers.Embedding(6, 3)])
    with pytest.raises(ParameterError, match="must read strings.*int32"):
        fit_backbone_encoder(fit_text_encoder(data)[0], backbone, data)


def test_features_that_are_not_finite_name_the_samples():
    data = load_images(np.random.default_rng(0).random((4, 6, 6)) - 0.5)
    read = keras.Input((6, 6, 1))
    backbone = keras.Model(read, layers.Flatten()(keras.ops.log(read)))
    with pytest.raises(DataError, match="4 samples with NaN or infinite features"):
        fit_backbone_encoder(fit_image_encoder(data), backbone, data)

"""The Res-VAE's divergence, and its exported models against the networks they were made of."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from genokeras.graph import reference_forward
from genokeras.graph.testing import random_weights
from genokeras.networks.vae import (
    VAE_ACTIVATION,
    VaeShape,
    export_decoder,
    export_encoder,
    kl_divergence,
)
from genokeras.projects.vae import VaeData, prepare_vae

SHAPE = VaeShape(latent=3, blocks=2, output_nonlinear="tanh")


def data(p: int) -> tuple[np.ndarray, VaeData]:
    x = np.random.default_rng(0).gamma(2.0, 3.0, size=(30, p)).astype("float32") * 40
    x[:, 1] = 4.0
    return x, prepare_vae(x[:20], x[20:])


def outputs(model: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


@pytest.mark.parametrize("p", [150, 12])
def test_latent_means_of_features_equal_those_of_the_row_space(p: int) -> None:
    x, prepared = data(p)
    graph = SHAPE.encoder(2 * SHAPE.latent)
    weights = random_weights(graph, prepared.space.rank, 1, np.random.default_rng(1))
    expected = reference_forward(graph, weights, prepared.validation, VAE_ACTIVATION)[0][:, : SHAPE.latent]
    encoder = export_encoder(SHAPE, weights, prepared.space, p)
    np.testing.assert_allclose(outputs(encoder, x[20:]), expected, atol=1e-4)


@pytest.mark.parametrize("p", [150, 12])
def test_decoded_features_have_the_decoded_rows_as_their_row_space(p: int) -> None:
    prepared = data(p)[1]
    graph = SHAPE.decoder(prepared.space.rank)
    weights = random_weights(graph, SHAPE.latent, 1, np.random.default_rng(2))
    latent = np.random.default_rng(3).standard_normal((5, SHAPE.latent)).astype("float32")
    found = outputs(export_decoder(SHAPE, weights, prepared.space, prepared.means), latent)
    expected = reference_forward(graph, weights, latent, VAE_ACTIVATION)[0]
    np.testing.assert_allclose(prepared.space.transform(found), expected, atol=1e-3)
    np.testing.assert_array_equal(found[:, 1], 4.0)


def test_training_rows_come_back_from_their_row_space() -> None:
    x, prepared = data(150)
    space = prepared.space
    back = space.projection().T / (space.scale**2 * space.inverse_sd)
    np.testing.assert_allclose(
        (prepared.train @ back + space.mean), x[:20, space.columns], rtol=1e-3, atol=1e-2
    )


def test_the_divergence_is_the_textbooks() -> None:
    rng = np.random.default_rng(1)
    mean, log_variance = rng.standard_normal((2, 4, 3)).astype("float32")
    expected = -0.5 * (1 + log_variance - mean**2 - np.exp(log_variance)).sum(axis=1)
    found = keras.ops.convert_to_numpy(kl_divergence(mean, log_variance))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_divergence_is_what_sampling_says() -> None:
    mean, log_variance = np.array([0.8, -0.3]), np.array([-1.0, 0.5])
    noise = np.random.default_rng(2).standard_normal((200_000, 2))
    drawn = mean + np.exp(0.5 * log_variance) * noise
    ratio = 0.5 * (drawn**2 - noise**2 - log_variance)
    found = float(keras.ops.convert_to_numpy(kl_divergence(mean, log_variance)))
    assert found == pytest.approx(ratio.sum(axis=1).mean(), rel=0.02)

"""The Res-VAE: what it learns, what it is exported as, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from genokeras.errors import DataError, ParameterError, TrainingError
from genokeras.projects.vae import TrainedVae, VaeSettings, fit_vae, vae_candidate, vae_range_test
from genokeras.projects.vae.vae_data import checked_rows, prepare_vae

# Long, and what it tests is met by others in passing: `make test-slow`.
pytestmark = pytest.mark.slow

N, P, CONSTANT = 80, 300, 5
SETTINGS = VaeSettings(latent=2, learning_rate=3e-3, max_epochs=60)
QUICK = VaeSettings(latent=3, blocks=1, max_epochs=2, batch_size=16)


def expression(n: int = N, p: int = P) -> tuple[np.ndarray, np.ndarray]:
    """Raw features that two factors drive, in units of their own; one feature is constant."""
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((n, 2))
    x = factors @ rng.standard_normal((2, p)) + 0.7 * rng.standard_normal((n, p))
    x = x * rng.uniform(0.5, 30.0, p) + 100.0
    x[:, CONSTANT] = 3.0
    return x.astype("float32"), factors


X, FACTORS = expression()
TRAIN, VALIDATION = X[:60], X[60:]


def outputs(model: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


def standardised(x: np.ndarray) -> np.ndarray:
    varying = TRAIN.std(axis=0) > 0
    return ((x - TRAIN.mean(axis=0)) / np.where(varying, TRAIN.std(axis=0), 1.0))[:, varying]


@pytest.fixture(scope="module")
def vae() -> TrainedVae:
    return fit_vae(TRAIN, VALIDATION, SETTINGS)


def test_latent_means_explain_the_factors(vae: TrainedVae) -> None:
    latent = outputs(vae.encoder, X)
    assert LinearRegression().fit(latent, FACTORS).score(latent, FACTORS) > 0.8


def test_held_out_rows_are_reconstructed_better_than_by_the_means(vae: TrainedVae) -> None:
    found = outputs(vae.decoder, outputs(vae.encoder, VALIDATION))
    error = np.square(standardised(found) - standardised(VALIDATION)).mean()
    by_means = np.square(standardised(VALIDATION)).mean()
    assert error < 0.8 * by_means
    assert vae.losses["mean_predictor"] == pytest.approx(by_means, rel=1e-4)


def test_the_reported_reconstruction_is_that_of_the_features(vae: TrainedVae) -> None:
    """Without latent noise: `val_reconstruction` has some, so it is a little larger."""
    found = outputs(vae.decoder, outputs(vae.encoder, VALIDATION))
    error = np.square(standardised(found) - standardised(VALIDATION)).mean()
    assert error < vae.losses["reconstruction"] < 1.1 * error


def test_the_best_epoch_is_the_one_that_is_kept(vae: TrainedVae) -> None:
    best = min(vae.history, key=lambda line: line["val_loss"])
    assert vae.losses["loss"] == best["val_loss"]
    assert vae.losses["epoch"] == best["epoch"]
    assert vae.losses["loss"] == pytest.approx(
        vae.losses["reconstruction"] + 2 / (P - 1) * vae.losses["kl"], rel=1e-5
    )


def test_a_constant_feature_is_reconstructed_and_does_not_count(vae: TrainedVae) -> None:
    latent = outputs(vae.encoder, VALIDATION)
    np.testing.assert_array_equal(outputs(vae.decoder, latent)[:, CONSTANT], 3.0)
    changed = VALIDATION.copy()
    changed[:, CONSTANT] = 1e6
    np.testing.assert_array_equal(outputs(vae.encoder, changed), latent)


def test_no_more_features_than_rows_need_no_row_space() -> None:
    x, _ = expression(n=60, p=20)
    found = fit_vae(x[:40], x[40:], QUICK)
    assert outputs(found.encoder, x).shape == (60, 3)
    assert outputs(found.decoder, outputs(found.encoder, x)).shape == (60, 20)
    assert prepare_vae(x[:40], x[40:]).outside_validation == pytest.approx(0.0, abs=1e-6)


def test_validation_rows_have_a_part_that_no_decoder_reaches() -> None:
    data = prepare_vae(TRAIN, VALIDATION)
    directions = np.linalg.svd(standardised(TRAIN), full_matrices=False)[2][:59]
    z = standardised(VALIDATION)
    expected = np.square(z - z @ directions.T @ directions).mean()
    assert data.outside_validation == pytest.approx(expected, rel=1e-3)
    assert data.outside_train == pytest.approx(0.0, abs=1e-5)


def test_missing_values_are_replaced_by_the_medians() -> None:
    medians = np.median(TRAIN, axis=0)
    holes = np.random.default_rng(0).random(X.shape) < 0.1
    holed, filled = (
        np.where(holes, np.nan, X).astype("float32"),
        np.where(holes, medians, X).astype("float32"),
    )
    found = fit_vae(holed[:60], holed[60:], QUICK, medians=medians)
    expected = fit_vae(filled[:60], filled[60:], QUICK)
    np.testing.assert_allclose(outputs(found.encoder, holed), outputs(expected.encoder, filled), atol=1e-5)


def test_equal_seeds_give_equal_weights() -> None:
    first, second, other = (fit_vae(TRAIN, VALIDATION, replace(QUICK, seed=seed)) for seed in (1, 1, 2))
    for a, b in zip(first.encoder.get_weights(), second.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(first.encoder.get_weights()[0] - other.encoder.get_weights()[0]).max() > 0


def test_saved_models_give_the_same_where_genokeras_is_not_imported(vae: TrainedVae, tmp_path: Path) -> None:
    latent = outputs(vae.encoder, VALIDATION)
    np.savez(tmp_path / "given.npz", x=VALIDATION, latent=latent, back=outputs(vae.decoder, latent))
    vae.encoder.save(tmp_path / "encoder.keras")
    vae.decoder.save(tmp_path / "decoder.keras")
    script = (
        "import sys, keras, numpy as np; given = np.load('given.npz')\n"
        "encoder, decoder = (keras.saving.load_model(f'{name}.keras') for name in ('encoder', 'decoder'))\n"
        "np.testing.assert_allclose(np.asarray(encoder(given['x'])), given['latent'], atol=1e-4)\n"
        "np.testing.assert_allclose(np.asarray(decoder(given['latent'])), given['back'], rtol=1e-4)\n"
        "assert 'genokeras' not in sys.modules\n"
    )
    # NumPy's backend, because it starts in a fraction of the others' time.
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "KERAS_BACKEND": "numpy"}, check=True
    )


@pytest.mark.parametrize("optimizer", ["adamw", "dynamic_momentum", "lamb", "sgd"])
def test_any_optimiser_lowers_the_loss(optimizer: str) -> None:
    rate = 0.3 if optimizer == "sgd" else 0.01
    settings = replace(QUICK, optimizer=optimizer, learning_rate=rate, max_epochs=8, keep_prob=1.0)
    history = fit_vae(TRAIN, VALIDATION, settings).history
    assert min(line["val_loss"] for line in history[1:]) < history[0]["val_loss"]


def test_a_candidate_is_scored_by_its_validation_loss() -> None:
    data = prepare_vae(TRAIN, VALIDATION)
    good, still = (vae_candidate(data, replace(SETTINGS, learning_rate=rate), 8) for rate in (5e-3, 1e-9))
    assert good < still


def test_a_range_test_suggests_a_rate_that_learns() -> None:
    data = prepare_vae(TRAIN, VALIDATION)
    found = vae_range_test(data, SETTINGS)
    assert len(found.raw) == 100
    assert found.raw[60:].min() < found.raw[0] - 0.1
    assert 1e-4 < found.suggestion <= 0.1


def test_training_stops_after_patience_and_halves_the_rate_before() -> None:
    lines: list[str] = []
    settings = replace(QUICK, learning_rate=1e-9, patience=6, max_epochs=50)
    found = fit_vae(TRAIN, VALIDATION, settings, log=lines.append)
    assert len(found.history) - 1 == 6
    assert found.history[-1]["learning_rate"] == pytest.approx(1e-9 / 4)
    assert any("is on a plateau, learning rate halved to 5e-10" in line for line in lines)


def test_training_stops_at_the_last_step() -> None:
    found = fit_vae(TRAIN, VALIDATION, replace(QUICK, max_steps=5, max_epochs=50))
    assert found.history[-1]["steps"] == 8


def test_the_divergence_counts_fully_only_after_the_warm_up() -> None:
    settings = replace(QUICK, max_epochs=1, learning_rate=1e-9, beta=1000.0, keep_prob=1.0)
    cold, warm = (
        fit_vae(TRAIN, VALIDATION, replace(settings, warm_up=warm_up)).history[1]["loss"]
        for warm_up in (5, 0)
    )
    assert warm > cold + 0.1


def test_a_loss_that_is_never_finite_is_an_error() -> None:
    broken = VALIDATION.copy()
    broken[0, 0] = 3e38
    with pytest.raises(TrainingError, match="not finite.*lower it"), np.errstate(all="ignore"):
        fit_vae(TRAIN, broken, QUICK)


def test_a_rate_that_breaks_training_down_keeps_what_was_best_before() -> None:
    lines: list[str] = []
    settings = replace(QUICK, optimizer="sgd", learning_rate=1e12, max_epochs=20)
    found = fit_vae(TRAIN, VALIDATION, settings, log=lines.append)
    assert found.losses["epoch"] == 0
    assert "the loss is not finite any more, training ends" in " ".join(lines)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent": 0}, "latent must be a whole number of at least 1, got 0"),
        ({"blocks": 1.5}, "blocks must be a whole number"),
        ({"keep_prob": 0.0}, "keep_prob must be a number above 0"),
        ({"output_nonlinear": "cube"}, "output_nonlinear must be one of"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number above 0"),
        ({"beta": -1.0}, "beta must be a number of at least 0"),
        ({"optimizer": "kfac"}, "'kfac' cannot train an auto-encoder"),
        ({"optimizer": "adan"}, "optimiser must be one of .*got 'adan'.*'adam'"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        VaeSettings(**change)


def test_rows_with_other_features_are_refused() -> None:
    with pytest.raises(DataError, match="training rows have 300 features, validation rows 299"):
        prepare_vae(TRAIN, VALIDATION[:, 1:])


def test_missing_values_without_medians_are_refused_by_place() -> None:
    holed = TRAIN.copy()
    holed[3, 7] = np.nan
    with pytest.raises(
        DataError, match="training rows: 1 value is missing or infinite, first row 4, column 8"
    ):
        prepare_vae(holed, VALIDATION)


def test_features_that_do_not_vary_are_refused() -> None:
    with pytest.raises(DataError, match="none of 4 features varies over 6 training rows"):
        prepare_vae(np.ones((6, 4)), np.ones((2, 4)))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(DataError, match="expected 2 training rows or more, got 1"):
        checked_rows("training", TRAIN[:1], 2)


def test_medians_of_another_length_are_refused() -> None:
    with pytest.raises(DataError, match="medians must be 300 finite numbers"):
        prepare_vae(TRAIN, VALIDATION, np.zeros(3))

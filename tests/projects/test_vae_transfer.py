"""Transfer: a classifier on the latent means of an encoder that was trained before."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from genokeras.errors import DataError, DataFileError, ParameterError
from genokeras.projects.vae import VaeSettings, fit_vae, load_encoder, prepare_transfer, train_transfer
from genokeras.training.descent_objective import DescentSettings

SETTINGS = DescentSettings(learning_rate=0.02, max_epochs=60)
N, P = 120, 200


def labelled() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    factors = rng.standard_normal((N, 2))
    x = factors @ rng.standard_normal((2, P)) + 0.7 * rng.standard_normal((N, P))
    return (x * rng.uniform(0.5, 30.0, P) + 100.0).astype("float32"), factors[:, 0]


X, NUMBERS = labelled()
CODES = (NUMBERS > 0).astype(int)
FIRST, SECOND, TEST = slice(0, 50), slice(50, 80), slice(80, N)


def outputs(model: Any, x: np.ndarray) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


def cross_entropy(model: Any, part: slice) -> float:
    return float(-np.log(outputs(model, X[part])[np.arange(len(X[part])), CODES[part]]).mean())


@pytest.fixture(scope="module")
def encoder() -> Any:
    settings = VaeSettings(latent=2, learning_rate=3e-3, max_epochs=50, blocks=1)
    return fit_vae(X[FIRST], X[SECOND], settings).encoder


def transferred(
    encoder: Any, *, trainable: bool = False, settings: DescentSettings = SETTINGS, **kwargs: Any
) -> Any:
    given = (X[FIRST], CODES[FIRST], X[SECOND], CODES[SECOND])
    return train_transfer(prepare_transfer(encoder, *given, 2), settings, trainable, **kwargs)


@dataclass(frozen=True)
class Classifier:
    """A classifier on the encoder, what was logged meanwhile, and the encoder's weights before."""

    model: Any
    log: list[str]
    before: list[np.ndarray]


@pytest.fixture(scope="module")
def classifiers(encoder: Any) -> dict[bool, Classifier]:
    """One of the encoder as it is, and one that may train it."""
    found = {}
    for trainable in (False, True):
        before, log = encoder.get_weights(), []
        found[trainable] = Classifier(transferred(encoder, trainable=trainable, log=log.append), log, before)
    return found


@pytest.mark.parametrize("trainable", [False, True])
def test_a_transferred_classifier_predicts_better_than_chance(
    classifiers: dict[bool, Classifier], trainable: bool
) -> None:
    found = outputs(classifiers[trainable].model, X[TEST])
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-5)
    assert (found.argmax(axis=1) == CODES[TEST]).mean() > 0.8


@pytest.mark.parametrize("trainable", [False, True])
def test_the_encoder_stays_as_it_was_and_fine_tuning_changes_a_copy(
    encoder: Any, classifiers: dict[bool, Classifier], trainable: bool
) -> None:
    found = classifiers[trainable]
    for a, b in zip(found.before, encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    if trainable:
        assert np.abs(found.model.get_layer("stem").get_weights()[0] - found.before[0]).max() > 0
    else:
        for a, b in zip(found.before, found.model.get_weights()[: len(found.before)], strict=True):
            np.testing.assert_array_equal(a, b)


def test_fine_tuning_is_no_worse_on_the_validation_rows_than_its_start(
    classifiers: dict[bool, Classifier],
) -> None:
    frozen, tuned = (cross_entropy(classifiers[trainable].model, SECOND) for trainable in (False, True))
    assert tuned <= frozen + 1e-5


@pytest.mark.parametrize("trainable", [False, True])
def test_the_model_scores_what_the_log_says_of_its_best_epoch(
    classifiers: dict[bool, Classifier], trainable: bool
) -> None:
    found = classifiers[trainable]
    told = [line for line in found.log if line.startswith("Best epoch")][-1]
    assert float(told.rsplit(" ", 1)[1]) == pytest.approx(cross_entropy(found.model, SECOND), abs=2e-4)


@pytest.mark.parametrize("trainable", [False, True])
def test_numbers_can_be_predicted_too(encoder: Any, trainable: bool) -> None:
    y = np.stack([50 * NUMBERS + 1000, -NUMBERS], axis=1)
    data = prepare_transfer(encoder, X[FIRST], y[FIRST], X[SECOND], y[SECOND], 0)
    model = train_transfer(data, SETTINGS, trainable)
    found = outputs(model, X[TEST])
    assert found.shape == (N - 80, 2)
    assert (np.square(found - y[TEST]).mean(axis=0) < 0.5 * y[TEST].var(axis=0)).all()


def test_equal_seeds_give_equal_classifiers(encoder: Any) -> None:
    settings = replace(SETTINGS, max_epochs=3, batch_size=16)
    first, second = (transferred(encoder, trainable=True, settings=settings) for _ in range(2))
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_saved_classifier_loads_in_safe_mode_and_is_the_same(encoder: Any, tmp_path: Path) -> None:
    model = transferred(encoder, trainable=True, settings=replace(SETTINGS, max_epochs=3))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(outputs(loaded, X[TEST]), outputs(model, X[TEST]), atol=1e-6)


def test_an_encoder_loaded_from_a_file_can_be_trained_further(encoder: Any, tmp_path: Path) -> None:
    encoder.save(tmp_path / "encoder.keras")
    settings = replace(SETTINGS, max_epochs=3)
    given, loaded = (
        transferred(e, trainable=True, settings=settings) for e in (encoder, load_encoder(tmp_path))
    )
    np.testing.assert_allclose(outputs(given, X[TEST]), outputs(loaded, X[TEST]), atol=1e-6)


def test_data_of_another_width_are_refused_with_both_numbers(encoder: Any) -> None:
    with pytest.raises(DataError, match="the encoder reads 200 features, the training rows have 199"):
        prepare_transfer(encoder, X[FIRST, 1:], CODES[FIRST], X[SECOND, 1:], CODES[SECOND], 2)


def test_rows_that_the_encoder_cannot_read_are_refused(encoder: Any) -> None:
    holed = X.copy()
    holed[52, 4] = np.nan
    with pytest.raises(DataError, match="no finite answer for 1 validation row, the first is row 3"):
        prepare_transfer(encoder, X[FIRST], CODES[FIRST], holed[SECOND], CODES[SECOND], 2)


def test_codes_of_no_class_are_refused(encoder: Any) -> None:
    with pytest.raises(DataError, match="training codes: expected 0 to 1, got 2"):
        prepare_transfer(encoder, X[FIRST], CODES[FIRST] * 2, X[SECOND], CODES[SECOND], 2)


def test_codes_unlike_rows_are_refused(encoder: Any) -> None:
    with pytest.raises(DataError, match="validation targets: expected shape \\(30,\\), got \\(29,\\)"):
        prepare_transfer(encoder, X[FIRST], CODES[FIRST], X[SECOND], CODES[SECOND][1:], 2)


def test_a_foreign_encoder_can_only_be_frozen() -> None:
    foreign = keras.Sequential([keras.Input((P,)), keras.layers.Dense(2)])
    assert outputs(transferred(foreign, settings=replace(SETTINGS, max_epochs=1)), X[TEST]).shape == (
        N - 80,
        2,
    )
    with pytest.raises(ParameterError, match='no Dense layer named "stem".*Set trainable to false'):
        transferred(foreign, trainable=True, settings=replace(SETTINGS, max_epochs=1))


def test_of_several_encoders_in_a_folder_the_newest_is_loaded(encoder: Any, tmp_path: Path) -> None:
    now = time.time()
    for age, name in enumerate(("0102_000000", "0101_000000")):
        (tmp_path / name).mkdir()
        model = keras.models.clone_model(encoder)
        model.set_weights([w + age for w in encoder.get_weights()])
        model.save(tmp_path / name / "encoder.keras")
        os.utime(tmp_path / name / "encoder.keras", (now - age, now - age))
    found = load_encoder(tmp_path)
    np.testing.assert_array_equal(found.get_weights()[0], encoder.get_weights()[0])


def test_a_path_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="does not exist: expected an encoder.keras or the folder"):
        load_encoder(tmp_path / "nothing")


def test_a_folder_without_encoder_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "best_model.keras").write_bytes(b"")
    with pytest.raises(DataFileError, match="there is no encoder.keras.*holds models.best_model.keras"):
        load_encoder(tmp_path)


def test_a_file_that_is_no_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "encoder.keras").write_bytes(b"nothing")
    with pytest.raises(DataFileError, match="cannot be loaded as a Keras model"):
        load_encoder(tmp_path / "encoder.keras")


def test_a_model_of_another_shape_is_no_encoder(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4, 3)), keras.layers.Dense(2)])
    model.save(tmp_path / "encoder.keras")
    with pytest.raises(DataFileError, match="is no encoder: expected a model from"):
        load_encoder(tmp_path)

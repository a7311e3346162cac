"""A classifier on the encoder of an earlier run: which rate it is trained with, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

import genokeras as ag
from genokeras.errors import ConfigError
from genokeras.projects import ProjectConfig, read_config
from genokeras.projects.selection import select_rate
from genokeras.projects.vae import (
    DescentSettings,
    TransferData,
    calibrated_on,
    prepare_transfer,
    train_transfer,
)
from genokeras.tasks.calibration import fit_calibration

RNG = np.random.default_rng(0)
CODES = np.arange(60) % 2
X = (RNG.standard_normal((60, 5)) + 1.5 * CODES[:, None]).astype("float32")
TRAIN, HELD = slice(0, 40), slice(40, 60)
LISTED = {"args": {"optimizer_param": {"learning_rate": [1e-4, 0.05]}}}


def config_of(**sections: Any) -> ProjectConfig:
    config = read_config(
        {
            "name": "transferred",
            "model": {"type": "VAE", "args": {"output_classes": 2}},
            "data_train": {"args": {"features_file": "x.tsv", "labels_file": "y.tsv"}},
            "transfer": {"from": "runs"},
            **sections,
        }
    )
    assert isinstance(config, ProjectConfig)
    return config


def message(**sections: Any) -> str:
    with pytest.raises(ConfigError) as error:
        config_of(**sections)
    return str(error.value)


@pytest.fixture(scope="module")
def data() -> TransferData:
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3)])
    return prepare_transfer(encoder, X[TRAIN], CODES[TRAIN], X[HELD], CODES[HELD], 2)


def outputs(model: Any, x: np.ndarray = X[HELD]) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(model(x)))


# ---- the configuration


def test_the_learning_rate_is_the_only_parameter_and_the_loss_what_is_watched() -> None:
    given = config_of(param_spec={"args": {"VAE": {"n_latent": 8}}})
    for config in (given, read_config(given.to_dict()), config_of()):
        assert isinstance(config, ProjectConfig)
        assert (config.start_values, config.search_space) == ({"learning_rate": 1e-4}, {})
        assert (config.trainer.monitor, config.trainer.selected_mode, config.searched) == (
            "loss",
            "min",
            True,
        )
    assert config_of(hyper_param_spec=LISTED).search_space == {"learning_rate": (1e-4, 0.05)}


def test_another_monitor_than_the_loss_is_refused() -> None:
    assert 'trainer.monitor: expected "loss" (with selected_mode "min")' in message(
        trainer={"monitor": "accuracy"}
    )


def test_parameters_of_the_encoder_cannot_be_searched() -> None:
    lists = {"args": {"VAE": {"n_latent": [4, 8]}, **LISTED["args"]}}
    assert " ".join(message(hyper_param_spec=lists).split()) == (
        "configuration, hyper_param_spec.args.VAE.n_latent: cannot be searched beside transfer, because the encoder comes as "
        "it was trained: leave it out. What can be searched is optimizer_param.learning_rate."
    )
    off = config_of(hyper_param_spec=lists, trainer={"hyper_selector": False})
    assert off.search_space == {"learning_rate": (1e-4, 0.05)}


def test_parameters_of_the_encoder_need_no_start_value() -> None:
    said = message(
        param_spec={"args": {"VAE": {"keep_prob": 1.0}}},
        hyper_param_spec={"args": {"VAE": {"n_latent": [4]}}},
    )
    assert "start value" not in said


# ---- the rate


def test_a_range_test_chooses_the_rate_once(data: TransferData) -> None:
    kept: list[Mapping[str, Any]] = []
    rate = select_rate(config_of(), data, None, kept.append)
    assert 1e-3 < rate <= 0.101 and kept == [{"chosen": {"learning_rate": rate}}]
    assert select_rate(config_of(), data, {"chosen": {"learning_rate": 0.5}}, kept.append) == 0.5


@pytest.mark.parametrize("selector", [True, "grid"])
def test_rates_that_are_listed_are_tried(data: TransferData, selector: bool | str) -> None:
    config = config_of(hyper_param_spec=LISTED, trainer={"hyper_selector": selector, "pre_train_epoch": 5})
    assert select_rate(config, data, None, lambda state: None) == 0.05


def test_without_a_selector_the_rate_is_the_one_given(data: TransferData) -> None:
    config = config_of(
        trainer={"hyper_selector": False}, param_spec={"args": {"optimizer_param": {"learning_rate": 0.02}}}
    )
    assert select_rate(config, data, None, lambda state: None) == 0.02


def test_it_is_said_where_the_rate_was_too_low_to_learn_anything(data: TransferData) -> None:
    log: list[str] = []
    settings = DescentSettings(learning_rate=1e-12, max_epochs=3)
    train_transfer(data, replace(settings, learning_rate=0.05), log=log.append)
    assert not any("no epoch was better" in line for line in log)
    train_transfer(data, settings, log=log.append)
    assert any(
        "at a learning rate of 1e-12 no epoch was better on the validation rows" in line for line in log
    )


# ---- what comes of it


def test_probabilities_are_calibrated_on_the_rows_held_out(data: TransferData) -> None:
    model = train_transfer(data, DescentSettings(learning_rate=0.05, max_epochs=20))
    expected = fit_calibration(outputs(model), CODES[HELD])
    assert expected.sharpness != 1.0 and expected.doubt == pytest.approx(1 / 21)
    sure = calibrated_on(model, X[HELD], CODES[HELD])
    np.testing.assert_allclose(outputs(sure, X), expected.apply(outputs(model, X)), atol=1e-5)


@pytest.mark.parametrize("trainable", [False, True])
def test_a_project_searches_the_rate_and_records_it_alone(
    make_project: Callable[..., dict[str, Any]],
    trained_project: Callable[..., Any],
    trainable: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    encoder, _ = trained_project("VAE")
    place = str(encoder.trained.path.parent)
    source = make_project("VAE", transfer={"from": place, "trainable": trainable})
    source = {**source, "name": "transferred"}
    del source["hyper_param_spec"]
    with caplog.at_level("INFO", "genokeras.projects"):
        project = ag.auto(source, verbose=0).train()
    assert "Ready to search the best hyper parameters for VAE model" in caplog.text
    assert "LR_RANGE_TEST From begin_lr 0.000010 To end_lr 0.100000" in caplog.text
    record = project.trained.record
    assert list(record.parameters) == ["learning_rate"] and record.parameters["learning_rate"] > 1e-3
    assert project.trained.path.parent.name == f"hyper_lr{record.parameters['learning_rate']:.6g}"
    chances = project.predict()[["probability_0", "probability_1"]].to_numpy()
    assert chances.min() >= 0.5 / 11 - 1e-6  # ten rows are held out
    np.testing.assert_allclose(chances.sum(axis=1), 1.0, atol=1e-5)
    assert record.metrics["validation"]["loss"] < 0.69

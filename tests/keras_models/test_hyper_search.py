"""The search over a user's own build function."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import keras_tuner
import numpy as np
import pytest

from genokeras.errors import DataError, NotFittedError, ParameterError, SearchError
from genokeras.keras_models import HyperSearch
from genokeras.keras_models.hyper_search import split_rows
from genokeras.tuning import ORACLES
from tests.keras_models.small_models import small_problem
from tests.signals import ENDS, every, unhandled

__all__ = ["unhandled"]
X, Y = small_problem()
Hp = keras_tuner.HyperParameters


def build(hp: Hp) -> keras.Model:
    """Small, and run without compiling, which takes longer than its few steps."""
    model = compiled(hp)
    model.run_eagerly = True
    return model


def compiled(hp: Hp) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(hp.Choice("units", [2, 4]), "relu"),
            keras.layers.Dense(2, "softmax"),
        ]
    )
    rate = hp.Float("rate", 1e-3, 1e-1, sampling="log")
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def search(build_function: Any = build, oracle: str = "random", **arguments: Any) -> HyperSearch:
    settings = {"max_trials": 2, "epochs": 2, "verbose": 0, **arguments}
    return HyperSearch(build_function, oracle, **settings)


@pytest.fixture(scope="module")
def fitted() -> HyperSearch:
    return search(compiled, max_trials=3).fit(X, Y)


def test_the_history_has_one_row_per_trial(fitted: HyperSearch) -> None:
    assert list(fitted.history_.columns) == [
        "trial", "units", "rate", "score", "epochs", "seconds", "status", "error",
    ]  # fmt: skip
    assert list(fitted.history_["trial"]) == [0, 1, 2]
    assert set(fitted.history_["status"]) == {"completed"}
    assert set(fitted.history_["epochs"]) == {2}


def test_the_best_model_is_that_of_the_best_row(fitted: HyperSearch) -> None:
    row = fitted.history_.sort_values("score").iloc[0]
    assert fitted.best_score_ == row["score"]
    assert fitted.best_values_ == {"units": row["units"], "rate": row["rate"]}
    assert fitted.best_model_.layers[0].units == row["units"]
    held = split_rows(Y, len(X), 0.2, 0)[1]
    loss = fitted.best_model_.evaluate(X[held], Y[held], verbose=0)[0]
    assert loss == pytest.approx(fitted.best_score_, rel=1e-4)


def test_the_leaderboard_begins_with_the_best(fitted: HyperSearch) -> None:
    board = fitted.leaderboard()
    assert list(board["rank"]) == [1, 2, 3]
    assert board["score"].is_monotonic_increasing
    assert board["score"][0] == fitted.best_score_


def test_the_same_seed_searches_the_same(fitted: HyperSearch) -> None:
    again = search(compiled, max_trials=3).fit(X, Y)
    np.testing.assert_allclose(again.history_["score"], fitted.history_["score"], rtol=1e-5)


@pytest.mark.parametrize("oracle", [name for name in ORACLES if name != "random"])
def test_every_oracle_works_on_a_build_function(oracle: str) -> None:
    found = search(oracle=oracle, max_trials=4, epochs=3).fit(X, Y)
    assert 1 <= len(found.history_) <= 4
    assert found.best_model_.predict(X, verbose=0).shape == (64, 2)


def test_hyperband_continues_with_the_weights_of_the_trial_before() -> None:
    found = search(oracle="hyperband", max_trials=4, epochs=9).fit(X, Y)
    table = found.history_.sort_values("trial")
    longest = table.iloc[-1]
    same = table[(table["units"] == longest["units"]) & (table["rate"] == longest["rate"])]
    assert same["epochs"].is_monotonic_increasing
    assert len(same) > 1
    assert same["score"].iloc[-1] < same["score"].iloc[0]


def test_no_tensorboard_is_needed() -> None:
    assert "tensorboard" not in sys.modules


def test_own_validation_data_are_used() -> None:
    found = search(max_trials=1).fit(X[:40], Y[:40], validation_data=(X[40:], Y[40:]))
    loss = found.best_model_.evaluate(X[40:], Y[40:], verbose=0)[0]
    assert loss == pytest.approx(found.best_score_, rel=1e-4)


def test_an_objective_to_be_maximised_is() -> None:
    found = search(objective="val_accuracy").fit(X, Y)
    assert found.best_score_ == found.history_["score"].max()
    assert not found.leaderboard()["score"].is_monotonic_increasing or len(set(found.history_["score"])) == 1


def test_what_build_asks_for_on_the_way_joins_the_history() -> None:
    def conditional(hp: Hp) -> keras.Model:
        layers: list[keras.layers.Layer] = [keras.Input((4,)), keras.layers.Dense(2, "softmax")]
        if hp.Choice("kind", ["flat", "deep"]) == "deep":
            layers.insert(1, keras.layers.Dense(hp.Int("units", 2, 4), "relu"))
        model = keras.Sequential(layers)
        model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
        return model

    table = search(conditional, "grid", max_trials=9, epochs=1).fit(X, Y).history_
    assert list(table["kind"]) == ["flat", "deep", "deep", "deep"]
    assert np.isnan(table["units"][0])
    assert list(table["units"][1:]) == [2, 3, 4]


@pytest.mark.slow
def test_tensorflow_does_not_warn_of_networks_that_are_new_on_purpose(
    caplog: pytest.LogCaptureFixture,
) -> None:
    search(compiled, max_trials=7, epochs=1).fit(X, Y)
    assert "retracing" not in caplog.text


def test_a_build_that_fails_for_some_values_loses_those_trials() -> None:
    def fails_for_four(hp: Hp) -> keras.Model:
        if hp.Choice("units", [2, 4]) == 4:
            raise ValueError("four are too many")
        return build(hp)

    found = search(fails_for_four, max_trials=6, epochs=1).fit(X, Y)
    failed = found.history_[found.history_["status"] == "failed"]
    assert set(failed["error"]) == {"ValueError: four are too many"}
    assert found.best_values_["units"] == 2
    assert len(found.leaderboard()) == len(found.history_) - len(failed) > 0


def test_a_build_that_always_fails_ends_the_search_with_the_reason() -> None:
    def fails(hp: Hp) -> keras.Model:
        hp.Choice("units", [2, 4])
        raise ValueError("never fits")

    with pytest.raises(SearchError, match="all 2 trials failed: ValueError: never fits"):
        search(fails).fit(X, Y)


def test_a_loss_that_is_never_finite_fails_the_trial() -> None:
    def explodes(hp: Hp) -> keras.Model:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(1e30), "mse")
        return model

    with pytest.raises(SearchError, match="val_loss was not finite"):
        search(explodes, max_trials=1).fit(X, Y)


def test_the_time_limit_stops_a_long_training_and_returns_its_model() -> None:
    start = time.monotonic()
    found = search(max_trials=50, epochs=100_000, batch_size=4).fit(X, Y, time_limit=1.5)
    assert time.monotonic() - start < 60  # it would take hours
    assert found.history_["status"].iloc[-1] == "stopped"
    assert np.isfinite(found.best_model_.predict(X, verbose=0)).all()


def test_the_smallest_time_limit_still_gives_a_model() -> None:
    found = search(epochs=1000).fit(X, Y, time_limit=1e-6)
    assert list(found.history_["status"]) == ["stopped"]
    assert found.best_model_.predict(X, verbose=0).shape == (64, 2)


def test_numpys_own_random_numbers_go_on_undisturbed() -> None:
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    search(max_trials=1, epochs=1).fit(X, Y)
    assert np.random.random() == expected


def signalled(number: signal.Signals, call: int) -> Callable[[Hp], keras.Model]:
    """The first call is there to learn the space, each other one begins a trial."""
    calls = []

    def building(hp: Hp) -> keras.Model:
        calls.append(1)
        if len(calls) == call:
            signal.raise_signal(number)
        return build(hp)

    return building


@pytest.mark.usefixtures("unhandled")
@every
def test_interrupting_keeps_the_best_so_far(number: signal.Signals) -> None:
    found = search(signalled(number, 3), max_trials=5, epochs=1).fit(X, Y)
    assert len(found.history_) == 1 and found.interrupted_


@pytest.mark.usefixtures("unhandled")
@every
def test_interrupted_in_the_first_trial_there_is_nothing_to_keep(number: signal.Signals) -> None:
    with pytest.raises(ENDS[number]):
        search(signalled(number, 2)).fit(X, Y)


@pytest.mark.usefixtures("unhandled")
def test_a_signal_that_native_code_turns_into_an_error_is_no_failed_trial() -> None:
    def failing(hp: Hp) -> keras.Model:
        try:
            return inner(hp)
        except KeyboardInterrupt as error:
            raise ValueError("native code called back") from error

    inner = signalled(signal.SIGTERM, 3)
    found = search(failing, max_trials=5, epochs=1).fit(X, Y)
    assert found.history_["status"].tolist() == ["completed"] and found.interrupted_


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    search(max_trials=1, epochs=1, verbose=1).fit(X, Y)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Trial 1: units=")


def uncompiled(hp: Hp) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])


@pytest.mark.parametrize(
    ("function", "message"),
    [(lambda hp: None, "got NoneType.*return model"), (uncompiled, "without compiling")],
)
def test_build_must_return_a_compiled_model(function: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        search(function).fit(X, Y)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"oracle": "hyperbnad"}, "Did you mean 'hyperband'"),
        ({"max_trials": 0}, "max_trials"),
        ({"epochs": 1.5}, "epochs"),
        ({"validation_split": 1.0}, "validation_split"),
        ({"objective": "val_things"}, "keras_tuner.Objective"),
        ({"objective": "val_acc", "max_trials": 1}, "Did you mean 'val_accuracy'"),
        ({"build_function": 3}, "build must be a function"),
    ],
)
def test_wrong_parameters_are_errors(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        search(**arguments).fit(X, Y)


@pytest.mark.parametrize("limit", [0, -1, True])
def test_a_time_limit_must_be_above_zero(limit: float) -> None:
    with pytest.raises(ParameterError, match="time_limit"):
        search().fit(X, Y, time_limit=limit)


@pytest.mark.parametrize(("x", "y"), [(X[:0], Y[:0]), (X, Y[:3]), (X, None), (X[:1], Y[:1])])
def test_data_that_cannot_be_searched_on_are_errors(x: Any, y: Any) -> None:
    with pytest.raises(DataError):
        search().fit(x, y)


def test_there_is_no_leaderboard_before_the_search() -> None:
    with pytest.raises(NotFittedError, match="call fit first"):
        search().leaderboard()


def test_classes_are_split_in_their_proportions() -> None:
    labels = np.array(["ill"] * 8 + ["well"] * 32)
    train, held = split_rows(labels, 40, 0.25, 0)
    assert sorted([*train, *held]) == list(range(40))
    assert list(labels[held]).count("ill") == 2

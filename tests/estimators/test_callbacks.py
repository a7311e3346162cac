"""Callbacks of a search: our own, and those of Keras for which a trial is an epoch."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.base import clone

import genokeras as gk
from genokeras.engine import FinalFitStart, Run, SearchStart
from genokeras.errors import ParameterError
from genokeras.searchers import TrialResult
from tests.estimators.conftest import make_study

QUICK: dict[str, Any] = {"time_limit": None, "max_trials": 3, "folds": 3, "random_state": 0, "verbose": 0}
STUDY = make_study(p=16)


class Noted(gk.SearchCallback):
    """Keeps what it is told, and ends a search after a number of trials."""

    def __init__(self, most: int = 99) -> None:
        self.most = most
        self.start: SearchStart | None = None
        self.logs: dict[int, Mapping[str, float]] = {}
        self.run: Run | None = None
        self.final_start: FinalFitStart | None = None
        self.final: tuple[Run, Mapping[str, float]] | None = None

    def on_search_begin(self, start: SearchStart) -> None:
        self.start = start

    def on_trial_end(self, trial: TrialResult, logs: Mapping[str, float]) -> None:
        self.logs[trial.id] = logs
        self.stop = len(self.logs) >= self.most

    def on_search_end(self, run: Run) -> None:
        self.run = run

    def on_final_fit_begin(self, start: FinalFitStart) -> None:
        self.final_start = start

    def on_final_fit_end(self, run: Run, scores: Mapping[str, float]) -> None:
        self.final = run, scores


def fitted(callbacks: Any, **more: Any) -> gk.GenomeClassifier:
    return gk.GenomeClassifier(callbacks=callbacks, **(QUICK | more)).fit(*STUDY)


@pytest.fixture(scope="module")
def noted() -> tuple[Noted, gk.GenomeClassifier]:
    noted = Noted()
    return noted, fitted([noted])


def test_a_callback_hears_of_the_start_every_trial_and_the_end(
    noted: tuple[Noted, gk.GenomeClassifier],
) -> None:
    told, clf = noted
    board = clf.leaderboard().set_index("model_id")
    assert told.start is not None and told.start.objective == "log_loss" and told.start.n_earlier == 0
    assert told.start.settings["seed"] == 0 and told.start.path == str(clf.path_)
    assert sorted(told.logs) == sorted(board.index)
    for trial, logs in told.logs.items():
        assert logs["score"] == pytest.approx(board.loc[trial, "score"])
        assert set(logs) == {"score", "best", "loss", "val_loss", "seconds", "parameters"}
    assert min(logs["best"] for logs in told.logs.values()) == pytest.approx(board["score"].min())
    assert told.run is not None and told.run.delivery.estimate == clf.estimate_


def test_a_callback_ends_the_search_which_delivers_what_it_has() -> None:
    told = Noted(most=1)
    clf = fitted([told], max_trials=24)
    assert clf.stop_reason_ == "callback" and clf.n_trials_ < 24 and clf.predict(STUDY[0]).shape == (40,)


def test_a_callback_that_fails_is_left_out_and_the_search_goes_on(tmp_path: Path) -> None:
    class Broken(gk.SearchCallback):
        calls = 0

        def on_trial_end(self, trial: TrialResult, logs: Mapping[str, float]) -> None:
            self.calls += 1
            raise ConnectionError("the server is away")

    broken, told = Broken(), Noted()
    with pytest.warns(UserWarning, match="Broken failed in on_trial_end.*the server is away"):
        clf = fitted([broken, told], path=tmp_path / "run")
    assert broken.calls == 1 and len(told.logs) == clf.n_trials_ == 3
    assert "callback_failed" in (tmp_path / "run" / "journal.jsonl").read_text()


@pytest.mark.parametrize("tested", [True, False])
def test_a_final_fit_tells_of_its_beginning_and_its_end(
    noted: tuple[Noted, gk.GenomeClassifier], tmp_path: Path, tested: bool
) -> None:
    told, (x, y) = Noted(), STUDY
    clf = gk.load_estimator(noted[1].save(tmp_path / "run")).set_params(callbacks=[told])
    best, test = clf.get_best_model_id(), STUDY if tested else ()
    clf.final_fit(x[:30], y[:30], *test, trainer_args={"max_iter_num": 3})
    start = told.final_start
    assert start is not None and (start.path, start.trial.id) == (str(tmp_path / "run"), best)
    assert (start.n_samples, start.retrain) == (30, True)
    assert told.final is not None and told.final[0].model is clf.model_
    assert told.final[1] == (clf.final_evaluation_ if tested else {})
    assert told.start is None and not told.logs and told.run is None


def test_a_callback_that_fails_in_a_final_fit_is_left_out_of_it(
    noted: tuple[Noted, gk.GenomeClassifier], tmp_path: Path
) -> None:
    class Broken(Noted):
        def on_final_fit_begin(self, start: FinalFitStart) -> None:
            raise ConnectionError("the server is away")

    broken, told = Broken(), Noted()
    clf = gk.load_estimator(noted[1].save(tmp_path / "run")).set_params(callbacks=[broken, told])
    with pytest.warns(
        UserWarning, match="The final fit goes on, but the callback Broken failed in on_final_fit_begin"
    ):
        clf.final_fit(*STUDY, trainer_args={"max_iter_num": 3})
    assert broken.final is None and told.final is not None
    assert "callback_failed" in (tmp_path / "run" / "journal.jsonl").read_text()
    clf.set_params(callbacks=[print])
    with pytest.raises(
        ParameterError, match="instances of keras.callbacks.Callback or genokeras.SearchCallback"
    ):
        clf.final_fit(*STUDY)


# ---- of Keras


def test_for_callbacks_of_keras_a_trial_is_an_epoch(tmp_path: Path) -> None:
    heard: list[Any] = []
    simple = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs=None: heard.append("begin"),
        on_epoch_end=lambda epoch, logs: heard.append((epoch, logs["val_loss"])),
        on_train_end=lambda logs=None: heard.append("end"),
    )
    clf = fitted([simple, keras.callbacks.CSVLogger(tmp_path / "trials.csv")])
    assert heard[0] == "begin" and heard[-1] == "end" and [epoch for epoch, _ in heard[1:-1]] == [0, 1, 2]
    lines = (tmp_path / "trials.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,") and "val_loss" in lines[0] and len(lines) == 1 + clf.n_trials_
    told = list(heard)
    clf.final_fit(*STUDY, trainer_args={"max_iter_num": 3})
    assert heard == told and (tmp_path / "trials.csv").read_text().splitlines() == lines


@pytest.mark.slow
def test_early_stopping_ends_a_search_that_gets_no_better() -> None:
    patient = keras.callbacks.EarlyStopping(monitor="best", mode="min", patience=2)
    clf = fitted([patient], max_trials=30)
    assert clf.stop_reason_ == "callback" and clf.n_trials_ < 60


def test_what_needs_one_network_and_what_is_no_callback_is_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    refused = [
        (
            keras.callbacks.ModelCheckpoint(tmp_path / "m.keras"),
            "ModelCheckpoint works on one network.*run folder",
        ),
        (keras.callbacks.ReduceLROnPlateau(), "ReduceLROnPlateau works on one network"),
        (print, "instances of keras.callbacks.Callback or genokeras.SearchCallback.*print"),
        (gk.SearchCallback, "instances of"),
    ]
    for callback, message in refused:
        with pytest.raises(ParameterError, match=message):
            fitted([callback], path=tmp_path / "run")
    with pytest.raises(ParameterError, match="must be a list, got Noted"):
        fitted(Noted(), path=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_estimator_with_callbacks_is_cloned_pickled_and_loaded(
    noted: tuple[Noted, gk.GenomeClassifier],
) -> None:
    clf = noted[1]
    assert isinstance(clone(clf).callbacks[0], Noted)
    assert gk.load_estimator(clf.path_).callbacks is None
    quiet = fitted([gk.SearchCallback()])
    again = pickle.loads(pickle.dumps(quiet))
    np.testing.assert_array_equal(again.predict(STUDY[0]), quiet.predict(STUDY[0]))

"""GenomeSurvival: what it takes, learns, answers, exports and refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest

import genokeras as gk
from genokeras.errors import DataError, ParameterError
from genokeras.estimators.survival import GenomeSurvival
from genokeras.estimators.survival_columns import survival_columns
from genokeras.searchers import HyperSpace
from genokeras.tasks.survival_times import survival

N, P = 90, 12


def made(n: int = N, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, P))
    time = 100 * rng.exponential(np.exp(-1.2 * x[:, 0] + 0.8 * x[:, 1])) + 0.5
    ended = rng.uniform(20, 400, size=n)
    return x, np.minimum(time, ended), (time <= ended).astype(int)


def table(n: int = N, seed: int = 0) -> pd.DataFrame:
    x, time, event = made(n, seed)
    frame = pd.DataFrame(x, columns=[f"gene_{i}" for i in range(P)], index=[f"P{i:02d}" for i in range(n)])
    return frame.assign(os_days=time, dead=event)


def small(path: Path, **more: Any) -> GenomeSurvival:
    usual = {"time_limit": None, "random_state": 0, "verbose": 0, "max_trials": 6, "folds": 3}
    space = HyperSpace(views=("all",), linear_decays=2)
    return GenomeSurvival(path, **({**usual, "searcher_args": {"space": space}} | more))


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> GenomeSurvival:
    return small(tmp_path_factory.mktemp("cox") / "run").fit(table(), time="os_days", event="dead")


@pytest.fixture(scope="module")
def by_interval(tmp_path_factory: pytest.TempPathFactory) -> GenomeSurvival:
    path = tmp_path_factory.mktemp("hazard") / "run"
    return small(path, task="hazard", max_trials=5).fit(table(), time="os_days", event="dead")


@pytest.fixture(params=["fitted", "by_interval"])
def either(request: pytest.FixtureRequest) -> GenomeSurvival:
    found: GenomeSurvival = request.getfixturevalue(request.param)
    return found


def test_risks_order_new_samples_and_the_estimate_says_so(either: GenomeSurvival) -> None:
    scores = either.evaluate(table(200, 1))
    assert set(scores) == {"c_index", "c_index_uno", "integrated_brier", "auc"}
    assert scores["c_index"] > 0.65
    assert scores["integrated_brier"] < 0.22
    estimate = either.estimate_
    assert estimate["metric"] == "c_index" and estimate["chance"] == 0.5
    assert estimate["interval"][0] < scores["c_index"] < estimate["interval"][1]
    assert {"c_index_uno", "integrated_brier", "auc"} <= set(estimate["also"])


def test_samples_that_are_followed_for_longer_have_scores_like_the_others(tmp_path: Path) -> None:
    x, time, event = made(100)
    event[time > 80], time = 0, np.minimum(time, 80 + np.arange(100) / 10)
    model = small(tmp_path / "run", max_trials=1).fit(x, time=time, event=event)
    x, time, event = made(200, 1)
    scores = model.evaluate(x, time=time, event=event)
    assert scores["integrated_brier"] < 0.25
    assert scores["c_index_uno"] == pytest.approx(scores["c_index"], abs=0.04)


def test_samples_without_any_event_have_no_scores(fitted: GenomeSurvival) -> None:
    x, time, _ = made(20, 1)
    with pytest.warns(UserWarning, match="none of these 20 samples has the event"):
        scores = fitted.evaluate(x, time=time, event=np.zeros(20))
    assert np.isnan(list(scores.values())).all()


def test_ridge_cox_models_are_the_line_to_beat(fitted: GenomeSurvival) -> None:
    assert fitted.estimate_["linear_baseline"] > 0.65
    board = fitted.leaderboard()
    assert (board["graph"] == "linear").any() and (board["graph"] != "linear").any()


def test_survival_curves_fall_from_one_and_agree_with_the_risk(either: GenomeSurvival) -> None:
    x, times = made(30, 2)[0], [10.0, 50.0, 100.0, 300.0]
    curves = either.predict_survival_function(x, times)
    assert curves.shape == (30, 4)
    assert ((curves > 0) & (curves <= 1)).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    order = np.argsort(either.predict(x))
    assert curves[order[0], 2] > curves[order[-1], 2]
    whole = either.predict_survival_function(x)
    assert whole.shape == (30, len(either.baseline_.times))


def test_curves_hold_as_many_events_as_there_are(fitted: GenomeSurvival) -> None:
    x = made(400, 3)[0]
    free_of_event = np.exp(-100 / (100 * np.exp(-1.2 * x[:, 0] + 0.8 * x[:, 1]))).mean()
    assert abs(fitted.predict_survival_function(x, [100.0]).mean() - free_of_event) < 0.08


def test_curves_out_of_fold_are_those_of_kaplan_and_meier_on_average(either: GenomeSurvival) -> None:
    _, time, event = made()
    found = either._run.out_of_fold()
    times = np.array([15.9, 28.1, 49.4, 83.7])
    curves = either._survival.survival_answers.curves(found.answers, either._places(times))
    np.testing.assert_allclose(curves.mean(axis=0), survival(time, event).at(times), atol=0.05)


def test_the_exported_model_answers_as_the_estimator(either: GenomeSurvival, tmp_path: Path) -> None:
    x = made(5, 4)[0].astype("float32")
    either.export_keras_model(tmp_path / "curves.keras", times=[40, 120])
    model = keras.saving.load_model(tmp_path / "curves.keras", compile=False)
    np.testing.assert_allclose(
        model.predict(x, verbose=0), either.predict_survival_function(x, [40, 120]), rtol=2e-4, atol=1e-5
    )
    about = json.loads((tmp_path / "curves.json").read_text(encoding="utf-8"))
    assert about["answers"] == "survival" and about["times"] == [40, 120]
    either.export_keras_model(tmp_path / "own.keras")
    about = json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))
    assert about["baseline"]["times"] == list(either.baseline_.times)
    assert about["survival"]["time"] == "os_days"


def test_curves_are_exported_of_a_run_that_was_loaded(either: GenomeSurvival, tmp_path: Path) -> None:
    keras.backend.clear_session()  # as in a fresh process, new operations have the names of those in the file
    again = gk.load_estimator(either.path_)
    again.export_keras_model(tmp_path / "curves.keras", times=[40, 120])
    model, x = keras.saving.load_model(tmp_path / "curves.keras", compile=False), made(5, 4)[0]
    np.testing.assert_allclose(
        model.predict(x, verbose=0), again.predict_survival_function(x, [40, 120]), rtol=2e-4, atol=1e-5
    )


def test_a_run_is_loaded_with_its_baseline(either: GenomeSurvival) -> None:
    again = gk.load_estimator(either.path_)
    assert isinstance(again, GenomeSurvival) and again.task == either._run.task.kind
    assert again.baseline_ == either.baseline_
    np.testing.assert_allclose(again.predict(table(5, 5)), either.predict(table(5, 5)), rtol=1e-5)


def test_genes_are_explained_by_the_risk(fitted: GenomeSurvival) -> None:
    some = table().head(40)
    found = fitted.explain(some, table())
    importance = np.abs(found.values[..., 0]).mean(axis=0)
    assert set(np.argsort(-importance)[:2]) == {0, 1}
    total = found.values[..., 0].sum(axis=1) + found.base_values[:, 0]
    np.testing.assert_allclose(total, fitted.predict(some), atol=0.1)


def test_explanations_of_calibrated_curves_add_up_to_these(by_interval: GenomeSurvival) -> None:
    some = table().head(10)
    found = by_interval.explain(some, table())
    total = found.values.sum(axis=1) + found.base_values
    np.testing.assert_allclose(total, by_interval._all_answers(some), atol=0.03)


def test_a_final_fit_keeps_risks_and_curves_in_step(tmp_path: Path) -> None:
    model = small(tmp_path / "run", max_trials=2).fit(table(), time="os_days", event="dead")
    frame = table()
    model.final_fit(frame, ["os_days", "dead"])
    scores = model.evaluate(table(200, 1))
    assert scores["c_index"] > 0.65 and scores["integrated_brier"] < 0.22


def test_the_report_shows_risk_thirds_and_calibration(either: GenomeSurvival, tmp_path: Path) -> None:
    written = either.report(tmp_path / "report.html", table(40, 6), ["os_days", "dead"], explain=False)
    page = written.read_text(encoding="utf-8")
    assert "Kaplan-Meier curves of 90 samples by thirds of their risk" in page
    assert "Predicted against observed survival: at" in page
    assert "C-index (Harrell)" in page and "survival (&#39;os_days&#39;" in page
    card = (tmp_path / "report_model_card.md").read_text(encoding="utf-8")
    assert "A model of survival that predicts from 12 genes how soon dead comes" in card


@pytest.mark.parametrize("task", ["cox", "hazard"])
def test_curves_are_those_of_the_samples_that_count(task: str, tmp_path: Path) -> None:
    x, time, event = made(120)
    late = time > np.median(time)
    weight = np.where(late, 4.0, 1.0)
    model = small(tmp_path / "run", task=task, max_trials=1)
    model.fit(x, time=time, event=event, sample_weight=weight)
    rows, places = np.repeat(np.arange(120), weight.astype(int)), [20.0, 50.0]
    wanted = survival(time[rows], event[rows]).at(places)
    found = np.average(model.predict_survival_function(x, places), axis=0, weights=weight)
    np.testing.assert_allclose(found, wanted, atol=0.06)
    again = gk.load_estimator(model.path_)
    assert isinstance(again, GenomeSurvival) and again.baseline_ == model.baseline_


# ---- times and events as they may come


def test_all_ways_to_give_times_and_events_are_one() -> None:
    _, time, event = made(6)
    structured = np.array(list(zip(event > 0, time, strict=True)), dtype=[("status", bool), ("days", float)])
    frame = pd.DataFrame({"dead": event, "days": time})
    ways = [
        survival_columns(structured),
        survival_columns(frame),
        survival_columns(np.column_stack([event, time])),
        survival_columns(None, time, event),
        survival_columns(None, pd.Series(time, name="days"), list(event)),
        survival_columns(None, pd.Series(time, [f"P{i}" for i in range(len(time))], name="days"), event),
        survival_columns(None, time, pd.Series(event, [f"P{i}" for i in range(len(time))], name="dead")),
    ]
    for found in ways:
        np.testing.assert_allclose(found.iloc[:, 0].to_numpy(float), time)
        np.testing.assert_allclose(found.iloc[:, 1].to_numpy(float), event)
    assert list(ways[0].columns) == ["days", "status"]
    assert list(ways[-1].index) == list(ways[-2].index) == [f"P{i}" for i in range(len(time))]
    assert survival_columns(["os", "dead"]) == survival_columns(None, "os", "dead") == ["os", "dead"]


@pytest.mark.parametrize(
    ("y", "time", "event", "message"),
    [
        (None, "days", None, "survival needs time=... and event=...: event is missing"),
        (None, None, None, "survival needs time=... and event=...: arrays"),
        ([[1, 1], [2, 0]], "days", "dead", "give times and events once"),
        (None, "days", [1, 0], "must both be values, or both name"),
        (None, [1.0, 2.0, 3.0], [1, 0], "must have one value for each sample: got 3 and 2"),
        (np.ones(4), None, None, "y must hold times and events"),
        (np.ones((4, 3)), None, None, "y must have two columns, the time and the event: got 3"),
        ([[1, 1], [0, 1]], None, None, "both columns of y hold zeros and ones alone"),
    ],
)
def test_times_and_events_that_are_not_there(y: Any, time: Any, event: Any, message: str) -> None:
    with pytest.raises((DataError, ParameterError), match="survival|give|must|both") as caught:
        survival_columns(y, time, event)
    assert message in str(caught.value)


def test_nothing_is_written_where_times_cannot_be_used(tmp_path: Path) -> None:
    frame = table()
    frame.loc["P03", "os_days"] = -4.0
    with pytest.raises(
        DataError, match="times must be above 0, but 'os_days' is below 0 for 1 of 90 samples.*P03"
    ):
        small(tmp_path / "run").fit(frame, time="os_days", event="dead")
    assert not (tmp_path / "run").exists()


def test_times_of_a_curve_are_above_zero(fitted: GenomeSurvival) -> None:
    with pytest.raises(ParameterError, match="times must be numbers above 0"):
        fitted.predict_survival_function(made(3)[0], [0.0, 4.0])


def test_times_and_events_by_name_are_not_told_apart_by_their_values(
    fitted: GenomeSurvival, tmp_path: Path
) -> None:
    x, time, event = made(40)
    with pytest.raises(DataError, match="event"):
        small(tmp_path / "swapped").fit(x, time=event + 1, event=time)
    with pytest.raises(DataError, match="column 'event' of array holds 1, 2"):  # and times of 1 are no events
        small(tmp_path / "constant").fit(x, time=np.ones(40), event=event + 1)
    assert fitted.evaluate(x, time=time, event=event) == fitted.evaluate(x, np.c_[time, event])


def test_reports_panels_and_final_fits_take_time_and_event(fitted: GenomeSurvival, tmp_path: Path) -> None:
    x, time, event = made(60, 3)
    known = pd.DataFrame(x, columns=[f"gene_{i}" for i in range(P)])
    page = fitted.report(tmp_path / "r.html", known, time=time, event=event, explain=False)
    assert "On the samples that were given" in page.read_text(encoding="utf-8")
    small_panel = fitted.panel(
        known, time=time, event=event, n_genes=2, max_trials=1, time_limit=None, path=tmp_path / "panel"
    )
    assert len(small_panel.panel_.genes) == 2
    again = GenomeSurvival.load(fitted.save(tmp_path / "again"))
    again.final_fit(known, time=time, event=event, trainer_args={"max_iter_num": 2})
    assert again.predict(known).shape == (60,)

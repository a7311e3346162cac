"""Survival: partial likelihood, ridge-Cox, scores against scikit-survival, targets, and what cannot be used."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
from keras import ops

from genokeras.errors import DataError
from genokeras.networks.merge_rows import calibrated
from genokeras.tasks.calibration import CurveCalibration, read_calibration
from genokeras.tasks.cox_fit import RiskSets, solve_cox
from genokeras.tasks.cox_loss import partial_likelihood_loss
from genokeras.tasks.survival import Cox, Hazard, calibrated_baseline
from genokeras.tasks.survival_answers import CURVE_OBJECTIVES, CURVES, RISK_OBJECTIVES, RISKS
from genokeras.tasks.survival_scores import (
    auc_at,
    brier_rows,
    concordance,
    horizon,
    partial_deviance,
    score_times,
    uno_concordance,
)
from genokeras.tasks.survival_times import (
    EVENT,
    PLACE,
    TIME,
    UNCENSORED,
    cumulative_hazard,
    martingale_residuals,
    survival,
    uncensored,
)
from genokeras.tasks.task import Labelled


def made(n: int = 60, seed: int = 0, ties: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates, times and events; whole times are tied."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 4))
    time = rng.exponential(np.exp(-z[:, 0]), size=n) * 10 + 0.01
    ended = rng.uniform(1, 25, size=n)
    event = (time <= ended).astype("float64")
    time = np.minimum(time, ended)
    return z, np.ceil(time) if ties else time, event


def labels(time: Any, event: Any) -> Labelled:
    values = np.empty((len(time), 2), dtype=object)
    values[:, 0], values[:, 1] = time, event
    ids = tuple(f"S{i}" for i in range(len(time)))
    return Labelled(values, ("days", "dead"), ids, "array")


def by_hand(eta: np.ndarray, time: np.ndarray, event: np.ndarray) -> float:
    """The negative log partial likelihood with Efron's ties, event by event."""
    loss = 0.0
    for at in np.unique(time[event > 0]):
        tied = np.exp(eta[(time == at) & (event > 0)])
        total = np.exp(eta[time >= at]).sum()
        loss -= np.log(tied).sum()
        loss += sum(np.log(total - i / len(tied) * tied.sum()) for i in range(len(tied)))
    return loss


# ---- the loss


def test_the_partial_likelihood_is_that_of_every_risk_set_with_efrons_ties() -> None:
    z, time, event = made()
    task = Cox.learn(labels(time, event))
    code = task.task.training_targets(task.targets)[:, 0]
    eta = z[:, 0].astype("float32")
    found = partial_likelihood_loss(*map(ops.convert_to_tensor, (eta, code, np.ones(60, dtype="float32"))))
    wanted = by_hand(eta, time, event) - by_hand(np.zeros(60), time, event)
    assert float(ops.convert_to_numpy(found)) == pytest.approx(wanted, rel=1e-4)


def test_rows_without_weight_are_in_no_risk_set() -> None:
    z, time, event = made()
    aim = Cox.learn(labels(time, event))
    code, eta = aim.task.training_targets(aim.targets)[:, 0], z[:, 0].astype("float32")
    there = np.arange(60) % 3 > 0
    eta[~there] = 50.0
    weights = np.stack([there, np.roll(there, 1)]).astype("float32")
    found = partial_likelihood_loss(*map(ops.convert_to_tensor, (eta[None], code[None], weights)))
    alone = by_hand(eta[there], time[there], event[there]) - by_hand(
        np.zeros(there.sum()), time[there], event[there]
    )
    assert ops.convert_to_numpy(found)[0] == pytest.approx(alone, rel=1e-4)


def test_a_constant_changes_nothing_but_the_way_back_to_a_mean_of_zero() -> None:
    z, time, event = made()
    aim = Cox.learn(labels(time, event))
    inside = ops.convert_to_tensor(aim.task.training_targets(aim.targets))
    share = np.full(60, 1 / 60, dtype="float32")
    values = [
        float(ops.convert_to_numpy(aim.task.total_loss(ops.convert_to_tensor(outputs), inside, share)))
        for outputs in (z[:, :1].astype("float32"), z[:, :1].astype("float32") + 3.0)
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-5)


def test_ridge_cox_is_where_its_gradient_vanishes() -> None:
    z, time, event = made(80, 1)
    weight = np.where(np.arange(80) % 5 == 0, 0.0, 1.0)
    beta, bias = solve_cox(z, time, event, weight, 0.05)
    kept = np.flatnonzero(weight)[np.argsort(-time[weight > 0], kind="stable")]
    sets = RiskSets(time[kept], event[kept], np.full(len(kept), 1 / len(kept)))

    def loss(b: np.ndarray) -> float:
        return sets.loss(z[kept] @ b) + 0.025 * float(b @ b)

    assert sets.loss(z[kept] @ beta) * len(kept) == pytest.approx(
        by_hand(z[kept] @ beta, time[kept], event[kept]) - event[kept].sum() * np.log(len(kept)), rel=1e-9
    )
    steps = [(loss(beta + h) - loss(beta - h)) / 2e-5 for h in 1e-5 * np.eye(4)]
    np.testing.assert_allclose(steps, 0, atol=1e-7)
    assert abs(np.mean(z[kept] @ beta + bias)) < 1e-12


# ---- scores, against scikit-survival


def surv(time: np.ndarray, event: np.ndarray) -> np.ndarray:
    return np.array(list(zip(event > 0, time, strict=True)), dtype=[("event", bool), ("time", float)])


@pytest.fixture(scope="module")
def judged() -> dict[str, Any]:
    metrics = pytest.importorskip(
        "sksurv.metrics", reason="scikit-survival is not installed: pip install scikit-survival"
    )
    _, time, event = made(120, 2)
    _, new_time, new_event = made(70, 3)
    # A judge wants to know the censoring at each event.
    new_event[new_time == new_time.max()] = 0
    aim = Cox.learn(labels(time, event))
    targets = aim.task.read(labels(new_time, new_event), aim.names)
    risk = np.round(np.random.default_rng(4).normal(size=70), 1)
    return {
        "metrics": metrics,
        "test": surv(new_time, new_event),
        "censoring": uncensored(new_time, new_event),
        "targets": targets,
        "risk": risk,
        "aim": aim,
    }


def test_harrells_concordance_is_that_of_scikit_survival(judged: dict[str, Any]) -> None:
    test, risk = judged["test"], judged["risk"]
    wanted = judged["metrics"].concordance_index_censored(test["event"], test["time"], risk)[0]
    assert concordance(risk, judged["targets"], np.ones(70)) == pytest.approx(wanted, abs=1e-12)


def test_unos_concordance_is_that_of_scikit_survival(judged: dict[str, Any]) -> None:
    tau = float(np.quantile(judged["targets"][:, TIME], 0.9))
    wanted = judged["metrics"].concordance_index_ipcw(judged["test"], judged["test"], judged["risk"], tau)[0]
    found = uno_concordance(judged["risk"], judged["targets"], np.ones(70))
    assert found == pytest.approx(wanted, abs=1e-12)


def test_the_integrated_brier_score_is_that_of_scikit_survival(judged: dict[str, Any]) -> None:
    times = np.array([1.0, 2.0, 4.0, 7.0])
    task = judged["aim"].task
    curves = RISKS.curves(judged["risk"][:, None], task.places(times))
    wanted = judged["metrics"].integrated_brier_score(judged["test"], judged["test"], curves, times)
    found = brier_rows(curves, judged["targets"], times, judged["censoring"].at(times)).mean()
    assert found == pytest.approx(wanted, rel=1e-9)


def test_the_area_under_the_curve_at_a_time_is_that_of_scikit_survival(judged: dict[str, Any]) -> None:
    wanted = judged["metrics"].cumulative_dynamic_auc(
        judged["test"], judged["test"], judged["risk"], [3.0, 6.0]
    )[0]
    found = [auc_at(judged["risk"], judged["targets"], np.ones(70), time) for time in (3.0, 6.0)]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_ridge_cox_is_that_of_scikit_survival() -> None:
    linear = pytest.importorskip("sksurv.linear_model", reason="scikit-survival is not installed")
    z, time, event = made(90, 5)
    fitted = linear.CoxPHSurvivalAnalysis(alpha=9.0, ties="efron", tol=1e-12).fit(z, surv(time, event))
    beta, _ = solve_cox(z, time, event, np.ones(90), 9.0 / 90)
    np.testing.assert_allclose(beta, fitted.coef_, rtol=1e-4, atol=1e-6)


# ---- scores, by themselves


@pytest.mark.parametrize(("followed", "again"), [(15, 200), (200, 15)])
def test_samples_followed_longer_or_shorter_than_training_are_weighted_for_their_own_censoring(
    followed: float, again: float
) -> None:
    def cohort(n: int, seed: int, most: float) -> tuple[np.ndarray, ...]:
        rng = np.random.default_rng(seed)
        eta = rng.normal(size=n)
        time, ended = 20 * rng.exponential(np.exp(-eta)) + 0.1, rng.uniform(2, most, size=n)
        return eta, np.minimum(time, ended), (time <= ended).astype("float64"), time

    aim = Cox.learn(labels(*cohort(100, 0, followed)[1:3]))
    eta, time, event, whole = cohort(3000, 1, again)
    targets = aim.task.read(labels(time, event), aim.names)
    # A constant of a half is off by a quarter, whatever the follow-up.
    rows = score_times(targets)
    half = np.full((len(time), len(rows)), 0.5)
    found = brier_rows(half, targets, targets[rows, TIME], targets[rows, UNCENSORED]).mean()
    assert found == pytest.approx(0.25, abs=0.005)
    tau = horizon(targets)
    known = np.column_stack([np.minimum(whole, tau), whole < tau, np.zeros(3000), np.ones(3000)])
    wanted = concordance(eta, known, np.ones(3000))
    assert uno_concordance(eta, targets, np.ones(3000)) == pytest.approx(wanted, abs=0.02)


def test_training_samples_that_are_read_again_are_scored_as_before() -> None:
    _, time, event = made()
    aim = Cox.learn(labels(time, event))
    np.testing.assert_array_equal(aim.task.read(labels(time, event), aim.names), aim.targets)


def test_scores_by_weights_are_those_of_repeated_rows() -> None:
    _, time, event = made(25, 6)
    aim = Cox.learn(labels(time, event))
    eta = np.random.default_rng(0).normal(size=(25, 1))
    counts = np.random.default_rng(1).integers(0, 3, size=25)
    rows = np.repeat(np.arange(25), counts)
    for name in ("c_index", "partial_likelihood"):
        score = RISK_OBJECTIVES[name]
        weighted = score.value(eta, aim.targets, counts.astype("float64"))
        assert weighted == pytest.approx(score.value(eta[rows], aim.targets[rows]), rel=1e-9), name


def test_the_constant_answer_is_chance() -> None:
    _, time, event = made()
    aim = Cox.learn(labels(time, event))
    for name, chance in (("c_index", 0.5), ("c_index_uno", 0.5), ("auc", 0.5), ("partial_likelihood", 0.0)):
        assert RISK_OBJECTIVES[name].chance(aim.targets, 1) == pytest.approx(chance, abs=1e-12)


def test_evidence_of_many_trials_is_that_of_each() -> None:
    _, time, event = made(30, 7)
    aim = Cox.learn(labels(time, event))
    stack = np.random.default_rng(0).normal(size=(3, 30, 1))
    w = np.random.default_rng(1).integers(0, 3, size=(2, 30)).astype("float64")
    found = RISKS.evidence(stack, aim.targets, w).of_trials(np.arange(3))
    wanted = [[partial_deviance(eta[:, 0], aim.targets, row) * (row @ event) for eta in stack] for row in w]
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_calibration_finds_the_slope_and_the_level_of_risks() -> None:
    rng = np.random.default_rng(0)
    eta = rng.normal(size=3000)
    time = rng.exponential(np.exp(-eta)) + 1e-3
    event = np.ones(3000)
    aim = Cox.learn(labels(time, event))
    found = RISKS.calibration(3 * eta[:, None] + 1, aim.targets, None)
    assert found.sharpness == pytest.approx(1 / 3, rel=0.1)
    calibrated = found.apply(3 * eta[:, None] + 1)
    expected = (aim.targets[:, PLACE] * np.exp(calibrated[:, 0])).sum()
    assert expected == pytest.approx(event.sum(), rel=1e-6)


def discrete(n: int = 3000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hazards of five intervals ``(n, 5)``, and targets of a :class:`Hazard` whose intervals end at 1, 2, ..., 5."""
    rng = np.random.default_rng(0)
    hazards = np.array([0.1, 0.2, 0.3, 0.3, 0.5]) * np.exp(rng.normal(scale=0.7, size=n))[:, None]
    drawn = rng.exponential(size=n)
    came = (np.cumsum(hazards, axis=1) < drawn[:, None]).sum(axis=1)
    ended = rng.integers(1, 6, size=n)
    event = (came < ended).astype("float64")
    time = np.where(came < ended, came + 1.0, ended)
    return hazards, np.column_stack([time, event, time, np.ones(n)]), np.bincount(came, minlength=6)


def test_calibration_finds_the_slope_and_the_levels_of_curves() -> None:
    hazards, targets, came = discrete()
    # Too sure, and too high early.
    wrong = np.array([3.0, 2.0, 1.0, 1.0, 0.5]) * hazards**1.8
    answers = np.exp(-np.cumsum(wrong, axis=1))
    found = CURVES.calibration(answers, targets, None)
    assert isinstance(found, CurveCalibration)
    assert found.sharpness == pytest.approx(1 / 1.8, rel=0.1)
    calibrated = found.apply(answers)
    np.testing.assert_allclose(calibrated, np.exp(-np.cumsum(hazards, axis=1)), atol=0.06)
    np.testing.assert_allclose(calibrated.mean(axis=0), 1 - np.cumsum(came)[:5] / 3000, atol=0.02)
    assert (np.diff(calibrated, axis=1) <= 0).all()


def test_calibrated_curves_are_those_of_the_merged_model_and_of_the_file() -> None:
    hazards, targets, _ = discrete(60)
    answers = np.exp(-np.cumsum(2 * hazards, axis=1)).astype("float32")
    found = CURVES.calibration(answers, targets, None)
    tensor = calibrated(ops.convert_to_tensor(answers), found)
    np.testing.assert_allclose(ops.convert_to_numpy(tensor), found.apply(answers), rtol=1e-4, atol=1e-6)
    assert read_calibration(json.loads(json.dumps(asdict(found)))) == found


def test_few_rows_move_curves_little_and_old_runs_and_rows_without_events_not_at_all() -> None:
    hazards, targets, _ = discrete(60)
    answers = np.exp(-np.cumsum(4 * hazards, axis=1))
    few, many = (CURVES.calibration(answers[:n], targets[:n], None) for n in (4, 60))
    moved = [np.abs(found.apply(answers) - answers).mean() for found in (few, many)]
    assert moved[0] < moved[1]
    for hopeless in (answers**1e-4, np.full_like(answers, 0.0)):
        assert np.isfinite(CURVES.calibration(hopeless, targets, None).apply(hopeless)).all()
    targets[:, EVENT] = 0
    none = CURVES.calibration(answers, targets, None)
    for found in (none, read_calibration({"sharpness": 1.0, "doubt": 0.0})):
        np.testing.assert_array_equal(found.apply(answers), answers)


# ---- targets


def test_curves_of_all_samples_by_hand() -> None:
    time, event = np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 1.0, 0.0, 1.0])
    np.testing.assert_allclose(survival(time, event).at([0.5, 1, 2, 9]), [1, 0.75, 0.5, 0])
    np.testing.assert_allclose(cumulative_hazard(time, event).at([1, 2.5]), [1 / 4, 1 / 4 + 1 / 3])
    np.testing.assert_allclose(uncensored(time, event).at([1, 2, 3]), [1, 0.5, 0.5])


def test_weights_are_repeated_rows_in_all_curves() -> None:
    _, time, event = made(30, 9)
    rng = np.random.default_rng(2)
    counts, risk = rng.integers(0, 4, size=30), rng.gamma(2.0, size=30)
    rows, weight = np.repeat(np.arange(30), counts), counts.astype("float64")
    at, (t, e) = np.unique(time), (time[rows], event[rows])
    pairs = [
        (cumulative_hazard(time, event, risk, weight), cumulative_hazard(t, e, risk[rows])),
        (cumulative_hazard(time, event, weight=weight), cumulative_hazard(t, e)),
        (survival(time, event, weight), survival(t, e)),
        (uncensored(time, event, weight), uncensored(t, e)),
        (uncensored(time, event, weight / 7), uncensored(t, e)),
    ]
    for weighted, repeated in pairs:
        np.testing.assert_allclose(weighted.at(at), repeated.at(at), rtol=1e-12, atol=1e-15)
    targets = np.column_stack([time, event, time, np.ones(30)])
    found = martingale_residuals(targets, weight)
    np.testing.assert_allclose(found[rows], martingale_residuals(targets[rows], np.ones(len(rows))))
    assert not found[counts == 0].any()


def test_tasks_and_baselines_know_the_weights() -> None:
    _, time, event = made(40, 10)
    counts = np.random.default_rng(3).integers(0, 3, size=40)
    rows, eta = np.repeat(np.arange(40), counts), np.random.default_rng(4).normal(size=(40, 1))
    weighted = Cox.learn(replace(labels(time, event), weight=counts / 2))
    repeated = Cox.learn(labels(time[rows], event[rows]))
    np.testing.assert_allclose(weighted.targets[rows], repeated.targets, rtol=1e-12)
    once = calibrated_baseline(weighted.task, weighted.targets, eta, counts / 2)
    again = calibrated_baseline(repeated.task, repeated.targets, eta[rows], np.ones(len(rows)))
    np.testing.assert_allclose(once.at(time), again.at(time), rtol=1e-12)
    by_interval = Hazard.learn(replace(labels(time, event), weight=counts / 2)).task
    assert by_interval.censoring == weighted.task.censoring and by_interval.hazard == weighted.task.hazard
    for score in CURVE_OBJECTIVES.values():
        assert np.isfinite(score.chance(weighted.targets, by_interval.n_outputs, counts / 2))


def test_hazard_intervals_know_who_lived_through_them() -> None:
    time, event = np.array([1.0, 2.0, 3.0, 4.0, 1.2, 2.8]), np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    aim = Hazard.learn(labels(time, event))
    assert aim.task.ends == (3.0, 4.0)
    inside = aim.task.training_targets(aim.targets)
    # Who was lost in the earlier half of the first interval is unknown, who was in the later half lived through it.
    np.testing.assert_array_equal(inside, [[1, 0], [1, 0], [1, 0], [-1, 1], [0, 0], [-1, 0]])


def test_survival_curves_fall_and_meet_the_ends_of_intervals() -> None:
    time, event = made(80, 8)[1:]
    aim = Hazard.learn(labels(time, event))
    answers = aim.task.answers_of(np.random.default_rng(0).normal(size=(80, aim.task.n_outputs)))
    places = aim.task.places(np.array(aim.task.ends))
    np.testing.assert_allclose(aim.task.answers.curves(answers, places), answers, rtol=1e-9)
    assert (np.diff(aim.task.answers.curves(answers, np.linspace(0, 9, 40)), axis=-1) <= 0).all()


# ---- what cannot be used


@pytest.mark.parametrize(
    ("time", "event", "message"),
    [
        (
            [1, -2, 3, 4],
            [1, 0, 1, 0],
            "times must be above 0, but 'days' is below 0 for 1 of 4 samples (array): S1",
        ),
        ([1, 0, 3, 4], [1, 0, 1, 0], "Drop these samples, or give them half the smallest unit"),
        ([1, 2, 3, 4], [0, 0, 0, 0], "no sample of 4 has the event (column 'dead', array)"),
        ([1, 2, 3, 4], [0, 0, 0, 1], "no two samples can be compared"),
        (
            [1, 2, 3, 4, 9, 9.5],
            [0, 0, 0, 0, 1, 1],
            "all 4 samples without the event were last seen before the first event",
        ),
        (
            [1, 2, 3, 4],
            [1, 2, 1, 2],
            "holds 1, 2. Say which value is the event, such as event = (column == 2)",
        ),
        (
            [1, 2, 3, 4],
            [1, 0, None, 1],
            "the event is missing for 1 of 4 samples (array, column 'dead'): S2. Give it to them or drop them",
        ),
        ([1, 2, 3, 4], ["dead", "alive", "dead", "alive"], "column 'dead' of array holds 'alive', 'dead'"),
        (
            [1, 2, 3, 400, 500, 600],
            [1, 0, 1, 0, 1, 1],
            "times seem to be in several units: 3 samples have 'days' up to 3",
        ),
    ],
)
def test_times_and_events_that_cannot_be_used(time: list[Any], event: list[Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        Cox.learn(labels(time, event))
    assert message in str(caught.value)


def test_one_column_is_not_survival() -> None:
    with pytest.raises(DataError, match="survival needs two values of each sample"):
        Cox.learn(Labelled(np.ones(4), ("days",), ("a", "b", "c", "d"), "array"))


def test_few_events_are_noted() -> None:
    _, time, event = made(20)
    assert "samples have the event" in Cox.learn(labels(time, event)).notes[0]


@pytest.mark.parametrize("task", [Cox, Hazard])
def test_notes_on_folds_speak_of_the_event_in_place_of_a_class(task: type[Cox] | type[Hazard]) -> None:
    _, time, event = made()
    aim = task.learn(labels(time, event))
    assert aim.task.strata_names(aim.targets, [str(name) for name in aim.names]) == [
        "status dead = 0",
        "status dead = 1",
    ]

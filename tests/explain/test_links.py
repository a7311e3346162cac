"""From outputs of networks to answers, and from the average of answers to what is explained."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from genokeras.errors import ParameterError
from genokeras.explain.links import Differences, Identity, Inner, LogOdds, Softmax, chosen_output, link_of
from genokeras.explain.outer import Bent, Calibrated, Product, Scaled
from genokeras.searchers import GEOMETRIC
from genokeras.tasks.calibration import Calibration, CurveCalibration
from genokeras.tasks.classes import Classes
from genokeras.tasks.links import log_odds
from genokeras.tasks.loss import LossTask
from genokeras.tasks.numbers import Numbers
from genokeras.tasks.ordered import Ordered

AGE_AND_WEIGHT = Numbers((60.0, 70.0), (10.0, 5.0))


def outputs(k: int) -> np.ndarray:
    """``(members, k, points)``."""
    return np.random.default_rng(0).normal(size=(2, k, 5)).astype("float32")


def stacked(inner: Inner, z: np.ndarray) -> np.ndarray:
    """``(answers, members, k, points)`` slopes."""
    return np.stack(list(inner.slopes(z, inner.answers(z))))


def test_the_softmax_of_two_equal_logits_is_a_half() -> None:
    z = np.zeros((1, 2, 1), dtype="float32")
    assert Softmax().answers(z).ravel().tolist() == [0.5, 0.5]
    # dp_0 / dz = p_0 (1 - p_0), - p_0 p_1
    assert stacked(Softmax(), z).ravel().tolist() == [0.25, -0.25]


def test_the_softmax_bears_large_logits() -> None:
    z = np.array([1000.0, -1000.0], dtype="float32").reshape(1, 2, 1)
    assert Softmax().answers(z).ravel().tolist() == [1.0, 0.0]


@pytest.mark.parametrize("k", [2, 3, 5])
def test_slopes_of_the_softmax_are_those_of_differences(k: int) -> None:
    z = outputs(k)
    ours, theirs = stacked(Softmax(), z), stacked(Differences(lambda rows: softmax(rows, axis=1)), z)
    assert (len(ours), len(theirs)) == (k - 1, k)
    np.testing.assert_allclose(ours, theirs[:-1], atol=1e-6)


def test_numbers_are_averaged_as_they_are() -> None:
    z = outputs(2)
    assert np.array_equal(Identity().answers(z), z)
    slopes = stacked(Identity(), z)
    assert np.array_equal(slopes[0, :, 0], np.ones((2, 5))) and not slopes[0, :, 1].any()
    assert np.array_equal(slopes[1, :, 1], np.ones((2, 5))) and not slopes[1, :, 0].any()


def test_slopes_by_differences_are_those_of_the_formula() -> None:
    z = outputs(3)
    slopes = stacked(Differences(expit), z)
    expected = expit(z) * (1.0 - expit(z))
    for c in range(3):
        np.testing.assert_allclose(slopes[c, :, c], expected[:, c], rtol=1e-5)
        assert not np.delete(slopes[c], c, axis=1).any()


def test_slopes_are_new_arrays_that_may_be_overwritten() -> None:
    z = outputs(2)
    for inner in (Softmax(), Identity(), Differences(expit)):
        before = stacked(inner, z)
        for slope in inner.slopes(z, inner.answers(z)):
            slope *= 0.0
        assert np.array_equal(stacked(inner, z), before)


def test_numbers_are_brought_back_to_their_units() -> None:
    outer = link_of(AGE_AND_WEIGHT).outer
    assert outer.values(np.array([[1.0], [-2.0]])).ravel().tolist() == [70.0, 60.0]
    assert outer.gradients(np.zeros((2, 1)), np.ones((2, 1, 3))).tolist() == [[[10.0] * 3], [[5.0] * 3]]


def test_numbers_far_from_zero_keep_their_digits() -> None:
    outer = link_of(Numbers((1e6,), (1.0,))).outer
    assert outer.values(np.array([[0.25]], dtype="float32")).item() == 1000000.25


@pytest.mark.parametrize("output", ["probability", "log_odds"])
@pytest.mark.parametrize("calibration", [Calibration(), Calibration(1.4, 0.05)])
@pytest.mark.parametrize("k", [2, 4])
def test_slopes_of_the_calibration_are_those_of_differences(
    output: str, calibration: Calibration, k: int
) -> None:
    p = np.random.default_rng(0).dirichlet(np.full(k, 5.0), size=6).T
    outer = Calibrated(calibration, output)
    slopes = outer.slopes(p)
    for j in range(k - 1):
        step = np.zeros((k, 1))
        step[j], step[-1] = 1e-6, -1e-6
        difference = (outer.values(p + step) - outer.values(p - step))[:-1] / 2e-6
        assert np.allclose(slopes[:, j], difference, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("calibration", [Calibration(), Calibration(0.6, 0.1)])
def test_probabilities_are_calibrated_as_the_delivered_model_does(calibration: Calibration) -> None:
    p = np.random.default_rng(0).dirichlet(np.full(3, 2.0), size=6).T
    assert np.allclose(Calibrated(calibration, "probability").values(p).T, calibration.apply(p.T))


@pytest.mark.parametrize("output", ["probability", "log_odds"])
@pytest.mark.parametrize("whole", [True, False])
def test_gradients_of_a_product_are_those_of_differences(output: str, whole: bool) -> None:
    rng = np.random.default_rng(0)
    logs, along = rng.normal(size=(3, 6)), rng.normal(size=(3, 6, 2))
    if not whole:  # logarithms less that of the last class
        logs[-1], along[-1] = 0.0, 0.0
    outer = Product(Calibrated(Calibration(1.4, 0.05), output))
    p = outer.values(logs)
    if output == "probability":
        wanted = Calibration(1.4, 0.05).apply(softmax(logs, axis=0).T).T
        np.testing.assert_allclose(p, wanted, rtol=1e-9)
    found = outer.gradients(logs, along.copy() if whole else along[:-1].copy())
    for r in range(2):
        ahead, back = (outer.values(logs + sign * 1e-6 * along[:, :, r]) for sign in (1, -1))
        difference = (ahead - back) / 2e-6
        np.testing.assert_allclose(found[:, :, r], difference[: len(found)], rtol=1e-4, atol=1e-6)


def test_gradients_of_calibrated_curves_are_those_of_differences() -> None:
    rng = np.random.default_rng(1)
    p = np.cumprod(rng.uniform(0.5, 0.9, size=(4, 6)), axis=0)
    along = rng.normal(size=(4, 6, 2))
    outer = Bent(CurveCalibration(0.6, levels=(-0.4, 0.2, 0.0, -1.0)))
    found = outer.gradients(p, along)
    for r in range(2):
        ahead, back = (outer.values(p + sign * 1e-6 * along[:, :, r]) for sign in (1, -1))
        np.testing.assert_allclose(found[:, :, r], (ahead - back) / 2e-6, rtol=1e-5, atol=1e-7)


def test_classes_that_are_multiplied_have_a_link_of_their_own() -> None:
    assert isinstance(link_of(Classes(3), pooling=GEOMETRIC).inner, LogOdds)
    z = np.random.default_rng(1).normal(size=(2, 3, 5))
    for task in (Classes(3), Ordered(3)):
        link = link_of(task, pooling=GEOMETRIC)
        found = link.outer.values(link.inner.answers(z).mean(axis=0))
        logs = np.mean([np.log(task.answers_of(one.T)) for one in z], axis=0)
        np.testing.assert_allclose(found, softmax(logs, axis=1).T, atol=1e-6)


def test_log_odds_of_two_classes_are_the_usual_ones() -> None:
    p = np.array([[0.2], [0.8]])
    assert Calibrated(Calibration(), "log_odds").values(p).ravel() == pytest.approx(np.log([0.25, 4.0]))


def test_log_odds_are_those_of_whole_models() -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(4), size=6)
    ours = Calibrated(Calibration(), "log_odds").values(p.T).T
    np.testing.assert_allclose(ours, np.asarray(log_odds(p)), rtol=1e-6)


def test_a_probability_that_is_cut_off_has_no_slope() -> None:
    # ``max(p, 1e-7)`` is flat below: moving p_0 there changes nothing but what it takes from p_2.
    p = np.array([[1e-12], [0.5], [0.5 - 1e-12]])
    outer = Calibrated(Calibration(1.4, 0.0), "probability")
    step = np.array([[4e-13], [0.0], [0.0]])
    difference = (outer.values(p + step) - outer.values(p - step)) / 8e-13
    full = outer.slopes(p, fixed_sum=False)
    assert np.allclose(full[:, 0], difference, atol=1e-3)
    assert not full[:, 0].any()


def test_with_and_without_a_fixed_sum_gradients_agree() -> None:
    p = np.random.default_rng(0).dirichlet(np.full(3, 5.0), size=4).T
    of_average = np.random.default_rng(1).normal(size=(3, 4, 6))
    of_average[2] = -of_average[:2].sum(axis=0)
    outer = Calibrated(Calibration(1.4, 0.05), "log_odds")
    whole, short = outer.gradients(p, of_average.copy()), outer.gradients(p, of_average[:2].copy())
    np.testing.assert_allclose(whole[:2], short, rtol=1e-5)
    np.testing.assert_allclose(whole.sum(axis=0), 0.0, atol=1e-5)


@pytest.mark.parametrize(
    ("task", "output", "method", "chosen"),
    [
        (Classes(3), None, "", "probability"),
        (Classes(3), "log_odds", "", "log_odds"),
        (Classes(3), None, "linear", "log_odds"),
        (AGE_AND_WEIGHT, None, "", "number"),
        (AGE_AND_WEIGHT, None, "linear", "number"),
        (LossTask(2, None), None, "", "number"),
    ],
)
def test_what_is_explained_follows_from_the_task(
    task: Classes | Numbers | LossTask, output: str | None, method: str, chosen: str
) -> None:
    assert chosen_output(task, output, method) == chosen


@pytest.mark.parametrize(
    ("task", "output", "message"),
    [
        (Classes(2), "number", "output must be one of probability, log_odds, got 'number'"),
        (Classes(2), "probabilty", "Did you mean 'probability'"),
        (AGE_AND_WEIGHT, "log_odds", "output must be one of number, got 'log_odds'"),
    ],
)
def test_what_a_task_does_not_answer_is_refused(task: Classes | Numbers, output: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        link_of(task, output=output)


def test_each_task_has_its_link() -> None:
    assert isinstance(link_of(Classes(2)).inner, Softmax)
    assert link_of(AGE_AND_WEIGHT).outer == Scaled((10.0, 5.0), (60.0, 70.0))
    assert isinstance(link_of(LossTask(2, None, link="sigmoid")).inner, Differences)
    assert [link_of(task).own_units for task in (Classes(2), AGE_AND_WEIGHT)] == [False, True]

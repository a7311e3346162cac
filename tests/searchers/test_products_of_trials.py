"""Weights of trials whose probabilities are multiplied."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from genokeras.errors import ParameterError
from genokeras.searchers import GEOMETRIC, MEAN, combine, select_ensemble, stacking
from genokeras.searchers.estimate import estimate_performance
from genokeras.searchers.stacking import product_weights
from genokeras.tasks.objectives import OBJECTIVES

LOG_LOSS = OBJECTIVES["log_loss"]


def evidence(
    n: int, strengths: tuple[float, ...], k: int = 2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Trials that see independent signs of the class, each as sure as it may be of its own; strength 0 sees none."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, size=n)
    signs = rng.normal(size=(len(strengths), n, k))
    signs += np.array(strengths)[:, None, None] * np.eye(k)[codes]
    return softmax(signs * np.array(strengths)[:, None, None], axis=-1), codes


def test_a_product_is_the_normalised_mean_of_logarithms() -> None:
    p, _ = evidence(7, (1.0, 2.0), k=3)
    product = p[0] ** 0.25 * p[1] ** 0.75
    found = combine(p, [0.25, 0.75], GEOMETRIC)
    np.testing.assert_allclose(found, product / product.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(combine(p, [0.0, 1.0], GEOMETRIC), p[1], rtol=1e-9)
    assert np.isfinite(combine(np.array([[[0.0, 1.0]], [[1.0, 0.0]]]), [0.5, 0.5], GEOMETRIC)).all()


@pytest.mark.parametrize("k", [2, 4])
def test_independent_signs_count_alike_and_noise_does_not(k: int) -> None:
    p, codes = evidence(4000, (1.0, 0.0, 1.0), k)
    p[1] = np.random.default_rng(5).dirichlet(np.full(k, 3.0), size=4000)
    weights = select_ensemble(p, codes, pooling=GEOMETRIC)
    np.testing.assert_allclose(weights / weights.sum(), [0.5, 0.0, 0.5], atol=0.06)
    assert weights.sum() > 1.3  # two signs are surer than one
    of_mean = np.array([0.5, 0.0, 0.5])
    losses = {}
    for name, found in ((GEOMETRIC, weights), (MEAN, of_mean)):
        mixed = combine(p, found, name)
        calibration = LOG_LOSS.answers.calibration(mixed, codes, np.ones(4000))
        losses[name] = LOG_LOSS.loss(calibration.apply(mixed), codes)
    assert losses[GEOMETRIC] < losses[MEAN] - 0.01


def test_weights_are_those_of_a_logistic_regression_on_log_odds() -> None:
    p, codes = evidence(3000, (1.5, 1.0, 0.6))
    odds = np.log(p[:, :, 1] / p[:, :, 0]).T
    fitted = LogisticRegression(C=1e6, fit_intercept=False, tol=1e-8).fit(odds, codes).coef_[0]
    assert (fitted > 0).all()
    weights = product_weights(p, codes, np.ones(3000), np.full(3, 1 / 3), 10)
    np.testing.assert_allclose(weights, fitted, atol=0.02)


def test_few_rows_leave_the_weights_near_the_evidence() -> None:
    p, codes = evidence(6000, (1.5, 1.0, 0.6))
    centre = np.array([0.1, 0.3, 0.6])
    far = [
        np.abs(product_weights(p[:, :n], codes[:n], np.ones(n), centre, 10) - centre).max()
        for n in (10, 100, 6000)
    ]
    assert far[0] < 0.01 < far[1] < far[2]


def test_trials_without_evidence_stay_out() -> None:
    p, codes = evidence(500, (1.0, 1.5))
    weights = product_weights(p, codes, np.ones(500), np.array([1.0, 0.0]), 10)
    assert weights[0] > 0.5 and weights[1] == 0


def test_trials_without_evidence_cost_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    p, codes = evidence(900, (1.5, 1.0, 0.6))
    idle = np.random.default_rng(3).dirichlet(np.ones(2), size=(97, 900))
    monkeypatch.setattr(stacking, "MOST_LOGARITHMS", 3 * 900)
    centre, rows = np.array([0.5, 0.3, 0.2]), np.ones(900)
    alone = product_weights(p, codes, rows, centre, 10)
    among = product_weights(np.concatenate([p, idle]), codes, rows, np.r_[centre, np.zeros(97)], 10)
    np.testing.assert_allclose(among, np.r_[alone, np.zeros(97)], atol=1e-6)


def test_of_very_many_numbers_rows_are_left_out_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    p, codes = evidence(6000, (1.5, 1.0, 0.6))
    rows, centre = np.ones(6000), np.full(3, 1 / 3)
    every = product_weights(p, codes, rows, centre, 10)
    monkeypatch.setattr(stacking, "MOST_LOGARITHMS", 9000)
    half = product_weights(p, codes, rows, centre, 10)
    np.testing.assert_allclose(half, every, atol=0.1)
    left_out = np.zeros(6000)
    left_out[2] = 1.0
    assert np.isfinite(product_weights(p, codes, left_out, centre, 10)).all()


def test_at_most_so_many_trials_keep_a_weight() -> None:
    p, codes = evidence(1500, (0.5, 1.5, 0.8, 1.2, 0.7, 1.0))
    for largest in (1, 2, 4):
        weights = select_ensemble(p, codes, pooling=GEOMETRIC, largest=largest)
        assert np.count_nonzero(weights) == largest
        assert weights[1] > 0  # the one that says most


def test_rows_of_no_weight_play_no_part_and_resamples_are_fitted_alone() -> None:
    p, codes = evidence(600, (1.0, 0.6, 0.8))
    rows = np.random.default_rng(1).integers(0, 3, size=(4, 600)).astype(float)
    together = select_ensemble(p, codes, sample_weight=rows, pooling=GEOMETRIC, largest=2)
    for row, found in zip(rows, together, strict=True):
        kept = np.repeat(np.arange(600), row.astype(int))
        alone = select_ensemble(p[:, kept], codes[kept], pooling=GEOMETRIC, largest=2)
        np.testing.assert_allclose(found, alone, atol=5e-3)


def test_trials_that_know_nothing_still_make_an_ensemble() -> None:
    codes = np.arange(200) % 2
    wrong = np.tile(np.eye(2)[1 - codes] * 0.8 + 0.1, (3, 1, 1))
    weights = select_ensemble(wrong, codes, pooling=GEOMETRIC, largest=2)
    assert 0 < np.count_nonzero(weights) <= 2 and np.isfinite(weights).all()


def test_an_estimate_multiplies_as_the_ensemble_does() -> None:
    p, codes = evidence(1200, (1.0, 1.0))
    how = {"n_resamples": 20, "metrics": ("accuracy",)}
    values = {}
    for pooling in (MEAN, GEOMETRIC):
        rng = np.random.default_rng(0)
        found = estimate_performance(p, codes, rng=rng, pooling=pooling, **how)
        values[pooling] = found["log_loss"].value
    assert values[GEOMETRIC] < values[MEAN]


def test_numbers_are_not_multiplied() -> None:
    y = np.linspace(0, 1, 20)[:, None]
    with pytest.raises(ParameterError, match="pooling must be 'mean' for 'r2'"):
        select_ensemble(y[None], y, "r2", pooling=GEOMETRIC)
    p, codes = evidence(20, (1.0,))
    with pytest.raises(ParameterError, match="pooling"):
        select_ensemble(p, codes, pooling="product")

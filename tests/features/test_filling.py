"""Features that are missing follow from those that are there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from genokeras.features import filling as module
from genokeras.features import fit_filling

N, P = 60, 40


def factors(seed: int, n: int = N) -> np.ndarray:
    """Four factors behind all features, and noise."""
    loadings = np.random.default_rng(7).normal(size=(4, P))
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 4)) @ loadings + 0.3 * rng.normal(size=(n, P)) + 10


def present(*missing: int) -> np.ndarray:
    return ~np.isin(np.arange(P), missing)


def test_missing_features_are_estimated_from_the_others() -> None:
    there, new = present(3, 17, 30), factors(1)
    lacking = np.where(there, new, 1e6)
    found = fit_filling(factors(0), there).fill(lacking)
    np.testing.assert_array_equal(found[:, there], new[:, there].astype("float32"))
    error = np.square(found - new)[:, ~there].mean(axis=0)
    # The noise has a variance of 0.09.
    assert (error < 0.2).all() and new[:, ~there].var(axis=0).max() > 3


def test_what_goes_with_nothing_stays_near_its_mean() -> None:
    rng = np.random.default_rng(0)
    x, new = rng.normal(size=(N, P)), rng.normal(size=(500, P))
    found = fit_filling(x, present(0)).fill(new)[:, 0]
    assert np.square(found - new[:, 0]).mean() < 1.15 * np.square(x[:, 0].mean() - new[:, 0]).mean()


def test_the_error_is_that_of_leaving_each_sample_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PENALTIES", (0.1,))
    # So small that arcsinh changes nothing.
    monkeypatch.setattr(module, "log_factors", lambda x: np.full(x.shape[1], 1e-9))
    x, there = factors(0), present(3, 17)
    fitted = fit_filling(x, there)
    # The mean and the penalty as all samples have them, which is all that the formula does not leave out with a sample.
    standardised = (x - x.mean(axis=0)) / x.std(axis=0)
    known, wanted = standardised[:, there], standardised[:, ~there]
    penalty = 0.1 * np.linalg.eigvalsh(known @ known.T).mean()
    errors = []
    for i in range(N):
        others = np.arange(N) != i
        centre, aim = known[others].mean(axis=0), wanted[others].mean(axis=0)
        z = known[others] - centre
        weights = np.linalg.solve(z.T @ z + penalty * np.eye(z.shape[1]), z.T @ (wanted[others] - aim))
        estimate = np.clip(aim + (known[i] - centre) @ weights, wanted.min(axis=0), wanted.max(axis=0))
        errors.append(np.abs(wanted[i] - estimate))
    usual = np.abs(wanted - np.median(wanted, axis=0)).mean(axis=0)
    assert fitted.error == pytest.approx(np.median(np.mean(errors, axis=0) / usual), rel=1e-4)


def test_counts_are_estimated_behind_a_logarithm_and_stay_within_what_was_seen() -> None:
    there, x, new = present(3, 17), np.exp(factors(0)), np.exp(factors(1))
    fitted = fit_filling(x, there)
    found = fitted.fill(new)[:, ~there]
    assert (found >= x[:, ~there].min(axis=0) * 0.999).all()
    assert (found <= x[:, ~there].max(axis=0) * 1.001).all()
    relative = np.log(found) - np.log(new[:, ~there])
    assert np.median(np.abs(relative)) < 0.5


def test_constant_and_many_samples_are_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SAMPLES", 20)
    x = factors(0)
    x[:, [2, 5]] = 4.0
    found = fit_filling(x, present(2, 30)).fill(factors(1))
    assert (found[:, 2] == 4.0).all() and np.isfinite(found).all()


WIDE = 400


def genes(seed: int) -> np.ndarray:
    """Many features of different levels, a tenth of whose variance is shared."""
    loadings = np.random.default_rng(7).normal(size=(4, WIDE))
    rng = np.random.default_rng(seed)
    return (
        np.linspace(2, 14, WIDE) + 0.5 * rng.normal(size=(N, 4)) @ loadings + 0.3 * rng.normal(size=(N, WIDE))
    )


@pytest.mark.parametrize("changed", [lambda x: 2.5 * x + 3, lambda x: 2.0**x])
def test_a_sample_on_another_scale_is_filled_on_its_own(changed: Callable[[np.ndarray], np.ndarray]) -> None:
    there, new = ~np.isin(np.arange(WIDE), [3, 170, 300]), changed(genes(1))
    filling = fit_filling(genes(0), there)
    found = filling.fill(new)[:, ~there]
    usual = changed(genes(0).mean(axis=0)[~there])
    assert (
        np.abs(found - new[:, ~there]).mean(axis=0) < 0.7 * np.abs(usual - new[:, ~there]).mean(axis=0)
    ).all()
    # One by one as together.
    np.testing.assert_array_equal(found[:1], filling.fill(new[:1])[:, ~there])


def test_a_sample_on_the_scale_of_training_is_measured_by_that() -> None:
    there, new = ~np.isin(np.arange(WIDE), [3, 170, 300]), genes(1)
    found = fit_filling(genes(0), there).fill(new)
    assert (np.square(found - new)[:, ~there].mean(axis=0) < 0.2).all()

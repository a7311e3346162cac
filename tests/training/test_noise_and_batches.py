"""Dropout noise and mini-batches: seeded streams drawn in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.training.batches import MiniBatches
from genokeras.training.noise import NOISE_LEVELS, SharedNoise, dropout_threshold

MASKS = (32, 5)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.25, 0.5, 0.9])
def test_noise_drops_units_at_the_asked_rate(rate: float) -> None:
    pool, _ = SharedNoise(0, MASKS, 4, 50).draw(10)
    assert np.mean(pool < dropout_threshold(np.array(rate))) == pytest.approx(rate, abs=0.01)


def test_no_rate_drops_everything() -> None:
    assert dropout_threshold(np.array([0.0, 0.5, 0.999, 1.0])).tolist() == [0, 128, NOISE_LEVELS - 1, 255]


def test_a_pool_covers_the_rows_and_the_widest_layer() -> None:
    pool, picks = SharedNoise(0, MASKS, 4, 50).draw(10)
    assert pool.shape[1:] == (50, 32) and pool.dtype == np.uint8
    assert picks.shape == (10, 2, 4) and picks.max() < len(pool)


def test_a_network_without_dropout_costs_next_to_nothing() -> None:
    pool, picks = SharedNoise(0, (), 4, 50).draw(10)
    assert pool.size == 50 and picks.shape == (10, 0, 4)


def test_the_same_seed_draws_the_same_noise_and_another_other() -> None:
    first, same, other = (SharedNoise(seed, MASKS, 4, 50) for seed in (1, 1, 2))
    for _ in range(2):
        a, b, c = first.draw(5), same.draw(5), other.draw(5)
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
        assert not np.array_equal(a[0], c[0])


@pytest.mark.parametrize(("n", "batch"), [(10, 3), (12, 4), (7, 6), (9, 1)])
def test_every_row_comes_once_before_any_comes_again(n: int, batch: int) -> None:
    batches = MiniBatches(0, n, batch)
    stream = np.concatenate([batches.draw(steps).ravel() for steps in (5, 1, 8, 2 * n)])
    whole = len(stream) // n
    for epoch in stream[: whole * n].reshape(whole, n):
        assert sorted(epoch.tolist()) == list(range(n))


def test_batches_have_the_asked_size_and_are_shuffled() -> None:
    drawn = MiniBatches(0, 10, 3).draw(6)
    assert drawn.shape == (6, 3) and drawn.dtype == np.int32
    assert drawn.ravel()[:10].tolist() != list(range(10))


@pytest.mark.parametrize("batch", [10, 2048])
def test_all_rows_at_once_need_no_draw(batch: int) -> None:
    assert MiniBatches(0, 10, batch).draw(6).shape == (6, 0)

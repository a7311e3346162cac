"""How much of a table is prepared where time or memory is short, and that a model comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from genokeras import GenomeClassifier
from genokeras.data import choose_folds
from genokeras.engine import Budget
from genokeras.errors import OutOfMemoryError
from genokeras.estimators import effort
from genokeras.estimators.effort import Effort, affordable, room_for_views

N, P = 6000, 1500


@pytest.fixture(scope="module")
def counts() -> sparse.csr_matrix:
    """Two classes that the first genes tell apart, 2 % filled."""
    rng = np.random.default_rng(0)
    x = sparse.random(N, P, density=0.02, format="csr", random_state=rng, dtype="float32")
    first = sparse.csr_matrix(np.pad((np.arange(N) % 2)[:, None] * rng.random((N, 5)), ((0, 0), (0, P - 5))))
    return sparse.csr_matrix((x + first).astype("float32"))


@pytest.fixture(scope="module")
def folds():
    return choose_folds(N, np.arange(N) % 2, None, 5, seed=0)


def budget(limit: float | None, slowness: float = 1.0) -> Budget:
    return Budget(limit, clock=lambda: 0.0, pace=lambda: slowness)


def test_directions_go_first_then_folds_then_rows(counts, folds):
    full = Effort(N, 5)
    assert affordable(counts, folds, budget(None)) == affordable(counts, folds, budget(600)) == full
    found = [affordable(counts, folds, budget(60, slowness)) for slowness in (10.0, 60.0, 200.0, 1e4, 1e6)]
    seconds = [one.seconds(counts) for one in found]
    assert seconds == sorted(seconds, reverse=True)
    assert found[-1] == Effort(N // 4, 1, 64)
    assert any(one.rows == N and one.directions < full.directions for one in found)


def test_memory_decides_as_time_does(counts, folds):
    full = Effort(N, 5)
    assert affordable(counts, folds, budget(None), full.memory(counts)) == full
    less = affordable(counts, folds, budget(None), full.memory(counts) / 3)
    assert less.directions < full.directions and less.memory(counts) <= full.memory(counts) / 3
    with pytest.raises(
        OutOfMemoryError,
        match=r"preparing 1500 of 6000 samples x 1500 features needs about .* there is 1 bytes",
    ):
        affordable(counts, folds, budget(None), 1.0)


def test_rows_that_are_left_out_neither_train_nor_score_and_every_class_stays(folds):
    rare = np.where(np.arange(N) < 12, 2, np.arange(N) % 2)
    found = Effort(N // 4, 2).folds_of(folds, rare, seed=0)
    used = found.train | found.held_out
    assert found.n_folds == 2 and not (found.train & found.held_out).any()
    assert used[0].sum() == pytest.approx(N / 4, abs=10)
    assert (rare[used[0]] == 2).sum() == 10


def test_a_model_comes_of_a_part_of_the_rows_and_a_note_says_so(counts, monkeypatch):
    least = Effort(1500, 1, 64)
    monkeypatch.setattr("genokeras.estimators.gene_content.affordable", lambda *_: least)
    y = np.arange(N) % 2
    clf = GenomeClassifier(max_trials=1, time_limit=None, random_state=0, verbose=0, searcher="random")
    clf.fit(counts, y)
    (note,) = [note for note in clf.notes_ if "too little time or memory" in note]
    assert "1500 of 6000 samples" in note and "one hold-out" in note
    assert clf.estimate_["n_samples"] == pytest.approx(300, abs=30)
    assert clf.score(counts, y) > 0.8
    assert replace(least, rows=N, folds=5, directions=effort.TRUNCATED_RANK) == Effort(N, 5)


def test_views_stop_where_they_would_take_half_of_the_memory(monkeypatch):
    memory = iter([1e9, 1e9, *[1.032e9] * 3])
    monkeypatch.setattr(effort, "own_memory", lambda pid: next(memory))
    fits = room_for_views(budget(None), 100e6)
    assert fits(1.0)
    assert not fits(1.0), "32 MB are held, and the next view may take as much: 64 of 50 MB"
    assert room_for_views(budget(None), None)(1.0)

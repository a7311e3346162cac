from __future__ import annotations

import zlib

import numpy as np
import pytest

from genokeras.graph import Dense
from genokeras.searchers import BayesianSearcher, HyperSpace, Proposal, RandomSearcher, Searcher
from genokeras.searchers.testing import simulate

SPACE = HyperSpace(views=("all", "top_100"))


def landscape(proposal: Proposal) -> float:
    """A loss that is lowest for two hidden layers or more, 150 units in all, tanh, and rates in a corner."""
    hyper = proposal.hyper
    units = sum(la.spec.units for la in proposal.graph.layers if isinstance(la.spec, Dense)) / 2
    loss = 0.3 + 0.05 * abs(np.log2(units / 150))
    loss += 0.06 * max(0, 3 - proposal.graph.depth())
    loss += 0.05 * abs(np.log10(hyper.learning_rate / 1e-3)) + 0.05 * abs(np.log10(hyper.weight_decay))
    loss += 0.08 * (hyper.activation != "tanh") + 0.06 * (hyper.view != "top_100") + 0.1 * hyper.dropout
    return float(loss)


def noisy(proposal: Proposal) -> float:
    """The same with noise that depends on the proposal alone."""
    seed = zlib.crc32(proposal.fingerprint().encode())
    return landscape(proposal) + 0.01 * float(np.random.default_rng(seed).standard_normal())


def best_of_forty(searcher: Searcher, seed: int) -> float:
    history = simulate(searcher, 10, 4, seed=seed, score=noisy)
    assert len(history) == 40
    best = history.best()
    assert best is not None
    return landscape(best.proposal)


def test_bayesian_search_beats_random_search_on_average() -> None:
    bayesian = [best_of_forty(BayesianSearcher(2, space=SPACE, variants=4), seed) for seed in range(6)]
    random = [best_of_forty(RandomSearcher(2, space=SPACE, variants=4), seed) for seed in range(6)]
    assert np.mean(bayesian) < np.mean(random) - 0.02
    assert np.mean(bayesian) == pytest.approx(min(bayesian), abs=0.1)

from __future__ import annotations

import math

import numpy as np
import pytest

from genokeras.graph import Graph, HyperParameters, distance, linear, mlp
from genokeras.searchers import BayesianSearcher, History, HyperSpace, Proposal, TrialResult
from genokeras.searchers.candidates import (
    LONGEST_CHAIN,
    mutated_incumbents,
    of_trial,
    priority_tree,
)
from genokeras.searchers.surrogate import Candidate, Surrogate, observed, tame
from genokeras.searchers.testing import simulate

SPACE = HyperSpace()


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def history() -> History:
    return simulate(BayesianSearcher(2), 10, 4)


def replayed(candidate: Candidate, history: History) -> Graph:
    assert candidate.father is not None
    graph = history.get(candidate.father).proposal.graph
    for morphism in candidate.morphisms:
        graph, _ = morphism.apply(graph, None, rng())
    return graph


def test_mutants_are_one_morphism_or_one_hyper_parameter_away(history: History) -> None:
    found = mutated_incumbents(history.ranked()[:3], 4, SPACE, rng())
    assert {len(candidate.morphisms) for candidate in found} == {0, 1}
    for candidate in found:
        assert replayed(candidate, history) == candidate.graph


def test_tree_grows_chains_from_the_trials_it_starts_at(history: History) -> None:
    found = priority_tree(
        history.ranked()[:3], lambda c: -np.array([len(x.morphisms) for x in c]), SPACE, rng()
    )
    assert max(len(candidate.morphisms) for candidate in found) == LONGEST_CHAIN
    for candidate in found:
        assert replayed(candidate, history) == candidate.graph


def test_tree_is_bounded(history: History) -> None:
    calls: list[int] = []

    def acquire(candidates: list[Candidate]) -> np.ndarray:
        calls.append(len(candidates))
        return np.zeros(len(candidates))

    found = priority_tree(history.ranked(), acquire, SPACE, rng(), max_expansions=5, branching=3)  # type: ignore[arg-type]
    assert len(found) <= 15 and len(calls) <= 6


def test_tree_of_no_trials_is_empty() -> None:
    assert priority_tree((), lambda c: np.zeros(len(c)), SPACE, rng()) == []


def test_a_leaf_far_from_the_best_is_refused(history: History) -> None:
    # Children are a thousand times worse than their parents: none of them is ever expanded.
    found = priority_tree(
        history.ranked()[:1], lambda c: np.array([1000.0 * len(x.morphisms) for x in c]), SPACE, rng()
    )
    assert {len(candidate.morphisms) for candidate in found} == {1}


def test_failures_and_far_off_scores_are_put_at_the_fence() -> None:
    np.testing.assert_allclose(tame([0.2, 0.3, 0.4, 50.0, math.inf]), [0.2, 0.3, 0.4, 0.8, 0.8])


def test_ordinary_scores_are_left_as_they_are() -> None:
    np.testing.assert_allclose(tame([0.2, 0.3, 0.35]), [0.2, 0.3, 0.35])


def test_graph_coordinates_keep_the_distances_to_observed_graphs(history: History) -> None:
    surrogate = Surrogate.fit(history, SPACE)
    unseen = Candidate(mlp(2, widths=(16, 16, 16)), HyperParameters(), None)
    point = surrogate.inputs([unseen])[0]
    for trial in history.trials[:15]:
        own = surrogate.inputs([of_trial(trial)])[0]
        expected = distance(unseen.graph, trial.proposal.graph)
        assert np.linalg.norm(point - own) == pytest.approx(expected, abs=1e-9)


def test_believing_in_a_candidate_makes_it_less_attractive(history: History) -> None:
    surrogate = Surrogate.fit(history, SPACE)
    pool = mutated_incumbents(history.ranked()[:3], 4, SPACE, rng())
    best = pool[int(surrogate.acquire(pool).argmin())]
    assert surrogate.believe(best).acquire([best])[0] > surrogate.acquire([best])[0]


def test_a_history_of_one_trial_gives_finite_predictions() -> None:
    trial = TrialResult(0, Proposal(linear(2), HyperParameters()), "ok", 0.4)
    surrogate = Surrogate.fit(History((trial,)), SPACE)
    candidates = [of_trial(trial), Candidate(mlp(2), HyperParameters(), None)]
    mean, std = surrogate.predict(candidates)
    np.testing.assert_allclose(mean, 0.4)
    assert np.isfinite(std).all() and np.isfinite(surrogate.acquire(candidates)).all()


def test_a_long_history_is_cut_to_its_best_and_newest() -> None:
    trials = tuple(
        TrialResult(i, Proposal(linear(2), HyperParameters(weight_decay=i)), "ok", abs(i - 50.5))
        for i in range(300)
    )
    kept = [trial.id for trial in observed(History(trials))]
    assert len(kept) == 200
    assert set(range(1, 101)) <= set(kept) and set(range(200, 300)) <= set(kept)

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from genokeras.graph import AddInput, Graph, HyperParameters, distance, linear, mlp
from genokeras.searchers import BayesianSearcher, History, HyperSpace, Proposal, TrialResult
from genokeras.searchers.candidates import (
    LONGEST_CHAIN,
    children,
    incumbents,
    of_trial,
    packs,
    priority_tree,
    settings,
    varied,
)
from genokeras.searchers.surrogate import (
    Candidate,
    Pool,
    Surrogate,
    observed,
    posterior_best,
    posterior_means,
    tame,
)
from genokeras.searchers.testing import finish, simulate

SPACE = HyperSpace()


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def history() -> History:
    return simulate(BayesianSearcher(2), 3, 20)


def replayed(candidate: Candidate, history: History) -> Graph:
    assert candidate.father is not None
    graph = history.get(candidate.father).proposal.graph
    for morphism in candidate.morphisms:
        graph, _ = morphism.apply(graph, None, rng())
    return graph


def test_children_are_one_morphism_away_with_the_hyper_parameters_of_their_parent(history: History) -> None:
    parent = history.ranked()[0]
    found = children(of_trial(parent), 4, SPACE, rng())
    assert len(found) == 4
    for child in found:
        assert len(child.morphisms) == 1 and child.hyper == parent.proposal.hyper
        assert replayed(child, history) == child.graph


def test_children_of_a_graph_that_packs_with_others_do_so_too() -> None:
    start = Candidate(mlp(2, widths=5 * (64,)), HyperParameters(), 0)
    found = [child for seed in range(9) for child in children(start, 4, SPACE, np.random.default_rng(seed))]
    assert packs(start.graph) and len(found) > 9
    assert all(packs(child.graph) for child in found)


def test_a_graph_that_packs_with_no_other_may_still_grow() -> None:
    start = Candidate(mlp(2, widths=7 * (16,)), HyperParameters(), 0)
    assert not packs(start.graph) and children(start, 4, SPACE, rng())


def test_variations_are_other_hyper_parameters_of_one_graph(history: History) -> None:
    own = Candidate(mlp(2), HyperParameters(0.01, 0.1, 0.2), 3)
    found = varied(own, 8, SPACE, rng())
    assert 4 <= len({candidate.hyper for candidate in found}) == len(found) <= 8
    assert {(candidate.graph, candidate.father) for candidate in found} == {(own.graph, 3)}
    assert own.hyper not in [candidate.hyper for candidate in found]


def test_a_graph_that_reads_a_view_is_not_given_that_view_again() -> None:
    space = HyperSpace(views=("all", "top"))
    graph = AddInput("top", linear(2).output, 16).edit(linear(2))
    assert {c.hyper.view for c in settings(graph, None, space, rng())} == {"all"}
    found = varied(Candidate(graph, HyperParameters(), None), 40, space, rng())
    assert {candidate.hyper.view for candidate in found} == {"all"}


def test_incumbents_have_different_graphs_and_enough_of_them_were_grown() -> None:
    fathers = frozenset(graph.fingerprint() for graph in (linear(2), mlp(2)))
    history = simulate(
        BayesianSearcher(2), 4, 24, score=lambda p: float(p.graph.fingerprint() not in fathers)
    )
    best = [t.proposal.graph.fingerprint() for t in incumbents(history.ranked(), 2, fathers)]
    assert set(best[:2]) == fathers
    assert len(best) == 3 and best[2] not in fathers


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


def test_a_pool_believes_what_was_taken(history: History) -> None:
    surrogate = Surrogate.fit(history, SPACE)
    candidate = Candidate(mlp(2, widths=(16, 16, 16)), HyperParameters(), None)
    pool = Pool(surrogate, [candidate, replace(candidate), Candidate(linear(2), HyperParameters(), None)])
    assert pool.most_promising() == int(surrogate.acquire(pool.candidates).argmin())
    before, noise = pool.covariance, surrogate.process.noise_variance
    assert pool.take(0) == candidate and not pool.open[0]
    doubt = before[1, 1]
    assert pool.covariance[1, 1] == pytest.approx(doubt * noise / (doubt + noise))
    assert pool.covariance[2, 2] <= before[2, 2]


def test_what_is_still_running_is_believed_to_come_back_as_predicted(history: History) -> None:
    candidate = Candidate(mlp(2, widths=(16, 16, 16)), HyperParameters(), None)
    alone = Surrogate.fit(history, SPACE)
    running = history.append(TrialResult.running(999, Proposal(candidate.graph, candidate.hyper)))
    believing = Surrogate.fit(running, SPACE)
    expected, doubt = alone.predict([candidate])
    mean, std = believing.predict([candidate])
    assert mean[0] == pytest.approx(expected[0], abs=0.1 * doubt[0])
    assert std[0] < 0.9 * doubt[0]
    assert 999 not in [trial.id for trial in believing.ranked()]


def test_a_pool_prefers_what_it_should_and_runs_out(history: History) -> None:
    pool = Pool(Surrogate.fit(history, SPACE), [of_trial(trial) for trial in history.trials[:3]])
    preferred = np.array([False, True, False])
    assert pool.most_promising(preferred) == 1
    pool.take(1)
    assert pool.most_promising(preferred) in (0, 2)
    pool.take(0)
    pool.take(2)
    assert pool.most_promising(preferred) is None and pool.most_promising() is None
    assert Pool(Surrogate.fit(history, SPACE), []).most_promising() is None


# ---- what is best


def noisy_history(seed: int, lucky: float) -> History:
    """Forty networks whose loss depends on the rate, and a lucky one that was tried on three more splits."""
    random = np.random.default_rng(seed)
    proposals = [
        Proposal(mlp(2), HyperParameters(rate, decay, dropout))
        for rate in SPACE.learning_rate
        for decay in SPACE.weight_decay
        for dropout in SPACE.dropout
    ]
    truth = {1e-3: 0.5, 3e-3: 0.4, 1e-2: 0.35, 3e-2: 0.5}
    history = finish(
        History(), proposals, lambda p: truth[p.hyper.learning_rate] + 0.03 * random.standard_normal()
    )
    trials = [replace(history.trials[0], score=lucky), *history.trials[1:]]
    again = [replace(proposals[0], split=split) for split in (1, 2, 3)]
    return finish(History(tuple(trials)), again, lambda p: 0.5)


def test_posterior_means_see_through_a_lucky_score() -> None:
    for seed in range(3):
        history = noisy_history(seed, lucky=0.2)
        assert history.best() == history.trials[0]
        found = posterior_best(history, SPACE)
        assert found is not None and found[0].proposal.hyper.learning_rate == 1e-2
        assert found[1] == pytest.approx(0.35, abs=0.03)


def test_replicates_share_their_posterior_and_failures_have_none() -> None:
    history = noisy_history(0, lucky=0.3)
    history = history.append(TrialResult.failure(99, Proposal(linear(2), HyperParameters()), "it broke"))
    means = posterior_means(history, SPACE)
    assert set(means) == {trial.id for trial in history.ok()}
    assert means[0] == means[60] == means[62]
    assert all(std > 0 for _, std in means.values())


def test_of_replicates_the_first_split_is_best() -> None:
    trials = [
        TrialResult(i, Proposal(linear(2), HyperParameters(), split=split), "ok", 0.4)
        for i, split in enumerate((1, 0, 2))
    ]
    found = posterior_best(History(tuple(trials)), SPACE)
    assert found is not None and found[0].id == 1


def test_nothing_is_best_without_scores() -> None:
    assert posterior_means(History(), SPACE) == {}
    assert posterior_best(History(), SPACE) is None


def test_a_history_of_one_trial_gives_finite_predictions() -> None:
    trial = TrialResult(0, Proposal(linear(2), HyperParameters()), "ok", 0.4)
    surrogate = Surrogate.fit(History((trial,)), SPACE)
    candidates = [of_trial(trial), Candidate(mlp(2), HyperParameters(), None)]
    mean, std = surrogate.predict(candidates)
    np.testing.assert_allclose(mean, 0.4)
    assert np.isfinite(std).all() and np.isfinite(surrogate.acquire(candidates)).all()


def test_a_long_history_is_cut_to_its_best_its_newest_and_some_of_the_rest() -> None:
    trials = tuple(
        TrialResult(i, Proposal(linear(2), HyperParameters(weight_decay=i)), "ok", abs(i - 250.5))
        for i in range(600)
    )
    again = replace(trials[251].proposal, split=1)
    history = History((*trials[:300], TrialResult(1000, again, "ok", 900.0), *trials[300:]))
    kept = [trial.id for trial in observed(history)]
    assert len(kept) == 200
    assert set(range(230, 270)) <= set(kept) and set(range(560, 600)) <= set(kept)
    assert 1000 in kept and min(kept) == 0
    assert len([id for id in kept if id < 200]) > 20


def test_kernel_parameters_are_fitted_now_and_then(history: History) -> None:
    longer = history.append(TrialResult(999, Proposal(linear(2), HyperParameters(0.5)), "ok", 0.4))
    first, second = (Surrogate.fit(h, SPACE).process for h in (history, longer))
    assert first.parameters == second.parameters
    assert len(second.targets) == len(first.targets) + 1

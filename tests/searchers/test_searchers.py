from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.errors import GenoKerasError, ParameterError
from genokeras.graph import linear, mlp
from genokeras.searchers import (
    BayesianSearcher,
    History,
    HyperSpace,
    Proposal,
    RandomSearcher,
    Searcher,
    TrialResult,
)
from genokeras.searchers.testing import SearcherContract, pretend_score, simulate

SPACE = HyperSpace(views=("all", "top_100"))
SEARCHERS = (RandomSearcher, BayesianSearcher)


def ask(searcher: Searcher, history: History, n: int, seed: int = 0) -> list[Proposal]:
    return searcher.ask(history, n, np.random.default_rng(seed))


class TestRandomSearcher(SearcherContract):
    def make_searcher(self) -> Searcher:
        return RandomSearcher(2, space=SPACE)


class TestBayesianSearcher(SearcherContract):
    n_asks = 12

    def make_searcher(self) -> Searcher:
        return BayesianSearcher(2, space=SPACE)


class TestBayesianSearcherWithExpectedImprovement(SearcherContract):
    n_asks = 12

    def make_searcher(self) -> Searcher:
        return BayesianSearcher(2, acquisition="expected_improvement")


class TestRandomSearcherWithoutInheritance(SearcherContract):
    def make_searcher(self) -> Searcher:
        return RandomSearcher(2, space=SPACE, inherit=False)


class TestBayesianSearcherWithoutInheritance(SearcherContract):
    n_asks = 12

    def make_searcher(self) -> Searcher:
        return BayesianSearcher(2, space=SPACE, inherit=False)


@pytest.mark.parametrize("kind", SEARCHERS)
def test_linear_models_of_every_view_come_first(kind: type[RandomSearcher]) -> None:
    design = ask(kind(3, space=SPACE), History(), 4)
    assert {p.graph.describe() for p in design} == {"linear"}
    found = {(p.hyper.view, p.hyper.weight_decay) for p in design}
    assert found == {(view, decay) for view in SPACE.views for decay in (0.1, 0.3)}


@pytest.mark.parametrize("kind", SEARCHERS)
def test_solved_linear_models_are_tried_once_on_every_view(kind: type[RandomSearcher]) -> None:
    space = HyperSpace(views=("all", "log"), linear_unread=("learning_rate", "weight_decay"))
    design = [p for p in ask(kind(2, space=space), History(), 99) if p.origin == "father:linear"]
    assert [(p.hyper.view, p.hyper.weight_decay, p.hyper.learning_rate) for p in design] == [
        (view, 0.1, 1e-2) for view in space.views
    ]


@pytest.mark.parametrize("kind", SEARCHERS)
def test_then_come_mlps_with_different_hyper_parameters(kind: type[RandomSearcher]) -> None:
    proposals = ask(kind(3, space=SPACE), History(), 16)[4:]
    assert [p.origin for p in proposals] == 12 * ["father:mlp"]
    assert {(p.hyper.activation, p.hyper.view) for p in proposals} == {
        (activation, view) for activation in SPACE.activation for view in SPACE.views
    }
    assert len({(p.hyper.learning_rate, p.hyper.dropout) for p in proposals}) >= 6


@pytest.mark.parametrize("kind", SEARCHERS)
def test_the_design_is_small_with_many_views_and_covers_each(kind: type[RandomSearcher]) -> None:
    space = HyperSpace(views=tuple(f"view{i}" for i in range(10)))
    design = [p for p in ask(kind(2, space=space), History(), 99) if p.origin.startswith("father:")]
    assert len(design) <= 40
    for name in ("linear", "mlp"):
        assert {p.hyper.view for p in design if p.origin == f"father:{name}"} == set(space.views)


@pytest.mark.parametrize("kind", SEARCHERS)
def test_fathers_share_the_design(kind: type[RandomSearcher]) -> None:
    fathers = ("linear", "rfcn_resnet", "rfcn_densenet", mlp(2, (8,)), mlp(2, (16,)))
    design = [p for p in ask(kind(2, fathers=fathers), History(), 99) if p.origin.startswith("father:")]
    assert len(design) <= 14
    assert len({p.origin for p in design}) == len(fathers)


@pytest.mark.parametrize("kind", SEARCHERS)
def test_growing_goes_beyond_the_fathers(kind: type[RandomSearcher]) -> None:
    history = simulate(kind(2), 10, 4)
    grown = [trial.proposal for trial in history if trial.proposal.morphisms]
    assert len({proposal.graph.fingerprint() for proposal in grown}) >= 3


@pytest.mark.parametrize("kind", SEARCHERS)
def test_a_single_father_and_combination_can_still_grow(kind: type[RandomSearcher]) -> None:
    space = HyperSpace((0.01,), (0.1,), (0.2,), ("relu",))
    history = simulate(kind(2, fathers=("linear",), space=space), 6, 2)
    assert len(history) > 6
    assert len({trial.proposal.graph.fingerprint() for trial in history}) == len(history)


@pytest.mark.parametrize("kind", SEARCHERS)
def test_a_graph_can_be_a_father(kind: type[RandomSearcher]) -> None:
    proposals = ask(kind(2, fathers=("linear", mlp(2, widths=(16, 16)))), History(), 9)
    assert proposals[-1].origin == "father:graph_1"


@pytest.mark.parametrize("kind", SEARCHERS)
def test_children_know_their_father_and_inherit_from_him_only_where_asked(kind: type[RandomSearcher]) -> None:
    history = simulate(kind(2, variants=4), 12, 4)
    fresh = ask(kind(2, variants=4, fresh=0.0, inherit=False), history, 12)
    heirs = ask(kind(2, variants=4, fresh=0.0, inherit=True), history, 12)
    assert [replace(p, inherit=True) for p in fresh] == heirs
    assert any(p.father is not None for p in fresh) and not any(p.inherit for p in fresh)


@pytest.mark.parametrize("kind", SEARCHERS)
def test_a_search_that_is_always_fresh_tries_fathers_only(kind: type[RandomSearcher]) -> None:
    history = simulate(kind(2, fresh=1.0), 24, 4)
    assert {trial.proposal.graph for trial in history} == {linear(2), mlp(2)}
    assert {trial.proposal.origin for trial in history.trials[14:]} == {"fresh"}


def test_a_search_that_is_always_fresh_ends_where_the_fathers_do() -> None:
    space = HyperSpace((0.01,), (0.1,), (0.2,), ("relu",))
    history = simulate(BayesianSearcher(2, space=space, fresh=1.0), 3, 4)
    assert len(history) == 2


# ---- four kinds of proposals


def grown_in(history: History) -> list[TrialResult]:
    return [trial for trial in history if trial.proposal.origin in ("bayesian", "random")]


@pytest.mark.parametrize("n", [1, 4, 24])
def test_enough_is_grown_and_half_of_that_by_the_surrogate(n: int) -> None:
    history = simulate(BayesianSearcher(2, space=SPACE, splits=3), max(48 // n, 4), n)
    beyond = [trial for trial in history if not trial.proposal.origin.startswith("father:")]
    grown = grown_in(history)
    by_surrogate = [trial for trial in grown if trial.proposal.origin == "bayesian"]
    assert len(grown) >= 0.4 * len(beyond)
    assert len(by_surrogate) >= max(0.2 * len(beyond), 0.5 * len(grown))


def test_all_kinds_are_proposed_and_named() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE, splits=3), 7, 24)
    kinds = {trial.proposal.origin for trial in history} - {"father:linear", "father:mlp"}
    assert kinds == {"hyper", "random", "bayesian", "replicate"}


def test_what_is_grown_has_morphisms_and_new_hyper_parameters_have_none() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE), 4, 24)
    assert all(trial.proposal.morphisms for trial in grown_in(history))
    for trial in history:
        if trial.proposal.origin == "hyper":
            assert trial.proposal.graph == history.get(trial.proposal.father).proposal.graph


def test_most_proposals_of_an_ask_have_graphs_of_their_own() -> None:
    searcher = BayesianSearcher(2, space=SPACE)
    history = simulate(searcher, 2, 24)
    grown = [p for p in ask(searcher, history, 24) if p.origin in ("bayesian", "random")]
    assert len({p.graph.fingerprint() for p in grown}) > 0.6 * len(grown)


def test_about_half_of_the_children_keep_the_hyper_parameters_of_their_parent() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE), 8, 24)
    chosen = [trial.proposal for trial in history if trial.proposal.origin == "bayesian"]
    kept = [p.hyper == history.get(p.father).proposal.hyper for p in chosen]
    assert 0.3 < np.mean(kept) < 0.7


def test_lineages_reach_the_third_generation() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE), 12, 24)
    generations = [sum(bool(t.proposal.morphisms) for t in history.lineage(trial.id)) for trial in history]
    assert np.mean(np.array(generations) >= 3) > 0.1


def test_replicates_are_promising_networks_on_the_next_split() -> None:
    searcher = BayesianSearcher(2, space=SPACE, splits=3, inherit=True)
    history = simulate(searcher, 14, 24)
    again = [trial for trial in history if trial.proposal.origin == "replicate"]
    assert {trial.proposal.split for trial in again} == {1, 2}
    for trial in again:
        own = trial.proposal
        networks = [t.proposal for t in history.trials[: trial.id] if t.proposal.hyper == own.hyper]
        splits = [p.split for p in networks if p.graph == own.graph]
        assert own.split - 1 in splits and not own.inherit
    median = np.median([trial.score for trial in history])
    firsts = [t for t in history if replace(t.proposal, split=1).fingerprint() in history.fingerprints()]
    assert np.median([t.score for t in firsts if not t.proposal.split]) < median


def test_nothing_grows_from_a_replicate() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE, splits=4), 6, 24)
    fathers = {trial.proposal.father for trial in history if trial.proposal.morphisms}
    assert not any(history.get(id).proposal.split for id in fathers if id is not None)


def test_without_further_splits_nothing_is_replicated() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE), 6, 24)
    assert not any(trial.proposal.split for trial in history)


def test_no_graph_reads_a_view_twice() -> None:
    history = simulate(BayesianSearcher(2, space=SPACE), 10, 24)
    read = [list(t.proposal.graph.views(t.proposal.hyper.view).values()) for t in history]
    assert any(len(views) > 1 for views in read)
    assert all(len(set(views)) == len(views) for views in read)


def test_a_searcher_explains_its_shares() -> None:
    assert RandomSearcher(2).explain(History()) == {}
    half = BayesianSearcher(2, fresh=0.5).explain(History())["shares"]
    assert half["fresh"] == 0.5 and sum(half.values()) == pytest.approx(1, abs=0.01)
    assert set(half) == {"hyper", "random", "bayesian", "fresh"}


@pytest.mark.parametrize("kind", SEARCHERS)
def test_a_search_goes_on_in_another_space(kind: type[RandomSearcher]) -> None:
    history = simulate(kind(2), 12, 4)
    other = HyperSpace((0.02,), (0.2,), (0.1,), ("silu",), ("half",))
    proposals = ask(kind(2, space=other), history, 8)
    assert len(proposals) == 8


def test_the_history_of_another_searcher_is_digested() -> None:
    searcher = BayesianSearcher(3, space=SPACE)
    history = simulate(RandomSearcher(3, space=SPACE), 25, 4)
    assert len(ask(searcher, history, 4)) == 4


def test_a_diverged_trial_does_not_hide_the_others() -> None:
    def score(proposal: Proposal) -> float:
        return 1e6 if proposal.hyper.learning_rate > 0.02 else pretend_score(proposal)

    history = simulate(BayesianSearcher(2), 3, 24, score=score)
    late = [t.proposal.hyper.learning_rate for t in history.trials[14:] if t.proposal.origin != "random"]
    assert np.mean(np.array(late) > 0.02) < 0.4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fathers": ("liner",)}, "Did you mean 'linear'"),
        ({"fathers": ()}, "fathers must be a sequence of at least one"),
        ({"fathers": (mlp(5),)}, "has 5 outputs, expected 2"),
        ({"variants": 0}, "variants"),
        ({"inherit": "no"}, "inherit must be True or False: got 'no'"),
    ],
)
@pytest.mark.parametrize("kind", SEARCHERS)
def test_a_bad_argument_is_named(
    kind: type[RandomSearcher], arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(GenoKerasError, match=message):
        kind(2, **arguments)  # type: ignore[arg-type]


def test_an_unknown_acquisition_is_named_with_a_suggestion() -> None:
    with pytest.raises(ParameterError, match="Did you mean 'expected_improvement'"):
        BayesianSearcher(2, acquisition="expected_improvment")

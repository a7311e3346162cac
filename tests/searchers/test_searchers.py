from __future__ import annotations

from dataclasses import replace
from itertools import groupby

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
)
from genokeras.searchers.testing import SearcherContract, pretend_score, simulate

SPACE = HyperSpace(views=("all", "top_100"))
SEARCHERS = (RandomSearcher, BayesianSearcher)


def ask(searcher: Searcher, history: History, n: int, seed: int = 0) -> list[Proposal]:
    return searcher.ask(history, n, np.random.default_rng(seed))


def run_of(proposal: Proposal) -> tuple[object, ...]:
    """What proposals that train in one run have in common."""
    hyper = proposal.hyper
    return (proposal.graph, proposal.father, proposal.morphisms, proposal.seed, hyper.activation, hyper.view)


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
def test_linear_models_of_every_view_come_first_and_their_outer_weight_decays_last(
    kind: type[RandomSearcher],
) -> None:
    design = ask(kind(3, space=SPACE), History(), 46)
    first, last = design[:6], design[42:]
    assert {p.graph.describe() for p in (*first, *last)} == {"linear"}
    decays = SPACE.weight_decay
    for proposals, tried in ((first, decays[1:4]), (last, (decays[0], decays[4]))):
        found = {(p.hyper.view, p.hyper.weight_decay) for p in proposals}
        assert found == {(view, decay) for view in SPACE.views for decay in tried}


@pytest.mark.parametrize("kind", SEARCHERS)
def test_then_come_mlps_with_different_hyper_parameters(kind: type[RandomSearcher]) -> None:
    proposals = ask(kind(3, space=SPACE), History(), 46)[6:42]
    assert {p.origin for p in proposals} == {"father:mlp"}
    assert {p.hyper.activation for p in proposals} == set(SPACE.activation)
    assert {p.hyper.view for p in proposals} == set(SPACE.views)
    for _, pack in groupby(proposals, key=lambda p: p.hyper.activation):
        assert len({(p.hyper.learning_rate, p.hyper.dropout) for p in pack}) >= 6


@pytest.mark.parametrize("kind", SEARCHERS)
def test_an_ask_is_made_of_few_runs(kind: type[RandomSearcher]) -> None:
    history = simulate(kind(2), 8, 4)
    proposals = ask(kind(2), history, 8)
    assert len(proposals) == 8
    assert len({run_of(p) for p in proposals}) <= 3


@pytest.mark.parametrize("kind", SEARCHERS)
def test_growing_goes_beyond_the_fathers(kind: type[RandomSearcher]) -> None:
    history = simulate(kind(2, variants=4), 40, 4)
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
    fresh = ask(kind(2, variants=4, fresh=0.0), history, 12)
    heirs = ask(kind(2, variants=4, fresh=0.0, inherit=True), history, 12)
    assert [replace(p, inherit=True) for p in fresh] == heirs
    assert any(p.father is not None for p in fresh) and not any(p.inherit for p in fresh)


def test_a_random_search_that_is_always_fresh_tries_fathers_only() -> None:
    history = simulate(RandomSearcher(2, fresh=1.0), 24, 4)
    assert {trial.proposal.graph for trial in history} == {linear(2), mlp(2)}


def test_bayesian_variants_of_a_graph_share_its_run_and_differ() -> None:
    history = simulate(BayesianSearcher(2), 11, 4)
    proposals = ask(BayesianSearcher(2, explore=0.0), history, 4)
    assert len({run_of(p) for p in proposals}) == 1
    assert len({p.hyper for p in proposals}) == 4


def test_no_more_variants_than_told_share_a_run() -> None:
    history = simulate(BayesianSearcher(2), 6, 4)
    proposals = ask(BayesianSearcher(2, variants=2, explore=0.0), history, 6)
    sizes = [len(list(pack)) for _, pack in groupby(proposals, key=run_of)]
    assert sizes == [2, 2, 2]


def test_exploring_turns_to_the_setting_tried_least() -> None:
    space = HyperSpace(activation=("relu", "tanh"), views=("all",))
    searcher = BayesianSearcher(2, space=space, explore=1.0, fathers=("mlp",), variants=4)
    seen: list[str] = []
    history = simulate(searcher, 8, 4)
    for start in range(8, len(history), 4):
        seen.append(history.trials[start].proposal.hyper.activation)
    assert seen.count("relu") == seen.count("tanh") == 3


def test_about_every_third_ask_explores() -> None:
    searcher = BayesianSearcher(2, variants=4, fresh=0.0)
    history = simulate(searcher, 6, 4)
    origins = [ask(searcher, history, 1, seed)[0].origin for seed in range(60)]
    assert 10 <= origins.count("explore") <= 30


def test_three_of_four_asks_go_to_fathers_with_other_hyper_parameters() -> None:
    searcher = BayesianSearcher(2, variants=4)
    history = simulate(searcher, 12, 4)
    asked = [ask(searcher, history, 1, seed)[0] for seed in range(60)]
    assert 35 <= sum(p.origin == "random" and p.father is None for p in asked) <= 55


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

    history = simulate(BayesianSearcher(2, explore=0.0), 12, 4, score=score)
    late = [trial.proposal.hyper.learning_rate for trial in history.trials[-12:]]
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

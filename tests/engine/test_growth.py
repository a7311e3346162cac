"""How much of a search was grown, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from genokeras.engine.growth import generations, growth_of, way_of
from genokeras.graph import Deepen, Graph, HyperParameters, Morphism, Widen, linear, mlp
from genokeras.searchers import History, Proposal, TrialResult


def grown(graph: Graph, kind: type[Morphism]) -> tuple[Graph, Morphism]:
    morphism = kind.sites(graph)[0]
    return morphism.apply(graph, None, np.random.default_rng(0))[0], morphism


def proposals() -> list[Proposal]:
    """Two of the design, a child with other settings and a replicate, a grandchild, other settings of the design."""
    deep, deepen = grown(mlp(2), Deepen)
    wide, widen = grown(deep, Widen)
    first, other = HyperParameters(), HyperParameters(learning_rate=0.5)
    return [
        Proposal(linear(2), first, origin="father:linear"),
        Proposal(mlp(2), first, origin="father:mlp"),
        Proposal(deep, first, 1, (deepen,), origin="bayesian"),
        Proposal(deep, other, 2, (), origin="hyper"),
        Proposal(deep, first, 1, (deepen,), origin="replicate", split=1),
        Proposal(wide, first, 3, (widen,), origin="random"),
        Proposal(mlp(2), other, 1, (), origin="hyper"),
    ]


@pytest.fixture
def history() -> History:
    return History(tuple(TrialResult(i, one, "ok", 0.5) for i, one in enumerate(proposals())))


def test_generations_are_morphisms_of_a_lineage_and_not_its_other_steps(history: History) -> None:
    assert list(generations(history).values()) == [0, 0, 1, 1, 1, 2, 0]


def test_a_search_is_summed_up(history: History) -> None:
    growth = growth_of(history, {0: 0.5, 3: 0.3, 5: 0.2})
    assert (growth.trials, growth.grown, growth.children, growth.chosen) == (7, 4, 2, 1)
    assert (growth.networks, growth.depth, growth.share) == (4, 2, pytest.approx(0.5))


def test_it_is_said_in_words(history: History) -> None:
    assert growth_of(history, {0: 0.5, 3: 0.3, 5: 0.2}).sentence() == (
        "Of 7 trials 4 are of grown networks: 2 new by morphism (1 of these chosen by the surrogate), 2 with other settings or "
        "replicated. There are 4 different networks and lineages up to 2 generations deep; grown networks hold 50% of what is "
        "delivered."
    )


def test_a_search_that_grew_nothing_says_so(history: History) -> None:
    nothing = growth_of(History(history.trials[:2]), {0: 1.0})
    assert nothing.sentence() == "None of the 2 trials was grown by morphism; they hold 2 different networks."


def test_an_empty_history_and_a_run_that_delivers_nothing_are_no_error(history: History) -> None:
    assert growth_of(History(), {}).depth == 0
    assert growth_of(history, {}).share == 0.0


def test_each_trial_says_how_it_came_up() -> None:
    ways = ["design", "design", "deepen", "settings", "replicate", "widen", "settings"]
    assert [way_of(proposal) for proposal in proposals()] == ways


def test_several_morphisms_are_joined() -> None:
    deep, deepen = grown(mlp(2), Deepen)
    wide, widen = grown(deep, Widen)
    assert way_of(Proposal(wide, HyperParameters(), 1, (deepen, widen), origin="random")) == "deepen+widen"


@pytest.mark.parametrize(
    ("origin", "way"),
    [("varied:cnn", "fresh"), ("fresh", "fresh"), ("", "fresh"), ("oracle:GridSearch", "oracle")],
)
def test_networks_without_a_father_say_where_they_come_from(origin: str, way: str) -> None:
    assert way_of(Proposal(linear(2), HyperParameters(), origin=origin)) == way


def test_a_network_that_was_sent_on_trained_longer() -> None:
    assert way_of(Proposal(linear(2), HyperParameters(), 1, origin="halving", rung=1)) == "longer"

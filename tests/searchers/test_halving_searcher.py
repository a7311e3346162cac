"""Successive halving as a searcher: who goes on, what is tried in between, what the journal keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genokeras.engine.growth import generations
from genokeras.errors import ParameterError
from genokeras.graph import HyperParameters, small_cnn
from genokeras.graph.templates import linear
from genokeras.searchers import HalvingSearcher, History, HyperSpace, Proposal, TrialResult
from genokeras.searchers.halving import LinearFather
from genokeras.searchers.testing import SearcherContract, finish, simulate

SPACE = HyperSpace(learning_rate=(1e-3, 2e-3, 4e-3), weight_decay=(0.01, 0.1), views=("tensor",))
LINEAR = LinearFather(linear(2), "counts", (0.1, 0.01, 0.001))


def some_fathers():
    return [(f"cnn{width}", small_cnn((40, 4), 2, filters=(width,), units=0)) for width in (4, 8, 12, 16)]


def a_searcher(**options):
    return HalvingSearcher(some_fathers(), SPACE, linear=[LINEAR], **options)


class TestHalvingSearcher(SearcherContract):
    def make_searcher(self):
        return a_searcher()


class TestHalvingSearcherGuidedByChance(SearcherContract):
    def make_searcher(self):
        return a_searcher(guide="random")


def on_first_folds(history, proposals, losses, n_folds=3):
    """As `finish`, with a loss on the first fold for those that train there alone."""
    for proposal in proposals:
        loss = losses(proposal)
        missing = n_folds - proposal.folds if proposal.folds else 0
        number = len(history) if proposal.completes is None else proposal.completes
        folds = (loss,) if missing else (loss, *[loss + 0.1] * (n_folds - 1))
        score = float(np.mean(folds))
        own = replace(proposal, completes=None)
        history = history.updated([TrialResult(number, own, "ok", score, folds=folds, missing=missing)])
    return history


LOSSES = {
    "father:linear": 0.9,
    "father:cnn4": 0.5,
    "father:cnn8": 0.3,
    "father:cnn12": 0.4,
    "father:cnn16": 0.6,
}


def raced(searcher, n, losses):
    history, rng = History(), np.random.default_rng(0)
    for _ in range(n):
        history = on_first_folds(history, searcher.ask(history, 1, rng), losses)
    return history


def test_networks_train_on_one_fold_and_the_best_third_of_them_gets_the_others():
    searcher = a_searcher(n_folds=3)
    history = raced(searcher, 9, lambda p: LOSSES.get(p.origin, 1.0))
    assert [trial.missing for trial in history if not trial.proposal.morphisms][:5] == [0, 2, 0, 0, 2]
    assert all(history.get(t.proposal.father).missing == 0 for t in history if t.proposal.father is not None)


def test_what_is_no_better_than_its_father_on_the_first_fold_gets_no_others():
    searcher = a_searcher(n_folds=3)
    worse = raced(searcher, 16, lambda p: LOSSES.get(p.origin, 1.0))
    better = raced(
        searcher, 16, lambda p: LOSSES.get(p.origin, 0.2 - 0.01 * p.rung - 0.001 * len(p.graph.layers))
    )
    assert all(trial.missing for trial in worse if trial.proposal.father is not None)
    assert any(trial.missing == 0 for trial in better if trial.proposal.father is not None)


def test_before_a_search_ends_its_best_network_is_completed():
    searcher = a_searcher(n_folds=3)
    history = on_first_folds(
        History(), searcher.ask(History(), 5, np.random.default_rng(0)), lambda p: LOSSES.get(p.origin, 1.0)
    )
    due = searcher.finish(history)
    assert [(p.completes, p.folds, p.origin) for p in due] == [(2, 0, "father:cnn8")]
    assert due[0].fingerprint() == history.get(2).proposal.fingerprint()
    assert not searcher.finish(on_first_folds(history, due, lambda p: 0.3))


def test_linear_models_take_no_more_than_their_share_of_the_time_limit():
    searcher, rng = a_searcher(time_limit=60.0), np.random.default_rng(0)
    history = finish(History(), searcher.ask(History(), 5, rng))
    costly = History(tuple(replace(trial, seconds=2.5) for trial in history))
    assert [p.origin for p in searcher.ask(costly, 1, rng)] == ["father:linear"]
    costly = History(tuple(replace(trial, seconds=4.0) for trial in history))
    assert "father:linear" not in {p.origin for p in searcher.ask(costly, 3, rng)}


def in_seconds(searcher, limit, seconds=lambda proposal: 2.0 * 3**proposal.rung):
    """A search of single trials that take these seconds each, until the limit; deeper graphs are a little better."""
    history, rng = History(), np.random.default_rng(0)
    while sum(trial.seconds for trial in history) < limit:
        (proposal,) = searcher.ask(history, 1, rng)
        score = 0.5 - 0.1 * proposal.rung - 0.001 * len(proposal.graph.layers)
        history = history.append(
            TrialResult(len(history), proposal, "ok", score, seconds=seconds(proposal), folds=(score,))
        )
    return history


def test_from_a_third_of_the_limit_on_half_of_the_time_goes_to_grown_networks():
    history = in_seconds(a_searcher(time_limit=120.0, guide="random"), 120.0)
    ends = np.cumsum([trial.seconds for trial in history])
    late = [trial for trial, end in zip(history, ends, strict=True) if end - trial.seconds >= 40]
    depths = generations(history)
    grown = sum(trial.seconds for trial in late if depths[trial.id])
    assert grown >= 0.5 * sum(trial.seconds for trial in late)
    assert depths[history.ranked()[0].id]


def test_on_a_slow_machine_one_network_goes_on_in_place_of_others():
    searcher = a_searcher(time_limit=120.0, guide="random")
    history = in_seconds(searcher, 60.0, lambda p: 3.0 if p.origin == "father:linear" else 20.0)
    networks = [trial.proposal for trial in history if trial.proposal.origin != "father:linear"]
    assert [p.origin for p in networks].count("father:cnn4") == 1
    assert all(p.father is not None for p in networks[1:3])


def test_a_search_may_grow_nothing():
    history = in_seconds(a_searcher(time_limit=120.0, growth=0.0), 120.0)
    assert not any(trial.proposal.morphisms for trial in history)
    assert {trial.proposal.origin.partition(":")[0] for trial in history} == {"father", "varied", "halving"}


def test_nothing_is_sent_on_that_could_not_be_completed_in_time():
    searcher = a_searcher(time_limit=30.0, n_folds=3)
    history, rng = History(), np.random.default_rng(0)
    for _ in range(12):
        history = on_first_folds(history, searcher.ask(history, 1, rng), lambda p: LOSSES.get(p.origin, 1.0))
    assert any(trial.proposal.rung for trial in history)
    slow = History(tuple(replace(trial, seconds=2.2) for trial in history if not trial.proposal.rung))
    assert not [p for p in searcher.ask(slow, 3, rng) if p.rung]


def test_without_linear_models_the_first_network_trains_on_all_folds():
    searcher = HalvingSearcher(some_fathers(), SPACE, n_folds=3)
    history = raced(searcher, 2, lambda p: 0.5)
    assert [trial.missing for trial in history] == [0, 2]


def test_linear_fathers_come_first_then_every_network_then_other_linear_models():
    searcher = HalvingSearcher(
        some_fathers(), SPACE, linear=[LINEAR, LinearFather(linear(2), "words", (0.3, 0.03))]
    )
    first = searcher.ask(History(), 9, np.random.default_rng(0))
    linear_ones = [(p.hyper.view, p.hyper.weight_decay) for p in first if p.origin == "father:linear"]
    assert linear_ones == [
        ("counts", 0.1),
        ("words", 0.3),
        ("counts", 0.01),
        ("counts", 0.001),
        ("words", 0.03),
    ]
    assert [p.origin for p in first[2:6]] == [f"father:{name}" for name, _ in some_fathers()]


def test_the_best_third_of_the_fathers_goes_on_from_its_weights():
    searcher, rng = a_searcher(), np.random.default_rng(0)
    scores = {"cnn4": 0.5, "cnn8": 0.3, "cnn12": 0.4, "cnn16": 0.6}
    history = finish(
        History(),
        searcher.ask(History(), 7, rng),
        lambda p: scores.get(p.origin.removeprefix("father:"), 1.0),
    )
    sent = [p for p in searcher.ask(history, 3, rng) if p.rung]
    assert [(p.father, p.rung, p.inherit, p.morphisms) for p in sent] == [
        (2, 1, True, ()),
        (3, 1, True, ()),
    ]
    assert sent[0].graph == history.get(2).proposal.graph


def test_of_two_that_went_on_the_better_one_goes_on_again():
    searcher, rng = a_searcher(growth=0.0), np.random.default_rng(0)
    history = finish(History(), searcher.ask(History(), 7, rng), lambda p: 0.5 + len(p.origin) / 1000)
    history = finish(history, searcher.ask(history, 2, rng), lambda p: 0.01 * p.father)
    best = history.ranked()[0]
    assert best.proposal.rung == 1
    again = [p for p in searcher.ask(history, 3, rng) if p.rung == 2]
    assert [p.father for p in again] == [best.id]


def test_nothing_goes_on_beyond_the_last_rung():
    history = simulate(a_searcher(most_rungs=1), 10, 4)
    assert max(trial.proposal.rung for trial in history) == 1


def test_what_grows_takes_part_on_the_rung_of_its_father():
    history = simulate(a_searcher(), 10, 4)
    grown = [trial.proposal for trial in history if trial.proposal.morphisms]
    assert grown
    assert all(p.rung == history.get(p.father).proposal.rung and p.inherit for p in grown)


def test_the_rung_is_part_of_what_a_proposal_is_and_of_its_json():
    graph = some_fathers()[0][1]
    short, long = Proposal(graph, HyperParameters()), Proposal(graph, HyperParameters(), rung=1)
    assert short.fingerprint() != long.fingerprint()
    assert "rung" not in short.to_dict()
    assert Proposal.from_dict(long.to_dict()) == long


@pytest.mark.parametrize(
    "wrong", [{"growth": 1.5}, {"factor": 1}, {"guide": "magic"}, {"most_rungs": -1}, {"n_incumbents": 0}]
)
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        a_searcher(**wrong)


def test_a_search_needs_a_father():
    with pytest.raises(ParameterError, match="fathers"):
        HalvingSearcher([], SPACE)

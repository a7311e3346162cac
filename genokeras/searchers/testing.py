"""A contract test for searchers, a user's own too.

    from genokeras.searchers.testing import SearcherContract

    class TestMySearcher(SearcherContract):
        def make_searcher(self):
            return MySearcher(n_outputs=2)

Collect it with pytest.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np

from genokeras.searchers.history import History
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.values import Proposal, TrialResult

Score = Callable[[Proposal], float]


def pretend_score(proposal: Proposal) -> float:
    """A made-up loss that depends on the proposal alone."""
    return (zlib.crc32(proposal.fingerprint().encode()) % 1000) / 1000


def finish(history: History, proposals: list[Proposal], score: Score = pretend_score) -> History:
    """Append a result for each proposal; those whose score is not finite have failed."""
    for proposal in proposals:
        id, value = len(history), float(score(proposal))
        if np.isfinite(value):
            history = history.append(TrialResult(id, proposal, "ok", value))
        else:
            history = history.append(TrialResult.failure(id, proposal, "the loss is not finite"))
    return history


def simulate(searcher: Searcher, n_asks: int, n: int, seed: int = 0, score: Score = pretend_score) -> History:
    """Let a searcher run on a made-up score: `n_asks` times `n` proposals."""
    history = History()
    rng = np.random.default_rng(seed)
    for _ in range(n_asks):
        history = finish(history, searcher.ask(history, n, rng), score)
    return history


def _mostly_failing(proposal: Proposal) -> float:
    score = pretend_score(proposal)
    return score if score < 0.3 else np.nan


class SearcherContract:
    """What every searcher must hold to; subclass it and return yours from `make_searcher`."""

    n_asks = 9
    n = 4

    def make_searcher(self) -> Searcher:
        """Return a fresh searcher."""
        raise NotImplementedError

    def test_is_deterministic_given_history_and_generator(self) -> None:
        first = simulate(self.make_searcher(), self.n_asks, self.n, seed=3)
        second = simulate(self.make_searcher(), self.n_asks, self.n, seed=3)
        assert first == second

    def test_keeps_no_state_between_asks(self) -> None:
        searcher = self.make_searcher()
        history = simulate(searcher, self.n_asks, self.n)
        fresh = self.make_searcher().ask(history, self.n, np.random.default_rng(1))
        assert searcher.ask(history, self.n, np.random.default_rng(1)) == fresh

    def test_leaves_the_global_random_state_alone(self) -> None:
        before = np.random.get_state(legacy=False)["state"]["key"]
        simulate(self.make_searcher(), self.n_asks, self.n)
        np.testing.assert_array_equal(before, np.random.get_state(legacy=False)["state"]["key"])

    def test_never_proposes_what_was_tried_or_one_thing_twice(self) -> None:
        history = simulate(self.make_searcher(), self.n_asks, self.n)
        assert len(history.fingerprints()) == len(history) > 0

    def test_proposes_values_that_survive_json(self) -> None:
        for trial in simulate(self.make_searcher(), self.n_asks, self.n):
            assert Proposal.from_dict(trial.proposal.to_dict()) == trial.proposal
            try:
                trial.proposal.seed = 1  # type: ignore[misc]
            except FrozenInstanceError:
                continue
            raise AssertionError("proposals must be frozen")

    def test_explains_itself_in_json_values(self) -> None:
        searcher = self.make_searcher()
        history = simulate(searcher, 3, self.n)
        said = searcher.explain(history)
        assert json.loads(json.dumps(said, allow_nan=False)) == said == searcher.explain(history)

    def test_proposes_no_more_than_asked_for(self) -> None:
        searcher = self.make_searcher()
        history = simulate(searcher, 3, self.n)
        for n in (1, 2, 7):
            assert len(searcher.ask(history, n, np.random.default_rng(n))) <= n

    def test_starts_from_an_empty_history(self) -> None:
        proposals = self.make_searcher().ask(History(), self.n, np.random.default_rng(0))
        assert proposals
        assert all(proposal.father is None and proposal.morphisms == () for proposal in proposals)

    def test_goes_on_when_all_trials_failed(self) -> None:
        history = simulate(self.make_searcher(), self.n_asks, self.n, score=lambda _: np.nan)
        assert len(history) >= self.n_asks

    def test_goes_on_when_some_trials_failed(self) -> None:
        history = simulate(self.make_searcher(), self.n_asks, self.n, score=_mostly_failing)
        assert len(history) >= self.n_asks

    def test_fathers_are_finished_trials_that_did_not_fail(self) -> None:
        history = simulate(self.make_searcher(), self.n_asks, self.n, score=_mostly_failing)
        for trial in history:
            father = trial.proposal.father
            assert father is None or (father < trial.id and history.get(father).status == "ok")

    def test_morphisms_lead_from_the_father_to_the_graph(self) -> None:
        history = simulate(self.make_searcher(), self.n_asks, self.n)
        for trial in history:
            proposal = trial.proposal
            if proposal.father is None:
                continue
            graph = history.get(proposal.father).proposal.graph
            for morphism in proposal.morphisms:
                graph, _ = morphism.apply(graph, None, np.random.default_rng(proposal.seed))
            assert graph == proposal.graph

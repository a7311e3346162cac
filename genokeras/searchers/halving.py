"""Successive halving: networks begin with short training on one fold, and the better ones get the other folds and go on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Limits, mutations
from genokeras.searchers.history import History
from genokeras.searchers.random_search import ATTEMPTS
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.surrogate import Candidate, Surrogate
from genokeras.searchers.values import Proposal, TrialResult, proposal_fingerprint
from genokeras.support.checks import check_choice, check_number, check_whole

LINEAR_RATE = 1e-2
LIMITS = Limits(max_parameters=2_000_000, max_layers=60)
# What is tried behind the fathers, over and over; what cannot be done gives its turn to the next.
TURNS = ("promote", "promote", "promote", "vary", "grow")
# From this share of the time limit on, children get their share of the time; without a limit, from this many trials behind the fathers on.
_OPENING, _OPENING_TRIALS = 1 / 3, 2
# Of the time limit: a first network that takes longer, on one of few folds half of it, is the only one.
_SLOW_SHARE = 1 / 8
# Of the time limit, what there is for training.
_FOR_TRAINING = 0.9
GUIDES = ("bayesian", "random")


@dataclass(frozen=True)
class LinearFather:
    """A linear model of a view of its own, and the weight decays it is tried with, the likeliest first."""

    graph: Graph
    view: str
    weight_decays: tuple[float, ...]


class HalvingSearcher(Searcher):
    """Fathers first; then the best third of each rung trains on all folds and for longer, and the best networks grow.

    A network trains on the first fold alone. Networks are compared there, and what is sent on or grown is compared with its
    father; those that do well are completed: they train on the other folds as on the first one, and keep their number.
    Only complete networks are sent on or grow, so that each fold goes on from its own weights.

    A rung is how often a network was sent on. A network that was sent on goes on from its weights, for `factor` times as
    long as before (asynchronous successive halving, Li et al. 2020, "A system for massively parallel hyperparameter tuning",
    MLSys). Turns alternate between sending on, a father with other rates, and a morphism of one of the best networks, which
    inherits its weights and so takes part on its father's rung. Morphisms are chosen by a Gaussian process over graphs and
    hyper-parameters; scores are compared within a rung there. The runner decides how long a rung trains.

    Parameters
    ----------
    fathers : sequence of (str, Graph)
        Convolutional fathers by name.
    space : HyperSpace
        Of the fathers and what grows from them.
    linear : sequence of LinearFather
        Tried first, each with its first weight decay; the other weight decays come behind the fathers.
    factor : int, default=3
        One network in ``factor`` goes on to the next rung.
    most_rungs : int, default=2
        How often a network goes on at most.
    guide : {"bayesian", "random"}
        How morphisms are chosen.
    n_incumbents, n_mutations : int
        How many of the best networks may grow, and morphisms of each that are looked at.
    n_folds : int, default=1
        Folds that trials train on.
    time_limit : float or None
        Seconds of the whole search. Without it trials are counted, and not their seconds.
    growth : float, default=0.5
        From a third of the time limit on, at least this share of the training time goes to networks that morphism brought up;
        0 grows none.
    linear_share : float, default=0.1
        Of the time limit, for linear models: no further one is tried that would take more.

    Raises
    ------
    ParameterError
        If an argument is out of range.
    """

    def __init__(
        self,
        fathers: Sequence[tuple[str, Graph]],
        space: HyperSpace,
        *,
        linear: Sequence[LinearFather] = (),
        factor: int = 3,
        most_rungs: int = 2,
        guide: str = "bayesian",
        n_incumbents: int = 3,
        n_mutations: int = 6,
        n_folds: int = 1,
        time_limit: float | None = None,
        growth: float = 0.5,
        linear_share: float = 0.1,
    ) -> None:
        if not fathers:
            raise ParameterError("fathers must name at least one graph.")
        for name, value, least in (
            ("factor", factor, 2),
            ("most_rungs", most_rungs, 0),
            ("n_incumbents", n_incumbents, 1),
            ("n_mutations", n_mutations, 1),
            ("n_folds", n_folds, 1),
        ):
            check_whole(value, name, least)
        check_choice(guide, "guide", GUIDES)
        self.fathers = tuple(fathers)
        self.space = space
        self.linear = tuple(linear)
        self.factor = factor
        self.most_rungs = most_rungs
        self.guide = guide
        self.n_incumbents = n_incumbents
        self.n_mutations = n_mutations
        self.n_folds = n_folds
        self.time_limit = time_limit
        self.growth = check_number(growth, "growth", least=0, most=1)
        self.linear_share = check_number(linear_share, "linear_share", above=0, most=1)

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next; see `Searcher.ask`."""
        asked = _Asked(history)
        initial = self._initial(rng)
        for proposal in initial:
            if len(asked.chosen) < n and self._affords(proposal, history):
                asked.add(self._begun(proposal, history))
        turns: dict[str, Callable[[_Asked, np.random.Generator], Proposal | None]] = {
            "complete": self._completed,
            "promote": self._promoted,
            "vary": self._varied,
            "grow": self._grown,
            "promote grown": partial(self._promoted, grown=True),
        }
        while len(asked.chosen) < n:
            order = self._order(history, len(asked.chosen), len(initial))
            found = next((p for turn in order if (p := turns[turn](asked, rng)) is not None), None)
            if found is None:
                break
            asked.add(self._begun(found, history))
        return asked.chosen

    def _order(self, history: History, n_chosen: int, n_initial: int) -> list[str]:
        """The turns, those that are due first."""
        first = max(0, len(history) + n_chosen - n_initial) % len(TURNS)
        order = ["complete", *TURNS[first:], *TURNS[:first]]
        if self.growth and self._owes_growth(history, n_initial):
            order[1:1] = ["promote grown", "grow"]
        return [turn for turn in dict.fromkeys(order) if self.growth or turn != "grow"]

    def _owes_growth(self, history: History, n_initial: int) -> bool:
        """Whether grown networks had less than their share of the training behind the opening."""
        opening = n_initial + _OPENING_TRIALS if self.time_limit is None else _OPENING * self.time_limit
        spent = late = grown = 0.0
        for trial in history:
            cost = 1.0 if self.time_limit is None else trial.seconds
            if spent >= opening:
                late += cost
                grown += cost * _is_grown(trial, history)
            spent += cost
        return spent >= opening and grown <= self.growth * late

    def _has_time(self, seconds: float, history: History) -> bool:
        """Whether a training of this many seconds would end before the search does."""
        limit = math.inf if self.time_limit is None else _FOR_TRAINING * self.time_limit
        return sum(trial.seconds for trial in history) + seconds <= limit

    def finish(self, history: History) -> list[Proposal]:
        """Complete the best network where it lacks folds; see `Searcher.finish`."""
        ranked = self._networks(history)
        return [_completing(trial) for trial in ranked[:1] if trial.missing]

    def _affords(self, proposal: Proposal, history: History) -> bool:
        """Whether there is time for a linear model as costly as those before, or for a further network to begin with."""
        if self.time_limit is None:
            return True
        if proposal.hyper.view in self.space.views:
            return not self._is_slow(history)
        costs = [t.seconds for t in history if t.proposal.hyper.view not in self.space.views]
        return not costs or sum(costs) + max(costs) <= self.linear_share * self.time_limit

    def _is_slow(self, history: History) -> bool:
        """Whether a fold of a first network took so long that what is left is better spent on going on with it."""
        most = math.inf if self.time_limit is None else _SLOW_SHARE * self.time_limit * 2 / (self.n_folds + 1)
        return any(
            trial.seconds / max(1, len(trial.folds)) >= most
            for trial in self._networks(history)
            if trial.proposal.father is None
        )

    def _begun(self, proposal: Proposal, history: History) -> Proposal:
        """A network trains on its first fold alone, unless there would be nothing complete without it."""
        alone = self.n_folds > 1 and (self.linear or history.ok())
        network = proposal.hyper.view in self.space.views and proposal.completes is None
        return replace(proposal, folds=1) if alone and network else proposal

    def _initial(self, rng: np.random.Generator) -> list[Proposal]:
        """The fathers: linear models, one of each network with the middle of every rate, more linear models."""
        space = self.space
        first: list[Proposal] = []
        more: list[Proposal] = []
        for father in self.linear:
            for position, decay in enumerate(father.weight_decays):
                hyper = HyperParameters(LINEAR_RATE, decay, 0.0, space.activation[0], view=father.view)
                proposal = Proposal(father.graph, hyper, seed=_seed(rng), origin="father:linear")
                (more if position else first).append(proposal)
        middle = HyperParameters(
            _middle(space.learning_rate),
            _middle(space.weight_decay),
            _middle(space.dropout),
            space.activation[0],
            space.views[0],
        )
        for name, graph in self.fathers:
            hyper = space.canonical(middle, graph)
            first.append(Proposal(graph, hyper, seed=_seed(rng), origin=f"father:{name}"))
        return first + more

    # ---- one proposal each, or None

    def _completed(self, asked: _Asked, rng: np.random.Generator) -> Proposal | None:
        """The best network that lacks folds and survived the first one."""
        networks = self._networks(asked.history)
        for trial in networks:
            if not trial.missing or trial.id in asked.completed:
                continue
            pool = [other for other in networks if other.proposal.rung == trial.proposal.rung]
            father = asked.history.lineage(trial.id)[1:]
            if father:
                survived = trial.folds[0] < _first_loss(father[0])
            else:
                survived = pool.index(trial) < math.ceil(len(pool) / self.factor)
            if survived:
                return _completing(trial)
        return None

    def _promoted(self, asked: _Asked, rng: np.random.Generator, grown: bool = False) -> Proposal | None:
        """The best network of the lowest rung that owes one to the next rung; of grown ones, where these are wanted."""
        for rung in range(self.most_rungs):
            pool = [trial for trial in self._networks(asked.history) if trial.proposal.rung == rung]
            gone = [trial for trial in pool if trial.id in asked.sent_on]
            # Children of those that were sent on are cheaper than the next rung, and may deserve it more.
            least = self.factor if rung and self.growth else 1 if self._is_slow(asked.history) else 2
            if len(pool) < least or len(gone) >= math.ceil(len(pool) / self.factor):
                continue
            for trial in pool:
                # Where it has several folds, one that would train on its first alone is of no use to anybody.
                longer = trial.seconds * self.factor if self.n_folds > 1 else 0.0
                if trial.missing or not self._has_time(longer, asked.history):
                    continue
                if grown and not _is_grown(trial, asked.history):
                    continue
                proposal = replace(
                    trial.proposal,
                    father=trial.id,
                    morphisms=(),
                    seed=_seed(rng),
                    origin="halving",
                    inherit=True,
                    rung=rung + 1,
                    folds=0,
                )
                if trial.id not in asked.sent_on and proposal.fingerprint() not in asked.tried:
                    return proposal
        return None

    def _varied(self, asked: _Asked, rng: np.random.Generator) -> Proposal | None:
        """A father with random hyper-parameters."""
        for _ in range(ATTEMPTS):
            name, graph = self.fathers[int(rng.integers(len(self.fathers)))]
            hyper = self.space.canonical(self.space.sample(rng), graph)
            if proposal_fingerprint(graph, hyper) not in asked.tried:
                return Proposal(graph, hyper, seed=_seed(rng), origin=f"varied:{name}")
        return None

    def _grown(self, asked: _Asked, rng: np.random.Generator) -> Proposal | None:
        """A morphism of one of the best networks."""
        grown = [p for p in self._children(asked.history, rng) if p.fingerprint() not in asked.tried]
        if not grown:
            return None
        if self.guide == "random":
            return grown[int(rng.integers(len(grown)))]
        # On matrices this small a second thread costs more time than it saves.
        with threadpool_limits(1, user_api="blas"):
            running = [
                trial for trial in asked.history.running() if trial.proposal.hyper.view in self.space.views
            ]
            levelled = _levelled(self._networks(asked.history)).updated(running)
            surrogate = Surrogate.fit(levelled, self.space)
            candidates = [Candidate(p.graph, p.hyper, p.father, p.morphisms) for p in grown]
            return grown[int(surrogate.acquire(candidates).argmin())]

    def _children(self, history: History, rng: np.random.Generator) -> list[Proposal]:
        best: dict[str, TrialResult] = {}
        for trial in self._networks(history):
            if not trial.missing:
                best.setdefault(trial.proposal.graph.fingerprint(), trial)
        found = []
        for trial in list(best.values())[: self.n_incumbents]:
            own = trial.proposal
            for morphism in mutations(own.graph, rng, self.n_mutations, limits=LIMITS):
                graph, _ = morphism.apply(own.graph, None, rng)
                hyper = self.space.canonical(own.hyper, graph)
                found.append(
                    Proposal(graph, hyper, trial.id, (morphism,), _seed(rng), self.guide, rung=own.rung)
                )
        return found

    def _networks(self, history: History) -> list[TrialResult]:
        """Trials that did not fail but the linear ones, best first; those that lack folds with the score that they may have."""
        views = self.space.views
        whole = [trial for trial in history.ok() if trial.proposal.hyper.view in views]
        # Folds differ in how hard they are.
        harder = float(np.median([trial.score - _first_loss(trial) for trial in whole])) if whole else 0.0
        begun = [replace(trial, score=_first_loss(trial) + harder) for trial in history.begun()]
        return sorted([*whole, *begun], key=lambda trial: (trial.score, trial.id))


class _Asked:
    """What one ask has chosen so far."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.tried = set(history.fingerprints())
        self.chosen: list[Proposal] = []
        self.sent_on: set[int] = set()
        self.completed: set[int] = set()
        for trial in history:
            self._note(trial.proposal)

    def add(self, proposal: Proposal) -> None:
        """Take a proposal that was not tried."""
        if proposal.completes is not None:
            self.chosen.append(proposal)
            self.completed.add(proposal.completes)
        elif proposal.fingerprint() not in self.tried:
            self.chosen.append(proposal)
            self._note(proposal)

    def _note(self, proposal: Proposal) -> None:
        self.tried.add(proposal.fingerprint())
        if proposal.father is not None and not proposal.morphisms:
            self.sent_on.add(proposal.father)


def _levelled(trials: Sequence[TrialResult]) -> History:
    """The trials with their scores relative to the median of their rung: longer training is no merit of a graph."""
    by_rung: dict[int, list[float]] = {}
    for trial in trials:
        by_rung.setdefault(trial.proposal.rung, []).append(trial.score)
    medians = {rung: float(np.median(scores)) for rung, scores in by_rung.items()}
    ordered = sorted(trials, key=lambda trial: trial.id)
    return History(
        tuple(
            replace(trial, score=trial.score - medians[trial.proposal.rung], missing=0) for trial in ordered
        )
    )


def _is_grown(trial: TrialResult, history: History) -> bool:
    """Whether morphism made a network or one that it went on from."""
    return any(one.proposal.morphisms for one in history.lineage(trial.id))


def _completing(trial: TrialResult) -> Proposal:
    """The proposal that trains the folds that a trial lacks."""
    return replace(trial.proposal, folds=0, completes=trial.id)


def _first_loss(trial: TrialResult) -> float:
    """The loss on the first fold, as far as it is known."""
    return trial.folds[0] if trial.folds and math.isfinite(trial.folds[0]) else trial.score


def _middle(values: Sequence[float]) -> float:
    return values[len(values) // 2]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))

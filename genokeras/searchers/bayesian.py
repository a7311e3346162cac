"""Network morphism guided by Bayesian optimisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from genokeras.graph.graph import Graph
from genokeras.searchers.candidates import (
    children,
    incumbents,
    of_trial,
    one_per_graph,
    parents,
    priority_tree,
    settings,
    varied,
)
from genokeras.searchers.design import check_inherit, initial_packs, resolve_fathers
from genokeras.searchers.history import History
from genokeras.searchers.random_search import (
    FRESH,
    SAME_HYPER,
    ask_initial,
    endless,
    fresh_pack,
    random_pack,
)
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.shares import (
    ARMS,
    BAYESIAN,
    HYPER,
    RANDOM,
    REPLICATE,
    learnt_shares,
    next_arm,
)
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.surrogate import ACQUISITIONS, Candidate, Pool, Surrogate
from genokeras.searchers.values import Proposal, proposal_fingerprint
from genokeras.support.checks import check_choice, check_number, check_whole

TREE_SEEDS = 20
# Other hyper-parameters that are looked at for a grown graph, and for a known one.
_FOR_GROWN, _FOR_KNOWN = 3, 8
# Networks of the lowest posterior mean that may be tried on further splits, and ranks that a split is worth.
_PROMISING, _RANKS_A_SPLIT = 20, 4
# Finished trials, from which on half of an ask is grown, even if the initial design is not done yet.
_ENOUGH = 12
# An ask changes between arms about so often: jobs that differ in their arms show which one earns.
_TURNS = 4


class BayesianSearcher(Searcher):
    """Fathers first, then, beside the rest of them, four kinds of proposals with shares that follow from what they earned.

    - ``"bayesian"``: morphisms, and hyper-parameters of the grown graph, that a Gaussian process over graphs and
      hyper-parameters finds most promising. Candidates come from mutations of the best trials and from a tree of
      morphisms grown by priority, as in classic AutoKeras. Half of the children keep their parent's hyper-parameters.
    - ``"random"``: a random morphism of a random trial.
    - ``"hyper"``: other hyper-parameters for a graph that was tried, chosen by the same process.
    - ``"replicate"``: a promising network again, on a further split into folds.

    What is best is decided by posterior means, which smooth the luck of single scores. A searcher keeps no state: what it
    knows is in the history.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    fathers : sequence of str or Graph
        Names in `genokeras.graph.FATHERS`, or graphs.
    space : HyperSpace, optional
    variants : int
        Hyper-parameter variants of a grown graph in one ask at most.
    fresh : float
        Probability that an ask goes to the fathers with random hyper-parameters; 1 never grows one.
    splits : int
        Splits into folds that there are; with 1 there are no replicates.
    n_incumbents, n_mutations : int
        How many of the best trials are mutated, beside half as many grown ones, and how often each.
    max_expansions, branching : int
        Size of the tree.
    acquisition : {"lower_confidence_bound", "expected_improvement"}
    inherit : bool
        Whether children start from their father's weights, shrunk and perturbed; False trains the same grown graphs from
        fresh ones.

    Raises
    ------
    ParameterError
        If an argument is out of range or a name unknown.

    References
    ----------
    Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD. Batches by the
    kriging believer: Ginsbourger, Le Riche and Carraro (2010), Kriging is well-suited to parallelize
    optimization.
    """

    def __init__(
        self,
        n_outputs: int,
        *,
        fathers: Sequence[str | Graph] = ("linear", "mlp"),
        space: HyperSpace | None = None,
        variants: int = 2,
        fresh: float = 0.0,
        splits: int = 1,
        n_incumbents: int = 6,
        n_mutations: int = 3,
        max_expansions: int = 8,
        branching: int = 4,
        acquisition: str = ACQUISITIONS[0],
        inherit: bool = True,
    ) -> None:
        counts = {"variants": variants, "splits": splits}
        counts |= {"n_incumbents": n_incumbents, "n_mutations": n_mutations}
        counts |= {"max_expansions": max_expansions, "branching": branching}
        for name, value in counts.items():
            check_whole(value, name)
        check_number(fresh, "fresh", least=0, most=1)
        check_choice(acquisition, "acquisition", ACQUISITIONS)
        self.space = HyperSpace() if space is None else space
        self.fathers = resolve_fathers(fathers, n_outputs)
        self.variants = variants
        self.fresh = fresh
        self.splits = splits
        self.n_incumbents = n_incumbents
        self.n_mutations = n_mutations
        self.max_expansions = max_expansions
        self.branching = branching
        self.acquisition = acquisition
        self.inherit = check_inherit(inherit)
        self._initial = initial_packs(self.fathers, self.space)
        self._starts = frozenset(father.graph.fingerprint() for father in self.fathers)
        self._arms = ARMS if splits > 1 else tuple(arm for arm in ARMS if arm != REPLICATE)

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next; see `Searcher.ask`."""
        tried = set(history.fingerprints())
        knows = len(history.ok()) >= _ENOUGH
        chosen = ask_initial(self._initial, tried, -(-n // 2) if knows else n, rng)
        if chosen and not knows and self.fresh < 1:
            # The rest is worth more once there is something to learn from.
            return chosen
        sources = [self._ask_arms, self._ask_fathers]
        if rng.random() < self.fresh:
            sources.reverse()
        for source in sources[: 1 if self.fresh == 1 else 2]:
            if len(chosen) < n:
                chosen += source(history, n - len(chosen), tried, rng)
        return [replace(p, inherit=self.inherit and not p.split) for p in chosen]

    def explain(self, history: History) -> dict[str, Any]:
        """The share of each kind of proposal in what comes behind the initial design."""
        shares = {arm: (1 - self.fresh) * share for arm, share in learnt_shares(history, self._arms).items()}
        shares |= {FRESH: self.fresh} if self.fresh else {}
        return {"shares": {kind: round(share, 3) for kind, share in shares.items()}}

    def _ask_fathers(
        self, history: History, n: int, tried: set[str], rng: np.random.Generator
    ) -> list[Proposal]:
        make = partial(fresh_pack, self.fathers, self.space, rng)
        return list(islice(endless(make, 1, tried, rng), n))

    def _ask_arms(
        self, history: History, n: int, tried: set[str], rng: np.random.Generator
    ) -> list[Proposal]:
        if not history.ok():
            return []
        shares = learnt_shares(history, self._arms)
        counts = Counter(t.proposal.origin for t in history if t.proposal.origin in (*self._arms, FRESH))
        chosen: list[Proposal] = []
        # On matrices this small a second thread costs more time than it saves, up to 100 times as much.
        with threadpool_limits(1, user_api="blas"):
            makers = self._makers(history, tried, rng)
            wanted = ""
            while makers and len(chosen) < n:
                if wanted not in makers or len(chosen) % max(1, n // _TURNS) == 0:
                    weights = np.array([shares[arm] for arm in makers])
                    wanted = list(makers)[int(rng.choice(len(makers), p=weights / weights.sum()))]
                arm = next_arm(counts, wanted, tuple(makers))
                proposal = next(makers[arm], None)
                if proposal is None:
                    del makers[arm]
                else:
                    counts[arm] += 1
                    chosen.append(proposal)
        return chosen

    def _makers(
        self, history: History, tried: set[str], rng: np.random.Generator
    ) -> dict[str, Iterator[Proposal]]:
        """Proposals of each arm, made as they are needed; their fingerprints join `tried`."""
        surrogate = Surrogate.fit(history, self.space, self.acquisition)
        makers = {
            HYPER: self._other_hyper_parameters(surrogate, tried, rng),
            RANDOM: endless(partial(random_pack, parents(history), self.space, rng), 1, tried, rng),
            BAYESIAN: self._grown(surrogate, tried, rng),
            REPLICATE: self._replicates(surrogate, history, tried, rng),
        }
        return {arm: makers[arm] for arm in self._arms}

    def _other_hyper_parameters(
        self, surrogate: Surrogate, tried: set[str], rng: np.random.Generator
    ) -> Iterator[Proposal]:
        ranked = surrogate.ranked()
        known = {trial.proposal.graph.fingerprint(): trial for trial in one_per_graph(ranked, len(ranked))}
        candidates = [
            candidate
            for trial in list(known.values())[: 2 * self.n_incumbents]
            for candidate in varied(of_trial(trial), _FOR_KNOWN, self.space, rng)
        ]
        for father in self.fathers:
            trained = known.get(father.graph.fingerprint())
            candidates += settings(father.graph, trained, self.space, rng)
        pool = Pool(surrogate, candidates)
        while (position := pool.most_promising()) is not None:
            yield from _taken(pool, position, HYPER, tried, rng)

    def _grown(self, surrogate: Surrogate, tried: set[str], rng: np.random.Generator) -> Iterator[Proposal]:
        grown = self._children(surrogate, rng)
        others = [other for child in grown for other in varied(child, _FOR_GROWN, self.space, rng)]
        pool = Pool(surrogate, [*grown, *others])
        own = np.arange(len(pool.candidates)) < len(grown)
        proposed: Counter[str] = Counter()
        keep = rng.random() < SAME_HYPER
        while (position := pool.most_promising(own if keep else ~own)) is not None:
            graph = pool.candidates[position].graph
            if proposed[graph.fingerprint()] == self.variants:
                pool.open[position] = False
                continue
            for proposal in _taken(pool, position, BAYESIAN, tried, rng):
                yield proposal
                proposed[graph.fingerprint()] += 1
                keep = rng.random() < SAME_HYPER

    def _children(self, surrogate: Surrogate, rng: np.random.Generator) -> list[Candidate]:
        ranked = surrogate.ranked()
        mutated = [
            child
            for trial in incumbents(ranked, self.n_incumbents, self._starts)
            for child in children(of_trial(trial), self.n_mutations, self.space, rng)
        ]
        tree = priority_tree(
            one_per_graph(ranked, TREE_SEEDS),
            surrogate.acquire,
            self.space,
            rng,
            max_expansions=self.max_expansions,
            branching=self.branching,
        )
        return mutated + tree

    def _replicates(
        self, surrogate: Surrogate, history: History, tried: set[str], rng: np.random.Generator
    ) -> Iterator[Proposal]:
        last = {(t.proposal.graph, t.proposal.hyper): t.proposal.split for t in history if t.proposal.split}
        first = [trial.proposal for trial in surrogate.ranked() if not trial.proposal.split][:_PROMISING]
        # The best network first; a further split of it comes with the first one of those some ranks behind.
        turns = sorted(
            (rank + _RANKS_A_SPLIT * split, split, rank)
            for rank, again in enumerate(first)
            for split in range(last.get((again.graph, again.hyper), 0) + 1, self.splits)
        )
        for _, split, rank in turns:
            proposal = replace(first[rank], seed=_seed(rng), origin=REPLICATE, split=split)
            if proposal.fingerprint() not in tried:
                tried.add(proposal.fingerprint())
                yield proposal


def _taken(
    pool: Pool, position: int, origin: str, tried: set[str], rng: np.random.Generator
) -> list[Proposal]:
    """The candidate at a position of the pool as a proposal, unless it was tried; it is closed either way."""
    candidate = pool.candidates[position]
    fingerprint = proposal_fingerprint(candidate.graph, candidate.hyper)
    if fingerprint in tried:
        pool.open[position] = False
        return []
    tried.add(fingerprint)
    pool.take(position)
    graph, hyper, morphisms = candidate.graph, candidate.hyper, candidate.morphisms
    return [Proposal(graph, hyper, candidate.father, morphisms, _seed(rng), origin)]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))

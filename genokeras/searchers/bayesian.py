"""Network morphism guided by Bayesian optimisation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from threadpoolctl import threadpool_limits

from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.searchers.candidates import mutated_incumbents, of_trial, priority_tree
from genokeras.searchers.design import (
    GraphPack,
    check_inherit,
    father_of,
    initial_packs,
    resolve_fathers,
)
from genokeras.searchers.random_search import ATTEMPTS, ask_initial, random_pack
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.surrogate import ACQUISITIONS, Candidate, Surrogate
from genokeras.searchers.values import (
    History,
    Proposal,
    TrialResult,
    proposal_fingerprint,
    unused_hyper_parameters,
)
from genokeras.support.checks import check_choice, check_number, check_whole

TREE_SEEDS = 20


class BayesianSearcher(Searcher):
    """Fathers first, then what a Gaussian process over graphs and hyper-parameters finds most promising.

    Candidates come from mutations of the best trials and from a tree of morphisms grown by priority, as in
    classic AutoKeras. The best candidate's graph is proposed with several learning rates, weight decays and
    dropout rates, which train in one run. Every third of these asks or so begins with a father, activation and view
    that were tried the least. Most asks are for a father with random hyper-parameters: its program is compiled already, so that several
    such networks are trained in the time of one new graph, and an ensemble lives on networks that differ. A searcher keeps no
    state: what it knows is in the history.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    fathers : sequence of str or Graph
        Names in `genokeras.graph.FATHERS`, or graphs.
    space : HyperSpace, optional
    variants : int
        Hyper-parameter variants of each graph.
    explore : float
        Probability that an ask of the surrogate begins with what was tried the least.
    fresh : float
        Probability that an ask goes to the fathers.
    n_incumbents, n_mutations : int
        How many of the best trials are mutated, and how often each.
    max_expansions, branching : int
        Size of the tree.
    acquisition : {"lower_confidence_bound", "expected_improvement"}
    inherit : bool
        Whether children start from their father's weights; False trains the same grown graphs from fresh ones.

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
        variants: int = 12,
        explore: float = 1 / 3,
        fresh: float = 0.75,
        n_incumbents: int = 5,
        n_mutations: int = 4,
        max_expansions: int = 12,
        branching: int = 4,
        acquisition: str = ACQUISITIONS[0],
        inherit: bool = False,
    ) -> None:
        counts = {"variants": variants, "n_incumbents": n_incumbents, "n_mutations": n_mutations}
        counts |= {"max_expansions": max_expansions, "branching": branching}
        for name, value in counts.items():
            check_whole(value, name)
        check_number(explore, "explore", least=0, most=1)
        check_number(fresh, "fresh", least=0, most=1)
        check_choice(acquisition, "acquisition", ACQUISITIONS)
        self.space = HyperSpace() if space is None else space
        self.fathers = resolve_fathers(fathers, n_outputs)
        self.variants = variants
        self.explore = explore
        self.fresh = fresh
        self.n_incumbents = n_incumbents
        self.n_mutations = n_mutations
        self.max_expansions = max_expansions
        self.branching = branching
        self.acquisition = acquisition
        self.inherit = check_inherit(inherit)
        self._initial = initial_packs(self.fathers, self.space, variants)

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next; see `Searcher.ask`."""
        tried = set(history.fingerprints())
        chosen = ask_initial(self._initial, tried, n, rng)
        if len(chosen) < n and history.ok() and rng.random() < self.fresh:
            chosen += self._at_random(history, n - len(chosen), 1.0, tried, rng)
        if len(chosen) < n and history.ok():
            # On matrices this small a second thread costs more time than it saves, up to 100 times as much.
            with threadpool_limits(1, user_api="blas"):
                chosen += self._ask_surrogate(history, n - len(chosen), tried, rng)
        chosen += self._at_random(history, n - len(chosen), 0.5, tried, rng)
        return [replace(proposal, inherit=self.inherit) for proposal in chosen]

    def _at_random(
        self, history: History, n: int, fresh: float, tried: set[str], rng: np.random.Generator
    ) -> list[Proposal]:
        """Up to `n` proposals of fathers (with probability `fresh`) and of random morphisms."""
        chosen: list[Proposal] = []
        for _ in range(ATTEMPTS):
            if len(chosen) >= n:
                break
            pack = random_pack(history.ok(), self.fathers, self.space, self.variants, fresh, rng)
            chosen += pack.proposals(tried, min(self.variants, n - len(chosen)), rng)
        return chosen

    def _ask_surrogate(
        self, history: History, n: int, tried: set[str], rng: np.random.Generator
    ) -> list[Proposal]:
        surrogate = Surrogate.fit(history, self.space, self.acquisition)
        chosen: list[Proposal] = []
        if rng.random() < self.explore:
            least = self._least_tried(history, rng)
            surrogate, proposals = self._variants(surrogate, least, "explore", n, tried, rng)
            chosen += proposals
        pool = self._pool(history, surrogate, rng) if len(chosen) < n else []
        while len(chosen) < n:
            pool = [c for c in pool if proposal_fingerprint(c.graph, c.hyper) not in tried]
            if not pool:
                break
            best = pool[int(surrogate.acquire(pool).argmin())]
            surrogate, proposals = self._variants(surrogate, best, "bayesian", n - len(chosen), tried, rng)
            chosen += proposals
        return chosen

    def _pool(self, history: History, surrogate: Surrogate, rng: np.random.Generator) -> list[Candidate]:
        ranked = history.ranked()
        incumbents = _one_per_graph(ranked, self.n_incumbents)
        mutated = mutated_incumbents(incumbents, self.n_mutations, self.space, rng)
        tree = priority_tree(
            _one_per_graph(ranked, TREE_SEEDS),
            surrogate.acquire,
            self.space,
            rng,
            max_expansions=self.max_expansions,
            branching=self.branching,
        )
        return mutated + tree

    def _variants(
        self,
        surrogate: Surrogate,
        candidate: Candidate,
        origin: str,
        n: int,
        tried: set[str],
        rng: np.random.Generator,
    ) -> tuple[Surrogate, list[Proposal]]:
        """The candidate's graph with the most promising rates, one by one, each believed before the next."""
        space, graph = self.space, candidate.graph
        # The candidate's own may lie outside of the space, as in a resumed search with another one.
        rates = (candidate.hyper, *space.siblings(candidate.hyper))
        hypers = dict.fromkeys(space.canonical(hyper, graph) for hyper in rates)
        open_ = [replace(candidate, hyper=h) for h in hypers if proposal_fingerprint(graph, h) not in tried]
        picked: list[HyperParameters] = []
        while open_ and len(picked) < min(n, self.variants):
            best = open_.pop(int(surrogate.acquire(open_).argmin()))
            surrogate = surrogate.believe(best)
            picked.append(best.hyper)
        pack = GraphPack(graph, tuple(picked), candidate.father, candidate.morphisms, origin)
        return surrogate, pack.proposals(tried, n, rng)

    def _least_tried(self, history: History, rng: np.random.Generator) -> Candidate:
        """The best network of the father, activation and view with the fewest trials, in that setting."""
        counts: Counter[tuple[int, str, str]] = Counter()
        best: dict[int, TrialResult] = {}
        for trial in (*history.ranked(), *history.failed()):
            position = father_of(history, trial.id, self.fathers)
            if trial.status == "ok":
                best.setdefault(position, trial)
            hyper = self.space.canonical(trial.proposal.hyper, trial.proposal.graph)
            counts[position, hyper.activation, hyper.view] += 1
        settings = [
            (position, activation, view)
            for position, father in enumerate(self.fathers)
            for activation in self.space.activation
            for view in self.space.views
            if self._reads(best[position].proposal.graph if position in best else father.graph, activation)
        ]
        fewest = min(counts[setting] for setting in settings)
        rare = [setting for setting in settings if counts[setting] == fewest]
        position, activation, view = rare[int(rng.integers(len(rare)))]
        if position in best:
            start = of_trial(best[position])
        else:
            start = Candidate(self.fathers[position].graph, self.space.sample(rng), None)
        return replace(start, hyper=replace(start.hyper, activation=activation, view=view))

    def _reads(self, graph: Graph, activation: str) -> bool:
        # A graph without activations counts under the first one only.
        return activation == self.space.activation[0] or "activation" not in unused_hyper_parameters(graph)


def _one_per_graph(ranked: Sequence[TrialResult], n: int) -> list[TrialResult]:
    """The first `n` trials with graphs that differ: variants of one graph would all mutate alike."""
    found: dict[str, TrialResult] = {}
    for trial in ranked:
        found.setdefault(trial.proposal.graph.fingerprint(), trial)
        if len(found) == n:
            break
    return list(found.values())

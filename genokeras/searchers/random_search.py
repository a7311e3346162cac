"""Random network morphism: the strategy every other has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from genokeras.graph.graph import Graph
from genokeras.graph.morphisms import mutations
from genokeras.searchers.design import GraphPack, StartGraph, check_inherit, initial_packs, resolve_fathers
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.values import History, Proposal, TrialResult
from genokeras.support.checks import check_number, check_whole

ATTEMPTS = 50


class RandomSearcher(Searcher):
    """Fathers first, then a random morphism of a random finished trial with random hyper-parameters.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    fathers : sequence of str or Graph
        Names in `genokeras.graph.FATHERS`, or graphs.
    space : HyperSpace, optional
    variants : int
        Hyper-parameter variants of each graph, trained in one run.
    fresh : float
        Probability of starting from a father again in place of a finished trial; 1 never grows one.
    inherit : bool
        Whether children start from their father's weights; False trains the same grown graphs from fresh ones.

    Examples
    --------
    >>> searcher = RandomSearcher(n_outputs=2)
    >>> [p.graph.describe() for p in searcher.ask(History(), 2, np.random.default_rng(0))]
    ['linear', 'linear']
    """

    def __init__(
        self,
        n_outputs: int,
        *,
        fathers: Sequence[str | Graph] = ("linear", "mlp"),
        space: HyperSpace | None = None,
        variants: int = 12,
        fresh: float = 0.2,
        inherit: bool = False,
    ) -> None:
        check_whole(variants, "variants")
        check_number(fresh, "fresh", least=0, most=1)
        self.space = HyperSpace() if space is None else space
        self.fathers = resolve_fathers(fathers, n_outputs)
        self.variants = variants
        self.fresh = fresh
        self.inherit = check_inherit(inherit)
        self._initial = initial_packs(self.fathers, self.space, variants)

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next; see `Searcher.ask`."""
        tried = set(history.fingerprints())
        chosen = ask_initial(self._initial, tried, n, rng)
        for _ in range(ATTEMPTS):
            if len(chosen) >= n:
                break
            pack = random_pack(history.ok(), self.fathers, self.space, self.variants, self.fresh, rng)
            chosen += pack.proposals(tried, min(self.variants, n - len(chosen)), rng)
        return [replace(proposal, inherit=self.inherit) for proposal in chosen]


def ask_initial(
    packs: Sequence[GraphPack], tried: set[str], n: int, rng: np.random.Generator
) -> list[Proposal]:
    """Up to `n` proposals of the initial design that were not tried yet, in its order."""
    chosen: list[Proposal] = []
    for pack in packs:
        if len(chosen) >= n:
            break
        chosen += pack.proposals(tried, n - len(chosen), rng)
    return chosen


def random_pack(
    finished: Sequence[TrialResult],
    fathers: Sequence[StartGraph],
    space: HyperSpace,
    variants: int,
    fresh: float,
    rng: np.random.Generator,
) -> GraphPack:
    """A random morphism of a random finished trial, or a father, with random hyper-parameters."""
    first = space.sample(rng)
    if not finished or rng.random() < fresh:
        father = fathers[int(rng.integers(len(fathers)))]
        graph, id, morphisms = father.graph, None, []
    else:
        trial = finished[int(rng.integers(len(finished)))]
        graph, id = trial.proposal.graph, trial.id
        morphisms = mutations(graph, rng, 1)
        for morphism in morphisms:
            graph, _ = morphism.apply(graph, None, rng)
    siblings = space.siblings(first)
    # More than `variants`, as some may have been tried; distinct once unused hyper-parameters are set alike.
    order = [first, *(siblings[int(i)] for i in rng.permutation(len(siblings)))]
    hypers = tuple(dict.fromkeys(space.canonical(hyper, graph) for hyper in order))
    return GraphPack(graph, hypers, id, tuple(morphisms), "random")

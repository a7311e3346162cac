"""Random network morphism: the strategy every other has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.searchers.candidates import children, of_trial, parents
from genokeras.searchers.design import GraphPack, StartGraph, check_inherit, initial_packs, resolve_fathers
from genokeras.searchers.history import History
from genokeras.searchers.searcher import Searcher
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.values import Proposal, TrialResult
from genokeras.support.checks import check_number, check_whole

ATTEMPTS = 50
# Origin of a father with random hyper-parameters.
FRESH = "fresh"
SAME_HYPER = 0.5


class RandomSearcher(Searcher):
    """Fathers first, then a random morphism of a random finished trial, half of them with random hyper-parameters too.

    Parameters
    ----------
    n_outputs : int
        Number of logits.
    fathers : sequence of str or Graph
        Names in `genokeras.graph.FATHERS`, or graphs.
    space : HyperSpace, optional
    variants : int
        Hyper-parameter variants of each graph.
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
        variants: int = 2,
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
        self._initial = initial_packs(self.fathers, self.space)

    def ask(self, history: History, n: int, rng: np.random.Generator) -> list[Proposal]:
        """Propose what to try next; see `Searcher.ask`."""
        tried = set(history.fingerprints())
        chosen = ask_initial(self._initial, tried, n, rng)
        finished = parents(history)

        def make() -> GraphPack:
            if not finished or rng.random() < self.fresh:
                return fresh_pack(self.fathers, self.space, rng)
            return random_pack(finished, self.space, rng)

        chosen += islice(endless(make, self.variants, tried, rng), n - len(chosen))
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


def endless(
    make: Callable[[], GraphPack], variants: int, tried: set[str], rng: np.random.Generator
) -> Iterator[Proposal]:
    """Up to `variants` proposals of each pack made, until 50 packs in a row hold nothing new.

    Parameters
    ----------
    make : callable
        Makes a random pack.
    variants : int
    tried : set of str
        Fingerprints of what was tried; those of the proposals join it.
    rng : numpy.random.Generator
    """
    misses = 0
    while misses < ATTEMPTS:
        found = make().proposals(tried, variants, rng)
        misses = 0 if found else misses + 1
        yield from found


def fresh_pack(fathers: Sequence[StartGraph], space: HyperSpace, rng: np.random.Generator) -> GraphPack:
    """A random father with random hyper-parameters."""
    graph = fathers[int(rng.integers(len(fathers)))].graph
    return GraphPack(graph, _at_random(graph, space, rng), origin=FRESH)


def random_pack(finished: Sequence[TrialResult], space: HyperSpace, rng: np.random.Generator) -> GraphPack:
    """A random morphism of a random finished trial, with that one's hyper-parameters or random ones.

    It holds nothing where the trial cannot grow any further.
    """
    trial = finished[int(rng.integers(len(finished)))]
    grown = children(of_trial(trial), 1, space, rng)
    if not grown:
        return GraphPack(trial.proposal.graph, ())
    child = grown[0]
    own = (child.hyper,) if rng.random() < SAME_HYPER else ()
    hypers = own + _at_random(child.graph, space, rng)
    return GraphPack(child.graph, hypers, child.father, child.morphisms, "random")


def _at_random(graph: Graph, space: HyperSpace, rng: np.random.Generator) -> tuple[HyperParameters, ...]:
    """Random hyper-parameters, then all others that share activation and view: some may have been tried."""
    first = space.sample(rng)
    siblings = space.siblings(first)
    order = [first, *(siblings[int(i)] for i in rng.permutation(len(siblings)))]
    distinct = dict.fromkeys(space.canonical(hyper, graph) for hyper in order)
    return tuple(distinct) if space.fits(first, graph) else ()

"""Where the Bayesian searcher's candidates come from: incumbents, their mutations, and a tree grown by priority.

References
----------
Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD, algorithm 1: A*
search over morphisms with simulated annealing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Limits, mutants
from genokeras.graph.node_form import node_form
from genokeras.searchers.history import History
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.surrogate import Candidate, padded_size
from genokeras.searchers.values import TrialResult

Acquire = Callable[[Sequence[Candidate]], NDArray[np.float64]]

# With more weights or nodes than this in row space, a network costs more time than a few samples repay.
LIMITS = Limits(max_parameters=100_000)
MOST_NODES, MOST_UNITS, MOST_PADDED = 6, 128, 50_000
# Morphisms that are drawn beyond those needed: some networks are not worth it.
_SPARE = 2
LONGEST_CHAIN = 2


def of_trial(trial: TrialResult) -> Candidate:
    """The trial's own network, as a candidate to mutate."""
    return Candidate(trial.proposal.graph, trial.proposal.hyper, trial.id)


def parents(history: History) -> list[TrialResult]:
    """Finished trials that may have children: no replicates, so that children train on the folds of their parents."""
    return [trial for trial in history.ok() if not trial.proposal.split]


def one_per_graph(ranked: Iterable[TrialResult], n: int) -> list[TrialResult]:
    """The first `n` trials with graphs that differ, none of them a replicate."""
    found: dict[str, TrialResult] = {}
    for trial in ranked:
        if len(found) == n:
            break
        if not trial.proposal.split:
            found.setdefault(trial.proposal.graph.fingerprint(), trial)
    return list(found.values())


def incumbents(
    ranked: Sequence[TrialResult], n: int, fathers: frozenset[str] = frozenset()
) -> list[TrialResult]:
    """Trials to grow from: those of the best `n` graphs, then of half as many further ones that are no father.

    Parameters
    ----------
    ranked : sequence of TrialResult
        Best first.
    n : int
    fathers : frozenset of str
        Fingerprints of the graphs that the search started from.
    """
    graphs = one_per_graph(ranked, len(ranked))
    further = [trial for trial in graphs[n:] if trial.proposal.graph.fingerprint() not in fathers]
    return graphs[:n] + further[: (n + 1) // 2]


def limits_of(space: HyperSpace, hyper: HyperParameters) -> Limits:
    """How large a graph may grow, and the views that further Inputs of it may read."""
    return replace(LIMITS, views=tuple(view for view in space.views if view != hyper.view))


def packs(graph: Graph) -> bool:
    """Whether a graph trains together with different ones: as a few nodes that are not too wide."""
    form = node_form(graph)
    if form is None or len(form.nodes) > MOST_NODES or form.units > MOST_UNITS:
        return False
    return padded_size(graph) <= MOST_PADDED


def children(candidate: Candidate, n: int, space: HyperSpace, rng: np.random.Generator) -> list[Candidate]:
    """Up to `n` candidates one morphism further, with the same hyper-parameters.

    A candidate is never more than two morphisms away from a trained network: the surrogate knows nothing of what lies
    further, and every network grown in between could have been seen. What packs with other graphs has children that do.
    """
    grown: list[Candidate] = []
    if len(candidate.morphisms) >= LONGEST_CHAIN:
        return grown
    limits, alone = limits_of(space, candidate.hyper), not packs(candidate.graph)
    for morphism, graph in mutants(candidate.graph, rng, n + _SPARE, limits=limits):
        if alone or packs(graph):
            morphisms = (*candidate.morphisms, morphism)
            grown.append(Candidate(graph, candidate.hyper, candidate.father, morphisms))
    return grown[:n]


def varied(candidate: Candidate, n: int, space: HyperSpace, rng: np.random.Generator) -> list[Candidate]:
    """Up to `n` candidates of the same graph with other hyper-parameters: neighbours, and random ones, in turn."""
    own = space.canonical(candidate.hyper, candidate.graph)
    hypers: dict[HyperParameters, None] = {}
    for turn in range(n):
        hyper = space.sample(rng) if turn % 2 else space.neighbour(own, rng)
        hypers[space.canonical(hyper, candidate.graph)] = None
    hypers.pop(own, None)
    return [replace(candidate, hyper=hyper) for hyper in hypers if space.fits(hyper, candidate.graph)]


def settings(
    graph: Graph, trial: TrialResult | None, space: HyperSpace, rng: np.random.Generator
) -> list[Candidate]:
    """A graph with every activation and view once, at random rates."""
    father = None if trial is None else trial.id
    hypers = dict.fromkeys(
        space.canonical(replace(space.sample(rng), activation=activation, view=view), graph)
        for activation in space.activation
        for view in space.views
    )
    return [Candidate(graph, hyper, father) for hyper in hypers if space.fits(hyper, graph)]


def priority_tree(
    seeds: Sequence[TrialResult],
    acquire: Acquire,
    space: HyperSpace,
    rng: np.random.Generator,
    *,
    max_expansions: int = 12,
    branching: int = 4,
    cooling: float = 0.9,
) -> list[Candidate]:
    """Grow a tree of morphisms from finished trials, the most promising leaf first.

    The leaf of the lowest acquisition value is taken off the queue and accepted with probability
    exp(min(0, (lowest - value) / temperature)); an accepted leaf is replaced by its children. The temperature
    falls by `cooling` each time, so that late in the search only leaves near the lowest are expanded.

    Parameters
    ----------
    seeds : sequence of TrialResult
        Where to start.
    acquire : callable
        Acquisition values of candidates; lower is better.
    max_expansions : int
        Leaves expanded at most, and half of those taken off the queue.
    branching : int
        Children of each.

    Returns
    -------
    list of Candidate
        All children, each with the chain of morphisms from its seed.
    """
    grown: list[Candidate] = []
    if not seeds:
        return grown
    leaves = [of_trial(trial) for trial in seeds]
    queue = [
        (float(value), i, leaf) for i, (value, leaf) in enumerate(zip(acquire(leaves), leaves, strict=True))
    ]
    heapq.heapify(queue)
    lowest, temperature, expanded, pushed = queue[0][0], 1.0, 0, len(queue)
    for _ in range(2 * max_expansions):
        if not queue or expanded == max_expansions:
            break
        value, _, leaf = heapq.heappop(queue)
        accepted = rng.random() < np.exp(min(0.0, (lowest - value) / temperature))
        temperature *= cooling
        if not accepted:
            continue
        expanded += 1
        young = children(leaf, branching, space, rng)
        for score, child in zip(acquire(young) if young else (), young, strict=True):
            heapq.heappush(queue, (float(score), pushed, child))
            pushed += 1
            lowest = min(lowest, float(score))
        grown += young
    return grown

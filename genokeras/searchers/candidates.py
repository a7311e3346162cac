"""Where the Bayesian searcher's candidates come from: mutated incumbents, and a tree grown by priority.

References
----------
Jin, Song and Hu (2019), Auto-Keras: an efficient neural architecture search system, KDD, algorithm 1: A*
search over morphisms with simulated annealing.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.morphisms import Limits, mutations
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.surrogate import Candidate
from genokeras.searchers.values import TrialResult

Acquire = Callable[[Sequence[Candidate]], NDArray[np.float64]]

SAME_HYPER = 0.5
# With more weights than this in row space, a network costs more time than a few samples repay.
LIMITS = Limits(max_parameters=100_000)
LONGEST_CHAIN = 2


def of_trial(trial: TrialResult) -> Candidate:
    """The trial's own network, as a candidate to mutate."""
    return Candidate(trial.proposal.graph, trial.proposal.hyper, trial.id)


def children(candidate: Candidate, n: int, space: HyperSpace, rng: np.random.Generator) -> list[Candidate]:
    """Up to `n` candidates one morphism further, half of them with neighbouring hyper-parameters too.

    A candidate is never more than two morphisms away from a trained network: the surrogate knows nothing of what lies
    further, and every network grown in between could have been seen.
    """
    grown: list[Candidate] = []
    if len(candidate.morphisms) >= LONGEST_CHAIN:
        return grown
    for morphism in mutations(candidate.graph, rng, n, limits=LIMITS):
        graph, _ = morphism.apply(candidate.graph, None, rng)
        hyper = candidate.hyper if rng.random() < SAME_HYPER else space.neighbour(candidate.hyper, rng)
        morphisms = (*candidate.morphisms, morphism)
        grown.append(Candidate(graph, space.canonical(hyper, graph), candidate.father, morphisms))
    return grown


def mutated_incumbents(
    incumbents: Sequence[TrialResult], n: int, space: HyperSpace, rng: np.random.Generator
) -> list[Candidate]:
    """For each incumbent up to `n` morphisms, and `n` hyper-parameter neighbours of its own graph."""
    found = []
    for trial in incumbents:
        own = of_trial(trial)
        found += children(own, n, space, rng)
        hypers = [space.canonical(space.neighbour(own.hyper, rng), own.graph) for _ in range(n)]
        found += [replace(own, hyper=hyper) for hyper in dict.fromkeys(hypers) if hyper != own.hyper]
    return found


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

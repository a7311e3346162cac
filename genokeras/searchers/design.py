"""What a search tries before it has learnt anything: the fathers, spread over views and hyper-parameters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Morphism
from genokeras.graph.templates import get_father
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.values import (
    History,
    Proposal,
    proposal_fingerprint,
    unused_hyper_parameters,
)

# Weight decays of a linear model that are tried before any network.
_MIDDLE_DECAYS = 3


@dataclass(frozen=True)
class StartGraph:
    """A graph that a search starts from, and its name."""

    name: str
    graph: Graph


@dataclass(frozen=True)
class GraphPack:
    """One graph with several hyper-parameters of one activation and view: trained in one run."""

    graph: Graph
    hypers: tuple[HyperParameters, ...]
    father: int | None = None
    morphisms: tuple[Morphism, ...] = ()
    origin: str = ""

    def proposals(self, tried: set[str], n: int, rng: np.random.Generator) -> list[Proposal]:
        """Up to `n` proposals that were not tried, sharing one seed; their fingerprints join `tried`."""
        seed = int(rng.integers(2**31 - 1))
        chosen: list[Proposal] = []
        for hyper in self.hypers:
            if len(chosen) == n:
                break
            fingerprint = proposal_fingerprint(self.graph, hyper)
            if fingerprint not in tried:
                tried.add(fingerprint)
                chosen.append(Proposal(self.graph, hyper, self.father, self.morphisms, seed, self.origin))
        return chosen


def resolve_fathers(fathers: Sequence[str | Graph], n_outputs: int) -> tuple[StartGraph, ...]:
    """Fathers by name, or graphs as they are (named ``graph_0``, ...).

    Raises
    ------
    ParameterError
        If there are none, a name is unknown, or a graph has another number of outputs.
    """
    if isinstance(fathers, str) or not fathers:
        raise ParameterError(f"fathers must be a sequence of at least one name or graph, got {fathers!r}.")
    found = []
    for position, father in enumerate(fathers):
        if isinstance(father, Graph):
            found.append(StartGraph(f"graph_{position}", father))
        else:
            found.append(StartGraph(father, get_father(father, n_outputs)))
        if found[-1].graph.n_outputs != n_outputs:
            raise ParameterError(
                f"father {found[-1].name!r} has {found[-1].graph.n_outputs} outputs, expected {n_outputs}."
            )
    return tuple(found)


def father_of(history: History, id: int, fathers: Sequence[StartGraph]) -> int:
    """Position of the father that a trial descends from; 0 where it is none of these."""
    origin = history.lineage(id)[-1].proposal.graph.fingerprint()
    prints = [father.graph.fingerprint() for father in fathers]
    return prints.index(origin) if origin in prints else 0


def check_inherit(inherit: bool) -> bool:
    """``inherit`` as it is, or ParameterError."""
    if not isinstance(inherit, bool):
        raise ParameterError(f"inherit must be True or False: got {inherit!r}.")
    return inherit


def initial_packs(fathers: Iterable[StartGraph], space: HyperSpace, variants: int) -> list[GraphPack]:
    """The initial design, the same every time.

    A linear father (one without activation) goes through the three middle weight decays on every view, at the two largest learning
    rates in turn: its loss is convex and stays stable with them. Its other weight decays come last. Any other father gets a pack for
    every activation, whose `variants` are spread over views, learning rates, dropout and weight decay so that each value of each comes
    up. Many different networks are what an ensemble lives on, and those of one pack train in one run.
    """
    packs: list[GraphPack] = []
    last: list[GraphPack] = []
    for father in fathers:
        origin = f"father:{father.name}"
        if "activation" in unused_hyper_parameters(father.graph):
            rates = sorted(space.learning_rate)[-2:]
            first = HyperParameters(rates[-1], dropout=space.dropout[0], activation=space.activation[0])
            hypers = [
                replace(first, learning_rate=rates[(i + j + 1) % len(rates)], weight_decay=decay, view=view)
                for i, decay in enumerate(_middle_out(space.weight_decay))
                for j, view in enumerate(space.views)
            ]
            n_middle = _MIDDLE_DECAYS * len(space.views)
            packs.append(GraphPack(father.graph, tuple(hypers[:n_middle]), origin=origin))
            last.append(GraphPack(father.graph, tuple(hypers[n_middle:]), origin=origin))
            continue
        for k, activation in enumerate(space.activation):
            hypers = [_spread(space, activation, k, j) for j in range(variants)]
            packs.append(GraphPack(father.graph, tuple(dict.fromkeys(hypers)), origin=origin))
    return packs + last


def _spread(space: HyperSpace, activation: str, k: int, j: int) -> HyperParameters:
    """Variant `j` of pack `k`: each value of each name in turn, middle ones first, shifted so that no two move in step."""

    def pick(values: Sequence[float], position: int) -> float:
        return _middle_out(values)[position % len(values)]

    turn = j // len(space.views)
    return HyperParameters(
        learning_rate=pick(space.learning_rate, j + turn + k),
        weight_decay=pick(space.weight_decay, j + 2 * turn + k),
        dropout=pick(space.dropout, j + turn + 2 * k),
        activation=activation,
        view=space.views[j % len(space.views)],
    )


def _middle_out(values: Sequence[float]) -> list[float]:
    middle = (len(values) - 1) / 2
    # Of two values equally far from the middle, the larger first.
    order = sorted(range(len(values)), key=lambda i: (abs(i - middle), -i))
    return [values[i] for i in order]

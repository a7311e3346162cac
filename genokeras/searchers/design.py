"""What a search tries before it has learnt anything: the fathers, spread over views and hyper-parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Morphism
from genokeras.graph.templates import get_father
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.values import Proposal, proposal_fingerprint, unused_hyper_parameters

# Linear models and networks of the initial design, or a few more with many views.
_LINEAR, _NETWORKS, _MOST_NETWORKS = 8, 12, 24
# The fathers take turns of this many proposals, so that the first few have some of each.
_TURN = 4


@dataclass(frozen=True)
class StartGraph:
    """A graph that a search starts from, and its name."""

    name: str
    graph: Graph


@dataclass(frozen=True)
class GraphPack:
    """One graph with several hyper-parameters, and how it grew from a finished trial."""

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


def check_inherit(inherit: bool) -> bool:
    """``inherit`` as it is, or ParameterError."""
    if not isinstance(inherit, bool):
        raise ParameterError(f"inherit must be True or False: got {inherit!r}.")
    return inherit


def initial_packs(fathers: Sequence[StartGraph], space: HyperSpace) -> list[GraphPack]:
    """The initial design, the same every time: 38 proposals with 14 views, 30 with ten, 14 with one; fathers take turns.

    A linear father (one without activation) is tried on every view with the middle weight decay, with few views with the two in
    the middle, at the two largest learning rates in turn: its loss is convex and stays stable with them. What it does not read has the
    middle value. The other fathers share 12 to 24 proposals, spread over views, activations, learning rates, dropout and weight decay so
    that each value of each comes up.
    """
    packs = []
    is_linear = ["activation" in unused_hyper_parameters(father.graph) for father in fathers]
    networks = min(max(_NETWORKS, 2 * len(space.views)), _MOST_NETWORKS)
    each = max(len(space.activation), networks // max(1, is_linear.count(False)))
    for father, alone in zip(fathers, is_linear, strict=True):
        hypers = _linear_ones(space) if alone else [_spread(space, j) for j in range(each)]
        hypers = [hyper for hyper in hypers if space.fits(hyper, father.graph)]
        packs.append(GraphPack(father.graph, tuple(dict.fromkeys(hypers)), origin=f"father:{father.name}"))
    first: list[GraphPack] = []
    if space.linear_decays:
        first = [pack for pack, alone in zip(packs, is_linear, strict=True) if alone]
        packs = [pack for pack, alone in zip(packs, is_linear, strict=True) if not alone]
    turns = -(-max((len(pack.hypers) for pack in packs), default=0) // _TURN)
    parts = (
        replace(pack, hypers=pack.hypers[k * _TURN : (k + 1) * _TURN]) for k in range(turns) for pack in packs
    )
    return [part for part in (*first, *parts) if part.hypers]


def _linear_ones(space: HyperSpace) -> list[HyperParameters]:
    solved = "learning_rate" in space.linear_unread
    rates = (space.middle("learning_rate"),) if solved else space.learning_rate[-2:]
    first = HyperParameters(rates[-1], dropout=space.dropout[0], activation=space.activation[0])
    n_decays = space.linear_decays or min(max(1, _LINEAR // len(space.views)), 2)
    if "weight_decay" in space.linear_unread:
        n_decays = 1
    return [
        replace(first, learning_rate=rates[(i + j + 1) % len(rates)], weight_decay=decay, view=view)
        for i, decay in enumerate(_middle_out(space.weight_decay)[:n_decays])
        for j, view in enumerate(space.views)
    ]


def _spread(space: HyperSpace, j: int) -> HyperParameters:
    """Variant `j`: each value of each name in turn, middle ones first, shifted so that no two move in step.

    Each view is seen first at one of the two learning rates in the middle: at the outer ones what a network makes of a view says
    more about the rate.
    """

    def pick(values: Sequence[float], position: int) -> float:
        return _middle_out(values)[position % len(values)]

    turn, place = divmod(j, len(space.views))
    rates = _middle_out(space.learning_rate)
    if turn == 0 and len(space.views) > 1:
        rates = rates[:2]
    return HyperParameters(
        learning_rate=rates[(j + j // 4) % len(rates)],
        weight_decay=pick(space.weight_decay, j + 2 * turn),
        dropout=pick(space.dropout, j + 2 * (j // 3)),
        activation=space.activation[(place + turn) % len(space.activation)],
        view=space.views[place],
    )


def _middle_out(values: Sequence[float]) -> list[float]:
    middle = (len(values) - 1) / 2
    # Of two values equally far from the middle, the larger first.
    order = sorted(range(len(values)), key=lambda i: (abs(i - middle), -i))
    return [values[i] for i in order]

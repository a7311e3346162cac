"""How much of a search was grown: which trials came up by morphism, and how much of what is delivered they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from genokeras.searchers import History, Proposal
from genokeras.searchers.shares import BAYESIAN, REPLICATE
from genokeras.support.wording import counted

DESIGN, SETTINGS, LONGER, FRESH = "design", "settings", "longer", "fresh"
_FATHER, _VARIED, _HALVING = "father", "varied", "halving"


@dataclass(frozen=True)
class Growth:
    """What a search spent its trials on.

    Attributes
    ----------
    trials : int
        All, failed ones included.
    grown : int
        Trials of networks that morphism brought up: children, their other settings, their replicates.
    children : int
        Those of them that a morphism made, each counted once.
    chosen : int
        Children that the surrogate chose.
    networks : int
        Different graphs.
    depth : int
        Generations of morphisms in the longest lineage.
    share : float
        Weight of grown networks in what is delivered, 0 to 1.
    """

    trials: int
    grown: int
    children: int
    chosen: int
    networks: int
    depth: int
    share: float

    def sentence(self) -> str:
        """The numbers in words."""
        networks = counted(self.networks, "different network")
        if not self.grown:
            return f"None of the {counted(self.trials, 'trial')} was grown by morphism; they hold {networks}."
        others = self.grown - self.children
        parts = [f"{self.children} new by morphism ({self.chosen} of these chosen by the surrogate)"]
        parts += [f"{others} with other settings or replicated"] if others else []
        return (
            f"Of {counted(self.trials, 'trial')} {self.grown} are of grown networks: {', '.join(parts)}. There are {networks} and "
            f"lineages up to {counted(self.depth, 'generation')} deep; grown networks hold {self.share:.0%} of what is delivered."
        )


def growth_of(history: History, shares: Mapping[int, float]) -> Growth:
    """Sum up a search.

    Parameters
    ----------
    history : History
    shares : mapping of int to float
        Weights in what is delivered, by trial id.
    """
    depths = generations(history)
    children = [t.proposal for t in history if t.proposal.morphisms and t.proposal.origin != REPLICATE]
    total = sum(shares.values())
    return Growth(
        trials=len(history),
        grown=sum(depth > 0 for depth in depths.values()),
        children=len(children),
        chosen=sum(proposal.origin == BAYESIAN for proposal in children),
        networks=len({trial.proposal.graph.fingerprint() for trial in history}),
        depth=max(depths.values(), default=0),
        share=sum(share for id, share in shares.items() if depths.get(id)) / total if total else 0.0,
    )


def generations(history: History) -> dict[int, int]:
    """Trial id to how often morphism made its network or an ancestor's; 0 for a network that was not grown."""
    return {
        trial.id: sum(bool(one.proposal.morphisms) for one in history.lineage(trial.id)) for trial in history
    }


def way_of(proposal: Proposal) -> str:
    """How a trial came up, in a word or by its morphisms.

    ``"design"``, ``"add_input+widen"``, ``"settings"`` (other hyper-parameters of its father's network), ``"replicate"`` (on
    another split into folds), ``"longer"`` (its father trained longer), ``"fresh"`` (a start with random settings), or what a
    custom searcher calls it.
    """
    origin = proposal.origin.partition(":")[0]
    if origin == REPLICATE:
        return REPLICATE
    if proposal.morphisms:
        return "+".join(morphism.name for morphism in proposal.morphisms)
    if proposal.father is not None:
        return LONGER if proposal.rung and origin == _HALVING else SETTINGS
    return {_FATHER: DESIGN, _VARIED: FRESH, "": FRESH}.get(origin, origin)

"""What passes between a search and the loop that runs it: proposals and results, as frozen values."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Morphism
from genokeras.graph.specs import Activation, Dropout
from genokeras.support.checks import check_choice
from genokeras.support.digest import hex_digest


@lru_cache(maxsize=4096)
def unused_hyper_parameters(graph: Graph) -> tuple[str, ...]:
    """Names of the hyper-parameters no layer of the graph reads: a linear model has no dropout to set."""
    specs = [layer.spec for layer in graph.layers]
    unused = []
    if not any(isinstance(spec, Activation) and spec.function is None for spec in specs):
        unused.append("activation")
    if not any(isinstance(spec, Dropout) and spec.rate is None for spec in specs):
        unused.append("dropout")
    return tuple(unused)


def proposal_fingerprint(graph: Graph, hyper: HyperParameters, rung: int = 0, split: int = 0) -> str:
    """Hex digest shared by proposals that train the same network the same way, seeds and inheritance aside.

    Graphs count as the same if isomorphic; hyper-parameters the graph does not read do not count. Other rungs and
    other splits of one network are other proposals.

    Parameters
    ----------
    graph : Graph
    hyper : HyperParameters
    rung, split : int, default=0
        As in `Proposal`.
    """
    values = hyper.to_dict()
    for name in unused_hyper_parameters(graph):
        del values[name]
    further = [rung, split] if split else [rung] if rung else []
    return hex_digest(json.dumps([graph.fingerprint(), values, *further], sort_keys=True))


@dataclass(frozen=True)
class Proposal:
    """One network to try.

    Parameters
    ----------
    graph : Graph
        The architecture, `morphisms` already applied.
    hyper : HyperParameters
    father : int or None
        Id of the trial it grew from.
    morphisms : tuple of Morphism
        What leads from the father's graph to `graph`, in order; empty where only hyper-parameters differ.
    seed : int
        Drives what is random about initial weights and morphisms.
    origin : str
        Which part of which strategy made it, such as ``"father:linear"``, ``"random"``, ``"hyper"`` or ``"bayesian"``.
    inherit : bool
        Whether the trainer replays the morphisms on the father's members and goes on from their weights; it starts
        fresh otherwise, and where the father read another view, whose columns mean something else.
    rung : int, default=0
        How often the network was sent on to train longer, in a search by successive halving.
    split : int, default=0
        Number of the split into folds that it is trained on; other splits of one network are its replicates.
    folds : int, default=0
        How many folds are trained at first; 0 is all of them.
    completes : int or None
        Id of the trial whose other folds are to be trained; it is the trial's own proposal otherwise, with 0 `folds`.
    """

    graph: Graph
    hyper: HyperParameters
    father: int | None = None
    morphisms: tuple[Morphism, ...] = ()
    seed: int = 0
    origin: str = ""
    inherit: bool = True
    rung: int = 0
    split: int = 0
    folds: int = 0
    completes: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "morphisms", tuple(self.morphisms))
        if self.morphisms and self.father is None:
            raise ParameterError(
                "a proposal with morphisms needs the father they start from, got father=None."
            )

    @property
    def views(self) -> tuple[str, ...]:
        """The views that the network reads, the one of its main Input first where it has that."""
        return tuple(dict.fromkeys(self.graph.views(self.hyper.view).values()))

    def fingerprint(self) -> str:
        """Hex digest of graph, hyper-parameters, rung and split; see `proposal_fingerprint`."""
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return proposal_fingerprint(self.graph, self.hyper, self.rung, self.split)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values."""
        values = {
            "graph": self.graph.to_dict(),
            "hyper": self.hyper.to_dict(),
            "father": self.father,
            "morphisms": [morphism.to_dict() for morphism in self.morphisms],
            "seed": self.seed,
            "origin": self.origin,
            "inherit": self.inherit,
        }
        optional = {"rung": self.rung, "split": self.split, "folds": self.folds}
        found = values | {name: value for name, value in optional.items() if value}
        return found if self.completes is None else found | {"completes": self.completes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Proposal:
        """Read what `to_dict` wrote; the graph and the hyper-parameters may have been read already.

        Raises
        ------
        ParameterError
            If an entry is missing.
        """
        require(data, "proposal", ("graph", "hyper", "father", "morphisms", "seed", "origin"))
        graph, hyper = data["graph"], data["hyper"]
        return cls(
            graph=graph if isinstance(graph, Graph) else Graph.from_dict(graph),
            hyper=hyper if isinstance(hyper, HyperParameters) else HyperParameters.from_dict(hyper),
            father=data["father"],
            morphisms=tuple(Morphism.from_dict(entry) for entry in data["morphisms"]),
            seed=data["seed"],
            origin=data["origin"],
            inherit=data.get("inherit", True),
            rung=data.get("rung", 0),
            split=data.get("split", 0),
            folds=data.get("folds", 0),
            completes=data.get("completes"),
        )


@dataclass(frozen=True)
class TrialResult:
    """What came back from training one proposal.

    Parameters
    ----------
    id : int
    proposal : Proposal
    status : {"ok", "failed", "running"}
    score : float
        Out-of-fold loss of the objective: lower is always better. Infinite for a failed trial.
    score_se : float
        Standard error of the score over the samples; nan where unknown.
    step : int
        Training step that was kept.
    seconds : float
    n_parameters : int
    error : str or None
        Traceback of a failed trial.
    gain : float
        How far the out-of-fold loss of the ensemble fell when the trial's job came back: the same for all trials of
        a job; nan where unknown.
    sharpness : float
        The power that its members' probabilities are raised to, so that they are as sure as they are right.
    folds : tuple of float
        The loss on each fold that was trained, where folds train one by one.
    missing : int
        Folds that were not trained yet; the score is that on the others.
    planned : int
        Steps that the learning rate was planned for, of which `step` is the one that was kept; 0 where unknown.
    """

    id: int
    proposal: Proposal
    status: Literal["ok", "failed", "running"]
    score: float
    score_se: float = math.nan
    step: int = 0
    seconds: float = 0.0
    n_parameters: int = 0
    error: str | None = None
    gain: float = math.nan
    sharpness: float = 1.0
    folds: tuple[float, ...] = ()
    missing: int = 0
    planned: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "folds", tuple(math.inf if math.isnan(x) else x for x in self.folds))
        check_choice(self.status, f"status of trial {self.id}", ("ok", "failed", "running"))
        if self.status == "ok" and not math.isfinite(self.score):
            raise ParameterError(
                f"trial {self.id} is 'ok' but its score is {self.score}: without a finite score it failed."
            )
        if math.isnan(self.score):
            object.__setattr__(self, "score", math.inf)
        for name in ("score_se", "gain"):
            if not math.isfinite(getattr(self, name)):
                # One object, so that values read back from JSON compare equal.
                object.__setattr__(self, name, math.nan)

    @classmethod
    def failure(cls, id: int, proposal: Proposal, error: str, seconds: float = 0.0) -> TrialResult:
        """The result of a trial that raised."""
        return cls(id, proposal, "failed", math.inf, seconds=seconds, error=error)

    @classmethod
    def running(cls, id: int, proposal: Proposal) -> TrialResult:
        """What stands for a trial that is being trained."""
        return cls(id, proposal, "running", math.inf)

    @property
    def begun(self) -> bool:
        """Whether it did not fail and some of its folds were not trained yet."""
        return self.status == "ok" and self.missing > 0

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; numbers that are not finite become null."""
        folds = [loss if math.isfinite(loss) else None for loss in self.folds]
        optional = {"folds": folds, "missing": self.missing, "planned": self.planned}
        return {
            "id": self.id,
            "proposal": self.proposal.to_dict(),
            "status": self.status,
            "score": self.score if math.isfinite(self.score) else None,
            "score_se": self.score_se if math.isfinite(self.score_se) else None,
            "step": self.step,
            "seconds": self.seconds,
            "n_parameters": self.n_parameters,
            "error": self.error,
            **({"gain": self.gain} if math.isfinite(self.gain) else {}),
            **({"sharpness": self.sharpness} if self.sharpness != 1.0 else {}),
            **{name: value for name, value in optional.items() if value},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> TrialResult:
        """Read what `to_dict` wrote.

        Raises
        ------
        ParameterError
            If an entry is missing or out of range.
        """
        names = ("status", "step", "seconds", "n_parameters", "error")
        require(data, "trial", ("id", "proposal", "score", "score_se", *names))
        return cls(
            id=data["id"],
            proposal=Proposal.from_dict(data["proposal"]),
            score=math.inf if data["score"] is None else data["score"],
            score_se=math.nan if data["score_se"] is None else data["score_se"],
            gain=data.get("gain", math.nan),
            sharpness=data.get("sharpness", 1.0),
            folds=tuple(math.inf if loss is None else loss for loss in data.get("folds", ())),
            missing=data.get("missing", 0),
            planned=data.get("planned", 0),
            **{name: data[name] for name in names},
        )


def require(data: Mapping[str, Any], what: str, names: Collection[str]) -> None:
    """ParameterError where an object lacks one of these entries."""
    if not all(map(data.__contains__, names)):
        missing = [name for name in names if name not in data]
        raise ParameterError(f"the {what} is incomplete: it lacks {', '.join(map(repr, missing))}.")

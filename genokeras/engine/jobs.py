"""What crosses the executor's seam: a job to train, outcomes that came back; values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from genokeras.graph import Graph, Weights
from genokeras.networks import ShapeClass
from genokeras.searchers import Proposal, TrialResult

_T = TypeVar("_T")
# The error of a trial that nothing is wrong with.
NO_TIME = "the time was over before this network was trained"


@dataclass(frozen=True)
class Father:
    """The trained trial that a proposal grows from.

    Attributes
    ----------
    graph : Graph
        The father's own, before the proposal's morphisms.
    weights : Weights
        Its fold members.
    """

    graph: Graph
    weights: Weights


@dataclass(frozen=True)
class Begun:
    """A trial with some of its folds, whose other folds are to be trained.

    Attributes
    ----------
    result : TrialResult
    weights : Weights
        Of the folds that it has.
    curve : numpy.ndarray
        As in `Outcome`.
    """

    result: TrialResult
    weights: Weights
    curve: np.ndarray

    @property
    def folds(self) -> int:
        """Number of the folds that it has."""
        return len(self.result.folds)


@dataclass(frozen=True)
class Job:
    """Proposals that train packed, in one compiled run.

    Attributes
    ----------
    ids : tuple of int
        Trial ids, one for each proposal.
    proposals : tuple of Proposal
        Where there is a shape class, of graphs that it holds; else of one graph, activation and input width.
    fathers : tuple of (Father or None)
        For each proposal, where weights are inherited from; None starts fresh.
    shape : ShapeClass or None
        Of the program that trains them; None is a program of the graph's own.
    note : str
        What the journal says of it.
    begun : tuple of (Begun or None)
        For each proposal, the trial that it completes; None is a new trial.
    """

    ids: tuple[int, ...]
    proposals: tuple[Proposal, ...]
    fathers: tuple[Father | None, ...] = ()
    shape: ShapeClass | None = None
    note: str = ""
    begun: tuple[Begun | None, ...] = ()

    def __post_init__(self) -> None:
        for name in ("fathers", "begun"):
            if not getattr(self, name):
                object.__setattr__(self, name, (None,) * len(self.ids))

    def part(self, places: Sequence[int]) -> Job:
        """The job of the trials at these places."""

        def chosen(values: Sequence[_T]) -> tuple[_T, ...]:
            return tuple(values[place] for place in places)

        return replace(
            self,
            ids=chosen(self.ids),
            proposals=chosen(self.proposals),
            fathers=chosen(self.fathers),
            begun=chosen(self.begun),
        )


@dataclass(frozen=True)
class Outcome:
    """A finished trial.

    Attributes
    ----------
    result : TrialResult
    weights : Weights
        Its fold members at the step that was kept; empty for a failed trial.
    answers : numpy.ndarray
        ``(n_samples, n_outputs)`` out of fold; NaN for rows that no fold holds out, empty for a failed trial.
    curve : numpy.ndarray
        ``(scorings, 3)``: step, training loss, held-out loss; where folds were trained later, of the first ones.
    """

    result: TrialResult
    weights: Weights = field(default_factory=dict)
    answers: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype="float32"))
    curve: np.ndarray = field(default_factory=lambda: np.empty((0, 3), dtype="float32"))


def weights_to_arrays(weights: Weights) -> dict[str, np.ndarray]:
    """Flat names for an npz file: ``"3.kernel"``."""
    return {f"{layer}.{name}": array for layer, names in weights.items() for name, array in names.items()}


def weights_from_arrays(arrays: Mapping[str, np.ndarray]) -> Weights:
    """The inverse of :func:`weights_to_arrays`."""
    weights: Weights = {}
    for key, array in arrays.items():
        layer, name = key.split(".")
        weights.setdefault(int(layer), {})[name] = array
    return weights

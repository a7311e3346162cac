"""What crosses the executor's seam: a job to train, outcomes that came back; values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from genokeras.graph import Graph, Weights
from genokeras.searchers import Proposal, TrialResult


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
class Job:
    """Proposals of one graph that train packed, in one compiled run.

    Attributes
    ----------
    ids : tuple of int
        Trial ids, one for each proposal.
    proposals : tuple of Proposal
        They share graph, father, morphisms, seed, activation and input width; with a father, also the view.
    father : Father or None
        Where weights are inherited; None starts fresh.
    """

    ids: tuple[int, ...]
    proposals: tuple[Proposal, ...]
    father: Father | None = None


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
        ``(scorings, 3)``: step, training loss, held-out loss.
    """

    result: TrialResult
    weights: Weights = field(default_factory=dict)
    answers: np.ndarray = field(default_factory=lambda: np.empty((0, 0), dtype="float32"))
    curve: np.ndarray = field(default_factory=lambda: np.empty((0, 3), dtype="float32"))


def pack(
    proposals: Iterable[Proposal], first_id: int, most: int, widths: Mapping[str, int] | None = None
) -> list[Job]:
    """Group proposals that can train together into jobs, numbering the trials in the order given.

    Parameters
    ----------
    proposals : iterable of Proposal
    first_id : int
        Id of the first trial.
    most : int
        Trials in a job at most.
    widths : mapping, optional
        Input width of each view; fresh networks of equal width train together.
    """
    groups: dict[object, list[tuple[int, Proposal]]] = {}
    for trial_id, proposal in enumerate(proposals, start=first_id):
        hyper = proposal.hyper
        # Inherited weights belong to one view; fresh ones to any of that width.
        inherits = proposal.father is not None and proposal.inherit
        view = hyper.view if inherits or widths is None else widths.get(hyper.view)
        key = (proposal.graph, proposal.father, proposal.morphisms, proposal.seed, hyper.activation, view)
        groups.setdefault(key, []).append((trial_id, proposal))
    jobs = []
    for group in groups.values():
        for start in range(0, len(group), most):
            ids, members = zip(*group[start : start + most], strict=True)
            jobs.append(Job(tuple(ids), tuple(members)))
    return jobs


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

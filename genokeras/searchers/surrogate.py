"""What the Gaussian process sees of trials: graph features, hyper-parameters and tamed scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from genokeras.graph.distance import descriptor
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Morphism
from genokeras.searchers.acquisition import (
    lower_confidence_bound,
    negative_log_expected_improvement,
)
from genokeras.searchers.gp import GaussianProcess
from genokeras.searchers.space import HyperSpace
from genokeras.searchers.values import History, TrialResult

Array = NDArray[np.float64]

MOST_OBSERVATIONS = 200
ACQUISITIONS = ("lower_confidence_bound", "expected_improvement")


@dataclass(frozen=True)
class Candidate:
    """A network that could be proposed: a graph, how it grew from a finished trial, and hyper-parameters."""

    graph: Graph
    hyper: HyperParameters
    father: int | None
    morphisms: tuple[Morphism, ...] = ()


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A Gaussian process over networks, and an acquisition function; `believe` makes a new one.

    Attributes
    ----------
    process : GaussianProcess
    best : float
        Lowest mean at what was observed: unlike the lowest score, it does not reward a lucky draw of the
        noise.
    space : HyperSpace
    labels : dict of str to int
        Column of each graph feature that an observed graph has.
    acquisition : {"lower_confidence_bound", "expected_improvement"}
    """

    process: GaussianProcess
    best: float
    space: HyperSpace
    labels: dict[str, int]
    acquisition: str = ACQUISITIONS[0]

    @classmethod
    def fit(cls, history: History, space: HyperSpace, acquisition: str = ACQUISITIONS[0]) -> Surrogate:
        """Fit to a history with at least one trial that did not fail.

        The standard error of a score over the samples is no noise here: all trials are scored on the same
        samples, so most of it is common to them, and the noise that is not is fitted.
        """
        trials = observed(history)
        graphs = [trial.proposal.graph for trial in trials]
        labels: dict[str, int] = {}
        for graph in graphs:
            for label in descriptor(graph):
                labels.setdefault(label, len(labels))
        hypers = [trial.proposal.hyper for trial in trials]
        inputs = _inputs(graphs, hypers, space, labels)
        process = GaussianProcess.fit(inputs, tame([trial.score for trial in trials]))
        best = float(process.predict(inputs)[0].min())
        return cls(process, best, space, labels, acquisition)

    def inputs(self, candidates: Sequence[Candidate]) -> tuple[Array, ...]:
        """Blocks of coordinates of candidates."""
        graphs, hypers = [c.graph for c in candidates], [c.hyper for c in candidates]
        return _inputs(graphs, hypers, self.space, self.labels)

    def predict(self, candidates: Sequence[Candidate]) -> tuple[Array, Array]:
        """Mean and standard deviation of the candidates' scores."""
        return self.process.predict(self.inputs(candidates))

    def acquire(self, candidates: Sequence[Candidate]) -> Array:
        """Acquisition values; lower is more promising, and a difference of 1 matters for either function."""
        mean, std = self.predict(candidates)
        if self.acquisition == "lower_confidence_bound":
            return lower_confidence_bound(mean, std) / self.process.scale
        return negative_log_expected_improvement(mean, std, self.best)

    def believe(self, candidate: Candidate) -> Surrogate:
        """The surrogate as if the candidate had come back with its predicted score."""
        process = self.process.believe(self.inputs([candidate]))
        best = min(self.best, float(self.predict([candidate])[0][0]))
        return replace(self, process=process, best=best)


def observed(history: History) -> list[TrialResult]:
    """The trials to learn from, failed ones included: at most 200, half the best and half the newest."""
    trials = list(history.trials)
    if len(trials) <= MOST_OBSERVATIONS:
        return trials
    half = MOST_OBSERVATIONS // 2
    best = {trial.id for trial in history.ranked()[:half]}
    newest = [trial.id for trial in reversed(trials) if trial.id not in best][: MOST_OBSERVATIONS - len(best)]
    kept = best | set(newest)
    return [trial for trial in trials if trial.id in kept]


def tame(scores: Sequence[float]) -> Array:
    """Pull far-off scores in to an upper fence, and put failures there: they say "bad", not how bad.

    One diverged network with a loss of 50 would otherwise make all others look equal. The fence stands as far
    above the median as three times the distance of the best from it.
    """
    values = np.asarray(scores, dtype=np.float64)
    finite = values[np.isfinite(values)]
    median = float(np.median(finite))
    reach = 3 * (median - float(finite.min()))
    fence = min(float(finite.max()), median + reach) if reach > 0 else float(finite.max())
    return np.where(np.isfinite(values), np.minimum(values, fence), fence)


def _inputs(
    graphs: Sequence[Graph], hypers: Sequence[HyperParameters], space: HyperSpace, labels: dict[str, int]
) -> tuple[Array, ...]:
    """Blocks of coordinates; the graphs' is Euclidean in their descriptors.

    Features that no observed graph has are folded into one last column, their joint length: distances to
    observed graphs stay exact, without a column for every new feature.
    """
    points = np.zeros((len(graphs), len(labels) + 1))
    for row, graph in enumerate(graphs):
        unseen = 0.0
        for label, value in descriptor(graph).items():
            if label in labels:
                points[row, labels[label]] = value
            else:
                unseen += value**2
        points[row, -1] = np.sqrt(unseen)
    canonical = [space.canonical(hyper, graph) for hyper, graph in zip(hypers, graphs, strict=True)]
    return (points, *space.blocks(canonical))

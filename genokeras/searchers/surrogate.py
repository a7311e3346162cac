"""What the Gaussian process sees of trials: graph features, hyper-parameters and tamed scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from genokeras.graph.distance import descriptor
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.morphisms import Morphism
from genokeras.graph.node_form import node_form
from genokeras.searchers.acquisition import (
    lower_confidence_bound,
    negative_log_expected_improvement,
)
from genokeras.searchers.gp import GaussianProcess, KernelParameters
from genokeras.searchers.history import History
from genokeras.searchers.space import USUAL_INPUT, HyperSpace
from genokeras.searchers.values import TrialResult

Array = NDArray[np.float64]
Networks = tuple[tuple[Graph, HyperParameters], ...]

MOST_OBSERVATIONS = 200
# Of these at most so many are the best trials with their replicates, and the newest.
_BEST, _REPLICATES, _NEWEST = 60, 30, 50
# What a network of twice the parameters must promise more, in acquisition values.
PRICE = 0.15
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
    """A Gaussian process over networks, and an acquisition function.

    Attributes
    ----------
    process : GaussianProcess
    trials : tuple of TrialResult
        What was observed, failed ones and those that are still running included.
    means : ndarray of shape (n_trials,)
        Posterior means at what was observed: they average replicates, and do not reward a lucky draw of the noise as
        scores do.
    space : HyperSpace
    labels : dict of str to int
        Column of each graph feature that an observed graph has.
    acquisition : {"lower_confidence_bound", "expected_improvement"}
    """

    process: GaussianProcess
    trials: tuple[TrialResult, ...]
    means: Array
    space: HyperSpace
    labels: dict[str, int]
    acquisition: str = ACQUISITIONS[0]

    @classmethod
    def fit(cls, history: History, space: HyperSpace, acquisition: str = ACQUISITIONS[0]) -> Surrogate:
        """Fit to a history with at least one trial that did not fail.

        The standard error of a score over the samples is no noise here: all trials are scored on the same
        samples, so most of it is common to them, and the noise that is not is fitted. Kernel parameters are fitted to the
        history's first trials, up to a number that rises in steps: most asks find them in the cache.

        Trials that are still running count as if they had come back as predicted: the kriging believer (Ginsbourger, Le Riche
        and Carraro 2010, "Kriging is well-suited to parallelize optimization", section 4.2.2).
        """
        trials = observed(history)
        networks, scores = _networks(trials)
        labels = _labels(networks)
        inputs = _inputs(networks, space, labels)
        finished = History(tuple(trial for trial in history if trial.status != "running"))
        parameters = _kernel(*_networks(observed(_settled(finished))), space)
        process = _believer(inputs, scores, [trial.status == "running" for trial in trials], parameters)
        means = process.predict(inputs)[0]
        return cls(process, tuple(trials), means, space, labels, acquisition)

    @property
    def best(self) -> float:
        """Lowest posterior mean at what was observed."""
        return float(self.means.min())

    def ranked(self) -> list[TrialResult]:
        """The observed trials that did not fail, those of the lowest posterior mean first."""
        order = sorted(range(len(self.trials)), key=lambda i: (self.means[i], self.trials[i].id))
        return [self.trials[i] for i in order if self.trials[i].status == "ok"]

    def inputs(self, candidates: Sequence[Candidate]) -> tuple[Array, ...]:
        """Blocks of coordinates of candidates."""
        return _inputs([(c.graph, c.hyper) for c in candidates], self.space, self.labels)

    def predict(self, candidates: Sequence[Candidate]) -> tuple[Array, Array]:
        """Mean and standard deviation of the candidates' scores."""
        return self.process.predict(self.inputs(candidates))

    def acquire(self, candidates: Sequence[Candidate]) -> Array:
        """Acquisition values; lower is more promising, and a difference of 1 matters for either function."""
        return self.values(*self.predict(candidates), self.best)

    def values(self, mean: Array, std: Array, best: float) -> Array:
        """Acquisition values of predictions, where `best` is the lowest mean so far."""
        if self.acquisition == "lower_confidence_bound":
            return lower_confidence_bound(mean, std) / self.process.scale
        return negative_log_expected_improvement(mean, std, best)


class Pool:
    """Candidates to choose from one by one, each believed to come back as predicted before the next is chosen.

    A network of twice the size takes twice the time, in which two others could be tried: it must promise more. Means stay as they are then, and uncertainty falls around what was chosen: the kriging believer.

    Parameters
    ----------
    surrogate : Surrogate
    candidates : sequence of Candidate

    Attributes
    ----------
    open : ndarray of bool
        What may still be chosen.
    mean, covariance : ndarray
        Of the candidates' scores, as believed so far.
    """

    def __init__(self, surrogate: Surrogate, candidates: Sequence[Candidate]) -> None:
        self.candidates = tuple(candidates)
        self.open = np.ones(len(self.candidates), dtype=bool)
        self._surrogate = surrogate
        self._best = surrogate.best
        space = surrogate.space
        sizes = [padded_size(c.graph, space.input_units(c.graph, c.hyper)) for c in self.candidates]
        self._price = PRICE * np.log2(np.array(sizes, dtype=np.float64))
        if self.candidates:
            self.mean, self.covariance = surrogate.process.joint(surrogate.inputs(self.candidates))

    def most_promising(self, preferred: NDArray[np.bool_] | None = None) -> int | None:
        """Position of the open candidate of the lowest acquisition value, a preferred one if any is open; or None."""
        where = np.flatnonzero(self.open if preferred is None else self.open & preferred)
        if not len(where):
            where = np.flatnonzero(self.open)
        if not len(where):
            return None
        variance = np.diagonal(self.covariance)[where]
        std = np.sqrt(np.maximum(variance, 1e-12 * self._surrogate.process.scale**2))
        values = self._surrogate.values(self.mean[where], std, self._best) + self._price[where]
        return int(where[int(values.argmin())])

    def take(self, position: int) -> Candidate:
        """Close a candidate and believe its predicted score."""
        self.open[position] = False
        column = self.covariance[:, position]
        noise = self._surrogate.process.noise_variance
        self.covariance = self.covariance - np.outer(column, column) / (column[position] + noise)
        self._best = min(self._best, float(self.mean[position]))
        return self.candidates[position]


def posterior_means(history: History, space: HyperSpace) -> dict[int, tuple[float, float]]:
    """Mean and standard deviation of the noiseless score of every trial that did not fail, by its id.

    Trials of one network with the same hyper-parameters share theirs, so replicates are averaged; neighbours among
    graphs and hyper-parameters lend strength.
    """
    finished = history.ok()
    if not finished:
        return {}
    with threadpool_limits(1, user_api="blas"):
        surrogate = Surrogate.fit(History(finished), space)
        points = [(t.proposal.graph, space.canonical(t.proposal.hyper, t.proposal.graph)) for t in finished]
        networks = list(dict.fromkeys(points))
        mean, std = surrogate.process.predict(_inputs(networks, space, surrogate.labels))
    found = {network: (float(m), float(s)) for network, m, s in zip(networks, mean, std, strict=True)}
    return {trial.id: found[point] for trial, point in zip(finished, points, strict=True)}


def posterior_best(history: History, space: HyperSpace) -> tuple[TrialResult, float] | None:
    """The trial of the lowest posterior mean, with that mean; of replicates the one of the first split.

    None while no trial has a score. See `posterior_means`.
    """
    means = posterior_means(history, space)
    ranked = sorted(history.ok(), key=lambda trial: (means[trial.id][0], trial.proposal.split, trial.id))
    return (ranked[0], means[ranked[0].id][0]) if ranked else None


def padded_size(graph: Graph, units: int | None = None) -> int:
    """Numbers of weights that a graph costs in a program of its shape class.

    Parameters
    ----------
    graph : Graph
    units : int, optional
        Of all its Inputs together; 128 each by default.
    """
    each = USUAL_INPUT if units is None else -(-units // len(graph.inputs))
    form, units = node_form(graph), each * len(graph.inputs)
    hidden = graph.n_parameters(each) if form is None else form.padded_parameters(units)
    return hidden + units * graph.n_outputs


def observed(history: History) -> list[TrialResult]:
    """The trials to learn from, failed ones included: at most 200.

    These are the best ones with their replicates, the newest, and of the rest one in several: the best scores alone
    would be the lucky ones.
    """
    trials = history.trials
    if len(trials) <= MOST_OBSERVATIONS:
        return list(trials)
    best = history.ranked()[:_BEST]
    kept = {trial.id for trial in best}
    networks = {(trial.proposal.graph, trial.proposal.hyper) for trial in best}
    again = [t.id for t in trials if t.proposal.split and (t.proposal.graph, t.proposal.hyper) in networks]
    kept.update(again[-_REPLICATES:])
    kept.update(trial.id for trial in trials[-_NEWEST:])
    rest = [trial.id for trial in trials if trial.id not in kept]
    places = np.linspace(0, len(rest) - 1, min(len(rest), MOST_OBSERVATIONS - len(kept))).astype(int)
    kept.update(rest[place] for place in places)
    return [trial for trial in trials if trial.id in kept]


def _settled(history: History) -> History:
    """The first trials, up to a number that rises by an eighth to a quarter at a time; at least one has a score."""
    n = len(history)
    first = History(history.trials[: n - n % (1 << max(0, n.bit_length() - 3))])
    return first if first.ok() else history


@lru_cache(maxsize=16)
def _kernel(networks: Networks, scores: tuple[float, ...], space: HyperSpace) -> KernelParameters:
    inputs = _inputs(networks, space, _labels(networks))
    return GaussianProcess.fit(inputs, tame(scores)).parameters


def _believer(
    inputs: Sequence[Array], scores: Sequence[float], running: Sequence[bool], parameters: KernelParameters
) -> GaussianProcess:
    """A process that believes its own predictions of what is still running."""
    known, y = ~np.array(running), np.array(scores)
    y[known] = tame(y[known])
    process = GaussianProcess.fit([block[known] for block in inputs], y[known], parameters=parameters)
    if known.all():
        return process
    y[~known] = process.predict([block[~known] for block in inputs])[0]
    return GaussianProcess.fit(inputs, y, parameters=parameters)


def _networks(trials: Sequence[TrialResult]) -> tuple[Networks, tuple[float, ...]]:
    networks = tuple((trial.proposal.graph, trial.proposal.hyper) for trial in trials)
    return networks, tuple(trial.score for trial in trials)


def _labels(networks: Iterable[tuple[Graph, HyperParameters]]) -> dict[str, int]:
    labels: dict[str, int] = {}
    for graph in dict.fromkeys(graph for graph, _ in networks):
        for label in descriptor(graph):
            labels.setdefault(label, len(labels))
    return labels


def tame(scores: Sequence[float] | Array) -> Array:
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
    networks: Sequence[tuple[Graph, HyperParameters]], space: HyperSpace, labels: dict[str, int]
) -> tuple[Array, ...]:
    """Blocks of coordinates; the graphs' is Euclidean in their descriptors.

    Features that no observed graph has are folded into one last column, their joint length: distances to
    observed graphs stay exact, without a column for every new feature.
    """
    rows = {graph: i for i, graph in enumerate(dict.fromkeys(graph for graph, _ in networks))}
    points = np.zeros((len(rows), len(labels) + 1))
    for graph, row in rows.items():
        unseen = 0.0
        for label, value in descriptor(graph).items():
            if label in labels:
                points[row, labels[label]] = value
            else:
                unseen += value**2
        points[row, -1] = np.sqrt(unseen)
    canonical = [space.canonical(hyper, graph) for graph, hyper in networks]
    return (points[[rows[graph] for graph, _ in networks]], *space.blocks(canonical))

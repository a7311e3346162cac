"""What delivering takes, predicted from the trials: a search ends in time for it, and delivers what there is time for.

A delivered model is built and written layer by layer, which takes far longer than copying its weights; the estimate takes time by the
row. The constants are seconds of one core of the machine they were measured on (``genokeras.engine.pace``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from genokeras.encoders import TableEncoder
from genokeras.engine.budget import Deadline
from genokeras.engine.outcomes import input_units
from genokeras.engine.problem import Problem, ScoredRows
from genokeras.searchers import FEWEST_RESAMPLES, LARGEST_ENSEMBLE, Proposal, TrialResult
from genokeras.searchers.stacking import MOST_LOGARITHMS, MOST_ROWS

_FIXED, _OF_LAYER, _OF_BYTE, _OF_TRIAL = 0.35, 0.009, 2.4e-8, 0.001
# Of a row in a resample, and of a resample: the fewest are always drawn. And of a logarithm that weights are learnt from.
_OF_ROW, _OF_RESAMPLE = 1.5e-6, 0.002
_OF_LOGARITHM = 1e-7
# Layers for a view in a fold: a rotation that trials share; without a shared basis also that, and the choice of its features.
_SHARED_VIEW, _OWN_VIEW = 0.5, 1.5
# A network by mini-batches is built once and called once more, for each member; and what joins them.
_CALLED_AGAIN, _JOINS = 1.5, 3
_NUMBER = np.dtype("float32").itemsize
# Predicted seconds may be missed by this factor.
MARGIN = 1.3
_LEAST_ESTIMATE = 0.5
# Of a model's weights: those of the trials, the layers', and those that are written.
_COPIES = 4


@final
class Bill:
    """Seconds that delivering takes, on the machine that costs were measured on.

    Parameters
    ----------
    problem : Problem
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._is_table = isinstance(problem.encoder, TableEncoder)
        self._layers = self._bytes = 0.0
        self._known: set[Any] = set()

    def add(self, proposal: Proposal) -> None:
        """Count a trial in."""
        problem, graph = self._problem, proposal.graph
        views = tuple(graph.views(proposal.hyper.view).values())
        if any(view not in problem.widths for view in views):
            return  # it reads what there is not, and fails
        self._bytes += _NUMBER * problem.n_folds * graph.n_parameters(input_units(problem, proposal))
        if self._is_table:
            self._add_packed(proposal, views)
        else:
            self._layers += problem.n_folds * (_CALLED_AGAIN * len(graph.layers) + _JOINS)

    def _add_packed(self, proposal: Proposal, views: tuple[str, ...]) -> None:
        graph, widths = proposal.graph, tuple(self._problem.widths[view] for view in views)
        if self._is_new((graph, proposal.hyper.activation, widths)):
            self._layers += len(graph.layers)
        encoder = self._problem.encoder
        assert isinstance(encoder, TableEncoder)
        for view in views:
            if not self._is_new((proposal.split, view)):
                continue
            shared = encoder.shared_space(view) is not None
            self._layers += self._problem.n_folds * (_SHARED_VIEW if shared else _OWN_VIEW)
            for space in encoder.spaces[view]:
                split = 0 if shared else proposal.split
                if space.basis is not None and self._is_new((split, id(space.basis))):
                    self._bytes += space.basis.nbytes

    def _is_new(self, key: Any) -> bool:
        new = key not in self._known
        self._known.add(key)
        return new

    @property
    def size(self) -> float:
        """Bytes of the weights of a model of the trials so far."""
        return self._bytes

    @property
    def seconds(self) -> float:
        """To build and write a model of the trials so far."""
        return _FIXED + _OF_LAYER * self._layers + _OF_BYTE * self._bytes


def estimate_seconds(rows: ScoredRows, n_trials: int) -> float:
    """Seconds to choose among trials and to estimate from the fewest resamples, on the machine that costs were measured on."""
    n, others = int(rows.scored.sum()), 0
    if rows.targets.dtype.kind in "iu" and rows.targets.ndim == 1:
        others = int(rows.targets.max(initial=0))
    logarithms = min(min(n, MOST_ROWS) * others * min(n_trials, LARGEST_ENSEMBLE), MOST_LOGARITHMS)
    of_resample = _OF_RESAMPLE + _OF_ROW * n + _OF_LOGARITHM * logarithms
    # Twice: of all trials, and of the linear ones.
    return _OF_TRIAL * n_trials + 2 * FEWEST_RESAMPLES * of_resample


@final
@dataclass(frozen=True, eq=False)
class DeliveryTime:
    """The time that is left for delivering, and what fits into it.

    Attributes
    ----------
    deadline : Deadline
    slowness : float
        See ``genokeras.engine.pace``.
    memory : float
        Bytes that building and writing a model may take.
    """

    deadline: Deadline
    slowness: float = 1.0
    memory: float = math.inf

    def members(self, problem: ScoredRows, trials: Sequence[TrialResult]) -> int:
        """How many of these trials, the first ones first, a model may have that is built and written in time and memory; at least one."""
        if not isinstance(problem, Problem):
            return len(trials)
        left = self.deadline.left - self.slowness * estimate_seconds(problem, len(trials))
        bill = Bill(problem)
        for number, trial in enumerate(trials):
            bill.add(trial.proposal)
            if self.slowness * bill.seconds > left or _COPIES * bill.size > self.memory:
                return max(1, number)
        return len(trials)

    def for_estimate(self, problem: ScoredRows, members: Sequence[TrialResult]) -> float:
        """Seconds that the estimate may take, if a model of these trials is built and written afterwards."""
        left = self.deadline.left
        if isinstance(problem, Problem):
            bill = Bill(problem)
            for trial in members:
                bill.add(trial.proposal)
            left -= MARGIN * self.slowness * bill.seconds
        return max(_LEAST_ESTIMATE, left)


def by_share(trials: Sequence[TrialResult], shares: np.ndarray) -> list[TrialResult]:
    """Trials of an ensemble, those that count most first."""
    order = np.argsort(-shares, kind="stable")
    return [trials[n] for n in order if shares[n] > 0]

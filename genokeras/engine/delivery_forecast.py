"""A search watched for what delivering its trials will take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, final

from genokeras.engine.budget import Budget
from genokeras.engine.delivery_time import MARGIN, Bill, estimate_seconds
from genokeras.engine.loop import Observer
from genokeras.engine.methods import method_of
from genokeras.engine.problem import Problem
from genokeras.searchers import History, Proposal

# Delivering takes a share of the limit at most: trials are left out beyond.
_MOST_OF_LIMIT = 0.4


@final
class DeliveryForecast(Observer):
    """Has a budget keep back what delivering the trials so far will take.

    Parameters
    ----------
    problem : Problem
    budget : Budget
    """

    def __init__(self, problem: Problem, budget: Budget) -> None:
        self._problem, self._budget = problem, budget
        self._bill = Bill(problem)
        self._n_trials = 0
        self._most = method_of(problem).largest_ensemble(problem)

    def trying(self, proposals: Sequence[Proposal], history: History) -> None:
        if self._budget.time_limit is None:
            return
        if self._n_trials == 0:
            self._add(trial.proposal for trial in history.ok())
        self._add(proposals)
        share = min(1.0, self._most / max(1, self._n_trials))
        seconds = self._bill.seconds * share + estimate_seconds(self._problem, self._n_trials)
        predicted = MARGIN * self._budget.slowness() * seconds
        self._budget.keep(min(predicted, _MOST_OF_LIMIT * self._budget.time_limit))

    def _add(self, proposals: Iterable[Proposal]) -> None:
        for proposal in proposals:
            self._n_trials += 1
            self._bill.add(proposal)

    def finished(self, outcomes: Sequence[Any], history: History) -> None:
        """What a trial costs is known before it is trained."""

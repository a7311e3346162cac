"""By how much each job makes the ensemble better: what a searcher shares out its asks by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np

from genokeras.engine.delivery import family_of, limits_of
from genokeras.engine.jobs import Outcome
from genokeras.engine.problem import ScoredRows
from genokeras.searchers import LARGEST_ENSEMBLE, TrialResult, combine, select_ensemble
from genokeras.tasks.objectives import Objective

# The ensemble is chosen from the best of these many trials, on these many rows: an estimate is enough, and must be quick.
_MOST_TRIALS, _MOST_ROWS = 150, 1000


@final
class EnsembleGains:
    """The out-of-fold loss of the ensemble of all trials so far, and how it changes.

    Parameters
    ----------
    rows : ScoredRows
    objective : Objective
    """

    def __init__(self, rows: ScoredRows, objective: Objective) -> None:
        scored = np.flatnonzero(rows.scored)
        part = np.linspace(0, len(scored) - 1, min(len(scored), _MOST_ROWS)).astype(int)
        self._rows = scored[part]
        self._targets = rows.targets[self._rows]
        self._weight = rows.sample_weight[self._rows]
        self._objective = objective
        self._limits = limits_of(len(self._rows), objective, LARGEST_ENSEMBLE, quick=True)
        self._trials: list[TrialResult] = []
        self._answers: list[np.ndarray] = []
        self._loss = np.nan

    def add(self, trials: Sequence[TrialResult], answers: Sequence[np.ndarray]) -> float:
        """Let trials that did not fail join; the loss of the ensemble before less that after, NaN for the first ones.

        Parameters
        ----------
        trials : sequence of TrialResult
        answers : sequence of numpy.ndarray
            ``(n_samples, n_outputs)`` each, out of fold.
        """
        if not trials:
            return 0.0
        self._trials += trials
        self._answers += [found[self._rows].astype("float64") for found in answers]
        order = sorted(range(len(self._trials)), key=lambda i: (self._trials[i].score, self._trials[i].id))
        self._trials = [self._trials[i] for i in order[:_MOST_TRIALS]]
        self._answers = [self._answers[i] for i in order[:_MOST_TRIALS]]
        before, self._loss = self._loss, self._ensemble_loss()
        return float(before - self._loss)

    def with_gain(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes of a job with what they gained together."""
        good = [outcome for outcome in outcomes if outcome.result.status == "ok"]
        gain = self.add([outcome.result for outcome in good], [outcome.answers for outcome in good])
        return [replace(outcome, result=replace(outcome.result, gain=gain)) for outcome in outcomes]

    def _ensemble_loss(self) -> float:
        p = np.stack(self._answers)
        shares = select_ensemble(
            p,
            self._targets,
            self._objective,
            sample_weight=self._weight,
            families=np.array([family_of(trial) for trial in self._trials]),
            **self._limits,
        )
        return self._objective.loss(combine(p, shares), self._targets, self._weight)

"""What a run's networks answer for changed training samples, each by the members that did not see it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from genokeras.encoders import TableEncoder
from genokeras.engine.delivery import ensemble_out_of_fold
from genokeras.engine.methods import row_trial
from genokeras.engine.run import Run
from genokeras.engine.store import TrialStore
from genokeras.graph import reference_forward
from genokeras.searchers import TrialResult

# Those with the largest shares speak for the ensemble.
_MOST_TRIALS = 20


class ChangedRows:
    """The delivered ensemble's fold members, on other values of the training samples.

    Parameters
    ----------
    run : Run
        Of a table.
    """

    def __init__(self, run: Run) -> None:
        shares = sorted(run.delivery.shares.items(), key=lambda one: -one[1])[:_MOST_TRIALS]
        total = sum(share for _, share in shares)
        self._run = run
        self._delivery = replace(run.delivery, shares={id: share / total for id, share in shares})
        self._trials = [run.history.get(id) for id, _ in shares]

    def values(self, x: np.ndarray, metrics: tuple[str, ...]) -> dict[str, float]:
        """Scores of the out-of-fold answers for raw rows ``x`` ``(n, n_features)`` in the place of the training samples."""
        problem = self._run.problem
        scored = problem.scored
        stack = np.stack([self._answers(trial, x)[scored] for trial in self._trials])
        return self._scores(self._delivery.answers(stack), metrics)

    def usual(self, metrics: tuple[str, ...]) -> dict[str, float]:
        """The same for the samples as they were, by the answers that the run has kept."""
        found = ensemble_out_of_fold(TrialStore(self._run.folder), self._run.rows, self._delivery)
        return self._scores(found.answers, metrics)

    def _scores(self, answers: np.ndarray, metrics: tuple[str, ...]) -> dict[str, float]:
        problem, task = self._run.problem, self._run.task
        scored = problem.scored
        targets, weight = problem.targets[scored], problem.sample_weight[scored]
        return {name: task.objective(name).value(answers, targets, weight) for name in metrics}

    def _answers(self, trial: TrialResult, x: np.ndarray) -> np.ndarray:
        """``(n, k)`` out of fold; NaN of rows that no fold holds out."""
        run, split = self._run, trial.proposal.split
        trained = row_trial(run.problem, run.network(trial))
        views = trial.proposal.graph.views(trial.proposal.hyper.view)
        problem = run.problem.of_split(split, views.values())
        assert isinstance(problem.encoder, TableEncoder)
        found = np.full((len(x), run.task.n_outputs), np.nan)
        for fold, held in enumerate(problem.held_out):
            rows = np.flatnonzero(held)
            if not len(rows):
                continue
            read = {}
            for i, width in trained.widths.items():
                z = trained.of_members(i)[fold].transform(x[rows])
                read[i] = np.pad(z, ((0, 0), (0, width - z.shape[1])))[None]
            weights = {
                layer: {name: array[fold : fold + 1] for name, array in named.items()}
                for layer, named in trained.weights.items()
            }
            outputs = reference_forward(trained.graph, weights, read, trained.activation)[0]
            found[rows] = run.task.answers_of(outputs)
        return found

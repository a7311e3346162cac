"""A fit taken apart: what each of its trials says of rows that it did not train on, without Keras."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_softmax, softmax

from benchmarks.quality.sets import BenchmarkSet
from genokeras import GenomeClassifier
from genokeras.engine import Run, TrialStore, row_trial
from genokeras.graph import reference_forward
from genokeras.searchers import TrialResult
from genokeras.tasks.objectives import get_objective


@dataclass(frozen=True)
class FittedTrials:
    """A fitted run on the training part of a set, and the test part it has not seen.

    Attributes
    ----------
    run : Run
        Its folder is there only inside of ``fitted_trials``.
    present : numpy.ndarray
        Codes of the classes that the training part has; a class it lacks gets probability 0.
    x, codes : numpy.ndarray
        The test part, ``(n, p)`` and ``(n,)``.
    """

    run: Run
    present: np.ndarray
    x: np.ndarray
    codes: np.ndarray

    @property
    def trials(self) -> tuple[TrialResult, ...]:
        """Those that did not fail."""
        return self.run.history.ok()

    def out_of_fold(self) -> tuple[np.ndarray, np.ndarray]:
        """``(trials, rows, classes)`` probabilities of the training rows, and the codes of these."""
        rows = self.run.problem.scored
        p = TrialStore(self.run.folder).answers(self.trials)[:, rows].astype("float64")
        return p, self.run.problem.targets[rows]

    def unseen(self, trials: Sequence[TrialResult], geometric: bool = False) -> np.ndarray:
        """``(trials, n, classes)`` probabilities of the test part: what the fold members of each trial say together.

        That is the mean of their probabilities or, where it is geometric, of the logarithms of these, normalised.
        """
        return np.stack([self._unseen(trial, geometric) for trial in trials])

    def _unseen(self, trial: TrialResult, geometric: bool) -> np.ndarray:
        trained = row_trial(self.run.problem, self.run.network(trial))
        z = {}
        for i, width in trained.widths.items():
            z[i] = np.zeros((len(trained.spaces[i]), len(self.x), width))
            for fold, space in enumerate(trained.spaces[i]):
                z[i][fold, :, : space.rank] = space.transform(self.x)
        logits = reference_forward(trained.graph, trained.weights, z, trained.activation)
        if geometric:
            return np.asarray(softmax(log_softmax(logits, axis=-1).mean(axis=0), axis=-1))
        return np.asarray(softmax(logits, axis=-1).mean(axis=0))

    def scores(self, probabilities: np.ndarray, metrics: Sequence[str]) -> dict[str, float]:
        """Values of metrics for ``(n, classes)`` probabilities of the test part."""
        wide = np.zeros((len(self.codes), 1 + int(max(self.present.max(), self.codes.max()))))
        wide[:, self.present] = probabilities
        return {name: get_objective(name).value(wide, self.codes) for name in metrics}


@contextmanager
def fitted_trials(
    data: BenchmarkSet,
    train: np.ndarray,
    test: np.ndarray,
    seconds: float | None,
    seed: int = 0,
    **arguments: Any,
) -> Iterator[FittedTrials]:
    """Fit GenoKeras with ``arguments`` to the training rows; its run folder goes when the block ends."""
    present, codes = np.unique(data.codes[train], return_inverse=True)
    groups = None if data.groups is None else data.groups[train]
    with tempfile.TemporaryDirectory(prefix="quality-") as folder:
        clf = GenomeClassifier(f"{folder}/run", time_limit=seconds, random_state=seed, verbose=0, **arguments)
        clf.fit(data.x[train], codes, groups=groups)
        yield FittedTrials(clf._run, present, data.x[test], data.codes[test])

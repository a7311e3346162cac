"""What a fitted run can say for certain: sets of classes, and intervals of numbers, of a stated coverage."""

from __future__ import annotations

from typing import Any

import numpy as np

from genokeras.engine import Run
from genokeras.engine.honest import HonestAnswers, honest_answers
from genokeras.engine.thresholds import chosen_threshold
from genokeras.errors import ParameterError
from genokeras.tasks.answers import CLASSES, NUMBERS
from genokeras.tasks.conformal import check_coverage, class_limits, error_limits
from genokeras.tasks.threshold import Threshold


class Certainty:
    """Sets and intervals of a run; what they rest on is read from the run folder when it is first needed.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: HonestAnswers | None = None
        self._thresholds: dict[str, Threshold] = {}

    @property
    def known(self) -> HonestAnswers:
        """Out-of-fold answers of the run."""
        if self._known is None:
            self._known = honest_answers(self._run)
        return self._known

    def sets(self, answers: np.ndarray, coverage: float, by_class: bool) -> np.ndarray:
        """``(n, k)`` bool: the classes that each sample may be of."""
        self._check(CLASSES.kind, "sets of classes")
        share = check_coverage(coverage)
        known = self.known
        limits = class_limits(known.answers, known.targets, known.weights(by_class), share, by_class)
        return np.asarray(1.0 - answers.astype("float64") <= limits)

    def intervals(self, answers: np.ndarray, coverage: float) -> np.ndarray:
        """``(n, k, 2)`` least and greatest number of each sample and target."""
        self._check(NUMBERS.kind, "intervals of numbers")
        share = check_coverage(coverage)
        known = self.known
        targets = np.asarray(known.targets, dtype="float64").reshape(known.answers.shape)
        half = error_limits(known.answers, targets, known.weights(), share)
        centre = answers.astype("float64")
        return np.stack([centre - half, centre + half], axis=-1)

    def threshold(self, asked: Any) -> Threshold:
        """The threshold for what was asked; see ``genokeras.tasks.threshold``."""
        key = repr(asked)
        if key not in self._thresholds:
            self._thresholds[key] = chosen_threshold(self._run, asked, self.known)
        return self._thresholds[key]

    def _check(self, kind: str, what: str) -> None:
        held = self._run.task.answers.kind
        if held != kind:
            raise ParameterError(f"{what} are of {kind}, and this run predicts {self._run.task.kind}.")


def certain_classes(sets: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """``(n,)`` the class of each sample whose set has exactly one, and None for all others."""
    found = np.full(len(sets), None, dtype=object)
    one = sets.sum(axis=1) == 1
    found[one] = classes[sets[one].argmax(axis=1)]
    return found

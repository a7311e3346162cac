"""What networks answer, classes or numbers: everything that scoring, choosing and estimating do otherwise for each.

Notation
--------
======  ==========================================================  ==================
symbol  meaning                                                     shape
======  ==========================================================  ==================
a       answers: class probabilities, or numbers                    (..., n, k)
t       targets: numbers of the true classes, or true numbers       (n,) or (n, k)
stack   out-of-fold answers of all trials                           (m, n, k)
w       weight of each row; how often a resample drew it            (..., n)
======  ==========================================================  ==================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from genokeras.errors import ParameterError
from genokeras.tasks.calibration import Calibration, fit_calibration, fit_sharpness
from genokeras.tasks.class_scores import SMALLEST_PROBABILITY, log_loss_rows
from genokeras.tasks.rows import Array

Targets = NDArray[np.float64] | NDArray[np.int64]
# Of a target's variance: a trial that errs by less is as good as perfect.
_LEAST_ERROR = 1e-9


class Evidence(ABC):
    """How improbable the targets are, by each trial of a stack and by mixtures of trials: sums over the rows."""

    @abstractmethod
    def of_trials(self, members: NDArray[np.int64]) -> Array:
        """``(..., n_members)`` for each of these trials."""

    @abstractmethod
    def of_mixture(self, members: NDArray[np.int64], shares: Array) -> Array:
        """``(...)`` for the mean of these trials under weights ``(..., n_members)``."""


class Answers(ABC):
    """Classes or numbers."""

    kind: ClassVar[str]
    # Scores that stand beside the objective in every estimate.
    standard_metrics: ClassVar[tuple[str, ...]]
    # Whether packed trials get a sharpness each before anything compares them; trials of mini-batches do in any case.
    sharpens_packed: ClassVar[bool] = False
    # Rows that count as one where an ensemble is chosen, and how many times more among trials of one view, which are nearly equal: what tells
    # them apart is mostly luck. Of classes chosen on seven fits of the choosing sets (log loss .473 -> .452), of numbers on genes predicted from
    # others: errors of one row tell more of a trial than the probability of one class does.
    discount: ClassVar[tuple[float, float]] = (8.0, 6.0)
    # Words of messages about shapes.
    shapes: ClassVar[tuple[str, str]]

    @abstractmethod
    def as_targets(self, targets: ArrayLike) -> Targets:
        """As an array of the right type."""

    @abstractmethod
    def fit(self, answers: Array, targets: Targets) -> str | None:
        """What is wrong with answers ``(..., n, k)`` to these targets; None if nothing."""

    @abstractmethod
    def constant(self, targets: Targets, n_outputs: int, sample_weight: ArrayLike | None) -> Array:
        """``(n, n_outputs)`` the best that can be said of all rows alike."""

    @abstractmethod
    def strata(self, targets: Targets) -> NDArray[np.int64]:
        """``(n,)`` which rows resamples draw among themselves."""

    @abstractmethod
    def evidence(self, stack: Array, targets: Targets, w: Array) -> Evidence:
        """The evidence of trials ``(m, n, k)``."""

    @abstractmethod
    def calibration(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> Calibration:
        """How answers ``(n, k)`` are to be changed before they are given out."""

    @abstractmethod
    def sharpness(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> float:
        """The power that makes answers ``(n, k)`` of one trial as sure as they are right; see :class:`Calibration`."""

    def sharpened(self, answers: Array, sharpness: float) -> Array:
        """Answers with the sharpness of their trial."""
        return Calibration(sharpness).apply(answers)

    def check(
        self, answers: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Array, Targets, Array]:
        """Float64 answers, targets and row weights whose shapes fit; ParameterError where they do not."""
        given, known = np.asarray(answers, dtype=np.float64), self.as_targets(targets)
        wrong = self.fit(given, known)
        if wrong:
            raise ParameterError(wrong)
        n = len(known)
        weights = np.ones(n) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        if weights.shape[-1:] != (n,):
            raise ParameterError(f"sample_weight must have {n} values, one per row: got {weights.shape}.")
        return given, known, weights


@final
class _ClassEvidence(Evidence):
    def __init__(self, stack: Array, codes: NDArray[np.int64], w: Array) -> None:
        self._stack, self._codes, self._w = stack, codes, w

    def of_trials(self, members: NDArray[np.int64]) -> Array:
        return np.asarray(self._w @ log_loss_rows(self._stack[members], self._codes).T)

    def of_mixture(self, members: NDArray[np.int64], shares: Array) -> Array:
        true = shares @ self._stack[members][:, np.arange(len(self._codes)), self._codes]
        return np.asarray(-(self._w * np.log(np.maximum(true, SMALLEST_PROBABILITY))).sum(-1))


class ClassAnswers(Answers):
    """Answers are class probabilities, and the log loss is the evidence."""

    kind = "classes"
    standard_metrics = ("balanced_accuracy", "accuracy", "log_loss", "roc_auc")
    shapes = ("probabilities (n_trials, n_samples, n_classes)", "codes (n_samples,)")

    def as_targets(self, targets: ArrayLike) -> NDArray[np.int64]:
        return np.asarray(targets, dtype=np.int64)

    def fit(self, answers: Array, targets: Targets) -> str | None:
        if answers.ndim < 2 or targets.ndim != 1 or answers.shape[-2] != len(targets) or not len(targets):
            return (
                "probabilities must have shape (..., n_samples, n_classes) and codes (n_samples,): "
                f"got {answers.shape} and {targets.shape}."
            )
        if targets.min() < 0 or targets.max() >= answers.shape[-1]:
            return (
                f"codes must lie in 0..{answers.shape[-1] - 1}, one per column of the probabilities: "
                f"got {targets.min()}..{targets.max()}."
            )
        return None

    def constant(self, targets: Targets, n_outputs: int, sample_weight: ArrayLike | None) -> Array:
        counts = np.bincount(targets, sample_weight, minlength=n_outputs).astype(np.float64)
        return np.broadcast_to(counts / counts.sum(), (len(targets), n_outputs))

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        return targets.astype(np.int64, copy=False)

    def evidence(self, stack: Array, targets: Targets, w: Array) -> Evidence:
        return _ClassEvidence(stack, self.strata(targets), w)

    def calibration(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> Calibration:
        return fit_calibration(answers, targets, sample_weight)

    def sharpness(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> float:
        return fit_sharpness(answers, targets, sample_weight)


@final
class _NumberEvidence(Evidence):
    """Of errors that are normal, with the variance that the best trial's have; several targets count as one."""

    def __init__(self, stack: Array, targets: Array, w: Array) -> None:
        self._stack, self._targets, self._w = stack, targets, w
        # (..., m, k)
        self._totals = np.einsum("...n,mnk->...mk", w, (stack - targets) ** 2)
        best = self._totals.min(-2) / w.sum(-1)[..., None]
        least = _LEAST_ERROR * targets.var(axis=0) + np.finfo(np.float64).tiny
        self._scale = 1 / (2 * np.maximum(best, least) * targets.shape[1])

    def of_trials(self, members: NDArray[np.int64]) -> Array:
        return np.asarray((self._totals[..., members, :] * self._scale[..., None, :]).sum(-1))

    def of_mixture(self, members: NDArray[np.int64], shares: Array) -> Array:
        mean = np.tensordot(shares, self._stack[members], axes=1)
        totals = (self._w[..., None] * (mean - self._targets) ** 2).sum(-2)
        return np.asarray((totals * self._scale).sum(-1))


@final
class NumberAnswers(Answers):
    """Answers are numbers, and the squared error, in units of the best trial's, is the evidence."""

    kind = "numbers"
    discount = (3.0, 1.0)
    standard_metrics = ("r2", "rmse", "mae", "spearman")
    shapes = ("answers (n_trials, n_samples, n_targets)", "targets (n_samples, n_targets)")

    def as_targets(self, targets: ArrayLike) -> NDArray[np.float64]:
        known = np.asarray(targets, dtype=np.float64)
        return known[:, None] if known.ndim == 1 else known

    def fit(self, answers: Array, targets: Targets) -> str | None:
        if targets.ndim != 2 or answers.shape[-2:] != targets.shape or not targets.size:
            return (
                "answers must have shape (..., n_samples, n_targets) and targets (n_samples, n_targets): "
                f"got {answers.shape} and {targets.shape}."
            )
        return None if np.isfinite(targets).all() else "targets must be finite."

    def constant(self, targets: Targets, n_outputs: int, sample_weight: ArrayLike | None) -> Array:
        w = np.ones(len(targets)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return np.broadcast_to(w @ targets / w.sum(), targets.shape)

    def strata(self, targets: Targets) -> NDArray[np.int64]:
        return np.zeros(len(targets), dtype=np.int64)

    def evidence(self, stack: Array, targets: Targets, w: Array) -> Evidence:
        return _NumberEvidence(stack, self.as_targets(targets), w)

    def calibration(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> Calibration:
        return Calibration()

    def sharpness(self, answers: Array, targets: Targets, sample_weight: ArrayLike | None) -> float:
        return 1.0


CLASSES, NUMBERS = ClassAnswers(), NumberAnswers()

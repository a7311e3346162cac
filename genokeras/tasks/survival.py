"""Times until an event: Cox's model, and hazards by interval."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import keras
import numpy as np
from keras import ops

from genokeras.errors import DataError
from genokeras.features import (
    Matrix,
    Standardisation,
    pair_correlation,
    ridge_weights,
    squared_correlation,
)
from genokeras.tasks.answers import Answers
from genokeras.tasks.cox_fit import solve_cox
from genokeras.tasks.cox_loss import partial_likelihood_loss
from genokeras.tasks.objectives import Objective
from genokeras.tasks.survival_answers import (
    CURVE_OBJECTIVES,
    CURVES,
    RISK_OBJECTIVES,
    RISKS,
    SurvivalAnswers,
    interval_losses,
    interval_of,
)
from genokeras.tasks.survival_scores import partial_deviance
from genokeras.tasks.survival_times import (
    EVENT,
    PLACE,
    TIME,
    Steps,
    check_informative,
    cumulative_hazard,
    martingale_residuals,
    read_times,
    survival_targets,
    uncensored,
)
from genokeras.tasks.task import Aim, Labelled, Task

# Penalty of the exact ridge regression for each unit of weight decay, which networks apply in small steps.
_RIDGE_PENALTY = 6.0
# Events that an interval should have, and intervals at most.
_EVENTS_OF_INTERVAL, _MOST_INTERVALS = 8, 10


class Survival(Task):
    """Times until an event, for some samples only known to be longer than the follow-up.

    Attributes
    ----------
    columns : tuple of str
        What the times and the events are called.
    censoring : Steps
        Share of the training samples whose follow-up reaches beyond each time.
    """

    columns: tuple[str, str]
    censoring: Steps
    default_objective: ClassVar[str] = "c_index"

    @abstractmethod
    def places(self, times: np.ndarray) -> np.ndarray:
        """Times on the task's own scale."""

    @property
    @abstractmethod
    def baseline(self) -> Steps:
        """The cumulative hazard of all training samples."""

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        names = _column_names(labels)
        time, event = read_times(labels.values, names, labels.samples, labels.source)
        weight = np.ones(len(time)) if labels.weight is None else labels.weight
        counted = weight > 0
        notes = check_informative(time[counted], event[counted], names, labels.source)
        task = cls._of(names, time, event, weight)
        return Aim(task, task._targets(time, event, task.censoring), np.array(task.output_names()), notes)

    @classmethod
    @abstractmethod
    def _of(cls, names: tuple[str, str], time: np.ndarray, event: np.ndarray, weight: np.ndarray) -> Self:
        """The task that these training samples, of these weights, make."""

    @abstractmethod
    def output_names(self) -> tuple[str, ...]:
        """What the outputs are called."""

    def _targets(self, time: np.ndarray, event: np.ndarray, censoring: Steps) -> np.ndarray:
        return survival_targets(time, event, self.places, censoring)

    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        """``(n, 4)`` targets of further samples, whose censoring is their own.

        They may be followed for longer or shorter than the training samples were, and weights by one over the censoring make up only for that
        of the samples that are scored (Gerds and Schumacher 2006, Biometrical Journal 48: 1029-1040, take it from these, too).
        """
        time, event = read_times(labels.values, _column_names(labels), labels.samples, labels.source)
        return self._targets(time, event, uncensored(time, event))

    def check_learnable(self, targets: np.ndarray, names: np.ndarray) -> tuple[str, ...]:
        return check_informative(targets[:, TIME], targets[:, EVENT], self.columns, "y")

    def strata(self, targets: np.ndarray) -> np.ndarray | None:
        return targets[:, EVENT].astype(np.int64)

    def strata_names(self, targets: np.ndarray, names: Sequence[str]) -> list[str]:
        return [f"status {self.columns[1]} = {value}" for value in (0, 1)]

    def kinds(self, targets: np.ndarray) -> np.ndarray:
        residual = martingale_residuals(targets, np.ones(len(targets)))
        return (residual > np.median(residual)).astype(np.int64)

    def screen(
        self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        return self._by_fold(squared_correlation, x, scaling, targets, train)

    def weigh(
        self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        return self._by_fold(ridge_weights, x, scaling, targets, train)

    def pair(self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray) -> np.ndarray:
        return self._by_fold(pair_correlation, x, scaling, targets, train)

    def _by_fold(
        self, statistic: Any, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        """Of what a model without features leaves unexplained in the training rows: its score test is a covariance with that."""
        found = [
            statistic(x, scaling, martingale_residuals(targets, rows.astype("float64"))[:, None], rows[None])
            for rows in train
        ]
        return np.concatenate(found)

    def responses(self, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """What a model without features leaves unexplained."""
        return martingale_residuals(targets, weight)[:, None]

    def described(self, targets: np.ndarray, names: np.ndarray) -> dict[str, Any]:
        said = {"time": self.columns[0], "event": self.columns[1], "events": int(targets[:, EVENT].sum())}
        return {**super().described(targets, names), "survival": said}

    def evaluated(self) -> tuple[str, ...]:
        return ("c_index", "c_index_uno", "integrated_brier", "auc")

    @property
    def survival_answers(self) -> SurvivalAnswers:
        """How answers become risks and curves."""
        assert isinstance(self.answers, SurvivalAnswers)
        return self.answers


@final
@dataclass(frozen=True)
class Cox(Survival):
    """Proportional hazards: a network answers the logarithm of the hazard, relative to the average training sample (Cox 1972, JRSS B 34: 187-220).

    Attributes
    ----------
    columns : tuple of str
    hazard : Steps
        The cumulative hazard of all training samples.
    censoring : Steps
    """

    columns: tuple[str, str]
    hazard: Steps
    censoring: Steps
    kind: ClassVar[str] = "cox"
    answers: ClassVar[Answers] = RISKS
    objectives: ClassVar[Mapping[str, Objective]] = RISK_OBJECTIVES
    additive: ClassVar[bool] = False
    linear_decays: ClassVar[int] = 3
    answers_name: ClassVar[str] = "log_risks"

    @classmethod
    def _of(cls, names: tuple[str, str], time: np.ndarray, event: np.ndarray, weight: np.ndarray) -> Self:
        return cls(names, cumulative_hazard(time, event, weight=weight), uncensored(time, event, weight))

    def output_names(self) -> tuple[str, ...]:
        return ("log_risk",)

    @property
    def baseline(self) -> Steps:
        return self.hazard

    def places(self, times: np.ndarray) -> np.ndarray:
        return self.hazard.at(times)

    @property
    def n_outputs(self) -> int:
        return 1

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """``(n, 1)`` the cumulative hazard at each time, negative where the follow-up ended: it grows at events only."""
        sign = np.where(targets[:, EVENT] > 0, 1.0, -1.0)
        return (sign * targets[:, PLACE])[:, None].astype("float32")

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        """As if the hazard of the average sample were known, the events of a row would be a Poisson count."""
        expected = ops.abs(targets) * ops.exp(outputs)
        return (expected - ops.cast(targets > 0, "float32") * outputs)[..., 0]

    def total_loss(self, outputs: Any, targets: Any, weights: Any) -> Any:
        loss = partial_likelihood_loss(outputs[..., 0], targets[..., 0], weights)
        # The likelihood does not care for a constant; gradients alone hold the mean at 0, so that folds are on one scale.
        mean = ops.sum(weights * outputs[..., 0], axis=-1)
        total = ops.maximum(ops.sum(weights, axis=-1), 1e-12)
        off = ops.square(mean) / total
        return loss + off - ops.stop_gradient(off)

    def training_loss(self, label_smoothing: float) -> Any:
        return CoxLoss()

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        return np.asarray(outputs, dtype="float64")

    def answer_tensor(self, outputs: Any) -> Any:
        return outputs

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        eta = answers[..., 0]
        return np.asarray(targets[:, PLACE] * np.exp(eta) - targets[:, EVENT] * eta)

    def held_out_loss(self, answers: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> float:
        """The partial likelihood of these rows among themselves."""
        found = float(partial_deviance(answers[:, 0], targets, np.asarray(weight, dtype="float64")))
        return found if np.isfinite(found) or not np.isfinite(answers).all() else 0.0

    def solve_linear(
        self, z: np.ndarray, targets: np.ndarray, weight: np.ndarray, weight_decay: float
    ) -> tuple[np.ndarray, np.ndarray]:
        beta, bias = solve_cox(z, targets[:, TIME], targets[:, EVENT], weight, _RIDGE_PENALTY * weight_decay)
        return beta[:, None].astype("float32"), np.array([bias], dtype="float32")

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "hazard": self.hazard.to_dict(),
            "censoring": self.censoring.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        time, event = data["columns"]
        return cls((time, event), Steps.from_dict(data["hazard"]), Steps.from_dict(data["censoring"]))


@final
@dataclass(frozen=True)
class Hazard(Survival):
    """Hazards by interval: a network answers how likely the event is in each of some intervals, of those who live to see it.

    Hazards need not be proportional. Intervals end at quantiles of the training samples' event times (Gensheimer and Narasimhan 2019, A
    scalable discrete-time survival model for neural networks, PeerJ 7: e6257).

    Attributes
    ----------
    columns : tuple of str
    ends : tuple of float
        ``(k,)`` of the intervals.
    hazard, censoring : Steps
        As in :class:`Cox`.
    """

    columns: tuple[str, str]
    ends: tuple[float, ...]
    hazard: Steps
    censoring: Steps
    kind: ClassVar[str] = "hazard"
    answers: ClassVar[Answers] = CURVES
    objectives: ClassVar[Mapping[str, Objective]] = CURVE_OBJECTIVES
    answers_name: ClassVar[str] = "survival"

    @classmethod
    def _of(cls, names: tuple[str, str], time: np.ndarray, event: np.ndarray, weight: np.ndarray) -> Self:
        came = time[(event > 0) & (weight > 0)]
        k = int(np.clip(len(came) // _EVENTS_OF_INTERVAL, 2, _MOST_INTERVALS))
        ends = np.unique(np.quantile(came, np.arange(1, k + 1) / k, method="higher"))
        if len(ends) < 2:
            ends = np.unique(came)
        if len(ends) < 2:
            raise DataError(f"all events came at {ends[0]:g}: intervals need at least two different times.")
        ends[-1] = time.max()
        hazard, censoring = cumulative_hazard(time, event, weight=weight), uncensored(time, event, weight)
        return cls(names, tuple(map(float, ends)), hazard, censoring)

    def output_names(self) -> tuple[str, ...]:
        return tuple(f"survival_{end:g}" for end in self.ends)

    @property
    def baseline(self) -> Steps:
        return self.hazard

    def places(self, times: np.ndarray) -> np.ndarray:
        """Intervals that have passed, and the share of the current one."""
        return np.interp(times, (0.0, *self.ends), np.arange(len(self.ends) + 1))

    @property
    def n_outputs(self) -> int:
        return len(self.ends)

    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """``(n, k)`` -1 for an interval that was lived through, 1 for that of the event, 0 for those that are not known."""
        lived, event = interval_of(targets, self.n_outputs)
        place = np.arange(self.n_outputs)
        came = (place == lived[:, None]) & event[:, None]
        return (came.astype("float32") - (place < lived[:, None])).astype("float32")

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        return ops.sum(ops.abs(targets) * ops.softplus(-targets * outputs), axis=-1)

    def training_loss(self, label_smoothing: float) -> Any:
        return IntervalLoss()

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        hazards = np.logaddexp(0.0, np.asarray(outputs, dtype="float64"))
        return np.asarray(np.exp(-np.cumsum(hazards, axis=-1)))

    def answer_tensor(self, outputs: Any) -> Any:
        return ops.exp(-ops.cumsum(ops.softplus(outputs), axis=-1))

    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        return interval_losses(answers, targets)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "ends": list(self.ends),
            "hazard": self.hazard.to_dict(),
            "censoring": self.censoring.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        time, event = data["columns"]
        hazard, censoring = (Steps.from_dict(data[name]) for name in ("hazard", "censoring"))
        return cls((time, event), tuple(data["ends"]), hazard, censoring)


@final
class CoxLoss(keras.losses.Loss):
    """The partial likelihood of a batch: a row's risk set are the rows beside it."""

    def __init__(self) -> None:
        super().__init__(name="loss", reduction="sum_over_batch_size")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        eta, code = y_pred[..., 0], ops.cast(y_true[..., 0], y_pred.dtype)
        share = ops.ones_like(eta) / ops.cast(ops.shape(eta)[-1], eta.dtype)
        return partial_likelihood_loss(eta, code, share)


@final
class IntervalLoss(keras.losses.Loss):
    """The mean over rows of the likelihood of their intervals."""

    def __init__(self) -> None:
        super().__init__(name="loss", reduction="sum_over_batch_size")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        known = ops.cast(y_true, y_pred.dtype)
        return ops.sum(ops.abs(known) * ops.softplus(-known * y_pred), axis=-1)


def _column_names(labels: Labelled) -> tuple[str, str]:
    time, event = labels.names if len(labels.names) == 2 else ("time", "event")
    return str(time), str(event)


def calibrated_baseline(task: Task, targets: np.ndarray, answers: np.ndarray, weight: np.ndarray) -> Steps:
    """The cumulative hazard of a sample whose relative hazard is 1.

    Parameters
    ----------
    task : Task
    targets : numpy.ndarray
        ``(n, 4)``.
    answers : numpy.ndarray
        ``(n, k)`` to samples that no network has trained on.
    weight : numpy.ndarray
        ``(n,)`` of these samples.
    """
    if not isinstance(task, Cox):
        assert isinstance(task, Hazard)
        return task.hazard
    return cumulative_hazard(targets[:, TIME], targets[:, EVENT], np.exp(answers[:, 0]), weight)

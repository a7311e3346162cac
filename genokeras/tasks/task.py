"""What is predicted, as a value: how targets are read, what networks minimise, what their outputs mean.

========  ==========================================================================  ======================
symbol    meaning                                                                     shape
========  ==========================================================================  ======================
n, k      samples, outputs of a network
targets   what is known of the samples: class numbers, or numbers                     (n,) int, (n, k) float
outputs   what a network computes before its link: logits, or standardised numbers    (..., n, k)
answers   what is handed out: probabilities, or numbers in their units                (n, k) float64
========  ==========================================================================  ======================

A custom task is a subclass of `Task`; `genokeras.tasks.testing.TaskContract` tests one. ``GenomeRegressor(task=MyTask)``
trains with it, and `register_task` lets run folders be read again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, final

import keras
import numpy as np
from keras import ops

from genokeras.data.target_order import target_order
from genokeras.encoders.encoder import Counts, LinearView
from genokeras.errors import DataError
from genokeras.features import (
    Matrix,
    Screening,
    Standardisation,
    pair_correlation,
    ridge_weights,
    squared_correlation,
)
from genokeras.support.wording import counted
from genokeras.tasks.answers import NUMBERS, Answers
from genokeras.tasks.objectives import NUMBER_OBJECTIVES, Objective, find_objective

Stop = Callable[[], bool]
LinearFit = tuple[np.ndarray, np.ndarray, int]


@dataclass(frozen=True)
class Labelled:
    """Labels as they were read, and what messages say of them.

    Attributes
    ----------
    values : numpy.ndarray
        ``(n,)`` or ``(n, n_targets)``, as they came.
    names : tuple of str
        What the targets are called; one for each column.
    samples : tuple of str
        Names of the samples.
    source : str
        Where they came from.
    order : tuple
        Of classes, the lowest first, where it was given.
    weight : numpy.ndarray or None
        ``(n,)`` how much each sample counts; all alike where there are none.
    """

    values: np.ndarray
    names: tuple[str, ...]
    samples: tuple[str, ...]
    source: str
    order: tuple[Any, ...] = ()
    weight: np.ndarray | None = None


def in_order(targets: np.ndarray, labels: Labelled, names: np.ndarray) -> np.ndarray:
    """``(n, k)`` targets in the order of their names; by position where the columns, or those of training, had no names of their own.

    Raises
    ------
    DataError
        If columns go by other names than those of training.
    """
    wanted = [str(name) for name in names]
    otherwise = "pass an array in the order of training"
    order = target_order(labels.names, wanted, "y", labels.source, otherwise)
    # Several columns may have come under one name, such as sets of labels.
    return targets[:, order] if len(order) == targets.shape[1] else targets


@dataclass(frozen=True, eq=False)
class Aim:
    """What networks are to predict of the samples of a run.

    Attributes
    ----------
    task : Task
    targets : numpy.ndarray
        ``(n_samples, ...)``, as the task has them.
    names : numpy.ndarray
        ``(n_outputs,)`` the classes, or what the numbers are called.
    notes : tuple of str
        What was decided about the labels.
    """

    task: Task
    targets: np.ndarray
    names: np.ndarray
    notes: tuple[str, ...] = ()


class Task(ABC):
    """What is predicted.

    Attributes
    ----------
    kind : str
        Its name in run folders.
    answers : Answers
        How answers are scored, chosen between and calibrated.
    objectives : mapping of str to Objective
        Those that trials can be scored by.
    default_objective : str
    additive : bool
        Whether the loss is a sum over rows. Where it is not (a partial likelihood, say), `total_loss` and `held_out_loss` must be
        overridden, and packed training uses all rows at once.
    linear_decays : int
        See `genokeras.searchers.HyperSpace`.
    """

    kind: ClassVar[str]
    answers: ClassVar[Answers] = NUMBERS
    objectives: ClassVar[Mapping[str, Objective]] = NUMBER_OBJECTIVES
    default_objective: ClassVar[str] = "r2"
    additive: ClassVar[bool] = True
    linear_decays: ClassVar[int] = 0
    # What the names of the outputs are called in run.json, and what exports call the outputs.
    names_key: ClassVar[str] = "targets"
    answers_name: ClassVar[str] = "numbers"

    # ---- targets

    @classmethod
    @abstractmethod
    def learn(cls, labels: Labelled) -> Aim:
        """The task that training labels make, and their targets; DataError where they cannot be used."""

    @abstractmethod
    def read(self, labels: Labelled, names: np.ndarray) -> np.ndarray:
        """Targets of further samples, whose outputs go by these names; DataError where they cannot be used."""

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """Outputs of a network."""

    @abstractmethod
    def training_targets(self, targets: np.ndarray) -> np.ndarray:
        """``(n, k)`` float32, as the losses take them."""

    def check_learnable(self, targets: np.ndarray, names: np.ndarray) -> tuple[str, ...]:
        """Notes on further samples that the model is to be trained on; here they must have different targets.

        Parameters
        ----------
        targets : numpy.ndarray
        names : numpy.ndarray
            ``(n_outputs,)`` what the outputs are called.

        Raises
        ------
        DataError
            If nothing can be learnt from them.
        """
        wanted = self.training_targets(targets)
        if (wanted == wanted[:1]).all():
            raise DataError(
                f"y must vary, but it is the same for all of {counted(len(targets), 'sample')}: there is nothing to learn. Bring samples "
                "of different values; the model is left as it was."
            )
        return ()

    def strata(self, targets: np.ndarray) -> np.ndarray | None:
        """``(n,)`` class numbers that every fold shall have its share of; None splits at random."""
        return None

    def strata_names(self, targets: np.ndarray, names: Sequence[str]) -> list[str]:
        """What a sentence calls each number of ``strata``, of outputs that go by these names."""
        return [f"class {name!r}" for name in names]

    def kinds(self, targets: np.ndarray) -> np.ndarray:
        """``(n,)`` two or more kinds of training samples, for quick linear models: here those above the median, and the others.

        Of several targets, along the direction in which they vary most.
        """
        numbers = np.asarray(targets, dtype="float64").reshape(len(targets), -1)
        spread = numbers.std(axis=0)
        standard = (numbers - numbers.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        along = standard @ np.linalg.svd(standard, full_matrices=False)[2][0]
        median = np.median(along)
        above = along > median
        return (above if above.any() else along >= median).astype(np.int64)

    def screen(
        self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        """``(n_folds, n_features)`` how strongly each feature is related to the targets, by each fold's training rows alone.

        Parameters
        ----------
        x : numpy.ndarray or scipy.sparse.csr_matrix
            ``(n_samples, n_features)``.
        scaling : Standardisation
        targets : numpy.ndarray
        train : numpy.ndarray
            ``(n_folds, n_samples)`` bool.
        """
        return squared_correlation(x, scaling, targets, train)

    def weigh(
        self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        """As :meth:`screen`, weights of features for the view of weighted ones; at least 0."""
        return ridge_weights(x, scaling, self.training_targets(targets), train)

    def pair(self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray) -> np.ndarray:
        """As :meth:`screen`, how strongly each feature is related to the targets together with another one."""
        return pair_correlation(x, scaling, self.training_targets(targets), train)

    def responses(self, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """``(n, m)`` float64 numbers that a linear regression on few features is to explain: here the training targets.

        Parameters
        ----------
        targets : numpy.ndarray
        weight : numpy.ndarray
            ``(n,)``; rows of weight 0 play no part.
        """
        return np.asarray(self.training_targets(targets), dtype="float64")

    @property
    def screening(self) -> Screening:
        """All three as one value."""
        return Screening(self.screen, self.weigh, self.pair)

    def described(self, targets: np.ndarray, names: np.ndarray) -> dict[str, Any]:
        """Entries of ``run.json``."""
        return {self.names_key: np.asarray(names).tolist()}

    # ---- training, in ``keras.ops``

    @abstractmethod
    def row_loss(self, outputs: Any, targets: Any) -> Any:
        """``(..., n)`` loss of each row, of tensors ``(..., n, k)``."""

    def total_loss(self, outputs: Any, targets: Any, weights: Any) -> Any:
        """``(...)`` loss of all rows under weights ``(..., n)``."""
        return ops.sum(weights * self.row_loss(outputs, targets), axis=-1)

    def training_loss(self, label_smoothing: float) -> Any:
        """A Keras loss of a network's outputs, for mini-batches."""
        return RowLoss(lambda targets, outputs: self.row_loss(outputs, targets))

    # ---- from outputs to answers

    @abstractmethod
    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        """``(..., k)`` float64 answers of a network's outputs."""

    @abstractmethod
    def answer_tensor(self, outputs: Any) -> Any:
        """The same of a Keras tensor ``(..., k)``, by stock layers and operations."""

    def explained(self, answers: Any) -> Any:
        """``(n, k)`` what explanations take differences of, of answers as a tensor: these themselves."""
        return answers

    @abstractmethod
    def row_losses(self, answers: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """``(n,)`` how wrong each answer is."""

    def held_out_loss(self, answers: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> float:
        """By what mini-batch training stops: the weighted mean of the rows' losses."""
        return float(np.average(self.row_losses(answers, targets), weights=weight))

    # ---- linear models

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scaling: float,
        should_stop: Stop = lambda: False,
    ) -> LinearFit:
        """Kernel ``(p, k)`` and bias ``(k,)`` of a linear model's outputs, and the iterations it took.

        Raises
        ------
        TypeError
            If no linear model is known for the task, as here.
        """
        raise TypeError(f"no linear model is known for the task {self.kind!r}")

    @property
    def has_linear_fit(self) -> bool:
        """Whether `fit_linear` is known."""
        return type(self).fit_linear is not Task.fit_linear

    def solve_linear(
        self, z: np.ndarray, targets: np.ndarray, weight: np.ndarray, weight_decay: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Kernel ``(r, k)`` and bias ``(k,)`` of the exact linear model of row-space coordinates.

        Parameters
        ----------
        z : numpy.ndarray
            ``(n, r)`` coordinates with a mean square of about 1.
        targets : numpy.ndarray
        weight : numpy.ndarray
            ``(n,)``; rows of weight 0 play no part.
        weight_decay : float
            As in a proposal's hyper-parameters.

        Raises
        ------
        TypeError
            If it is not known, as here: linear models are then trained like any other network.
        """
        raise TypeError(f"no exact linear model is known for the task {self.kind!r}")

    def solves_linear(self, n_samples: int, width: int) -> bool:
        """Whether `solve_linear` is known, and quick for this number of samples and coordinates."""
        return type(self).solve_linear is not Task.solve_linear

    def solved_decays(self, n_samples: int, width: int) -> tuple[float, ...]:
        """Weight decays, the strongest first, of which a linear model takes the one that is best on the rows held out; none: its proposal's own."""
        return ()

    def fit_view(
        self,
        view: LinearView,
        counts: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        should_stop: Stop = lambda: False,
    ) -> LinearFit:
        """As `fit_linear`, for a linear model that has one view of the counts; columns it does not read weigh 0."""
        read = counts[:, : view.n_columns]
        kernel, bias, steps = self.fit_linear(read, targets, weight, weight_decay, view.scaling, should_stop)
        return np.pad(kernel, ((0, counts.shape[1] - len(kernel)), (0, 0))), bias, steps

    # ---- scores

    @classmethod
    def objective(cls, name: str | Objective | None = None) -> Objective:
        """The objective of that name or alias; the default one without.

        Raises
        ------
        ParameterError
            If the task knows no such objective.
        """
        return find_objective(name or cls.default_objective, cls.objectives, cls.kind)

    def evaluated(self) -> tuple[str, ...]:
        """Objectives that ``evaluate`` reports."""
        return tuple(self.objectives)

    # ---- on disk

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """As JSON values, ``kind`` among them."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""


@final
class RowLoss(keras.losses.Loss):
    """The mean over rows of a function's values ``(n,)``."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        super().__init__(name="loss", reduction="sum_over_batch_size")
        self._function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self._function(y_true, y_pred)

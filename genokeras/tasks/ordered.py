"""Ordered classes, such as grades: how likely a sample is to be of each, and mistakes count by how far off they are.

Notation
--------
======  =====================================================================  ==============
symbol  meaning                                                                shape
======  =====================================================================  ==============
o       outputs of a network: one for all steps, and one of each step's own    (..., n, k)
e       ``e_j = o_0 + o_j``: logit of going on from class j - 1 to class j     (..., n, k - 1)
s       ``s_j = sigmoid(e_1) ... sigmoid(e_j)``: probability of class j or     (..., n, k - 1)
        above
a       answers: ``s_j - s_(j+1)``, with ``s_0 = 1`` and ``s_k = 0``           (..., n, k)
======  =====================================================================  ==============

These are continuation ratios (McCullagh 1980, Regression models for ordinal data, Journal of the Royal Statistical Society B 42:
109-142, section 6; with networks: Shi, Cao and Raschka 2023, Deep neural networks for rank-consistent ordinal regression, Pattern
Analysis and Applications 26: 941-955). Probabilities of "this or above" never cross. The output that all steps share costs the least
where one direction moves samples up all steps, so penalties hold networks towards proportional odds; each step's own output lets it differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
from keras import ops
from scipy.special import log_expit

from genokeras.data import encode_labels
from genokeras.encoders.encoder import Counts
from genokeras.errors import DataError, ParameterError
from genokeras.features import Matrix, Standardisation, squared_correlation
from genokeras.support.wording import listed
from genokeras.tasks.answers import Answers, ClassAnswers
from genokeras.tasks.class_names import class_name
from genokeras.tasks.classes import ClassTask
from genokeras.tasks.linear import fit_binary
from genokeras.tasks.objectives import OBJECTIVES, Objective, add_objectives, rows_mean
from genokeras.tasks.ordered_scores import quadratic_kappa, rank_error_rows, ranked_probability_rows
from genokeras.tasks.task import Aim, Labelled, LinearFit, RowLoss, Stop


@final
class OrderedAnswers(ClassAnswers):
    """Probabilities of ordered classes."""

    standard_metrics = ("quadratic_kappa", "ranked_probability_score", "balanced_accuracy", "log_loss")


ORDERED = OrderedAnswers()
_RANKED = (
    Objective(
        "ranked_probability_score",
        False,
        rows_mean(ranked_probability_rows),
        ranked_probability_rows,
        answers=ORDERED,
    ),
    Objective("quadratic_kappa", True, quadratic_kappa, answers=ORDERED),
    Objective("rank_error", False, rows_mean(rank_error_rows), rank_error_rows, answers=ORDERED),
)
ORDERED_OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (*_RANKED, *(replace(known, answers=ORDERED) for known in OBJECTIVES.values()))
}
add_objectives(ORDERED.kind, {objective.name: objective for objective in _RANKED})


@final
@dataclass(frozen=True)
class Ordered(ClassTask):
    """One of several classes that have an order, the lowest first."""

    kind: ClassVar[str] = "ordered"
    answers: ClassVar[Answers] = ORDERED
    objectives: ClassVar[Mapping[str, Objective]] = ORDERED_OBJECTIVES
    default_objective: ClassVar[str] = "ranked_probability_score"

    @classmethod
    def learn(cls, labels: Labelled) -> Aim:
        known = encode_labels(labels.values, labels.source)
        rank = _ranks(known.classes, labels.order, labels.source)
        names = known.classes[np.argsort(rank)]
        note = f"The classes are ordered: {' < '.join(str(name) for name in names)}."
        return Aim(cls(known.n_classes), rank[known.codes], names, (*known.notes, note))

    def screen(
        self, x: Matrix, scaling: Standardisation, targets: np.ndarray, train: np.ndarray
    ) -> np.ndarray:
        return squared_correlation(x, scaling, np.asarray(targets, dtype="float64")[:, None], train)

    def row_loss(self, outputs: Any, targets: Any) -> Any:
        steps = outputs[..., 1:] + outputs[..., :1]
        above = ops.flip(ops.cumsum(ops.flip(targets, axis=-1), axis=-1), axis=-1)
        return ops.sum(above[..., :-1] * ops.softplus(steps) - above[..., 1:] * steps, axis=-1)

    def training_loss(self, label_smoothing: float) -> Any:
        def loss(targets: Any, outputs: Any) -> Any:
            smoothed = (1.0 - label_smoothing) * targets + label_smoothing / self.n_classes
            return self.row_loss(outputs, smoothed)

        return RowLoss(loss)

    def answers_of(self, outputs: np.ndarray) -> np.ndarray:
        wide = outputs.astype("float64")
        above = np.exp(np.cumsum(log_expit(wide[..., 1:] + wide[..., :1]), axis=-1))
        edge = np.ones_like(above[..., :1])
        return np.concatenate([edge, above], axis=-1) - np.concatenate([above, 0 * edge], axis=-1)

    def answer_tensor(self, outputs: Any) -> Any:
        steps = outputs[..., 1:] + outputs[..., :1]
        above = ops.exp(ops.cumsum(-ops.softplus(-steps), axis=-1))
        edge = ops.ones_like(above[..., :1])
        return ops.concatenate([edge, above], axis=-1) - ops.concatenate([above, 0.0 * edge], axis=-1)

    def fit_linear(
        self,
        x: Counts,
        targets: np.ndarray,
        weight: np.ndarray,
        weight_decay: float,
        scaling: float,
        should_stop: Stop = lambda: False,
    ) -> LinearFit:
        """A logistic regression for each step, on the samples that come so far; no output is shared."""
        kernel, bias = np.zeros((x.shape[1], self.n_classes), "float32"), np.zeros(self.n_classes, "float32")
        most = 0
        for step in range(1, self.n_classes):
            there, above = targets >= step - 1, targets >= step
            kernel[:, step], bias[step], taken = fit_binary(
                x[there], above[there], weight[there], weight_decay, scaling, should_stop
            )
            most = max(most, taken)
        return kernel, bias, most

    def evaluated(self) -> tuple[str, ...]:
        return (
            "accuracy",
            "balanced_accuracy",
            "quadratic_kappa",
            "ranked_probability_score",
            "rank_error",
            "log_loss",
        )


def _ranks(classes: np.ndarray, order: tuple[Any, ...], source: str) -> np.ndarray:
    """``(k,)`` the rank of each class.

    Raises
    ------
    ParameterError
        If no order was given to classes that are not numbers, or it is not one of these classes.
    DataError
        If the order leaves classes out.
    """
    held = [str(name) for name in classes.tolist()]
    if not order:
        return np.argsort(np.argsort(_numbers(held, source), kind="stable"))
    given = [class_name(name, held) for name in order]
    if len(set(given)) < len(given):
        raise ParameterError(f"ordered must name each class once, the lowest first, got {listed(given, 20)}.")
    lost = [name for name in held if name not in given]
    if lost:
        raise DataError(
            f"y holds classes that the order does not name ({source}): {listed(lost, 8)}. The order is "
            f"{' < '.join(given)}: pass ordered= with all classes, the lowest first."
        )
    places = np.array([given.index(name) for name in held])
    return np.argsort(np.argsort(places))


def _numbers(held: list[str], source: str) -> np.ndarray:
    try:
        return np.array([float(name) for name in held])
    except ValueError:
        raise ParameterError(
            f"the classes are not numbers ({source}: {listed(held, 8)}), so their order is not known: pass "
            "ordered=[...] with all classes, the lowest first, or y as an ordered Categorical of pandas."
        ) from None

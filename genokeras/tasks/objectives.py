"""Objectives: how good answers are, as a reported value and as a loss to minimise.

An objective is of classes, whose answers are probabilities, or of numbers; `genokeras.tasks.answers` has the notation.
Every function takes leading axes, so that many trials, or many resamples given as row weights, are scored at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from genokeras.errors import ParameterError
from genokeras.support.wording import closest
from genokeras.tasks.answers import CLASSES, NUMBERS, Answers
from genokeras.tasks.class_scores import (
    accuracy_rows,
    balanced_accuracy,
    brier_rows,
    f1,
    log_loss_rows,
    mcc,
    roc_auc,
)
from genokeras.tasks.number_scores import (
    absolute_error_rows,
    pearson,
    r2,
    root_mean_squared_error,
    spearman,
    squared_error_rows,
)
from genokeras.tasks.rows import Array, resample_counts, standard_error_of_mean, weighted_mean


def _mean_of(rows: Callable[[Any, Any], Array], a: Any, targets: Any, w: Array) -> Array:
    return weighted_mean(rows(a, targets), w)


def rows_mean(rows: Callable[[Any, Any], Array]) -> Callable[[Any, Any, Array], Array]:
    """The weighted mean of one number per row, as the function of an `Objective`."""
    # A partial and no closure: fitted estimators are pickled.
    return partial(_mean_of, rows)


@dataclass(frozen=True)
class Objective:
    """One way to score class probabilities or numbers.

    Parameters
    ----------
    name : str
        The name it goes by in settings, tables and reports.
    greater_is_better : bool
        Direction of the reported value. Values for which greater is better are best at 1.
    function : callable
        ``(answers, targets, w) -> values`` over leading axes.
    rows : callable, optional
        ``(answers, targets) -> (..., n)`` where the value is the mean of one number per row.
    answers : Answers
        What it is of.
    """

    name: str
    greater_is_better: bool
    function: Callable[[Any, Any, Array], Array]
    rows: Callable[[Any, Any], Array] | None = None
    answers: Answers = CLASSES

    @property
    def takes_weights(self) -> bool:
        """Whether the weights of rows may be any numbers above 0."""
        return True

    def values(self, a: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Reported values over the leading axes of the answers and of `sample_weight`.

        Raises
        ------
        ParameterError
            If the shapes do not fit, or a code has no column.
        """
        return np.asarray(self.function(*self.answers.check(a, targets, sample_weight)))

    def losses(self, a: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> Array:
        """Losses over the leading axes: the value itself, or 1 - value where greater is better."""
        values = self.values(a, targets, sample_weight)
        return 1.0 - values if self.greater_is_better else values

    def value(self, a: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Reported value of one set of answers (n_samples, n_outputs)."""
        return float(self.values(a, targets, sample_weight))

    def loss(self, a: ArrayLike, targets: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Loss of one set of answers (n_samples, n_outputs); lower is better."""
        return float(self.losses(a, targets, sample_weight))

    def value_of_loss(self, loss: float) -> float:
        """The reported value that belongs to a loss."""
        return 1.0 - loss if self.greater_is_better else loss

    def chance(self, targets: ArrayLike, n_outputs: int, sample_weight: ArrayLike | None = None) -> float:
        """Value of the constant predictor that says the class frequencies, or the mean, for every row."""
        known = self.answers.as_targets(targets)
        constant = self.answers.constant(known, n_outputs, sample_weight)
        return self.value(constant, known, sample_weight)

    def standard_error(
        self,
        a: ArrayLike,
        targets: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        n_resamples: int = 200,
        seed: int = 0,
    ) -> float:
        """Standard error of the value (and of the loss) over the rows.

        Means over rows have it in closed form, with Kish's effective number of rows under weights. The others
        are bootstrapped, resampling the rows of each class, with fewer resamples for very many rows. A class
        with one row adds nothing to a bootstrapped error.
        """
        given, known, w = self.answers.check(a, targets, sample_weight)
        if self.rows is not None:
            return standard_error_of_mean(self.rows(given, known), w)
        n_resamples = int(np.clip(4_000_000 // given.size, 20, n_resamples))
        counts = resample_counts(self.answers.strata(known), n_resamples, np.random.default_rng(seed))
        values = self.function(given, known, counts * w)
        values = values[np.isfinite(values)]
        return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("log_loss", False, rows_mean(log_loss_rows), log_loss_rows),
        Objective("brier", False, rows_mean(brier_rows), brier_rows),
        Objective("accuracy", True, rows_mean(accuracy_rows), accuracy_rows),
        Objective("balanced_accuracy", True, balanced_accuracy),
        Objective("roc_auc", True, roc_auc),
        Objective("f1", True, f1),
        Objective("mcc", True, mcc),
    )
}
NUMBER_OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("r2", True, r2, answers=NUMBERS),
        Objective("mse", False, rows_mean(squared_error_rows), squared_error_rows, answers=NUMBERS),
        Objective("rmse", False, root_mean_squared_error, answers=NUMBERS),
        Objective("mae", False, rows_mean(absolute_error_rows), absolute_error_rows, answers=NUMBERS),
        Objective("pearson", True, pearson, answers=NUMBERS),
        Objective("spearman", True, spearman, answers=NUMBERS),
    )
}
_FAMILIES = {CLASSES.kind: OBJECTIVES, NUMBERS.kind: NUMBER_OBJECTIVES}
# Of some tasks with such answers, and not of all.
_BESIDE: dict[str, dict[str, Objective]] = {}


def add_objectives(answers: str, objectives: dict[str, Objective]) -> None:
    """Make objectives of further answers known; those beside known ones, of ordered classes say, are found by their full name."""
    known = _BESIDE if answers in _FAMILIES else _FAMILIES
    known.setdefault(answers, {}).update(objectives)


ALIASES = {
    "acc": "accuracy",
    "auc": "roc_auc",
    "auroc": "roc_auc",
    "balanced_acc": "balanced_accuracy",
    "bacc": "balanced_accuracy",
    "brier_score": "brier",
    "cross_entropy": "log_loss",
    "concordance": "c_index",
    "cindex": "c_index",
    "f1_macro": "f1",
    "ibs": "integrated_brier",
    "uno": "c_index_uno",
    "correlation": "pearson",
    "logloss": "log_loss",
    "matthews": "mcc",
    "mean_absolute_error": "mae",
    "mean_squared_error": "mse",
    "nll": "log_loss",
    "qwk": "quadratic_kappa",
    "quadratic_weighted_kappa": "quadratic_kappa",
    "r_squared": "r2",
    "rps": "ranked_probability_score",
    "r2_score": "r2",
    "root_mean_squared_error": "rmse",
}


def get_objective(name: str | Objective, answers: str | None = None) -> Objective:
    """The objective of that name or alias; an `Objective` is handed back as it is.

    Parameters
    ----------
    name : str or Objective
    answers : {"classes", "numbers", "risks", "curves"}, optional
        What it has to be of.

    Raises
    ------
    ParameterError
        If no objective has that name, or it is of something else; says which is close.

    Examples
    --------
    >>> get_objective("auc").name
    'roc_auc'
    """
    if answers is None:
        known = OBJECTIVES | NUMBER_OBJECTIVES
        return name if isinstance(name, Objective) else find_objective(name, known)
    beside = _BESIDE.get(answers, {})
    if isinstance(name, str) and name in beside:
        return beside[name]
    return find_objective(name, _FAMILIES[answers], answers)


def find_objective(
    name: str | Objective, known: Mapping[str, Objective], answers: str | None = None
) -> Objective:
    """The objective of that name or alias among those known.

    Parameters
    ----------
    name : str or Objective
    known : mapping of str to Objective
    answers : str, optional
        What these are of, for messages.

    Raises
    ------
    ParameterError
        If there is none; says which is close.
    """
    of = name.name if isinstance(name, Objective) else str(name)
    key = of.strip().lower().replace("-", "_").replace(" ", "_")
    key = key if key in known else ALIASES.get(key, key)
    if key in known:
        return name if isinstance(name, Objective) else known[key]
    listed = ", ".join(known)
    other = next((family[key] for family in _FAMILIES.values() if key in family), None)
    if other is not None:
        raise ParameterError(
            f"objective must be one of {listed}, which are of {answers}: got {other.name!r}, which is of "
            f"{other.answers.kind}."
        )
    spelled = [*known, *(alias for alias, target in ALIASES.items() if target in known)]
    close = closest(key, spelled, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ParameterError(f"objective must be one of {listed}: got {of!r}.{hint}")


def named_objective(name: str, greater_is_better: bool, answers: Answers = CLASSES) -> Objective:
    """An objective whose function is not known: its values can be shown, and none computed."""
    return Objective(name, greater_is_better, partial(_unknown_function, name), answers=answers)


def _unknown_function(name: str, *_: Any) -> Array:
    raise ParameterError(
        f"the objective {name!r} of this run is an object of Python, which no run folder can hold: its values are known, and no new ones can "
        "be computed. fit(...) with resume=True and the same objective goes on with the run."
    )

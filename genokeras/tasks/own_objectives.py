"""Scores that a user brings: functions of all true and predicted values, scorers of scikit-learn, and metrics of Keras.

They are called one set of answers at a time, and with one weight a row where they take weights. Resamples of bootstraps repeat rows in their place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from genokeras.errors import ParameterError
from genokeras.tasks.answers import CLASSES, NUMBERS
from genokeras.tasks.keras_metrics import keras_value
from genokeras.tasks.objectives import Objective
from genokeras.tasks.rows import Array
from genokeras.tasks.task import Task

# What scikit-learn calls the second argument of functions that do not take class labels.
SCORE_ARGUMENTS = ("y_score", "y_proba", "y_prob", "pred_decision")
SCORE_FUNCTIONS = ("log_loss",)
_RESAMPLES, _PROBED_ROWS = 40, 2000


@final
@dataclass(frozen=True)
class Score:
    """A function with its name and its direction; see :func:`make_objective`."""

    function: Callable[..., Any]
    greater_is_better: bool
    name: str


def make_objective(function: Callable[..., float], greater_is_better: bool, name: str | None = None) -> Score:
    """A function of yours as the objective of a search, ``objective=gk.make_objective(f, greater_is_better=True)``.

    Parameters
    ----------
    function : callable
        ``(y_true, y_prob) -> float``. ``y_true`` are the classes as in ``y``; ``y_prob`` the probabilities ``(n_samples, n_classes)`` in the order
        of ``classes_``, of two classes that of the second, ``(n_samples,)``. A second argument of another name than ``y_prob``, ``y_proba``,
        ``y_score`` or ``pred_decision``, as in scikit-learn, gets predicted classes. Of a regressor both are numbers ``(n_samples,)``, of
        several targets ``(n_samples, n_targets)``. An argument ``sample_weight`` gets the weights of the samples.
    greater_is_better : bool
    name : str, optional
        By default that of the function.

    Raises
    ------
    ParameterError
        If it is no function.

    Examples
    --------
    >>> import numpy as np
    >>> import genokeras as gk
    >>> def top_tenth(y_true, y_prob):
    ...     best = np.argsort(-y_prob)[: max(1, len(y_prob) // 10)]
    ...     return float(np.mean(y_true[best] == "tumor"))
    >>> clf = gk.GenomeClassifier(objective=gk.make_objective(top_tenth, greater_is_better=True))
    """
    if not callable(function):
        raise ParameterError(f"an objective is a function (y_true, y_prob) -> float, got {function!r}.")
    if not isinstance(greater_is_better, bool):
        raise ParameterError(f"greater_is_better must be True or False, got {greater_is_better!r}.")
    inner = getattr(function, "func", function)  # of functools.partial
    return Score(function, greater_is_better, name or str(getattr(inner, "__name__", type(inner).__name__)))


@final
@dataclass(frozen=True)
class OwnObjective(Objective):
    """An objective that a user brought."""

    @property
    def takes_weights(self) -> bool:
        return bool(getattr(self.function, "takes_weights", False))

    def standard_error(
        self,
        a: ArrayLike,
        targets: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        n_resamples: int = _RESAMPLES,
        seed: int = 0,
    ) -> float:
        """As of `Objective`, by fewer resamples: nobody knows how long the function takes."""
        return super().standard_error(a, targets, sample_weight, n_resamples=n_resamples, seed=seed)


@dataclass(frozen=True)
class _Judge:
    """What an `OwnObjective` calls: ``(answers, targets, w)`` over leading axes.

    Attributes
    ----------
    name : str
    names : numpy.ndarray or None
        The classes; None of numbers.
    """

    name: str
    names: np.ndarray | None

    def __call__(self, answers: Any, targets: Any, w: Array) -> Array:
        a, weights = np.asarray(answers), np.asarray(w, dtype="float64")
        lead = np.broadcast_shapes(a.shape[:-2], weights.shape[:-1])
        a = np.broadcast_to(a, (*lead, *a.shape[-2:]))
        weights = np.broadcast_to(weights, (*lead, len(targets)))
        found = np.empty(lead)
        for place in np.ndindex(lead):
            found[place] = self._one(a[place], targets, weights[place])
        return found

    def _one(self, answers: np.ndarray, targets: np.ndarray, w: np.ndarray) -> float:
        rows = w > 0
        try:
            return self._value(answers[rows], targets[rows], w[rows])
        except ParameterError:
            raise
        except Exception:
            # A resample may lack a class, which many functions refuse.
            if rows.all():
                raise
            return float("nan")

    def _value(self, answers: np.ndarray, targets: np.ndarray, w: np.ndarray) -> float:
        """The value, where the function takes no weights: rows that weigh twice as much stand twice."""
        if w.size and (w == w[0]).all():
            return self._plain(answers, targets)
        if not np.array_equal(w, np.round(w)):
            raise ParameterError(
                f"the samples have weights, and {self.name!r} takes none: give it an argument sample_weight, or leave the weights out."
            )
        repeated = np.repeat(np.arange(len(w)), w.astype(int))
        return self._plain(answers[repeated], targets[repeated])

    def _plain(self, answers: np.ndarray, targets: np.ndarray) -> float:
        raise NotImplementedError

    def _true(self, targets: np.ndarray) -> np.ndarray:
        if self.names is not None and targets.ndim == 1:
            return np.asarray(self.names[targets])
        return targets[:, 0] if targets.ndim == 2 and targets.shape[1] == 1 else targets


@final
@dataclass(frozen=True)
class _FunctionJudge(_Judge):
    function: Callable[..., Any]
    takes_scores: bool
    takes_weights: bool

    def _value(self, answers: np.ndarray, targets: np.ndarray, w: np.ndarray) -> float:
        if not self.takes_weights:
            return super()._value(answers, targets, w)
        return float(self.function(self._true(targets), self._predicted(answers), sample_weight=w))

    def _plain(self, answers: np.ndarray, targets: np.ndarray) -> float:
        return float(self.function(self._true(targets), self._predicted(answers)))

    def _predicted(self, answers: np.ndarray) -> np.ndarray:
        if self.names is None:
            return answers[:, 0] if answers.shape[1] == 1 else answers
        if not self.takes_scores:
            return np.asarray(self.names[answers.argmax(axis=1)])
        return answers[:, 1] if answers.shape[1] == 2 else answers


@final
@dataclass(frozen=True)
class _ScorerJudge(_Judge):
    scorer: Any

    @property
    def takes_weights(self) -> bool:
        return "sample_weight" in _parameters(getattr(self.scorer, "_score_func", self.scorer))

    def _value(self, answers: np.ndarray, targets: np.ndarray, w: np.ndarray) -> float:
        if (w == w[0]).all():
            return self._plain(answers, targets)
        return float(self.scorer(self._estimator(), answers, self._true(targets), sample_weight=w))

    def _plain(self, answers: np.ndarray, targets: np.ndarray) -> float:
        return float(self.scorer(self._estimator(), answers, self._true(targets)))

    def _estimator(self) -> Any:
        return _Numbers() if self.names is None else _Classes(self.names)


@final
@dataclass(frozen=True)
class _KerasJudge(_Judge):
    metric: Any

    def _plain(self, answers: np.ndarray, targets: np.ndarray) -> float:
        known = targets if self.names is not None else targets.reshape(answers.shape)
        return float(keras_value(self.metric, answers, known))


class _Classes(ClassifierMixin, BaseEstimator):
    """A classifier for scikit-learn's scorers, whose samples are the answers themselves."""

    def __init__(self, classes: Any = ()) -> None:
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def fit(self, x: Any, y: Any) -> _Classes:
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return x

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.classes_[x.argmax(axis=1)])


class _Numbers(RegressorMixin, BaseEstimator):
    """The same of numbers."""

    def fit(self, x: Any, y: Any) -> _Numbers:
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0] if x.shape[1] == 1 else x


def is_scorer(objective: Any) -> bool:
    """Whether it is a scorer of scikit-learn, as ``make_scorer`` and ``get_scorer`` give."""
    return type(objective).__module__ == "sklearn.metrics._scorer" and callable(objective)


def is_own(objective: Any) -> bool:
    """Whether an objective is somebody's own, and not the name of one."""
    return objective is not None and not isinstance(objective, str | Objective)


def own_objective(objective: Any, task: Task, names: np.ndarray) -> OwnObjective:
    """An objective of a user, for a task.

    Parameters
    ----------
    objective : Score or scorer of scikit-learn
    task : Task
    names : numpy.ndarray
        The classes, or what the numbers are called.

    Raises
    ------
    ParameterError
        If it is something else, or the task is of neither classes nor numbers.
    """
    if isinstance(objective, Score):
        own = _function_judge(objective, _classes_of(task, names))
        return _made(own, objective.greater_is_better, task)
    if is_scorer(objective):
        inner = getattr(objective, "_score_func", None)
        name = str(getattr(inner, "__name__", "scorer"))
        sign = getattr(objective, "_sign", 1)
        judge = _ScorerJudge(f"neg_{name}" if sign < 0 else name, _classes_of(task, names), objective)
        return _made(judge, True, task)
    if callable(objective):
        raise ParameterError(
            "whether greater is better is not known of a function: pass objective=gk.make_objective(function, greater_is_better=True), or a "
            f"scorer of scikit-learn; got {objective!r}."
        )
    raise ParameterError(
        f"objective must be a name, a scorer of scikit-learn or gk.make_objective(function, greater_is_better=...), got {objective!r}."
    )


def keras_judge(metric: Any, task: Task, names: np.ndarray) -> OwnObjective:
    """A metric of Keras, as an objective without a direction: ``values`` are of interest alone."""
    return _made(_KerasJudge(str(metric.name), _classes_of(task, names), metric), True, task)


def function_judge(function: Callable[..., Any], task: Task, names: np.ndarray) -> OwnObjective:
    """A function, in the same way."""
    score = make_objective(function, True)
    return _made(_function_judge(score, _classes_of(task, names)), True, task)


def check_computable(objective: OwnObjective, task: Task, targets: np.ndarray, weight: np.ndarray) -> None:
    """See that an objective can be computed before a search begins.

    Raises
    ------
    ParameterError
        If it fails, or gives no number.
    """
    rng = np.random.default_rng(0)
    rows = rng.permutation(len(targets))[:_PROBED_ROWS]
    answers = task.answers_of(rng.normal(size=(len(rows), task.n_outputs)))
    try:
        value = float(objective.function(answers, targets[rows], np.asarray(weight)[rows]))
    except ParameterError:
        raise
    except Exception as error:  # of anybody's function
        raise ParameterError(f"{objective.name!r} cannot be computed of these samples: {error}") from error
    if not np.isfinite(value):
        raise ParameterError(
            f"{objective.name!r} is {value} for random answers to these samples: it must be a number."
        )


def _classes_of(task: Task, names: np.ndarray) -> np.ndarray | None:
    kind = task.answers.kind
    if kind not in (CLASSES.kind, NUMBERS.kind):
        raise ParameterError(
            f"own objectives and metrics are for classes and numbers, and this task, {task.kind!r}, predicts neither."
        )
    return np.asarray(names) if kind == CLASSES.kind else None


def _function_judge(score: Score, names: np.ndarray | None) -> _FunctionJudge:
    parameters = _parameters(score.function)
    second = parameters[1] if len(parameters) > 1 else "y_prob"
    bare = getattr(getattr(score.function, "func", score.function), "__name__", "")
    takes_scores = second in SCORE_ARGUMENTS or bare in SCORE_FUNCTIONS
    return _FunctionJudge(score.name, names, score.function, takes_scores, "sample_weight" in parameters)


def _parameters(function: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except ValueError:  # a function in C says nothing
        return []


def _made(judge: _Judge, greater_is_better: bool, task: Task) -> OwnObjective:
    return OwnObjective(judge.name, greater_is_better, judge, answers=task.answers)

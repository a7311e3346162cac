"""What trying a value gave, which of several is kept, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from genokeras.support.wording import listed
from genokeras.tuning.param_spec import ParamSpec


@dataclass(frozen=True)
class Attempt:
    """The result of trying one value.

    Parameters
    ----------
    score : float
        Higher is better; NaN where there is none. One that is not finite is never chosen.
    learning_rate : float, optional
        The rate it was trained with, where a range test chose it.
    curve : tuple of float
        The range test's curve, for drawing.
    seconds : float
        Spent on it.
    error : str, optional
        Why there is no score.
    second : float
        What decides between equal scores; higher is better.
    """

    score: float
    learning_rate: float | None = None
    curve: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    second: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it can be chosen."""
        return self.error is None and math.isfinite(self.score)

    @property
    def why_not(self) -> str:
        """Why it cannot be chosen."""
        return self.error or "its score is not a finite number"


@dataclass(frozen=True)
class Settled:
    """A parameter whose value is decided.

    Parameters
    ----------
    parameter : str
    index : int
        Of the value in its list.
    value : object
    reason : str
    attempts : tuple of Attempt
        One for each value of the list.
    """

    parameter: str
    index: int
    value: Any
    reason: str
    attempts: tuple[Attempt, ...]

    @property
    def winner(self) -> Attempt:
        """The attempt that was kept."""
        return self.attempts[self.index]


@dataclass(frozen=True)
class Selection:
    """What a selector chose.

    Parameters
    ----------
    values : dict
        Every start value, with those chosen in place.
    learning_rate : float or None
        That of the last parameter's winner, which was trained with all the other values chosen.
    settled : tuple of Settled
        In the order they were decided.
    """

    values: dict[str, Any]
    learning_rate: float | None
    settled: tuple[Settled, ...]

    @property
    def score(self) -> float | None:
        """That of the last parameter's winner."""
        return self.settled[-1].winner.score if self.settled else None

    @property
    def spec(self) -> ParamSpec:
        """The values with the reasons for them."""
        return ParamSpec.from_dict(self.values, {step.parameter: step.reason for step in self.settled})


Choose = Callable[[Sequence[Any], Sequence[Attempt]], tuple[int, str]]


def choose_best(values: Sequence[Any], attempts: Sequence[Attempt]) -> tuple[int, str]:
    """The value with the highest score, and the highest second score of those; the earlier of two equal ones."""
    able = [i for i, attempt in enumerate(attempts) if attempt.ok]
    index = max(able, key=lambda i: (attempts[i].score, attempts[i].second, -i))
    return index, f"best of {_listed(values)}, with a score of {attempts[index].score:.4g}"


def choose_largest_within(threshold: float) -> Choose:
    """A rule that takes the largest value whose score is within `threshold` of the best, as for weight decay."""

    def choose(values: Sequence[Any], attempts: Sequence[Attempt]) -> tuple[int, str]:
        best, near = _near(attempts, threshold)
        index = max(near, key=lambda i: (values[i], -i))
        return index, (
            f"largest of {_listed(values)} whose score, {attempts[index].score:.4g}, is within {threshold:g} of the best, "
            f"{best:.4g}"
        )

    return choose


def choose_second_within(error: Callable[[float], float]) -> Choose:
    """A rule that takes the highest second score of the values whose score is as good as the best one.

    Parameters
    ----------
    error : callable
        Takes the best score, and returns how far below it a score may be by chance, such as a standard error, as in
        Breiman et al. (1984), "Classification and regression trees", section 3.4.3.
    """

    def choose(values: Sequence[Any], attempts: Sequence[Attempt]) -> tuple[int, str]:
        best, near = _near(attempts, error)
        if len(near) == 1:
            return choose_best(values, attempts)
        index = max(near, key=lambda i: (attempts[i].second, attempts[i].score, -i))
        return index, (
            f"best of {_listed(values)}: its score, {attempts[index].score:.4g}, is by chance at most below the "
            f"highest, {best:.4g}, and its loss is the lowest of those"
        )

    return choose


def _near(attempts: Sequence[Attempt], margin: float | Callable[[float], float]) -> tuple[float, list[int]]:
    """The best score, and the places of all that are at most the margin below it."""
    best = max(attempt.score for attempt in attempts if attempt.ok)
    least = best - (margin(best) if callable(margin) else margin)
    return best, [i for i, attempt in enumerate(attempts) if attempt.ok and attempt.score >= least]


def shown(value: Any) -> str:
    """A value as messages show it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _listed(values: Sequence[Any]) -> str:
    return listed(map(shown, values))

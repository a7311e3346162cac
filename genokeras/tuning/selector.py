"""The HyperSelector: one parameter after the other, each value tried, the best one kept. It knows no networks."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

from genokeras.errors import ParameterError, SearchError
from genokeras.support.wording import listed
from genokeras.tuning.specs import ParamSpec
from genokeras.tuning.states import check_state, read_state, settled_entry

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """What trying one value came to.

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


@dataclass(frozen=True)
class Settled:
    """A parameter whose value is decided."""

    parameter: str
    index: int
    value: Any
    reason: str
    candidates: tuple[Candidate, ...]

    @property
    def winner(self) -> Candidate:
        """The candidate that was kept."""
        return self.candidates[self.index]


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


Evaluate = Callable[[list[dict[str, Any]]], Sequence[Candidate]]
Choose = Callable[[Sequence[Any], Sequence[Candidate]], tuple[int, str]]


def choose_best(values: Sequence[Any], candidates: Sequence[Candidate]) -> tuple[int, str]:
    """The value with the highest score, and the highest second score of those; the earlier of two alike."""

    def order(i: int) -> tuple[float, float, int]:
        return candidates[i].score, candidates[i].second, -i

    index = max((i for i, c in enumerate(candidates) if c.ok), key=order)
    return index, f"best of {listed(map(_shown, values))}, with a score of {candidates[index].score:.4g}"


def choose_largest_within(threshold: float) -> Choose:
    """A rule that takes the largest value whose score is within `threshold` of the best, as for weight decay."""

    def choose(values: Sequence[Any], candidates: Sequence[Candidate]) -> tuple[int, str]:
        best = max(c.score for c in candidates if c.ok)
        near = [i for i, c in enumerate(candidates) if c.ok and c.score >= best - threshold]
        index = max(near, key=lambda i: (values[i], -i))
        found = candidates[index].score
        return index, (
            f"largest of {listed(map(_shown, values))} whose score, {found:.4g}, is within {threshold:g} of the best, "
            f"{best:.4g}"
        )

    return choose


def choose_second_within(error: Callable[[float], float]) -> Choose:
    """A rule that takes the highest second score of the values whose score is as good as the best one.

    Parameters
    ----------
    error : callable
        Takes the best score, and returns how far below it a score may be by chance; a standard error, say, as in
        Breiman et al. (1984), "Classification and regression trees", section 3.4.3.
    """

    def choose(values: Sequence[Any], candidates: Sequence[Candidate]) -> tuple[int, str]:
        best = max(c.score for c in candidates if c.ok)
        near = [i for i, c in enumerate(candidates) if c.ok and c.score >= best - error(best)]
        index = max(near, key=lambda i: (candidates[i].second, candidates[i].score, -i))
        if len(near) == 1:
            return choose_best(values, candidates)
        return index, (
            f"best of {listed(map(_shown, values))}: its score, {candidates[index].score:.4g}, is by chance at most below the "
            f"highest, {best:.4g}, and its loss is the lowest of those"
        )

    return choose


@final
class HyperSelector:
    """Coordinate-wise selection: settle one parameter after the other, in the order of their lists.

    Parameters
    ----------
    start : mapping
        Start values by name.
    lists : mapping of str to sequence
        Values to try, by name of the parameter.
    evaluate : callable
        Takes candidates (dicts of all values) that differ in one parameter, and returns a :class:`Candidate` for each, in
        order. What it raises loses the candidate, not the search: it is then asked again for each candidate alone.
    log : callable
        Takes the lines that say how it goes.
    choose : mapping of str to callable, optional
        Rules ``(values, candidates) -> (index, reason)`` for some parameters; :func:`choose_best` for the others.
    state : mapping, optional
        Where to go on: the ``state`` of an earlier selector of the same start values and lists.
    on_settled : callable, optional
        Takes ``state`` after every parameter settled, to save it.
    rate_name : str
        The parameter that takes over the learning rate found by the winner's range test, where `start` has it and `lists`
        has not.
    fatal : tuple of exception classes
        What ends the search if `evaluate` raises it, in place of losing the candidate.

    Raises
    ------
    ParameterError
        On an empty list, a list for a parameter without start value, or the state of another search.

    Examples
    --------
    >>> def evaluate(candidates):
    ...     return [Candidate(score=-abs(c["n_latent"] - 60)) for c in candidates]
    >>> HyperSelector({"n_latent": 32}, {"n_latent": [128, 64, 32]}, evaluate).run().values
    {'n_latent': 64}
    """

    def __init__(
        self,
        start: Mapping[str, Any],
        lists: Mapping[str, Sequence[Any]],
        evaluate: Evaluate,
        *,
        log: Callable[[str], None] = _logger.info,
        choose: Mapping[str, Choose] | None = None,
        state: Mapping[str, Any] | None = None,
        on_settled: Callable[[dict[str, Any]], None] | None = None,
        rate_name: str = "learning_rate",
        fatal: tuple[type[Exception], ...] = (),
    ) -> None:
        self._start = dict(start)
        self._lists = {name: list(values) for name, values in lists.items()}
        self._evaluate, self._log, self._on_settled = evaluate, log, on_settled
        self._choose = dict(choose or {})
        self._rate_name = rate_name
        self._fatal = fatal
        _check(self._start, self._lists)
        self._settled: list[Settled] = []
        if state is not None:
            check_state(state, self._start, self._lists)
            self._settled = [_settled(entry, self._lists) for entry in state["settled"]]

    @property
    def state(self) -> dict[str, Any]:
        """What is settled so far, as a plain JSON value; the curves are left out."""
        return read_state(self._start, self._lists, [_entry(step) for step in self._settled])

    def run(self) -> Selection:
        """Settle every parameter that is not settled yet.

        Raises
        ------
        SearchError
            If no value of a parameter could be scored.
        """
        for step in self._settled:
            self._log(f"Pretraining: {step.parameter} = {_shown(step.value)} was settled before")
        for name in list(self._lists)[len(self._settled) :]:
            self._settled.append(self._settle(name))
            if self._on_settled is not None:
                self._on_settled(self.state)
        rates = [s.winner.learning_rate for s in self._settled if s.winner.learning_rate is not None]
        return Selection(self._values(), rates[-1] if rates else None, tuple(self._settled))

    def _values(self) -> dict[str, Any]:
        """The start values with those settled in place."""
        values = dict(self._start)
        takes_rate = self._rate_name in self._start and self._rate_name not in self._lists
        for step in self._settled:
            values[step.parameter] = step.value
            if takes_rate and step.winner.learning_rate is not None:
                values[self._rate_name] = step.winner.learning_rate
        return values

    def _settle(self, name: str) -> Settled:
        values, current = self._lists[name], self._values()
        for value in values:
            self._log(f"Pretraining: search parameter is {name}, search value is {_shown(value)}")
        candidates = self._tried([{**current, name: value} for value in values])
        for value, candidate in zip(values, candidates, strict=True):
            if not candidate.ok:
                self._log(f"Pretraining: {name} = {_shown(value)} failed: {_why(candidate)}")
        if not any(candidate.ok for candidate in candidates):
            told = "; ".join(f"{_shown(v)}: {_why(c)}" for v, c in zip(values, candidates, strict=True))
            raise SearchError(f"no value of {name} could be scored: {told}.")
        index, reason = self._choose.get(name, choose_best)(values, candidates)
        winner = candidates[index]
        rate = "" if winner.learning_rate is None else f", learning rate {winner.learning_rate:.6g}"
        self._log(f"Pretraining: {name} = {_shown(values[index])} is kept: score {winner.score:.4f}{rate}")
        return Settled(name, index, values[index], reason, candidates)

    def _tried(self, wanted: list[dict[str, Any]]) -> tuple[Candidate, ...]:
        """What all came to; one at a time where together they fail."""
        try:
            found = tuple(self._evaluate(wanted))
        except self._fatal:
            raise
        except Exception as error:
            if len(wanted) == 1:
                _logger.debug("A candidate failed", exc_info=True)
                return (Candidate(math.nan, error=f"{type(error).__name__}: {error}"),)
            return tuple(candidate for one in wanted for candidate in self._tried([one]))
        if len(found) != len(wanted):
            raise ParameterError(
                f"evaluate must return one Candidate for each of {len(wanted)}, got {len(found)}."
            )
        return found


def _check(start: Mapping[str, Any], lists: Mapping[str, list[Any]]) -> None:
    problems = [f"{name} is an empty list" for name, values in lists.items() if not values]
    problems += [f"{name} has no start value" for name in lists if name not in start]
    if problems:
        raise ParameterError(f"values to search: {'; '.join(problems)}.")


def _why(candidate: Candidate) -> str:
    return candidate.error or "its score is not a finite number"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _entry(step: Settled) -> dict[str, Any]:
    scores = [
        {
            "score": c.score if math.isfinite(c.score) else None,
            "learning_rate": c.learning_rate,
            "seconds": c.seconds,
            "error": c.error or (None if math.isfinite(c.score) else _why(c)),
        }
        for c in step.candidates
    ]
    return settled_entry(step.parameter, step.index, step.value, step.reason, scores)


def _settled(entry: Mapping[str, Any], lists: Mapping[str, list[Any]]) -> Settled:
    candidates = tuple(
        Candidate(
            math.nan if c["score"] is None else c["score"],
            learning_rate=c["learning_rate"],
            seconds=c["seconds"],
            error=c["error"],
        )
        for c in entry["candidates"]
    )
    name, index = entry["parameter"], entry["index"]
    return Settled(name, index, lists[name][index], entry["reason"], candidates)

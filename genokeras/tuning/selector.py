"""The HyperSelector: one parameter after the other, each value tried, the best one kept. It knows no networks."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from genokeras.errors import ParameterError, SearchError
from genokeras.tuning.attempts import Attempt, Choose, Selection, Settled, choose_best, shown
from genokeras.tuning.selector_state import settled_in, state_of

_logger = logging.getLogger(__name__)

Evaluate = Callable[[list[dict[str, Any]]], Sequence[Attempt]]


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
        Takes candidates (dicts of all values) that differ in one parameter, and returns an :class:`Attempt` for each, in
        order. What it raises loses the candidate, not the search: it is then asked again for each candidate alone.
    log : callable
        Takes the lines that report progress.
    choose : mapping of str to callable, optional
        Rules ``(values, attempts) -> (index, reason)`` for some parameters; :func:`choose_best` for the others.
    state : mapping, optional
        Where to continue: the ``state`` of an earlier selector of the same start values and lists.
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
    ...     return [Attempt(score=-abs(c["n_latent"] - 60)) for c in candidates]
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
        problems = [f"{name} is an empty list" for name, values in self._lists.items() if not values]
        problems += [f"{name} has no start value" for name in self._lists if name not in self._start]
        if problems:
            raise ParameterError(f"values to search: {'; '.join(problems)}.")
        self._settled = [] if state is None else settled_in(state, self._start, self._lists)

    @property
    def state(self) -> dict[str, Any]:
        """What is settled so far, as a plain JSON value; the curves are left out."""
        return state_of(self._start, self._lists, self._settled)

    def run(self) -> Selection:
        """Settle every parameter that is not settled yet.

        Raises
        ------
        SearchError
            If no value of a parameter could be scored.
        """
        for step in self._settled:
            self._log(f"Pretraining: {step.parameter} = {shown(step.value)} was settled before")
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
            self._log(f"Pretraining: search parameter is {name}, search value is {shown(value)}")
        attempts = self._tried([{**current, name: value} for value in values])
        failed = [
            (shown(value), attempt.why_not)
            for value, attempt in zip(values, attempts, strict=True)
            if not attempt.ok
        ]
        for value, why in failed:
            self._log(f"Pretraining: {name} = {value} failed: {why}")
        if len(failed) == len(values):
            reasons = "; ".join(f"{value}: {why}" for value, why in failed)
            raise SearchError(f"no value of {name} could be scored: {reasons}.")
        index, reason = self._choose.get(name, choose_best)(values, attempts)
        winner = attempts[index]
        rate = "" if winner.learning_rate is None else f", learning rate {winner.learning_rate:.6g}"
        self._log(f"Pretraining: {name} = {shown(values[index])} is kept: score {winner.score:.4f}{rate}")
        return Settled(name, index, values[index], reason, attempts)

    def _tried(self, wanted: list[dict[str, Any]]) -> tuple[Attempt, ...]:
        """The results of all candidates; one at a time where together they fail."""
        try:
            found = tuple(self._evaluate(wanted))
        except self._fatal:
            raise
        except Exception as error:
            if len(wanted) == 1:
                _logger.debug("A candidate failed", exc_info=True)
                return (Attempt(math.nan, error=f"{type(error).__name__}: {error}"),)
            return tuple(attempt for one in wanted for attempt in self._tried([one]))
        if len(found) != len(wanted):
            raise ParameterError(
                f"evaluate must return one Attempt for each of {len(wanted)}, got {len(found)}."
            )
        return found

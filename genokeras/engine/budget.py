"""A time limit as a promise: one deadline, made at the entrance, known to everything that takes time."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from genokeras.engine.pace import measured_slowness, steady_slowness
from genokeras.errors import ParameterError

_SAFETY = 1.25
# A smaller part of a job than that is not worth its beginning.
_LEAST_SHARE = 0.25
# Seconds for which a measured pace of the machine holds.
_PACE_HOLDS = 5.0
# Seconds kept back for the ensemble, its estimate and the merged model before there are trials to predict it from.
_RESERVE_SHARE, _RESERVE_LEAST, _RESERVE_MOST, _RESERVE_OF_LIMIT = 0.08, 1.5, 25.0, 0.3
# The share of the limit that reading and preparing the data may use up; what is not needed at once is left out then.
_PREPARATION_SHARE = 0.25


@final
@dataclass(frozen=True)
class Deadline:
    """When something has to end, as a value that can travel to another process or machine.

    Attributes
    ----------
    at : float
        Seconds since the epoch (``time.time``); infinite for no deadline.
    """

    at: float = math.inf

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline in this many seconds."""
        return cls(time.time() + seconds)

    @property
    def left(self) -> float:
        """Seconds until then; negative afterwards."""
        return self.at - time.time()

    def passed(self) -> bool:
        """Whether it is over."""
        return self.left <= 0


class Budget:
    """Seconds left, and whether the next trial still fits into them.

    Parameters
    ----------
    time_limit : float or None
        Seconds from now; None is no limit.
    reserve : float
        Seconds kept back for what comes after the search: the ensemble, its estimate, the export.
    clock : callable
        Monotonic seconds.
    pace, steady_pace : callable
        Measure how slow the machine is at the moment; see ``genokeras.engine.pace``.
    least : float, optional
        Seconds that a job makes use of. It is given to jobs that fit themselves into the time there is; any other job is
        expected to take as long as those before it.
    """

    def __init__(
        self,
        time_limit: float | None,
        reserve: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        least: float | None = None,
        pace: Callable[[], float] = measured_slowness,
        steady_pace: Callable[[], float] = steady_slowness,
    ) -> None:
        if time_limit is not None and not time_limit > 0:
            raise ParameterError(f"time_limit must be a number of seconds above 0, got {time_limit!r}.")
        self._clock = clock
        self._start = clock()
        self._limit = time_limit
        self._reserve = reserve
        self._least = least
        self._pace, self._steady_pace = pace, steady_pace
        self._measured: tuple[float, float] | None = None
        self._costs: deque[float] = deque(maxlen=5)

    @property
    def time_limit(self) -> float | None:
        """Seconds in all; None is no limit."""
        return self._limit

    @property
    def elapsed(self) -> float:
        """Seconds since the budget was made."""
        return self._clock() - self._start

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; infinite without one, negative after it."""
        return float("inf") if self._limit is None else self._limit - self.elapsed

    @property
    def search_remaining(self) -> float:
        """Seconds left for trials, without what is reserved for the end."""
        return self.remaining - self._reserve

    def slowness(self) -> float:
        """How slow the machine is, measured anew after some seconds: others may use it, too."""
        now = self._clock()
        if self._measured is None or now - self._measured[0] > _PACE_HOLDS:
            self._measured = now, self._pace()
        return self._measured[1]

    def seconds_of_reference(self) -> float:
        """What is left, in seconds of the machine that costs were measured on; infinite without a limit."""
        if self._limit is None:
            return math.inf
        slowness = self._steady_pace()
        return self.remaining / slowness

    def keep(self, seconds: float) -> None:
        """Keep this many seconds back for what comes after the search, in place of those before."""
        self._reserve = seconds

    def deadline(self) -> Deadline:
        """When the search has to end."""
        return Deadline() if self._limit is None else Deadline.after(self.search_remaining)

    def exhausted(self) -> bool:
        """Whether the search has to end now."""
        return self.search_remaining <= 0

    def fits_preparation(self, seconds: float) -> bool:
        """Whether a further step of preparing the data, of this many seconds, leaves the search three quarters of the limit."""
        return self._limit is None or self.elapsed + seconds <= _PREPARATION_SHARE * self._limit

    def observe(self, seconds: float) -> None:
        """Note what a job cost, so that the next one's cost can be predicted."""
        self._costs.append(seconds)

    def affordable_share(self, least: float = 0.0, measured: float = 0.0) -> float:
        """How much of a job that takes as long as the longest of the latest few would end before the search has to.

        That is all of it, 1, or some of its trials, or nothing, 0; of jobs that fit themselves into the time there is all or nothing.

        Parameters
        ----------
        least : float
            Seconds that the next one takes in any case, on the machine that costs were measured on.
        measured : float
            The same on this machine, where that is known: what is longer counts.
        """
        left = self.search_remaining
        if self._limit is not None and (least or measured):
            begins = max(measured, least * self.slowness() if least else 0.0)
            if left <= _SAFETY * begins:
                return 0.0
        predicted = _SAFETY * max(self._costs, default=0.0) if self._least is None else self._least
        if left > predicted:
            return 1.0
        share = left / predicted if self._least is None and left > 0 else 0.0
        return share if share >= _LEAST_SHARE else 0.0

    def must_begin(self, seconds: float) -> bool:
        """Whether a job of this many seconds has to begin now: behind another one there may be no time left for it."""
        return self.search_remaining < _SAFETY * (seconds + max(self._costs, default=0.0))


def search_budget(time_limit: float | None, least: float | None = None) -> Budget:
    """The budget of a search from now on, with what is reserved for its end.

    Parameters
    ----------
    time_limit : float or None
        Seconds.
    least : float, optional
        As in `Budget`.
    """
    if time_limit is None:
        return Budget(None)
    reserve = min(max(_RESERVE_SHARE * time_limit, _RESERVE_LEAST), _RESERVE_MOST)
    return Budget(time_limit, min(reserve, _RESERVE_OF_LIMIT * time_limit), least=least)

"""A time limit as a promise: one deadline, made at the entrance, asked by everything that takes time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from genokeras.errors import ParameterError

_SAFETY = 1.25


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
    ) -> None:
        if time_limit is not None and not time_limit > 0:
            raise ParameterError(f"time_limit must be a number of seconds above 0, got {time_limit!r}.")
        self._clock = clock
        self._start = clock()
        self._limit = time_limit
        self._reserve = reserve
        self._least = least
        self._costs: deque[float] = deque(maxlen=5)

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
        """Seconds left for trials, what is reserved for the end taken off."""
        return self.remaining - self._reserve

    def exhausted(self) -> bool:
        """Whether the search has to end now."""
        return self.search_remaining <= 0

    def observe(self, seconds: float) -> None:
        """Tell what a job cost, so that the next one's cost can be predicted."""
        self._costs.append(seconds)

    def affords_another(self) -> bool:
        """Whether a job as dear as the dearest of the latest few would end before the search has to."""
        predicted = _SAFETY * max(self._costs, default=0.0) if self._least is None else self._least
        return self.search_remaining > predicted

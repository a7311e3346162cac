"""How slow this machine is at the moment, as a factor of the one that the costs in this package were measured on."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import numpy as np

# Seconds, on that machine, that a first program of a kind takes before it trains.
SECONDS_TO_COMPILE = 0.7
# Seconds of one core of the machine that costs were measured on (2 cores of a virtual server, idle).
_REFERENCE = 0.025
_ROUNDS, _SIZE = 9, 192
# A figure above the first is measured again, so often.
_SUSPICIOUS, _AGAIN = 2.0, 2
_STEADY = 4


def measured_slowness(measure: Callable[[], float] | None = None) -> float:
    """Seconds that a piece of work takes now, over those it took there; above 1 on a slower or busier machine.

    One pause of the machine, or another process that begins just then, must not end a search: what looks slow is measured again, and the
    smallest of up to three figures counts.

    Parameters
    ----------
    measure : callable, optional
        Seconds of the piece of work, in place of doing it.
    """
    measure = measure or _seconds_of_work
    found = measure() / _REFERENCE
    for _ in range(_AGAIN):
        if found <= _SUSPICIOUS:
            break
        found = min(found, measure() / _REFERENCE)
    return found


def steady_slowness() -> float:
    """The same over a longer time, a tenth of a second: on a machine that others use, too, a short piece of work may be done between theirs."""
    _seconds_of_work()  # in a new process the first one loads libraries
    return sum(_seconds_of_work() for _ in range(_STEADY)) / (_STEADY * _REFERENCE)


def _seconds_of_work() -> float:
    """Building and writing networks is a matter of many small Python objects, preparing data one of matrix products: it has some of both.

    It takes about 25 ms of one core.
    """
    started = time.perf_counter()
    matrix = np.ones((_SIZE, _SIZE), dtype="float64")
    for _ in range(_ROUNDS):
        copy.deepcopy([{"name": str(number), "shape": [number, 1.0]} for number in range(350)])
        matrix = np.tanh(matrix @ matrix)
    return time.perf_counter() - started

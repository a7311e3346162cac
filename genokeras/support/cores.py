"""Threads for matrix products, no more than there are cores for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_info, threadpool_limits

from genokeras.support.processes import usable_cores

_P = ParamSpec("_P")
_T = TypeVar("_T")


def free_cores() -> int:
    """Cores that this process may run on and that were not busy in the last minute; at least one."""
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return max(1, min(usable_cores(), (os.cpu_count() or 1) - int(busy)))


def within_cores(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, whose matrix products have no more threads than there are cores that others leave.

    NumPy counts the cores of the machine. Where fewer are free its threads wait for each other, and products take five times as long.
    """

    @wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        cores = free_cores()
        if all(pool["num_threads"] <= cores for pool in threadpool_info() if pool["user_api"] == "blas"):
            return function(*args, **kwargs)
        with threadpool_limits(cores, user_api="blas"):
            return function(*args, **kwargs)

    return called

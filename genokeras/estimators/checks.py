"""Limits and seed of a search, checked before anything is written."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np

from genokeras.errors import ParameterError


def check_limits(folds: object, max_trials: object, seed: object, time_limit: object) -> None:
    """See that nothing is out of range, and that something ends the search.

    Raises
    ------
    ParameterError
        If one of these is no sensible number, or nothing would ever end the search.
    """
    for name, value, least in (("folds", folds, 2), ("max_trials", max_trials, 1), ("seed", seed, 0)):
        if value is None and name != "seed":
            continue
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
            raise ParameterError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    if time_limit is None and max_trials is None:
        raise ParameterError("give a time_limit, max_trials, or both: a search without either never ends.")
    if time_limit is not None and (
        not isinstance(time_limit, numbers.Real) or not 0 < float(time_limit) < math.inf
    ):
        raise ParameterError(f"time_limit must be a number of seconds above 0, got {time_limit!r}.")


def seed_of(random_state: int | None) -> int:
    """``random_state``, or a seed drawn by chance."""
    if random_state is None:
        return int(np.random.SeedSequence().entropy % 2**31)  # type: ignore[operator]
    return random_state


def check_extra(estimator: Any, extra: object) -> None:
    """Raise ``ParameterError`` where numbers come beside samples that take none."""
    if extra is not None and not estimator.content.takes_extra:
        raise ParameterError(f"extra numbers stand beside sequences; {type(estimator).__name__} takes none.")

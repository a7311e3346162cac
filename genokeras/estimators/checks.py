"""Limits and seed of a search, checked before anything is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from genokeras.errors import ParameterError
from genokeras.support.checks import check_number, check_whole

# What scikit-learn and NumPy's older generators take.
_LARGEST_SEED = 2**32 - 1


def check_limits(folds: object, max_trials: object, seed: object, time_limit: object) -> None:
    """See that nothing is out of range, and that something ends the search.

    Raises
    ------
    ParameterError
        If one of these is no sensible number, or nothing would ever end the search.
    """
    for name, value, least in (("folds", folds, 2), ("max_trials", max_trials, 1)):
        if value is not None:
            check_whole(value, name, least)
    check_whole(seed, "random_state (seed)", 0, _LARGEST_SEED)
    if time_limit is None and max_trials is None:
        raise ParameterError("give a time_limit, max_trials, or both: a search without either never ends.")
    if time_limit is not None:
        check_number(time_limit, "time_limit (seconds)", above=0)


def seed_of(random_state: int | None) -> int:
    """``random_state``, or a seed drawn by chance."""
    if random_state is None:
        return int(np.random.SeedSequence().entropy % 2**31)  # type: ignore[operator]
    return random_state


def check_extra(estimator: Any, extra: object) -> None:
    """Raise ``ParameterError`` where numbers come beside samples that take none."""
    if extra is not None and not estimator.content.takes_extra:
        raise ParameterError(f"extra numbers stand beside sequences; {type(estimator).__name__} takes none.")

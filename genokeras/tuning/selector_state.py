"""The saved state of a selector: a plain JSON value, and whether it belongs to the current search."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from genokeras.errors import ParameterError
from genokeras.support.json_files import check_format, plain_json
from genokeras.tuning.attempts import Attempt, Settled

FORMAT = 1

Values = Mapping[str, Any]
Lists = Mapping[str, Sequence[Any]]


def state_of(start: Values, lists: Lists, settled: Sequence[Settled]) -> dict[str, Any]:
    """A selector's state from its parts; the curves are left out.

    Parameters
    ----------
    start : mapping
        Start values.
    lists : mapping of str to sequence
    settled : sequence of Settled
    """
    state = {
        "format": FORMAT,
        "start": start,
        "lists": [[name, values] for name, values in lists.items()],
        "settled": [_entry(step) for step in settled],
    }
    return plain_json(state, repr)


def settled_in(state: Any, start: Values, lists: Lists) -> list[Settled]:
    """What a saved state has settled.

    Parameters
    ----------
    state : dict
    start : mapping
    lists : mapping of str to sequence
        Those of the current search.

    Raises
    ------
    ParameterError
        If it belongs to another search; the message names what differs.
    """
    if not isinstance(state, Mapping):
        raise ParameterError(f"expected a selector's state, got {type(state).__name__!r}.")
    check_format("the selector's state", state.get("format"), FORMAT, ParameterError)
    here = state_of(start, lists, [])
    for key, what in (("start", "start values"), ("lists", "lists of values")):
        if state.get(key) != here[key]:
            raise ParameterError(
                f"the saved state belongs to another search: its {what} are {state.get(key)!r}, those of this one are "
                f"{here[key]!r}. Start again without it."
            )
    names = [entry["parameter"] for entry in state["settled"]]
    if names != list(lists)[: len(names)]:
        raise ParameterError(
            f"the saved state has settled {names}, but this search goes through {list(lists)} in that order."
        )
    return [_settled(entry, lists) for entry in state["settled"]]


def _entry(step: Settled) -> dict[str, Any]:
    """One settled parameter; the index identifies the value where JSON cannot hold it."""
    attempts = [
        {
            "score": attempt.score if math.isfinite(attempt.score) else None,
            "learning_rate": attempt.learning_rate,
            "seconds": attempt.seconds,
            "error": None if attempt.ok else attempt.why_not,
        }
        for attempt in step.attempts
    ]
    return {
        "parameter": step.parameter,
        "index": step.index,
        "value": step.value,
        "reason": step.reason,
        "candidates": attempts,
    }


def _settled(entry: Mapping[str, Any], lists: Lists) -> Settled:
    attempts = tuple(
        Attempt(
            math.nan if found["score"] is None else found["score"],
            learning_rate=found["learning_rate"],
            seconds=found["seconds"],
            error=found["error"],
        )
        for found in entry["candidates"]
    )
    name, index = entry["parameter"], entry["index"]
    return Settled(name, index, lists[name][index], entry["reason"], attempts)

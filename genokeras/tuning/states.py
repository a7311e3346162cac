"""The saved state of a selector: a plain JSON value, and whether it belongs to the search at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genokeras.errors import ParameterError
from genokeras.support.json_files import plain_json

FORMAT = 1


def read_state(
    start: Mapping[str, Any], lists: Mapping[str, Sequence[Any]], settled: list[dict[str, Any]]
) -> dict[str, Any]:
    """A selector's state from its parts."""
    return {
        "format": FORMAT,
        "start": plain_json(start, repr),
        "lists": [[name, plain_json(values, repr)] for name, values in lists.items()],
        "settled": settled,
    }


def settled_entry(
    parameter: str, index: int, value: Any, reason: str, candidates: list[dict[str, Any]]
) -> dict[str, Any]:
    """One settled parameter; the index says which value it is where JSON cannot."""
    return {
        "parameter": parameter,
        "index": index,
        "value": plain_json(value, repr),
        "reason": reason,
        "candidates": [{key: plain_json(item, repr) for key, item in one.items()} for one in candidates],
    }


def check_state(
    state: Mapping[str, Any], start: Mapping[str, Any], lists: Mapping[str, Sequence[Any]]
) -> None:
    """Raise where a state cannot be gone on from.

    Raises
    ------
    ParameterError
        Naming what differs.
    """
    if not isinstance(state, Mapping) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, Mapping) else type(state).__name__
        raise ParameterError(f"expected a selector's state of format {FORMAT}, got {found!r}.")
    here = read_state(start, lists, [])
    for key, what in (("start", "start values"), ("lists", "lists of values")):
        if state.get(key) != here[key]:
            raise ParameterError(
                f"the saved state belongs to another search: its {what} are {state.get(key)!r}, those of this one are "
                f"{here[key]!r}. Start anew without it."
            )
    names = [entry["parameter"] for entry in state["settled"]]
    if names != list(lists)[: len(names)]:
        raise ParameterError(
            f"the saved state has settled {names}, but this search goes through {list(lists)} in that order."
        )

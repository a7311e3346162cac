"""Executors by name, and the arguments that a user gives them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from genokeras.engine.executor import Executor, LocalExecutor, LocalSettings, Recipe
from genokeras.engine.methods import Method
from genokeras.engine.pool import PoolExecutor, PoolSettings
from genokeras.engine.ray_executor import RayExecutor, RaySettings
from genokeras.engine.shared_executor import SharedExecutor, SharedSettings
from genokeras.errors import ParameterError
from genokeras.support import RunFolder
from genokeras.support.checks import check_whole
from genokeras.support.wording import did_you_mean

_KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "local": (LocalExecutor, LocalSettings),
    "pool": (PoolExecutor, PoolSettings),
    "ray": (RayExecutor, RaySettings),
}
# Several processes search one run, all with the same path.
SHARED = "shared"
EXECUTORS = (*_KINDS, SHARED)
_AHEAD = "ahead"


def check_executor(executor: Any, arguments: Mapping[str, Any]) -> None:
    """See that an executor can be made; nothing is started.

    Parameters
    ----------
    executor : str or type
        A name, or a subclass of `Executor`, which gets a recipe of the runner and the arguments.
    arguments : mapping
        ``executor_args`` of an estimator.

    Raises
    ------
    ParameterError
        If it is unknown, or an argument is unknown or out of range.
    """
    own = _own(arguments)
    if arguments.get(_AHEAD) is not None:
        check_whole(arguments[_AHEAD], "executor_args 'ahead'", 0)
    if inspect.isclass(executor) and issubclass(executor, Executor):
        return
    if not isinstance(executor, str) or executor not in EXECUTORS:
        known = ", ".join(map(repr, EXECUTORS))
        raise ParameterError(
            f"executor must be one of {known} or a subclass of genokeras.Executor, got {executor!r}."
            f"{did_you_mean(str(executor), EXECUTORS)}"
        )
    settings = SharedSettings if executor == SHARED else _KINDS[executor][1]
    names = [*(field.name for field in fields(settings)), _AHEAD]
    for name in own:
        if name not in names:
            raise ParameterError(
                f"unknown executor_args {name!r} for {executor!r}.{did_you_mean(name, names)} Known: {', '.join(names)}."
            )
    settings(**own)


def make_executor(executor: Any, arguments: Mapping[str, Any], recipe: Recipe, folder: RunFolder) -> Executor:
    """The executor of a search.

    Parameters
    ----------
    executor, arguments : as in `check_executor`
    recipe : Recipe
        Makes the runner where jobs are trained.
    folder : RunFolder

    Raises
    ------
    SearchError
        If its workers cannot be started.
    """
    if not isinstance(executor, str):
        made: Executor = executor(recipe, **_own(arguments))
        return made
    if executor == SHARED:
        return SharedExecutor(recipe, SharedSettings(**_own(arguments)), folder)
    kind, settings = _KINDS[executor]
    chosen: Executor = kind(recipe, settings(**_own(arguments)))
    return chosen


def jobs_ahead(
    executor: Any, arguments: Mapping[str, Any], time_limit: float | None, method: Method, slots: int
) -> int | None:
    """How many jobs may lack results when the searcher is asked; None for as many as there are slots. See `SearchLoop`.

    A search with a time limit is not repeatable and asks whenever a slot is free. Without one, a table is searched as one slot
    would search it: an ask gives jobs for several slots. Where it gives one job, slots are used all the same, and the search is
    that of any executor of so many slots.
    """
    if arguments.get(_AHEAD) is not None:
        return int(arguments[_AHEAD])
    if method.packs and time_limit is None:
        return 0
    # Processes that share a run come and go.
    return None if time_limit is not None or executor == SHARED else 2 * (slots - 1)


def _own(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != _AHEAD}

"""What a user says -> searcher and training settings, checked before anything is written."""

from __future__ import annotations

import difflib
import inspect
import math
import numbers
from collections.abc import Mapping
from typing import Any

from genokeras.engine.arcs import DEFAULTS, NAME, make_enas_searcher
from genokeras.errors import ParameterError
from genokeras.graph.arcs import Arc
from genokeras.searchers import BayesianSearcher, HyperSpace, RandomSearcher, Searcher
from genokeras.training import TrainingSettings

SEARCHERS: dict[str, type[Searcher]] = {"bayesian": BayesianSearcher, "random": RandomSearcher}
# Names of classic AutoKeras' trainer_args -> fields of TrainingSettings.
TRAINER_ARGS = {
    "max_iter_num": "max_steps",
    "max_no_improvement_num": "patience",
    "min_loss_dec": "min_improvement",
    "batch_size": "batch_size",
}


def training_settings(trainer_args: Mapping[str, Any] | None) -> TrainingSettings:
    """Training settings from ``searcher_args["trainer_args"]``.

    Raises
    ------
    ParameterError
        On an unknown name or a value out of range.
    """
    given = dict(trainer_args or {})
    for name in given:
        if name not in TRAINER_ARGS:
            raise ParameterError(f"unknown trainer_args {name!r}; {suggest(name, TRAINER_ARGS)}")
    return TrainingSettings(**{TRAINER_ARGS[name]: value for name, value in given.items()})


def make_searcher(
    searcher: str | Searcher,
    searcher_args: Mapping[str, Any] | None,
    n_outputs: int,
    views: tuple[str, ...],
    arcs: tuple[Arc, ...] = (),
) -> Searcher:
    """The searcher of a run.

    Parameters
    ----------
    searcher : str or Searcher
        A name in ``SEARCHERS``, or an instance.
    searcher_args : mapping, optional
        ``search_type`` replaces ``searcher`` (a Searcher class or instance); ``trainer_args`` is not for the searcher;
        everything else goes to the searcher's constructor, which also gets ``n_outputs`` and ``space`` if it takes them.
    n_outputs : int
    views : tuple of str
        Views that the data allow.
    arcs : tuple of Arc
        What the shared weights of ``"enas"`` found.

    Raises
    ------
    ParameterError
        On unknown names.
    """
    arguments = {k: v for k, v in (searcher_args or {}).items() if k not in ("search_type", "trainer_args")}
    wanted = (searcher_args or {}).get("search_type", searcher)
    if isinstance(wanted, Searcher):
        if arguments:
            raise ParameterError(
                f"searcher_args {sorted(arguments)} need a searcher by name or class, not an instance."
            )
        return wanted
    if wanted == NAME:
        known = [*DEFAULTS, *inspect.signature(BayesianSearcher).parameters]
        for name in arguments:
            if name not in known:
                raise ParameterError(f"unknown searcher_args {name!r} for {NAME}; {suggest(name, known)}")
        return make_enas_searcher(arguments, n_outputs, HyperSpace(views=views), arcs)
    if isinstance(wanted, str):
        if wanted not in SEARCHERS:
            raise ParameterError(f"unknown searcher {wanted!r}; {suggest(wanted, [*SEARCHERS, NAME])}")
        wanted = SEARCHERS[wanted]
    if not (inspect.isclass(wanted) and issubclass(wanted, Searcher)):
        raise ParameterError(
            f"search_type must be the name of a searcher ({', '.join(SEARCHERS)}), a subclass of genokeras.Searcher or an "
            f"instance of one, got {wanted!r}."
        )
    return constructed(wanted, arguments, {"n_outputs": n_outputs, "space": HyperSpace(views=views)})


def constructed(kind: type[Searcher], arguments: dict[str, Any], offered: dict[str, Any]) -> Searcher:
    """A searcher of this class with the user's arguments, and with those of what is offered that it takes.

    Raises
    ------
    ParameterError
        On arguments it does not take.
    """
    parameters = inspect.signature(kind).parameters
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    for name in arguments:
        if name not in parameters and not takes_all:
            known = [*parameters, "search_type", "trainer_args"]
            raise ParameterError(
                f"unknown searcher_args {name!r} for {kind.__name__}; {suggest(name, known)}"
            )
    fitting = {name: value for name, value in offered.items() if name in parameters and name not in arguments}
    return kind(**fitting, **arguments)


def check_limits(folds: object, max_trials: object, seed: object, time_limit: object) -> None:
    """Raise ParameterError where one of these is no sensible number, or nothing would ever end the search."""
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


def suggest(name: object, known: Mapping[str, Any] | list[str]) -> str:
    """ "did you mean 'x'? Known: ..." """
    close = difflib.get_close_matches(str(name), list(known), n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}Known: {', '.join(known)}."

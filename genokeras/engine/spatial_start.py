"""What a search over sequences, images and texts is for and starts from: targets, fathers, searcher, training."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genokeras.engine.network_problem import SpatialProblem
from genokeras.engine.options import TRAINER_ARGS, constructed, suggest
from genokeras.errors import ParameterError
from genokeras.graph import Graph
from genokeras.graph.templates import linear
from genokeras.searchers import HalvingSearcher, HyperSpace, Searcher
from genokeras.searchers.halving import GUIDES, LinearFather
from genokeras.tasks.classes import Classes
from genokeras.tasks.task import Task
from genokeras.training import Allotment, NetworkSettings


@dataclass(frozen=True)
class Fathers:
    """What a kind of samples starts from.

    Attributes
    ----------
    known : mapping of str to callable
        Makes the graph of each father that can be asked for by name.
    usual : tuple of str
        Those that a search starts from.
    space : HyperSpace
    weight_decays : tuple of float
        Of the linear fathers, the first one first.
    """

    known: Mapping[str, Callable[[], Graph]]
    usual: tuple[str, ...]
    space: HyperSpace
    weight_decays: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Aim:
    """What networks are to answer of the samples of a run.

    Attributes
    ----------
    task : Task
    targets : numpy.ndarray
        ``(n_samples, ...)`` as the task has them.
    codes : numpy.ndarray
        ``(n_samples,)`` two or more kinds of training samples that an encoder may look at.
    names : numpy.ndarray
        ``(n_outputs,)`` the classes, or what the numbers are called.
    """

    task: Task
    targets: np.ndarray
    codes: np.ndarray
    names: np.ndarray

    def described(self) -> dict[str, Any]:
        """Entries of ``run.json``."""
        if isinstance(self.task, Classes):
            counts = np.bincount(self.targets, minlength=len(self.names))
            return {"classes": self.names.tolist(), "class_counts": counts.tolist()}
        return {"targets": self.names.tolist()}


def network_settings(trainer_args: Mapping[str, Any] | None) -> tuple[NetworkSettings, dict[str, int]]:
    """How networks are trained, and how many epochs at most, from ``searcher_args["trainer_args"]``.

    Raises
    ------
    ParameterError
        On an unknown name or a value out of range.
    """
    names = TRAINER_ARGS | {"max_iter_num": "most_epochs"}
    given = dict(trainer_args or {})
    for name in given:
        if name not in names:
            raise ParameterError(f"unknown trainer_args {name!r}; {suggest(name, names)}")
    values = {names[name]: value for name, value in given.items()}
    epochs = {"most_epochs": values.pop("most_epochs")} if "most_epochs" in values else {}
    Allotment(epoch=1, time_limit=None, **epochs)
    return NetworkSettings(**values), epochs


def make_spatial_searcher(
    searcher: str | Searcher, searcher_args: Mapping[str, Any], fathers: Fathers, problem: SpatialProblem
) -> Searcher:
    """The searcher of a run; see :func:`genokeras.engine.options.make_searcher`.

    Raises
    ------
    ParameterError
        On unknown names.
    """
    arguments = {k: v for k, v in searcher_args.items() if k not in ("search_type", "trainer_args")}
    wanted = searcher_args.get("search_type", searcher)
    if isinstance(wanted, Searcher):
        return wanted
    offered: dict[str, Any] = {
        "fathers": _fathers(arguments.pop("fathers", fathers.usual), fathers, problem),
        "space": fathers.space,
        "linear": [
            LinearFather(linear(problem.task.n_outputs), view, fathers.weight_decays)
            for view in problem.encoder.linear_views
        ],
        "n_outputs": problem.task.n_outputs,
    }
    if inspect.isclass(wanted) and issubclass(wanted, Searcher):
        return constructed(wanted, arguments, offered)
    if wanted not in GUIDES:
        raise ParameterError(f"unknown searcher {wanted!r}; {suggest(wanted, list(GUIDES))}")
    return constructed(HalvingSearcher, arguments, {**offered, "guide": wanted})


def _fathers(
    asked: Sequence[str | Graph], fathers: Fathers, problem: SpatialProblem
) -> list[tuple[str, Graph]]:
    if isinstance(asked, str) or not asked:
        raise ParameterError(f"fathers must be a sequence of at least one name or graph, got {asked!r}.")
    found: list[tuple[str, Graph]] = []
    for position, father in enumerate(asked):
        if isinstance(father, Graph):
            expected = (problem.encoder.input_shape, problem.task.n_outputs)
            if (father.input_shape, father.n_outputs) != expected:
                raise ParameterError(
                    f"father {position} reads {father.input_shape} and has {father.n_outputs} outputs; expected "
                    f"{expected[0]} and {expected[1]}."
                )
            found.append((f"graph_{position}", father))
        elif father in fathers.known:
            found.append((father, fathers.known[father]()))
        else:
            raise ParameterError(f"unknown father {father!r}; {suggest(father, list(fathers.known))}")
    return found

"""``searcher="enas"``: shared weights rank the arcs of a space, and the best ones become fathers of the search."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from genokeras.enas import (
    CONTROLLERS,
    EnasSearch,
    EnasSettings,
    SearchData,
    SupernetSettings,
    check_top_k,
)
from genokeras.encoders import by_sample
from genokeras.engine.budget import Budget
from genokeras.engine.problem import Problem
from genokeras.errors import ParameterError, RunFolderError
from genokeras.graph import Graph
from genokeras.graph.arcs import Arc, ArcSpace, arc_to_graph
from genokeras.searchers import BayesianSearcher, HyperSpace, Searcher
from genokeras.support import RunFolder
from genokeras.support.wording import listed

NAME = "enas"
ARCS_FILE = "arcs.json"
DEFAULTS: Mapping[str, Any] = {
    "child_num_layers": 3,
    "max_search_channel": 64,
    "top_k_candidates": 4,
    "child_l2_reg": 0.0,
    "controller": None,
}
# The rest of the time limit trains the arcs that were found.
_SHARE_OF_TIME = 0.3

# Of the shared weights, by task.
_LOSSES = {"classes": "cross_entropy", "numbers": "mse"}

logger = logging.getLogger(__name__)


def make_enas_searcher(
    arguments: Mapping[str, Any], n_outputs: int, space: HyperSpace, arcs: tuple[Arc, ...] = ()
) -> Searcher:
    """The searcher behind the arcs: a Bayesian one whose fathers they are, beside the linear model.

    Parameters
    ----------
    arguments : mapping
        Those of ``DEFAULTS``, and of `BayesianSearcher`.
    n_outputs : int
    space : HyperSpace
    arcs : tuple of Arc
        None where arguments are only to be checked.

    Raises
    ------
    ParameterError
        If a value is out of its range.
    """
    arc_space = _arc_space(arguments)
    fathers: list[str | Graph] = ["linear", *(arc_to_graph(arc, arc_space, n_outputs) for arc in arcs)]
    rest = {name: value for name, value in arguments.items() if name not in DEFAULTS}
    if "fathers" in rest:
        raise ParameterError("searcher 'enas' finds its fathers itself: leave fathers out of searcher_args.")
    return BayesianSearcher(n_outputs, fathers=fathers, space=space, **rest)


def find_arcs(
    arguments: Mapping[str, Any], problem: Problem, folder: RunFolder, budget: Budget, seed: int
) -> tuple[Arc, ...]:
    """The best arcs by shared weights; those that the run holds already, if it does.

    Parameters
    ----------
    arguments : mapping
        See ``DEFAULTS``.
    problem : Problem
        Arcs are ranked on its first view, each fold with shared weights of its own.
    folder : RunFolder
    budget : Budget
        At most three tenths of what is left are used.
    seed : int

    Raises
    ------
    ParameterError
        If the task is neither classes nor numbers.
    RunFolderError
        If those that the run holds were searched with other arguments.
    """
    if problem.task.kind not in _LOSSES:
        raise ParameterError(
            f"searcher 'enas' knows {' and '.join(_LOSSES)}, not the task {problem.task.kind!r}."
        )
    given = {**DEFAULTS, **{k: v for k, v in arguments.items() if k in DEFAULTS}}
    if folder.has(ARCS_FILE):
        held = folder.read_json(ARCS_FILE)
        _check_same(held.get("arguments", given), given, folder)
        return tuple(Arc.parse(text) for text in held["arcs"])
    z = by_sample(next(iter(problem.rows.values())))
    targets = problem.task.training_targets(problem.targets)
    rows = problem.sample_weight.astype("float32")
    data = SearchData(z, targets, problem.train * rows, problem.held_out * rows)
    supernet = SupernetSettings(
        child_l2_reg=given["child_l2_reg"], seed=seed, loss=_LOSSES[problem.task.kind]
    )
    search = EnasSearch(_arc_space(given), EnasSettings(supernet, given["controller"]))
    seconds = _SHARE_OF_TIME * budget.search_remaining
    deadline = time.monotonic() + seconds if np.isfinite(seconds) else np.inf
    found = search.run(data, lambda: time.monotonic() > deadline, logger.info)
    arcs = found.top(min(given["top_k_candidates"], found.n_scored))
    folder.write_json(
        ARCS_FILE,
        {
            "arcs": [str(arc) for arc in arcs],
            "loss": found.loss[: len(arcs)].tolist(),
            "n_scored": found.n_scored,
            "controller": found.controller,
            "arguments": given,
            "seconds": found.seconds,
        },
    )
    folder.write_arrays("controller.npz", dict(found.controller_state))
    return arcs


def _check_same(held: Mapping[str, Any], given: Mapping[str, Any], folder: RunFolder) -> None:
    """Arcs that were searched in another space, or by other means, are not those that are asked for."""
    other = [name for name in DEFAULTS if held.get(name) != given[name]]
    if other:
        was = listed((f"{name}={held.get(name)!r}" for name in other), 5)
        now = listed((f"{name}={given[name]!r}" for name in other), 5)
        raise RunFolderError(
            f"the run {str(folder.path)!r} searched its arcs with {was}, and {now} is asked for: resume it with the same searcher_args, "
            "or fit into another path."
        )


def _arc_space(arguments: Mapping[str, Any]) -> ArcSpace:
    given = {**DEFAULTS, **arguments}
    space = ArcSpace(given["child_num_layers"], given["max_search_channel"])
    check_top_k(given["top_k_candidates"], space)
    if given["controller"] is not None and given["controller"] not in CONTROLLERS:
        raise ParameterError(f"unknown controller {given['controller']!r}; known: {', '.join(CONTROLLERS)}.")
    return space

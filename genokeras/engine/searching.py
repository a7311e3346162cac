"""The searcher of a run: what a user asked for, checked, and what a kind of samples offers it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genokeras.encoders import NetworkEncoder
from genokeras.engine.arcs import DEFAULTS, NAME, make_enas_searcher
from genokeras.engine.problem import Problem
from genokeras.errors import ParameterError
from genokeras.graph import Graph, linear
from genokeras.graph.arcs import Arc
from genokeras.searchers import BayesianSearcher, HalvingSearcher, HyperSpace, RandomSearcher, Searcher
from genokeras.searchers.halving import GUIDES, LinearFather
from genokeras.support.wording import did_you_mean
from genokeras.training.allotment import LINEAR_SHARE
from genokeras.tuning import is_oracle, make_oracle_searcher

SEARCHERS: dict[str, type[Searcher]] = {"bayesian": BayesianSearcher, "random": RandomSearcher}
# Entries of searcher_args that are not for the searcher.
_NOT_ITS = ("search_type", "trainer_args")
# Arguments of earlier versions that no searcher takes any more: runs that were made with them can still be resumed.
_RETIRED = ("explore",)


@dataclass(frozen=True)
class Wanted:
    """The searcher that a user asked for.

    Attributes
    ----------
    searcher : str, Searcher, keras_tuner.Oracle or type
        A name, an instance or a class.
    arguments : mapping
        What goes to its constructor.
    trainer_args : mapping or None
    time_limit : float or None
        Seconds of the whole run.
    """

    searcher: Any
    arguments: Mapping[str, Any]
    trainer_args: Mapping[str, Any] | None = None
    time_limit: float | None = None

    @classmethod
    def of(
        cls,
        searcher: str | Searcher,
        searcher_args: Mapping[str, Any] | None,
        time_limit: float | None = None,
    ) -> Wanted:
        """``searcher`` and ``searcher_args`` of an estimator; ``search_type`` takes the place of ``searcher``.

        Raises
        ------
        ParameterError
            If there are arguments for an instance, which has its own.
        """
        given = dict(searcher_args or {})
        wanted = given.get("search_type", searcher)
        arguments = {name: value for name, value in given.items() if name not in (*_NOT_ITS, *_RETIRED)}
        instance = isinstance(wanted, Searcher) or (is_oracle(wanted) and not inspect.isclass(wanted))
        if instance and arguments:
            raise ParameterError(
                f"searcher_args {sorted(arguments)} need a searcher by name or class, not an instance."
            )
        return cls(wanted, arguments, given.get("trainer_args"), time_limit)

    @property
    def name(self) -> str:
        """What ``run.json`` says."""
        if isinstance(self.searcher, str):
            return self.searcher
        return self.searcher.__name__ if inspect.isclass(self.searcher) else type(self.searcher).__name__

    @property
    def is_enas(self) -> bool:
        """Whether shared weights look for fathers first."""
        return isinstance(self.searcher, str) and self.searcher == NAME


def make_table_searcher(
    wanted: Wanted,
    n_outputs: int,
    space: HyperSpace,
    arcs: tuple[Arc, ...] = (),
    splits: int = 1,
    fathers: Sequence[str | Graph] | None = None,
) -> Searcher:
    """The searcher of a run on tables.

    Parameters
    ----------
    wanted : Wanted
    n_outputs : int
    space : HyperSpace
        With the views that the data allow, and their widths.
    arcs : tuple of Arc
        What the shared weights of ``"enas"`` found.
    splits : int
        Splits into folds that there are.
    fathers : sequence of str or Graph, optional
        What a search starts from where the user says nothing, in place of the searcher's own.

    Raises
    ------
    ParameterError
        On unknown names.
    """
    if wanted.is_enas:
        known = [*DEFAULTS, *inspect.signature(BayesianSearcher).parameters]
        for name in wanted.arguments:
            if name not in known:
                raise _unknown(f"searcher_args {name!r} for {NAME}", name, known)
        arguments = {"splits": splits, **wanted.arguments}
        return make_enas_searcher(arguments, n_outputs, space, arcs)
    if is_oracle(wanted.searcher):
        return make_oracle_searcher(wanted.searcher, wanted.arguments, n_outputs, space.views)
    offered = {"n_outputs": n_outputs, "space": space, "splits": splits}
    if fathers is not None:
        offered["fathers"] = fathers
    return _made(wanted, wanted.arguments, SEARCHERS, offered, [*SEARCHERS, NAME])


@dataclass(frozen=True)
class Fathers:
    """What a search on one kind of samples starts from.

    Attributes
    ----------
    known : mapping of str to callable
        Makes the graph of each father that can be asked for by name.
    usual : tuple of str
        Those that a search starts from.
    space : HyperSpace
    weight_decays : tuple of float
        Of the linear models, the first one first.
    """

    known: Mapping[str, Callable[[], Graph]]
    usual: tuple[str, ...]
    space: HyperSpace
    weight_decays: tuple[float, ...] = field(default=())


def make_network_searcher(wanted: Wanted, fathers: Fathers, problem: Problem) -> Searcher:
    """The searcher of a run on sequences, images, texts or arrays.

    Raises
    ------
    ParameterError
        On unknown names.
    """
    if is_oracle(wanted.searcher):
        raise ParameterError(
            f"searcher {wanted.name}: oracles of KerasTuner choose among the networks for tables, take {' or '.join(GUIDES)}."
        )
    encoder = problem.encoder
    assert isinstance(encoder, NetworkEncoder)
    arguments, n_outputs = dict(wanted.arguments), problem.task.n_outputs
    linear_fathers = [
        LinearFather(linear(n_outputs), view, fathers.weight_decays) for view in encoder.linear_views
    ]
    offered: dict[str, Any] = {
        "fathers": _fathers(arguments.pop("fathers", fathers.usual), fathers, encoder, n_outputs),
        "space": fathers.space,
        "linear": linear_fathers if problem.task.has_linear_fit else [],
        "n_outputs": n_outputs,
        "n_folds": problem.n_folds,
        "time_limit": wanted.time_limit,
        "linear_share": LINEAR_SHARE,
    }
    guided: dict[str, type[Searcher]] = dict.fromkeys(GUIDES, HalvingSearcher)
    if isinstance(wanted.searcher, str):
        offered["guide"] = wanted.searcher
    return _made(wanted, arguments, guided, offered, list(GUIDES))


def _made(
    wanted: Wanted,
    arguments: Mapping[str, Any],
    named: Mapping[str, type[Searcher]],
    offered: Mapping[str, Any],
    known: Sequence[str],
) -> Searcher:
    kind = wanted.searcher
    if isinstance(kind, Searcher):
        return kind
    if isinstance(kind, str):
        if kind not in named:
            raise _unknown(f"searcher {kind!r}", kind, known)
        kind = named[kind]
    if not (inspect.isclass(kind) and issubclass(kind, Searcher)):
        raise ParameterError(
            f"search_type must be the name of a searcher ({', '.join(known)}), a subclass of genokeras.Searcher or an "
            f"instance of one, got {kind!r}."
        )
    return constructed(kind, arguments, offered)


def constructed(kind: type[Searcher], arguments: Mapping[str, Any], offered: Mapping[str, Any]) -> Searcher:
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
            raise _unknown(f"searcher_args {name!r} for {kind.__name__}", name, [*parameters, *_NOT_ITS])
    fitting = {name: value for name, value in offered.items() if name in parameters and name not in arguments}
    return kind(**fitting, **arguments)


def _fathers(
    asked: Sequence[str | Graph], fathers: Fathers, encoder: NetworkEncoder, n_outputs: int
) -> list[tuple[str, Graph]]:
    if isinstance(asked, str) or not asked:
        raise ParameterError(f"fathers must be a sequence of at least one name or graph, got {asked!r}.")
    found: list[tuple[str, Graph]] = []
    for position, father in enumerate(asked):
        if isinstance(father, Graph):
            expected = (encoder.input_shape, n_outputs)
            if (father.input_shape, father.n_outputs) != expected:
                raise ParameterError(
                    f"father {position} reads {father.input_shape} and has {father.n_outputs} outputs; expected "
                    f"{expected[0]} and {expected[1]}."
                )
            found.append((f"graph_{position}", father))
        elif father in fathers.known:
            found.append((father, fathers.known[father]()))
        else:
            raise _unknown(f"father {father!r}", father, list(fathers.known))
    return found


def _unknown(what: str, name: Any, known: Sequence[str]) -> ParameterError:
    return ParameterError(f"unknown {what}.{did_you_mean(str(name), known)} Known: {', '.join(known)}.")

"""The hyper-parameters a search may choose from, and how a Gaussian process sees them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genokeras.errors import ParameterError
from genokeras.graph.graph import Graph
from genokeras.graph.hyper import HyperParameters
from genokeras.graph.templates import is_linear
from genokeras.searchers.values import unused_hyper_parameters

Array = NDArray[np.float64]

# Field of the space, field of HyperParameters; the first three have an order, the others are names.
RATES = {"learning_rate": "learning_rate", "weight_decay": "weight_decay", "dropout": "dropout"}
NAMES = {"activation": "activation", "views": "view"}
USUAL_INPUT = 128
LOG_SCALED = ("learning_rate", "weight_decay")


@dataclass(frozen=True)
class HyperSpace:
    """Lists of values for each hyper-parameter.

    Parameters
    ----------
    learning_rate, weight_decay, dropout : tuple of float
        Sorted on construction.
    activation : tuple of str
    views : tuple of str
        Names of the features' views.
    view_units : tuple of int
        Width of each view, which says what a network costs; empty takes 128 for all.
    linear_decays : int
        Weight decays that linear models are tried with on every view, ahead of all networks: for tasks that solve them in no time. By default 0: one
        or two, and networks take turns with them.
    linear_unread : tuple of str
        Rates that linear models do not read, because they are solved: ``"learning_rate"``, and ``"weight_decay"`` where the best one is found on the
        way. They have the middle value, which networks that grow from them begin with.

    Raises
    ------
    ParameterError
        If a list is empty or repeats a value, or a value is outside of what `HyperParameters` takes.

    Examples
    --------
    >>> space = HyperSpace(views=("all", "top_100"))
    >>> space.size
    360
    """

    learning_rate: tuple[float, ...] = (1e-3, 3e-3, 1e-2, 3e-2)
    weight_decay: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)
    dropout: tuple[float, ...] = (0.0, 0.2, 0.5)
    activation: tuple[str, ...] = ("gelu", "relu", "tanh")
    views: tuple[str, ...] = ("all",)
    view_units: tuple[int, ...] = ()
    linear_decays: int = 0
    linear_unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, field in (RATES | NAMES).items():
            values = getattr(self, name)
            if isinstance(values, str) or not isinstance(values, Iterable):
                raise ParameterError(f"HyperSpace.{name} must be a sequence of values, got {values!r}.")
            values = tuple(values)
            if not values or len(set(values)) < len(values):
                raise ParameterError(
                    f"HyperSpace.{name} needs at least one value and none twice, got {values}."
                )
            for value in values:
                HyperParameters(**{field: value})
            object.__setattr__(self, name, tuple(sorted(values)) if name in RATES else values)
        if self.view_units and len(self.view_units) != len(self.views):
            raise ParameterError(
                f"HyperSpace.view_units needs one width for each of {len(self.views)} views: got {len(self.view_units)}."
            )

    @property
    def size(self) -> int:
        """Number of combinations."""
        return int(np.prod([len(getattr(self, name)) for name in RATES | NAMES]))

    def middle(self, name: str) -> float:
        """The value in the middle of a list of rates, or the one above."""
        values: tuple[float, ...] = getattr(self, name)
        return values[len(values) // 2]

    def sample(self, rng: np.random.Generator) -> HyperParameters:
        """A combination drawn uniformly."""
        return HyperParameters(
            **{field: _draw(getattr(self, n), rng) for n, field in (RATES | NAMES).items()}
        )

    def neighbour(self, hyper: HyperParameters, rng: np.random.Generator) -> HyperParameters:
        """Change one hyper-parameter, if any can: a rate by one step in its list, a name to any other."""
        open_names = [name for name in RATES | NAMES if len(getattr(self, name)) > 1]
        if not open_names:
            return hyper
        name = _draw(open_names, rng)
        values, field = getattr(self, name), (RATES | NAMES)[name]
        if name in NAMES:
            return _with(
                hyper, field, _draw([value for value in values if value != getattr(hyper, field)], rng)
            )
        here = int(np.abs(np.subtract(values, getattr(hyper, field))).argmin())
        steps = [i for i in (here - 1, here + 1) if 0 <= i < len(values)]
        return _with(hyper, field, values[_draw(steps, rng)])

    def siblings(self, hyper: HyperParameters) -> list[HyperParameters]:
        """All combinations of rates with the same activation and view: these train packed in one run."""
        grid = itertools.product(*(getattr(self, name) for name in RATES))
        return [replace(hyper, **dict(zip(RATES.values(), rates, strict=True))) for rates in grid]

    def canonical(self, hyper: HyperParameters, graph: Graph) -> HyperParameters:
        """Set what the graph does not read to the first value listed, or the middle one of a rate, so that equal networks look equal."""
        for field in unused_hyper_parameters(graph):
            hyper = _with(hyper, field, getattr(self, field)[0])
        for name in self.linear_unread if is_linear(graph) else ():
            hyper = _with(hyper, RATES[name], self.middle(name))
        return hyper

    def input_units(self, graph: Graph, hyper: HyperParameters) -> int:
        """Units of all Inputs of a graph together."""
        known = dict(zip(self.views, self.view_units, strict=False))
        return sum(known.get(view, USUAL_INPUT) for view in graph.views(hyper.view).values())

    def fits(self, hyper: HyperParameters, graph: Graph) -> bool:
        """Whether the graph looks at the view of the hyper-parameters only once: no further Input reads it."""
        return list(graph.views(hyper.view).values()).count(hyper.view) < 2

    def blocks(self, hypers: Sequence[HyperParameters]) -> tuple[Array, ...]:
        """Coordinates by hyper-parameter, a block (n, d) each: rates in [0, 1], names at distance 1.

        Values outside of the lists, as in a resumed search, extrapolate; unknown names are at equal distance
        of all.
        """
        rates = [self._rate_block(name, [getattr(h, f) for h in hypers]) for name, f in RATES.items()]
        names = [_one_hot([getattr(h, f) for h in hypers], getattr(self, n)) for n, f in NAMES.items()]
        return (*rates, *names)

    def encode(self, hyper: HyperParameters) -> Array:
        """Coordinates of one combination, all blocks side by side."""
        return np.concatenate([block[0] for block in self.blocks([hyper])])

    def _rate_block(self, name: str, values: Sequence[float]) -> Array:
        listed, asked = np.array(getattr(self, name)), np.array(values, dtype=np.float64)
        if name in LOG_SCALED:
            # Zero, no weight decay at all, stands a factor of 10 below the smallest rate listed.
            floor = listed[listed > 0].min() / 10 if (listed > 0).any() else 1e-4
            listed, asked = np.log(np.maximum(listed, floor)), np.log(np.maximum(asked, floor))
        span = listed.max() - listed.min()
        return ((asked - listed.min()) / (span if span > 0 else 1.0))[:, None]


def _draw(values: Sequence[Any], rng: np.random.Generator) -> Any:
    return values[int(rng.integers(len(values)))]


def _with(hyper: HyperParameters, field: str, value: Any) -> HyperParameters:
    return replace(hyper, **{field: value})


def _one_hot(values: Sequence[str], listed: Sequence[str]) -> Array:
    return np.array([[value == name for name in listed] for value in values], dtype=np.float64) / np.sqrt(2)

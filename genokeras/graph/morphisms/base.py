"""What a morphism is, and the edits of graphs that several of them share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from genokeras.errors import GraphError
from genokeras.graph.arrays import fresh_arrays
from genokeras.graph.graph import Graph
from genokeras.graph.layer import Layer
from genokeras.graph.reference import Weights
from genokeras.graph.specs import (
    Activation,
    Add,
    Dense,
    Dropout,
    Input,
    LayerNorm,
    LayerSpec,
)
from genokeras.graph.specs.base import checked_view
from genokeras.support.checks import check_choice, check_whole


@dataclass(frozen=True)
class Limits:
    """How large a graph may grow.

    Parameters
    ----------
    max_parameters : int, default=4_000_000
        Trainable numbers of one member.
    max_layers : int, default=40
        Layers of the graph; twice as many where it reads sequences or images, whose blocks have more of them.
    input_units : int, default=128
        Width of the Inputs assumed for counting parameters, where the graph does not know it.
    max_operations : int, default=100_000_000
        Multiplications that kernels cost for one sample.
    views : tuple of str, default=()
        Names of the views that Inputs beside the main one may read.
    max_inputs : int, default=4
        Inputs of the graph, the main one included.
    """

    max_parameters: int = 4_000_000
    max_layers: int = 40
    input_units: int = 128
    max_operations: int = 100_000_000
    views: tuple[str, ...] = ()
    max_inputs: int = 4

    def __post_init__(self) -> None:
        object.__setattr__(self, "views", tuple(checked_view(view, "Limits.views") for view in self.views))

    def allow(self, graph: Graph) -> bool:
        """Return whether a graph is within the limits."""
        widths = {**dict.fromkeys(graph.inputs, self.input_units), **graph.required_input_widths()}
        known = graph.input_shape or widths
        return (
            len(graph.inputs) <= self.max_inputs
            and len(graph.layers) <= self.max_layers * (2 if graph.is_spatial else 1)
            and graph.n_parameters(known) <= self.max_parameters
            and graph.n_operations(known) <= self.max_operations
        )


DEFAULT_LIMITS = Limits()

_REGISTRY: dict[str, type[Morphism]] = {}


class Morphism(ABC):
    """A change of a graph that keeps what its networks compute (Chen et al. 2016; Wei et al. 2016).

    A kind of morphism is a frozen dataclass with a `name`, which also registers it for `Morphism.from_dict`.
    It says where it fits (`candidates`, `problem`), and how it changes the graph (`edit`) and the weights
    (`carry`). `genokeras.graph.testing.MorphismContract` tests all of that.

    Attributes
    ----------
    name : str
        Name of the kind in JSON, journals and tables.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "name" not in cls.__dict__:
            return
        known = _REGISTRY.get(cls.name)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise GraphError(
                f"the morphism name {cls.name!r} is taken by {known.__qualname__}; choose another."
            )
        _REGISTRY[cls.name] = cls

    @classmethod
    @abstractmethod
    def candidates(cls, graph: Graph, limits: Limits) -> Iterable[Morphism]:
        """Yield instances worth trying on the graph; those with a `problem` are sorted out."""

    @abstractmethod
    def problem(self, graph: Graph) -> str | None:
        """Return why this morphism does not fit the graph, or None where it does."""

    @abstractmethod
    def edit(self, graph: Graph) -> Graph:
        """Return the changed graph, given that there is no `problem`."""

    @abstractmethod
    def carry(
        self,
        graph: Graph,
        edited: Graph,
        weights: Weights,
        rng: np.random.Generator,
        widths: Mapping[int, int] | None,
    ) -> Weights:
        """Return weights for the edited graph with which every member computes what it did before.

        Parameters
        ----------
        graph, edited : Graph
            Before and after `edit`.
        weights : dict
            Of `graph`, to be left alone.
        rng : numpy.random.Generator
        widths : mapping of int to int or None
            Width of each Input of `edited`, by its id; None where the graph knows the shape of its Input.
        """

    @classmethod
    def sites(
        cls, graph: Graph, rng: np.random.Generator | None = None, *, limits: Limits | None = None
    ) -> tuple[Morphism, ...]:
        """Return all instances that fit the graph, in a fixed order or in a random one.

        Parameters
        ----------
        graph : Graph
            The graph to grow.
        rng : numpy.random.Generator or None, default=None
            Shuffles the sites; None leaves them in the order of the layers.
        limits : Limits or None, default=None
            A graph above these has no sites; None is `Limits()`.
        """
        limits = limits or DEFAULT_LIMITS
        if not limits.allow(graph):
            return ()
        found = [morphism for morphism in cls.candidates(graph, limits) if morphism.problem(graph) is None]
        order = range(len(found)) if rng is None else rng.permutation(len(found))
        return tuple(found[int(position)] for position in order)

    def apply(
        self,
        graph: Graph,
        weights: Weights | None,
        rng: np.random.Generator,
        widths: Mapping[str, int] | None = None,
    ) -> tuple[Graph, Weights | None]:
        """Return the grown graph and the weights with which it computes the same in inference mode.

        Parameters
        ----------
        graph : Graph
            The graph to grow; it is left alone.
        weights : dict or None
            Arrays with a leading member axis by layer id, left alone too; arrays of unchanged layers are
            shared with the result. None grows the graph alone.
        rng : numpy.random.Generator
            Source of new kernels and of noise.
        widths : mapping of str to int, optional
            Number of features of each view that a new Input may read; needed where there are weights and a new Input.

        Raises
        ------
        GraphError
            If the morphism does not fit the graph, or `widths` lacks the view of a new Input.
        """
        problem = self.problem(graph)
        if problem is not None:
            raise GraphError(f"{self} does not fit the graph: {problem}.")
        edited = self.edit(graph)
        if weights is None:
            return edited, None
        return edited, self.carry(graph, edited, weights, rng, _input_widths(graph, edited, weights, widths))

    def to_dict(self) -> dict[str, Any]:
        """Return the morphism as a JSON object."""
        return {"morphism": self.name, **asdict(self)}  # type: ignore[call-overload]

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> Morphism:
        """Read what `to_dict` wrote.

        Raises
        ------
        GraphError
            If the kind is unknown or the fields are not its own.
        """
        name = data.get("morphism") if isinstance(data, Mapping) else None
        check_choice(name, "morphism", _REGISTRY, error=GraphError)
        kind = _REGISTRY[str(name)]
        values = {key: value for key, value in data.items() if key != "morphism"}
        expected = [field.name for field in fields(kind)]  # type: ignore[arg-type]
        if sorted(values) != sorted(expected):
            raise GraphError(
                f"morphism {name!r} needs {', '.join(expected)}; got {', '.join(values) or 'none'}."
            )
        return kind(**values)


def plain_fields(morphism: Morphism, *, at_least: int = 0) -> None:
    """Make all fields of a morphism plain ints, or raise GraphError where one is no integer."""
    for field in fields(morphism):  # type: ignore[arg-type]
        name = f"{type(morphism).__name__}.{field.name}"
        value = check_whole(getattr(morphism, field.name), name, at_least, error=GraphError)
        object.__setattr__(morphism, field.name, value)


def edited(
    graph: Graph,
    added: Iterable[Layer] = (),
    *,
    redirect: Mapping[int, int] | None = None,
    changed: Mapping[int, LayerSpec | tuple[int, ...]] | None = None,
) -> Graph:
    """Return the graph with layers added, and with existing layers' inputs or specs changed.

    Parameters
    ----------
    graph : Graph
        The graph to change.
    added : iterable of Layer, default=()
        New layers.
    redirect : mapping of int to int, optional
        Existing layers that read the key read the value instead.
    changed : mapping of int to LayerSpec or tuple of int, optional
        New spec, or new inputs, of existing layers.
    """
    redirect, changed = redirect or {}, changed or {}
    layers = []
    for layer in graph.layers:
        new = changed.get(layer.id)
        if isinstance(new, LayerSpec):
            layer = replace(layer, spec=new)
        elif new is not None:
            layer = replace(layer, inputs=new)
        if not redirect.keys().isdisjoint(layer.inputs):
            layer = replace(layer, inputs=tuple(redirect.get(source, source) for source in layer.inputs))
        layers.append(layer)
    return Graph.build([*layers, *added])


def with_summand(graph: Graph, target: int, summand: int, added: list[Layer]) -> Graph:
    """Return the graph with layer `summand`, one of those added, summed to `target` for all who read that.

    Where the target is a sum already it takes one more input, so that growing the same way in another order
    gives isomorphic graphs.
    """
    layer = graph.layer(target)
    if isinstance(layer.spec, Add):
        return edited(graph, added, changed={target: (*layer.inputs, summand)})
    total = max(new.id for new in added) + 1
    return edited(graph, [*added, Layer(total, Add(), (target, summand))], redirect={target: total})


def hidden_block(
    first_id: int, source: int, units: int, outputs: int, function: str | None = None
) -> list[Layer]:
    """Return Dense(units), LayerNorm, Activation, Dropout and Dense(outputs), each reading the one before."""
    return chain(
        first_id, source, (Dense(units), LayerNorm(), Activation(function), Dropout(), Dense(outputs))
    )


def chain(first_id: int, source: int, specs: Iterable[LayerSpec]) -> list[Layer]:
    """Return layers with ids from `first_id` on, the first reading `source` and each other the one before."""
    return [
        Layer(first_id + k, spec, (source if k == 0 else first_id + k - 1,)) for k, spec in enumerate(specs)
    ]


def usual_function(graph: Graph) -> str | None:
    """Return the function of a spatial graph's first Activation, for new blocks; None for graphs of vectors."""
    if not graph.is_spatial:
        return None
    specs = (layer.spec for layer in graph.layers)
    return next((spec.function for spec in specs if isinstance(spec, Activation)), None)


def is_block_end(graph: Graph, id: int) -> bool:
    """Return whether blocks pass this tensor on: no bare Dense, no norm, nothing before a Dropout."""
    if not graph.layer(id).spec.ends_block:
        return False
    return not any(isinstance(graph.layer(reader).spec, Dropout) for reader in graph.consumers(id))


def missing_layers(graph: Graph, *ids: int) -> str | None:
    """Return a sentence that names the ids the graph does not have, or None."""
    missing = [id for id in ids if id not in graph]
    return f"there is no layer {missing[0]!r}" if missing else None


def _input_widths(
    graph: Graph, edited: Graph, weights: Weights, widths: Mapping[str, int] | None
) -> dict[int, int] | None:
    """Return the width of each Input: of those there were as the weights say, of new ones as `widths` does."""
    if graph.input_shape is not None:
        return None
    kernels = {id: arrays["kernel"] for id, arrays in weights.items() if "kernel" in arrays}
    found = graph.infer_input_widths({id: kernel.shape[-2] for id, kernel in kernels.items()})
    for id, view in edited.views("").items():
        if id in found:
            continue
        if view not in (widths or {}):
            known = ", ".join(map(repr, widths or ())) or "none"
            raise GraphError(
                f"the graph reads the view {view!r}, but there is none of that name; known: {known}."
            )
        found[id] = (widths or {})[view]
    return found


def with_fresh(
    graph: Graph,
    edited: Graph,
    weights: Weights,
    rng: np.random.Generator,
    widths: Mapping[int, int] | None,
    *,
    zero: Iterable[int] = (),
) -> Weights:
    """Return the weights with arrays for every layer that is new in the edited graph.

    Parameters
    ----------
    graph, edited, weights, rng, widths
        As for `Morphism.carry`.
    zero : iterable of int, default=()
        Layers whose kernels start at zero.
    """
    units = edited.units(widths)
    n_members = len(next(iter(next(iter(weights.values())).values())))
    carried = dict(weights)
    silent = set(zero)
    for layer in edited.layers:
        if layer.id in graph or isinstance(layer.spec, Input):
            continue
        read = tuple(units[source] for source in layer.inputs)
        arrays = fresh_arrays(layer.spec, read, n_members, rng, 0.0 if layer.id in silent else 1.0)
        if arrays:
            carried[layer.id] = {name: array for name, array in arrays.items()}
    return carried

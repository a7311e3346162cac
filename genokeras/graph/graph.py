"""The architecture of a network as a value: layers, what they read, their shapes, JSON and fingerprint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, overload

from genokeras.errors import GraphError
from genokeras.graph.classic_views import ClassicViews, Edge, Tensor, classic_views
from genokeras.graph.describe import describe_layers
from genokeras.graph.layer import Layer, layers_from_dict
from genokeras.graph.ordering import check_ends, check_ids, check_input, is_main, topological_order
from genokeras.graph.refinement import fingerprint_of
from genokeras.graph.shapes import (
    InputUnits,
    Width,
    affine_widths,
    solved_inputs,
    sum_equations,
    tensor_shapes,
    vector_widths,
)
from genokeras.graph.specs import Dense, Embedding, Input, LayerSpec, Shape

GRAPH_FORMAT = 1
# Many trials of a run have one graph: what was read once is the same value again.
_READ: dict[str, Graph] = {}
_MOST_READ = 2_000


@dataclass(frozen=True)
class Graph:
    """A network's architecture: layers in topological order, from the Inputs to the logits.

    The first layer is the main Input, the last is the output (logits, so nothing is applied behind a Dense or
    a sum of them). A graph of vectors does not know how many features its Inputs have: methods that need it take
    `input_units`. Besides the main Input it may have others, each of which names the view of the data that it
    reads. A graph of sequences or images has one Input and knows its shape, and so that of every tensor. Use
    `Graph.build` for layers in any order.

    Parameters
    ----------
    layers : tuple of Layer
        The layers, each behind all of those it reads.

    Raises
    ------
    GraphError
        If the layers are no such graph.
    """

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        check_ids(self.layers)
        seen: set[int] = set()
        for layer in self.layers:
            if not seen.issuperset(layer.inputs):
                raise GraphError(f"{layer} stands before a layer it reads; Graph.build puts them in order.")
            seen.add(layer.id)
        if not is_main(self.layers[0]):
            raise GraphError(
                f"the first layer must be the Input without a view, not {self.layers[0]}; Graph.build puts "
                f"them in order."
            )
        check_ends(self.layers)
        check_input(self.layers)
        if self._widths[self.output].inputs:
            raise GraphError(
                f"the width of the logits must not depend on the Input's, but that of {self.layers[-1]} does."
            )
        if self.input_shape is not None and len(self.shapes()[self.output]) > 1:
            raise GraphError(
                f"the logits must be a vector, but {self.layers[-1]} makes {self.shapes()[self.output]}; put a "
                f"GlobalPool or Flatten before it."
            )

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Searchers look graphs up far more often than they make them.
        return hash(self.layers)

    def __getstate__(self) -> dict[str, Any]:
        # Another process hashes texts in another way.
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}

    @classmethod
    def build(cls, layers: Iterable[Layer]) -> Graph:
        """Order layers topologically (ties by id) and check them.

        Parameters
        ----------
        layers : iterable of Layer
            The layers in any order.

        Raises
        ------
        GraphError
            On a cycle, an unknown or repeated id, no main Input or two of one view, layers that lead nowhere,
            an activation behind the logits, or an Add of different widths.
        """
        listed = tuple(layers)
        check_ids(listed)
        return cls(topological_order(listed))

    @cached_property
    def _by_id(self) -> dict[int, Layer]:
        return {layer.id: layer for layer in self.layers}

    @cached_property
    def _consumers(self) -> dict[int, tuple[int, ...]]:
        readers: dict[int, list[int]] = {layer.id: [] for layer in self.layers}
        for layer in self.layers:
            for source in dict.fromkeys(layer.inputs):
                readers[source].append(layer.id)
        return {source: tuple(ids) for source, ids in readers.items()}

    @cached_property
    def _widths(self) -> dict[int, Width]:
        if self.input_shape is None:
            return affine_widths(self.layers)
        return {id: Width(shape[-1]) for id, shape in self._shapes.items()}

    @cached_property
    def _shapes(self) -> dict[int, Shape]:
        return tensor_shapes(self.layers, self.input_shape or ())

    @property
    def input_shape(self) -> Shape | None:
        """Shape of the only Input, or None where Inputs are vectors of any width."""
        spec = self.layers[0].spec
        return spec.shape if isinstance(spec, Input) else None

    @property
    def is_spatial(self) -> bool:
        """Whether there is a tensor with positions: a sequence, an image, or token ids."""
        return self.input_shape is not None and any(len(shape) > 1 for shape in self._shapes.values())

    @property
    def reads_tokens(self) -> bool:
        """Whether the Input holds token ids: an Embedding reads it."""
        return any(isinstance(self.layer(id).spec, Embedding) for id in self.consumers(self.input))

    @property
    def input(self) -> int:
        """Id of the main Input, which reads the view of the hyper-parameters."""
        return self.layers[0].id

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """Ids of all Inputs, the main one first."""
        return tuple(layer.id for layer in self.layers if isinstance(layer.spec, Input))

    def views(self, view: str) -> dict[int, str]:
        """Return the view that each Input reads, by its id, where the main one reads `view`."""
        specs = {id: self.layer(id).spec for id in self.inputs}
        return {id: (isinstance(spec, Input) and spec.view) or view for id, spec in specs.items()}

    @property
    def output(self) -> int:
        """Id of the layer that makes the logits."""
        return self.layers[-1].id

    @property
    def n_outputs(self) -> int:
        """Number of logits."""
        return self._widths[self.output].units

    def layer(self, id: int) -> Layer:
        """Return the layer of this id, or raise GraphError."""
        if id not in self._by_id:
            raise GraphError(f"there is no layer {id!r}; the graph has layers {sorted(self._by_id)}.")
        return self._by_id[id]

    def __contains__(self, id: object) -> bool:
        return id in self._by_id

    def consumers(self, id: int) -> tuple[int, ...]:
        """Return the ids of the layers that read this one, each once, in topological order."""
        return self._consumers[self.layer(id).id]

    @cached_property
    def _classic(self) -> ClassicViews:
        known = self.input_shape
        shapes = {la.id: (self.known_units(la.id),) for la in self.layers} if known is None else self._shapes
        return classic_views(self.layers, shapes)

    @property
    def node_list(self) -> tuple[Tensor, ...]:
        """The tensors, each with its ``shape``, as classic AutoKeras numbered them."""
        return self._classic.node_list

    @property
    def layer_list(self) -> tuple[LayerSpec, ...]:
        """What the layers between the tensors do."""
        return self._classic.layer_list

    @property
    def adj_list(self) -> tuple[tuple[Edge, ...], ...]:
        """Of each tensor the pairs of a tensor that is made of it and the number of the layer that makes it."""
        return self._classic.adj_list

    @property
    def n_nodes(self) -> int:
        """Number of tensors."""
        return len(self.layers)

    def next_id(self) -> int:
        """Return an id no layer has: the largest one plus 1."""
        return max(self._by_id) + 1

    def known_units(self, id: int) -> int | None:
        """Return the width of a tensor, or None where it depends on the width of an Input."""
        width = self._widths[self.layer(id).id]
        return None if width.inputs else width.units

    @overload
    def shapes(self, input_units: int | Mapping[int, int]) -> dict[int, int]: ...

    @overload
    def shapes(self, input_units: Sequence[int] | None = None) -> dict[int, Shape]: ...

    def shapes(self, input_units: InputUnits | None = None) -> dict[int, int] | dict[int, Shape]:
        """Return the width, or the shape, of every layer's output.

        Parameters
        ----------
        input_units : int, mapping of int to int, or sequence of int, optional
            Number of features that every Input has, or that of each Input by its id, or the shape of the only one
            without the samples' axis; may be left out where the graph knows it. A shape given must have as many
            axes as the one the graph knows.

        Returns
        -------
        dict of int to int, or of int to tuple of int
            Layer id to units for numbers of features, to shape otherwise.

        Raises
        ------
        GraphError
            If a layer does not fit what it reads, or the input is none of this graph; the message names it.
        """
        known = self.input_shape
        if input_units is None and known is not None:
            return dict(self._shapes)
        if input_units is None:
            raise GraphError("this graph reads vectors of any width; say of which one.")
        if isinstance(input_units, Sequence):
            shape = tuple(input_units)
            if known is not None and len(shape) != len(known):
                raise GraphError(f"the graph reads inputs of shape {known}, got {shape}.")
            return tensor_shapes(self.layers, shape)
        if known is not None:
            raise GraphError(f"the graph reads inputs of shape {known}, got a width: {input_units!r}.")
        return vector_widths(self.layers, input_units)

    def units(self, input_units: InputUnits | None = None) -> dict[int, int]:
        """Return the number of channels of every layer's output; `input_units` as for `shapes`."""
        return {
            id: shape if isinstance(shape, int) else shape[-1]
            for id, shape in self.shapes(input_units).items()
        }

    def weight_shapes(self, input_units: InputUnits | None = None) -> dict[int, dict[str, Shape]]:
        """Return the shapes of one member's arrays, by layer id and name; layers without any are left out."""
        units = self.units(input_units)
        shapes = {
            layer.id: layer.spec.weight_shapes(tuple(units[source] for source in layer.inputs))
            for layer in self.layers
            if not isinstance(layer.spec, Input)
        }
        return {id: named for id, named in shapes.items() if named}

    def n_parameters(self, input_units: InputUnits | None = None) -> int:
        """Return the number of trainable numbers of one member."""
        return sum(
            prod(shape)
            for id, named in self.weight_shapes(input_units).items()
            for name, shape in named.items()
            if name not in self.layer(id).spec.statistics
        )

    def n_operations(self, input_units: InputUnits | None = None) -> int:
        """Return about how many multiplications kernels cost for one sample."""
        shapes = self.shapes(input_units)
        arrays = self.weight_shapes(input_units)
        return sum(
            self.layer(id).spec.n_operations(shapes[self.layer(id).inputs[0]], shapes[id], named["kernel"])
            for id, named in arrays.items()
            if "kernel" in named
        )

    def required_input_units(self) -> int | None:
        """Return the only width of the main Input that the sums allow, or None where they allow any."""
        return self.required_input_widths().get(self.input)

    def required_input_widths(self) -> dict[int, int]:
        """Return the only width that the sums allow, for each Input where they allow only one."""
        return solved_inputs(sum_equations(self.layers, self._widths))

    def infer_input_units(self, kernel_rows: Mapping[int, int]) -> int:
        """Return the width of the main Input that fits kernels with these numbers of rows; see `infer_input_widths`."""
        return self.infer_input_widths(kernel_rows)[self.input]

    def infer_input_widths(self, kernel_rows: Mapping[int, int]) -> dict[int, int]:
        """Return the width of every Input that fits kernels with these numbers of rows.

        Parameters
        ----------
        kernel_rows : mapping of int to int
            Dense layer id to the number of rows of its kernel.

        Raises
        ------
        GraphError
            If the kernels do not determine the width of an Input.
        """
        equations = [
            self._widths[layer.inputs[0]] - Width(kernel_rows[layer.id])
            for layer in self.layers
            if isinstance(layer.spec, Dense) and layer.id in kernel_rows
        ]
        found = solved_inputs([*equations, *sum_equations(self.layers, self._widths)])
        if unknown := [str(self.layer(id)) for id in self.inputs if id not in found]:
            raise GraphError(
                f"the width of {' and '.join(unknown)} cannot be read from weights: no Dense layer with weights "
                f"says it."
            )
        return {id: found[id] for id in self.inputs}

    def depth(self) -> int:
        """Return the largest number of Dense, Conv and Embedding layers on a way from the Input to the logits."""
        depths: dict[int, int] = {}
        for layer in self.layers:
            before = max((depths[source] for source in layer.inputs), default=0)
            depths[layer.id] = before + (layer.spec.own_units is not None)
        return depths[self.output]

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as a JSON object that carries its format version."""
        layers = [{"id": la.id, **la.spec.to_dict(), "inputs": list(la.inputs)} for la in self.layers]
        return {"format": GRAPH_FORMAT, "layers": layers}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Graph:
        """Read what `to_dict` wrote.

        Raises
        ------
        GraphError
            If it is incomplete, of another format version, or no valid graph.
        """
        try:
            text = json.dumps(data)
        except (TypeError, ValueError):
            return cls.build(layers_from_dict(data, GRAPH_FORMAT))
        if text not in _READ:
            found = cls.build(layers_from_dict(data, GRAPH_FORMAT))
            if len(_READ) >= _MOST_READ:
                _READ.clear()
            _READ[text] = found
        return _READ[text]

    def fingerprint(self) -> str:
        """Return a hex digest that isomorphic graphs share and that others do not, in every process.

        Ids, the order of listing and the order of an Add's inputs do not matter; kinds, widths, functions,
        rates and the order of a Concat's inputs do. By colour refinement (Weisfeiler & Leman 1968).
        """
        return self._fingerprint

    @cached_property
    def _fingerprint(self) -> str:
        return fingerprint_of(self.layers)

    def describe(self) -> str:
        """Return a short line for tables, such as ``"linear + [64-64 relu]"``.

        Each summand of the logits is either ``linear`` (a Dense on the Input) or a bracket with the widths of
        its hidden layers in order, the activations it fixes, and its numbers of sums and concatenations. A
        convolution is its filters and kernel size, ``64x15``, with ``s2`` for strides and ``d2`` for dilation.
        Where a summand reads other Inputs than the main one, their views follow behind a colon:
        ``"linear + linear:log + [64]:main,log"``, where ``main`` is the main Input. A sum of Dense layers on
        several Inputs counts as one hidden layer.
        """
        return describe_layers(self.layers, self.ancestors)

    def ancestors(self, id: int) -> frozenset[int]:
        """Return the ids of all layers this one depends on, without itself."""
        return self._ancestors[self.layer(id).id]

    @cached_property
    def _ancestors(self) -> dict[int, frozenset[int]]:
        found: dict[int, frozenset[int]] = {}
        for layer in self.layers:
            found[layer.id] = frozenset(layer.inputs).union(*(found[source] for source in layer.inputs))
        return found

    @cached_property
    def hidden(self) -> frozenset[int]:
        """Layers at or behind one that mixes channels whose output reaches the logits through a further one only.

        What mixes channels is a Dense, Conv or Embedding.
        """
        behind: set[int] = set()
        for layer in self.layers:
            if layer.spec.own_units is not None or not behind.isdisjoint(layer.inputs):
                behind.add(layer.id)
        shielded: set[int] = set()
        for layer in reversed(self.layers[:-1]):
            readers = self._consumers[layer.id]
            if all(self._by_id[r].spec.own_units is not None or r in shielded for r in readers):
                shielded.add(layer.id)
        return frozenset(behind & shielded)
